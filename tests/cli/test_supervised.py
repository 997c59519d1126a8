"""What a service manager hears of a running proxy: a real one, on a real notify socket."""

import asyncio
import os
import signal
import socket
import subprocess
import sys

import pytest

from capper.cli.supervised import Supervisor, answers


@pytest.fixture
def manager(tmp_path):
    """A service manager's end of the notify socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(30)
        yield manager


@pytest.fixture
def started(manager, tmp_path):
    """`capper run`, started as a service with a watchdog of 0.9 seconds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPPER_", "XDG_"))}
    environ = kept | {"HOME": str(tmp_path), "NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "900000"}
    command = [sys.executable, "-c", "from capper.cli import main; main()", "run", "--ledger", "memory"]
    with subprocess.Popen(
        [*command, "--state", str(tmp_path / "state"), "--listen", "127.0.0.1:0"],
        env=environ,
        stdout=subprocess.DEVNULL,
    ) as process:
        yield process
        process.send_signal(signal.SIGCONT)
        process.kill()


def heard(manager) -> bytes:
    """The next thing that was said."""
    return manager.recv(1000)


def test_ready_alive_hung_alive_stopping(manager, started):
    """Ready with where it listens; alive while it answers; silent while it hangs; and a word before it stops."""
    ready = heard(manager)
    alive = {heard(manager) for _ in range(3)}
    started.send_signal(signal.SIGSTOP)
    manager.settimeout(1.5)
    with pytest.raises(TimeoutError):
        [heard(manager) for _ in range(4)]
    started.send_signal(signal.SIGCONT)
    manager.settimeout(30)
    again = heard(manager)
    started.send_signal(signal.SIGTERM)
    last = next(said for said in iter(lambda: heard(manager), b"") if said != b"WATCHDOG=1")

    assert ready.startswith(b"READY=1\nSTATUS=listening at 127.0.0.1:")
    assert not ready.endswith(b":0")
    assert (alive, again, last, started.wait(30)) == ({b"WATCHDOG=1"}, b"WATCHDOG=1", b"STOPPING=1", 0)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Supervisor()),
        ({"WATCHDOG_USEC": "5000000"}, Supervisor()),
        ({"NOTIFY_SOCKET": "relative"}, Supervisor()),
        ({"NOTIFY_SOCKET": "/run/n"}, Supervisor("/run/n")),
        ({"NOTIFY_SOCKET": "@n", "WATCHDOG_USEC": "5000000"}, Supervisor("@n", 5.0)),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "7"}, Supervisor("/n", 5.0)),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "8"}, Supervisor("/n")),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"}, Supervisor("/n")),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "0"}, Supervisor("/n")),
    ],
)
def test_who_is_told_what(environ, expected):
    """The variables of systemd's sd_notify and sd_watchdog_enabled, meant for this process or for another."""
    assert Supervisor.of(environ, pid=7) == expected


def test_a_name_without_a_file():
    """A socket in Linux's abstract name space, as containers use it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"capper-test-{os.getpid()}"
        manager.bind(f"\0{name}")
        Supervisor(f"@{name}").say("READY=1")

        assert manager.recv(100) == b"READY=1"


def test_a_manager_that_is_gone_is_nobodys_loss(tmp_path):
    """Nothing is raised, and nothing waits."""
    Supervisor(str(tmp_path / "nobody")).say("READY=1")


async def test_the_watchdog_is_fed_only_while_all_is_well(manager):
    """Three looks in an interval; one that fails says nothing."""
    looks, deadlines, pauses = iter([True, False, True]), [], []

    async def alive(deadline: float) -> bool:
        deadlines.append(deadline)
        return next(looks)

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Supervisor(manager.getsockname(), 3.0).keep_watch(alive, pause)
    manager.settimeout(0)
    told = [heard(manager), heard(manager)]
    with pytest.raises(BlockingIOError):
        heard(manager)

    assert (told, deadlines, pauses) == ([b"WATCHDOG=1"] * 2, [1.0] * 3, [1.0] * 3)


async def test_a_listener_that_takes_and_does_nothing_is_not_alive():
    """The kernel takes connections for a process that hangs; that is not enough."""
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen()

        assert not await answers(hung.getsockname(), 0.05)
    assert not await answers(("127.0.0.1", 1), 1.0)
    assert await answers(None, 0.05)
