"""What a running capper says of itself in its state folder, for commands beside it: since when it runs, and where it answers."""

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.settings.toml import read_text
from capper.settings.writing import put

NAME = "running.json"


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several that share the work: its process, since when it runs, and how often it was started anew before."""

    pid: int
    started: datetime
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """One process: its id, its version, when it started, and its addresses; `dashboard` is the owner's pages', if there are any.

    Where several `workers` share the work it is their parent.
    """

    pid: int
    version: str
    started: datetime
    listens: tuple[str, ...]
    dashboard: str | None = None
    workers: tuple[Worker, ...] = ()


def tell_running(state: Path, running: Running) -> None:
    """Write it down, in the place of what an earlier process said.

    Raises:
        ConfigError: it cannot be written.
    """
    text = json.dumps(asdict(running), indent=1, default=datetime.isoformat)
    put(state / NAME, f"{text}\n".encode())


def tell_stopped(state: Path, pid: int) -> None:
    """Take it back, unless another process has written since. Never raises."""
    found = read_running(state)
    if found and found.pid == pid:
        with contextlib.suppress(OSError):
            (state / NAME).unlink()


def read_running(state: Path) -> Running | None:
    """What the last process said that has not stopped in order; it may have been killed. None where there is nothing to be read."""
    try:
        row = json.loads(read_text(state / NAME))
        listens, workers = tuple(map(str, row["listens"])), tuple(map(_worker, row.get("workers", ())))
        return Running(int(row["pid"]), str(row["version"]), _time(row["started"]), listens, row["dashboard"], workers)
    except (ConfigError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _worker(row: dict[str, Any]) -> Worker:
    return Worker(int(row["pid"]), _time(row["started"]), int(row["restarts"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
