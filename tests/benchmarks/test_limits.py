"""Capper's operations keep to the limits of benchmarks/limits.toml."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.counting import instructions

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(600)
def test_limits():
    """Nothing has become much dearer, and nothing grows faster than what it reads; `python -m benchmarks.limits` tells each."""
    # A process of its own: what other tests have filled would be counted, too.
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.limits", "--json"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    broken = [limit for limit in json.loads(run.stdout or "[]") if limit["found"] > limit["most"]]

    assert (broken, run.stderr, run.returncode) == ([], "", 0)


async def test_instructions_are_counted_alike_each_time():
    """The same work is the same number, and a loop of a thousand more is thousands more."""

    async def loop(times: int) -> None:
        for _ in range(times):
            pass

    short = [await instructions(lambda: loop(10)) for _ in range(3)]
    long = await instructions(lambda: loop(1010))

    assert len(set(short)) == 1
    assert long - short[0] >= 2000
