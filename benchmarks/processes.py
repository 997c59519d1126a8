"""Processes under measurement: their CPU time and memory as the kernel tells them, and waiting until they listen. Linux only."""

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 180.0
"""Seconds a process may take until it listens."""
_STILL, _SETTLES = 1.0, 15.0
"""Seconds in which resident memory must not move by a MB to have settled, and the most that is waited for that."""


def cpu(pid: int) -> float:
    """CPU seconds (user and system) of a process and all below it, the dead ones it has waited for included."""
    total = 0.0
    for process in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / _TICKS
    return total


def alone(pid: int) -> float:
    """CPU seconds of one process, without those below it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICKS


def children(pid: int) -> list[int]:
    """Every process below `pid`."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return found


def resident(pid: int) -> float:
    """Resident memory of one process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def proportional(pid: int) -> float:
    """Memory in MB of a process and all below it; what several share is counted once (PSS)."""
    total = 0
    for process in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += int(rollup.partition("\nPss:")[2].split()[0])
    return total / 1024


def settled(pid: int) -> float:
    """Resident memory in MB once it holds still: memory is given back a moment after it was last needed."""
    give_up = time.monotonic() + _SETTLES
    held, since = resident(pid), time.monotonic()
    while time.monotonic() < give_up and time.monotonic() - since < _STILL:
        time.sleep(0.1)
        now = resident(pid)
        if abs(now - held) > 1:
            held, since = now, time.monotonic()
    return resident(pid)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return once something listens on `port`.

    Raises:
        SystemExit: the process ended, or took too long.
    """
    give_up = time.monotonic() + _PATIENCE
    while time.monotonic() < give_up:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            raise SystemExit(f"start {process.args!r}: it ended with {process.returncode}")
        time.sleep(0.01)
    raise SystemExit(f"start {process.args!r}: nothing listens on port {port} after {_PATIENCE:g} s")


def wait_ready(told: Path, process: "subprocess.Popen[bytes]") -> None:
    """Return once a process has written the file by which it tells that it is ready.

    Raises:
        SystemExit: the process ended, or took too long.
    """
    give_up = time.monotonic() + _PATIENCE
    while not told.exists():
        if process.poll() is not None or time.monotonic() > give_up:
            raise SystemExit(f"start {process.args!r}: it is not ready")
        time.sleep(0.01)


def ended(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, and return once it has."""
    process.terminate()
    process.wait(30)
