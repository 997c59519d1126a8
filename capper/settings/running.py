"""What a running capper says of itself in its state folder, for commands beside it: since when it runs, and where it answers."""

import contextlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.settings.toml import read_text
from capper.settings.writing import put

NAME = "running.json"


@dataclass(frozen=True, slots=True)
class Running:
    """One process: its id, its version, when it started, and its addresses; `dashboard` is the owner's pages', if there are any."""

    pid: int
    version: str
    started: datetime
    listens: tuple[str, ...]
    dashboard: str | None = None


def tell_running(state: Path, running: Running) -> None:
    """Write it down, in the place of what an earlier process said.

    Raises:
        ConfigError: it cannot be written.
    """
    row = asdict(running) | {"started": running.started.isoformat()}
    put(state / NAME, f"{json.dumps(row, indent=1)}\n".encode())


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
        started = datetime.fromisoformat(row["started"]).astimezone(UTC)
        return Running(int(row["pid"]), str(row["version"]), started, tuple(map(str, row["listens"])), row["dashboard"])
    except (ConfigError, ValueError, KeyError, TypeError, RecursionError):
        return None
