"""The file in which trust outlives a restart, shared by the proxy and `capper tls`: digests, days and reasons, nothing else.

STATE/trust.json    {"version": 1, "authority": ..., "clients": {...}, "refusals": {...}}
"""

import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.proxy.authority import Authority
from capper.proxy.trust import Book, Known, Names, Reason, Refusal, Standing
from capper.recognise.listfiles import write_atomically
from capper.settings.watch import Stamp, stamp

log = logging.getLogger(__name__)

_VERSION = 1
_LARGEST = 16 * 1024 * 1024


def trust_file(state: Path) -> Path:
    """Where it is."""
    return state / "trust.json"


def names_of(authority: Authority) -> Names:
    """Makes the digests of the file: under a key of the authority's own, so that they are of no use once it is gone."""
    return Names(authority.derived(b"trust"))


class TrustFile:
    """The file, for one authority: what was learnt under another is void, because no device trusts the new one yet."""

    def __init__(self, state: Path, authority: str) -> None:
        self.path = trust_file(state)
        self._authority = authority
        self._seen: Stamp | None = None

    def changed(self) -> bool:
        """Whether somebody else has written since the last `load` or `save`."""
        return stamp(self.path) != self._seen

    def load(self) -> Book:
        """What the file says; nothing where there is none.

        Raises:
            ConfigError: it cannot be read, or is from a newer version.
        """
        self._seen = stamp(self.path)
        try:
            with self.path.open("rb") as file:
                raw = file.read(_LARGEST)
        except FileNotFoundError:
            return Book()
        except OSError as exc:
            raise ConfigError(f"read {self.path}: {exc.strerror or exc}") from exc
        return self._parsed(raw)

    def _parsed(self, raw: bytes) -> Book:
        try:
            data = json.loads(raw)
            if data["version"] != _VERSION:
                raise ConfigError(f"{self.path} is of version {data['version']!r}, which this capper does not know")
            if data["authority"] != self._authority:
                return Book()
            clients = {key: _known(row) for key, row in data["clients"].items()}
            return Book(clients, {key: _refusal(row) for key, row in data["refusals"].items()})
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, OverflowError) as exc:
            raise ConfigError(f"{self.path} is damaged; delete it, and let each device prove itself again") from exc

    def save(self, book: Book, now: datetime) -> Book:
        """Write what was touched in `book` onto what the file says by now, and give back both together.

        Raises:
            ConfigError: it cannot be read or written; `book` is as it was.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(self.path.parent):
                merged = book.onto(self.load())
                merged.prune(now)
                merged.touched.clear()
                write_atomically(self.path, self._written(merged))
                self._seen = stamp(self.path)
        except OSError as exc:
            raise ConfigError(f"write {self.path}: {exc.strerror or exc}") from exc
        return merged

    def _written(self, book: Book) -> bytes:
        data = {
            "version": _VERSION,
            "authority": self._authority,
            "clients": {key: [row.device, row.standing.name, _hour(row.until)] for key, row in book.clients.items()},
            "refusals": {
                key: [row.device, row.stack, row.reason.name, _hour(row.until), row.times]
                for key, row in book.refusals.items()
            },
        }
        return (json.dumps(data, indent=1) + "\n").encode()


def _hour(at: datetime) -> str:
    """No finer than an hour: nobody is to read from it when somebody was where."""
    return at.replace(minute=0, second=0, microsecond=0).isoformat()


def _known(row: list[Any]) -> Known:
    device, standing, until = row
    return Known(str(device), Standing[standing], _at(until))


def _refusal(row: list[Any]) -> Refusal:
    device, stack, reason, until, times = row
    return Refusal(str(device), str(stack), Reason[reason], _at(until), int(times))


def _at(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Keeping:
    """Keeps a book and its file the same: what others wrote comes in, what was learnt goes out. A file that fails is told once."""

    def __init__(self, file: TrustFile, now: Callable[[], datetime]) -> None:
        self._file, self._now = file, now
        self._told = ""

    def begin(self) -> Book:
        """The book as the file has it; an empty one, with a word in the log, where it cannot be used."""
        return self._trying(self._file.load) or Book()

    def renewed(self, book: Book) -> Book | None:
        """The book to go on with, after looking at the file; None where nothing has changed. May take milliseconds."""
        if not book.touched and not self._file.changed():
            return None
        if not book.touched:
            return self._trying(self._file.load)
        return self._trying(lambda: self._file.save(book, self._now()))

    def _trying(self, what: Callable[[], Book]) -> Book | None:
        try:
            found = what()
        except ConfigError as exc:
            if str(exc) != self._told:
                log.warning("what was learnt of devices is not kept: %s", exc)
            self._told = str(exc)
            return None
        self._told = ""
        return found
