"""What a backup says, record by record, inside its seal.

Each record is a letter, the length of what follows (I4, big-endian), and that:

    M   the manifest, JSON: the first record
    F   a file, JSON: where it belongs, its name and mode; its bytes follow in records D
    D   some bytes of the file
    E   entries of the ledger: for each I2 length of key, I4 length of value, I8 expires (ms), key, value
    Z   the end, JSON: how many files and entries there were
"""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from capper.backup.sealing import Opener, Sealer
from capper.domain.errors import ConfigError
from capper.ledger.entries import PATTERN, Stored

_HEAD = struct.Struct(">cI")
_ENTRY = struct.Struct(">HIQ")
_LONGEST = 64 << 20
"""Bytes in one record; more is none that was written here."""
_DEEPEST, _LONGEST_NAME = 16, 255
_LETTERS: Final = frozenset(b"MFDEZ")
_OURS = PATTERN.removesuffix(b"*")


class Place(StrEnum):
    """Where a file belongs: beside capper.toml, in the state folder, or wherever it was on the old machine."""

    CONFIG = "config"
    STATE = "state"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the backup is of: when and by which capper it was made, and in which versions state and ledger are.

    `state_folder` is where the state was, in case the settings name it; `ledger` is the kind, without an address.
    """

    made: str
    by: str
    state: int
    layout: int
    state_folder: str
    ledger: str


@dataclass(frozen=True, slots=True)
class File:
    """A file: `name` is relative to its place, with slashes; `origin` is where it was if that is elsewhere."""

    place: Place
    name: str
    mode: int
    origin: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """How many files and entries the backup holds."""

    files: int
    entries: int


type Record = Manifest | File | bytes | tuple[Stored, ...] | End
"""One record as it is read: `bytes` are of the file named last."""


class Writer:
    """Writes records; the manifest first, `end` last."""

    def __init__(self, seal: Sealer, manifest: Manifest) -> None:
        self._seal = seal
        self.files = self.entries = 0
        self._put(b"M", _json(asdict(manifest)))

    def file(self, file: File) -> None:
        """Begin a file."""
        self.files += 1
        self._put(b"F", _json(asdict(file)))

    def data(self, data: bytes) -> None:
        """More of the file."""
        self._put(b"D", data)

    def stored(self, entries: Sequence[Stored]) -> None:
        """Entries of the ledger."""
        if entries:
            self.entries += len(entries)
            self._put(b"E", b"".join(map(_packed, entries)))

    def end(self) -> None:
        """Nothing more."""
        self._put(b"Z", _json(asdict(End(self.files, self.entries))))
        self._seal.finish()

    def _put(self, letter: bytes, data: bytes) -> None:
        self._seal.write(_HEAD.pack(letter, len(data)))
        self._seal.write(data)


def records(sealed: Opener, name: str) -> Iterator[Record]:
    """Every record, checked; nothing in them can lead out of the place a file belongs to.

    Raises:
        ConfigError: it is damaged, or says what this capper does not understand.
    """
    files = entries = 0
    while True:
        letter, length = _HEAD.unpack(sealed.read(_HEAD.size))
        if letter[0] not in _LETTERS or length > _LONGEST:
            raise ConfigError(f"open {name}: it holds what this capper does not know; a newer one may have made it")
        data = sealed.read(length)
        try:
            record = _read(letter, data)
        except (ValueError, TypeError, KeyError, struct.error, RecursionError) as exc:
            raise ConfigError(f"open {name}: what it says cannot be used: {exc}") from exc
        if isinstance(record, File):
            files += 1
        elif isinstance(record, tuple):
            entries += len(record)
        if isinstance(record, End) and (record != End(files, entries) or not sealed.ended):
            raise ConfigError(f"open {name}: not all of what was to be in it is; take another copy of it")
        yield record
        if isinstance(record, End):
            return


def _read(letter: bytes, data: bytes) -> Record:
    match letter:
        case b"D":
            return data
        case b"E":
            return tuple(_unpacked(data))
        case b"F":
            return _file(json.loads(data))
        case b"M":
            return _manifest(json.loads(data))
        case _:
            return End(**json.loads(data))


def _manifest(said: dict[str, Any]) -> Manifest:
    manifest = Manifest(**said)
    if type(manifest.state) is not int or type(manifest.layout) is not int:
        raise ValueError("its versions are no numbers")
    return Manifest(
        str(manifest.made),
        str(manifest.by),
        manifest.state,
        manifest.layout,
        str(manifest.state_folder),
        str(manifest.ledger),
    )


def _file(said: dict[str, Any]) -> File:
    file = File(Place(said["place"]), str(said["name"]), int(said["mode"]), str(said["origin"]))
    path = PurePosixPath(file.name)
    if (
        path.is_absolute()
        or not 0 < len(path.parts) <= _DEEPEST
        or any(part in {"..", "."} or "\0" in part or len(part.encode()) > _LONGEST_NAME for part in path.parts)
        or str(path) != file.name
        # No file of capper's is hidden, nor in a hidden folder; what is, is another program's. An owner may hide a password file.
        or any(part.startswith(".") for part in path.parts[: None if file.place is Place.STATE else -1])
    ):
        raise ValueError(f"{file.name!r} is no name for a file")
    return File(file.place, file.name, file.mode & 0o777, file.origin)


def _packed(entry: Stored) -> bytes:
    return _ENTRY.pack(len(entry.key), len(entry.value), entry.expires) + entry.key + entry.value


def _unpacked(data: bytes) -> Iterator[Stored]:
    at, size = 0, _ENTRY.size
    while at < len(data):
        key, value, expires = _ENTRY.unpack_from(data, at)
        at += size + key + value
        if at > len(data):
            raise ValueError("an entry is cut off")
        if not data.startswith(_OURS, at - value - key):
            raise ValueError("an entry is none of a ledger's")
        yield Stored(data[at - value - key : at - value], data[at - value : at], expires)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
