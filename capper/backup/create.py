"""Makes a backup: every file of the household and every entry of its ledger, sealed, in bounded memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from capper import __version__
from capper.backup.contents import Source, sources
from capper.backup.records import Manifest, Place, Writer
from capper.backup.sealing import Derivation, Sealer, usual_derivation
from capper.domain.errors import ConfigError
from capper.ledger import open_ledger
from capper.ledger.entries import LAYOUT, PATIENCE, Stored, stored
from capper.ledger.secret import Secret
from capper.settings import Settings
from capper.settings.version import check_state

SHORTEST: Final = 8
"""Letters of a passphrase; who finds the file has all the time in the world to guess."""
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup that was just made holds; `notes` are for its owner."""

    files: int
    entries: int
    bytes: int
    notes: tuple[str, ...]


async def create(
    file: BinaryIO,
    settings: Settings,
    config: Path | None,
    passphrase: str,
    now: datetime,
    *,
    derivation: Derivation | None = None,
) -> Made:
    """Write a backup to `file`. The proxy may run meanwhile: what it counts while this works may or may not be in it.

    Args:
        config: the configuration file in use, if there is one.

    Raises:
        ConfigError: a file cannot be read, or there is nothing to keep.
        LedgerUnavailable: the ledger does not answer.
    """
    version = check_state(settings.state)
    if not settings.secret_file.exists():
        raise ConfigError(
            f"back up {settings.state}: no household is there; has capper run yet, with this folder as `state`?"
        )
    kept = list(sources(settings, config))
    kind = settings.ledger.partition(":")[0]
    made = now.isoformat(timespec="seconds")
    manifest = Manifest(made, __version__, version or 0, LAYOUT, str(settings.state.absolute()), kind)
    sealer = Sealer(file, passphrase, derivation or usual_derivation())
    writer = Writer(sealer, manifest)
    for source in kept:
        _copy(writer, source)
    async for entries in _entries(settings):
        writer.stored(entries)
    writer.end()
    return Made(
        writer.files, writer.entries, sealer.written, tuple(_notes(kept, kind, own_policy=settings.policy is not None))
    )


def _copy(writer: Writer, source: Source) -> None:
    try:
        with source.path.open("rb") as file:
            writer.file(source.file)
            while piece := file.read(_PIECE):
                writer.data(piece)
    except FileNotFoundError:
        # A list that was just unsubscribed; its record is gone with it, or names it for the next update.
        if source.file.place is not Place.STATE:
            raise ConfigError(f"back up {source.path}: it has just been deleted") from None
    except OSError as exc:
        raise ConfigError(f"back up {source.path}: {exc.strerror or exc}") from exc


async def _entries(settings: Settings) -> AsyncIterator[list[Stored]]:
    if settings.ledger.partition(":")[0] == "memory":
        return
    from capper.ledger.redis import RedisLedger  # noqa: PLC0415  takes a third of a second

    ledger = open_ledger(
        settings.ledger,
        Secret.load_or_create(settings.secret_file),
        folder=settings.ledger_folder,
        deadline=None,
        silence=PATIENCE,
    )
    assert isinstance(ledger, RedisLedger), "every ledger but memory is on a server"
    try:
        async for entries in stored(ledger.link):
            yield entries
    finally:
        await ledger.close()


def _notes(kept: list[Source], kind: str, *, own_policy: bool) -> list[str]:
    notes = []
    if not own_policy:
        notes.append("no policy of your own is in it; if `capper run` is given one with --policy, give it here too")
    if kind == "memory":
        notes.append('the counts are not in it: with ledger = "memory" only the running proxy has them')
    notes += [
        f"{source.file.origin} is in it, but does not lie beside capper.toml: it is for you to put back in its place"
        for source in kept
        if source.file.origin
    ]
    return notes
