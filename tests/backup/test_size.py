"""A ledger of a million entries there and back, in bounded memory."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capper.ledger.entries import Stored, put

ENTRIES = 1_000_000
MOST_MB = 120
"""capper itself is 60 to 70 MB of this; a million entries are some 100 MB."""
# Not `ru_maxrss`, which begins with the size of the process that this one was forked from.
MEASURED = """
import sys
from pathlib import Path
from capper.cli import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    print("peak", int(kilobytes) // 1024, file=sys.stderr)
"""


def made_up(number: int) -> Stored:
    """An entry like a counter of one of a hundred people, with three sightings."""
    viewer, name = number % 100, number.to_bytes(8).hex()[5:]
    return Stored(
        b"cap{viewer-%06d}A%s" % (viewer, name.encode()), b"\x02" + os.urandom(6 + 32 + 18), 4_000_000_000_000 + number
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="how large a process became is asked of Linux's /proc")
async def test_a_million_entries(machine, tmp_path):
    """The backup and the restore each stay within the memory of a small router, and lose no entry."""
    old, new = machine("old", ""), machine("new")
    ledger = old.ledger()
    for first in range(0, ENTRIES, 20_000):
        await put(ledger.link, [made_up(number) for number in range(first, first + 20_000)], replace=True)
    await ledger.close()
    file = tmp_path / "b"
    made = await measured("create", file, "--config", old.config)
    done = await measured("restore", file, "--config", new.config)
    ledger = new.ledger()
    size, sample = await ledger.link("DBSIZE"), await ledger.link("PEXPIRETIME", made_up(123_456).key)
    await ledger.close()
    told = " and ".join(f"{one['took']:.0f} s, {one['peak']} MB" for one in (made, done))
    print(f"\n{file.stat().st_size:,} bytes; {told}")

    assert (made["entries"], done["entries"], size) == (ENTRIES, ENTRIES, ENTRIES)
    assert sample == 4_000_000_123_456
    assert max(made["peak"], done["peak"]) < MOST_MB


async def measured(command: str, file: Path, *options: object) -> dict:
    """What `capper backup` said in a process of its own, and its largest size in MB."""
    began = time.monotonic()
    words = [sys.executable, "-c", MEASURED, "backup", command, str(file), *map(str, options), "--json"]
    environ = os.environ | {"CAPPER_BACKUP_PASSPHRASE": "four quiet words here"}
    ended = await asyncio.to_thread(subprocess.run, words, env=environ, capture_output=True, text=True, check=True)
    took = time.monotonic() - began
    return json.loads(ended.stdout) | {"peak": int(ended.stderr.rpartition("peak ")[2]), "took": took}
