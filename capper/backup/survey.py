"""Reads a backup from beginning to end without doing anything with it, and says what it holds."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from capper.backup.contents import SETTINGS_NAME
from capper.backup.records import End, File, Manifest, Place, records
from capper.backup.sealing import Opener
from capper.domain.errors import ConfigError
from capper.ledger.entries import LAYOUT
from capper.settings.version import CURRENT

_SETTINGS = (Place.CONFIG, SETTINGS_NAME)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a backup holds; `digests` are of the files' bytes, `settings` is the text of capper.toml if it is among them."""

    manifest: Manifest
    digests: Mapping[File, bytes]
    entries: int
    settings: bytes | None = field(repr=False)


def survey(sealed: Opener, name: str) -> Inventory:
    """Read a backup to its end, and say what it holds.

    Raises:
        ConfigError: it is damaged, or a newer capper made it.
    """
    stream = records(sealed, name)
    manifest = next(stream)
    if not isinstance(manifest, Manifest):
        raise _disorder(name)
    _understood(manifest, name)
    digests: dict[File, hashlib._Hash] = {}
    places: set[tuple[Place, str]] = set()
    settings: bytearray | None = None
    file: File | None = None
    entries = 0
    for record in stream:
        match record:
            case File() if (record.place, record.name) not in places:
                file, digests[record] = record, hashlib.sha256()
                places.add((record.place, record.name))
                if (record.place, record.name) == _SETTINGS:
                    settings = bytearray()
            case bytes() if file:
                digests[file].update(record)
                if settings is not None and (file.place, file.name) == _SETTINGS:
                    settings += record
            case tuple():
                entries += len(record)
            case End():
                pass
            case _:
                raise _disorder(name)
    if entries and (Place.STATE, "secret") not in places:
        raise ConfigError(f"open {name}: it holds no secret, without which its counts cannot be read")
    sums = {known: digest.digest() for known, digest in digests.items()}
    return Inventory(manifest, sums, entries, None if settings is None else bytes(settings))


def _disorder(name: str) -> ConfigError:
    return ConfigError(f"open {name}: its records are out of order; it is not as capper wrote it")


def _understood(manifest: Manifest, name: str) -> None:
    """Raises ConfigError unless this capper knows the versions that it speaks of."""
    if manifest.state > CURRENT or manifest.layout > LAYOUT:
        raise ConfigError(
            f"open {name}: capper {manifest.by} made it, with state of version {manifest.state} and a ledger of version"
            f" {manifest.layout}; this one knows versions {CURRENT} and {LAYOUT}: bring capper up to date first"
        )
