"""Devices that came to capper lately and are nobody's: what `capper people devices` shows, so that they can be named.

Kept of each: what the policy would call it (a MAC, else an address, `user:NAME` or `wireguard:NAME`) and the minute it was
last here. Nothing of where it went. A day later, or once it is somebody's, it is gone.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.settings.names import a_device
from capper.settings.toml import read_text
from capper.settings.writing import put

log = logging.getLogger(__name__)

LIFE = timedelta(hours=24)
MOST = 200
"""Devices kept; of more, those seen last."""
_EVERY = timedelta(seconds=15)


def strangers_file(state: Path) -> Path:
    """The file of devices that are nobody's, in the state folder."""
    return state / "strangers.json"


def read_strangers(path: Path, now: datetime) -> dict[str, datetime]:
    """When each was last here, the latest first; what is older than `LIFE`, or no device, is left out. Never raises."""
    try:
        rows = json.loads(read_text(path))["devices"].items()
        found = {a_device(name): datetime.fromisoformat(seen).astimezone(UTC) for name, seen in rows}
    except (ConfigError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return {}
    return _lately(found, now)


def _lately(found: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    rows = sorted(found.items(), key=lambda row: row[1], reverse=True)
    return {name: seen for name, seen in rows if timedelta(0) <= now - seen < LIFE}


def forget_strangers(path: Path) -> None:
    """Delete the file, if there is one. Never raises."""
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        log.warning("delete %s: %s", path, exc.strerror)


class Strangers:
    """The running proxy's list: `note` keeps it in memory; what is `due` is written, now and then.

    Several may have one file: what others wrote stays there.
    """

    def __init__(self, path: Path, now: datetime) -> None:
        self._path = path
        self._seen = read_strangers(path, now)
        # What has become too old while nobody wrote must leave the file too.
        self._saved, self._changed = now - _EVERY, path.exists()
        self._complained = False

    def note(self, device: str, now: datetime) -> None:
        """This device was here."""
        minute = now.replace(second=0, microsecond=0)
        if self._seen.get(device) == minute:
            return
        self._seen.pop(device, None)
        if len(self._seen) >= MOST:
            del self._seen[min(self._seen, key=self._seen.__getitem__)]
        self._seen[device], self._changed = minute, True

    def due(self, now: datetime, claimed: Callable[[str], bool]) -> bytes | None:
        """What the file should hold, without those that are somebody's by now; None while there is nothing to write."""
        if timedelta(0) <= now - self._saved < _EVERY:
            return None
        written = read_strangers(self._path, now)
        both = {name: max(seen, written.get(name, seen)) for name, seen in (written | self._seen).items()}
        kept = dict(islice(((name, seen) for name, seen in _lately(both, now).items() if not claimed(name)), MOST))
        if kept == written and self._seen.keys() <= kept.keys() and not self._changed:
            return None
        self._seen, self._saved, self._changed = kept, now, False
        rows = {name: seen.isoformat(timespec="minutes") for name, seen in kept.items()}
        return (json.dumps({"version": 1, "devices": rows}, indent=1) + "\n").encode()

    def write(self, content: bytes) -> None:
        """Write it; may take some milliseconds. Never raises: a fault is told once."""
        try:
            put(self._path, content)
        except ConfigError as exc:
            if not self._complained:
                log.warning("devices that are nobody's: %s", exc)
            self._complained = True
