"""Brings a household back from a backup: all of it is read and checked before anything is touched, and what was there is kept aside.

1. The whole file is opened and checked (`survey`). 2. Everything is made ready beside its place: files as hidden drafts, the counts in
an embedded ledger of their own. 3. It takes its places (`swap`).
"""

import asyncio
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from capper.backup.contents import SETTINGS_NAME
from capper.backup.records import File, Place, records
from capper.backup.sealing import Opener
from capper.backup.survey import Inventory, survey
from capper.backup.swap import (
    NEW,
    clear,
    commit,
    exchanged,
    explained,
    finish,
    give,
    in_the_way,
    interrupted,
    is_held,
    stamp_of,
)
from capper.domain.errors import ConfigError
from capper.domain.window import to_ms
from capper.ledger import open_ledger
from capper.ledger.embedded import is_served
from capper.ledger.entries import PATIENCE, Stored, put
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.settings import Settings, load_settings
from capper.settings.options import redacted
from capper.settings.places import config_dir, config_file
from capper.settings.version import ready_state, write_version

_ELSEWHERE: Final = "elsewhere"
"""Beside capper.toml: files that were elsewhere on the old machine."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup is to go: the file that is to be capper.toml, and the settings that a command's options give.

    `replace`: whether what is there already may be kept aside for it.
    """

    config: Path
    overrides: Mapping[str, object]
    replace: bool = False

    @classmethod
    def usual(
        cls, config: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object], *, replace: bool
    ) -> "Target":
        """The usual places, unless others are named."""
        found = config_file(config, environ) or config_dir() / SETTINGS_NAME
        return cls(found.absolute(), overrides, replace)

    def path(self, file: File) -> Path:
        """Where one of the owner's files goes."""
        base = self.config.parent
        if file.place is Place.ELSEWHERE:
            return base / _ELSEWHERE / file.name
        return self.config if file.name == SETTINGS_NAME else base / file.name


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup. Of its entries some are counted again, some the ledger had already, some have expired since."""

    files: int
    entries: int
    known: int
    expired: int
    state: Path
    config: Path
    aside: tuple[Path, ...]
    notes: tuple[str, ...]


async def restore(sealed: Opener, name: str, target: Target, now: datetime) -> Restored:
    """Bring back what `sealed` holds, or leave everything as it was; a ledger on a server of the owner's keeps what it has.

    Raises:
        ConfigError: the file or a place cannot be used, or something is there already and `replace` was not said.
        LedgerUnavailable: the ledger does not answer.
    """
    held = await asyncio.to_thread(survey, sealed, name)
    stamp = stamp_of(now)
    with _drafts(held, target) as drafts:
        settings = _settings(held, drafts, target)
        new = settings.state / NEW
        if interrupted(settings.state):
            raise ConfigError(
                f"restore to {settings.state}: an earlier restore was cut short; `capper run` completes it at its next start"
            )
        _refuse_to_overwrite(settings, drafts, target)
        try:
            with explained(settings.state):
                settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
                clear(new)
                new.mkdir(mode=0o700)
            filling = _Filling(settings, drafts, new, to_ms(now))
            await filling.fill(sealed, name)
            with explained(settings.state):
                write_version(new, held.manifest.state)
                ready_state(new)
                give(new, settings.state)
            with exchanged({target.path(file): draft for file, draft in drafts.items()}, stamp) as kept:
                commit(settings.state)
        except BaseException:
            clear(new)
            raise
    aside = finish(settings.state, stamp)
    return Restored(
        files=len(held.digests),
        entries=filling.put,
        known=held.entries - filling.put - filling.expired if filling.link_is_outside else 0,
        expired=filling.expired,
        state=settings.state,
        config=target.config,
        aside=(*kept, *([aside] if aside else [])),
        notes=tuple(_notes(held, settings, target)),
    )


@contextmanager
def _drafts(held: Inventory, target: Target) -> Iterator[dict[File, Path]]:
    """For each of the owner's files that is not there as it is, an empty draft beside its place; gone after the block."""
    made: dict[File, Path] = {}
    try:
        for file, digest in held.digests.items():
            place = target.path(file)
            if file.place is Place.STATE or _digest(place) == digest:
                continue
            with explained(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                made[file] = draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
                draft.touch(mode=0o600, exist_ok=False)
        yield made
    finally:
        for draft in made.values():
            draft.unlink(missing_ok=True)


def _digest(path: Path) -> bytes | None:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return None


def _settings(held: Inventory, drafts: Mapping[File, Path], target: Target) -> Settings:
    """The settings as they will be: those of the backup's capper.toml if it has one, else those of this machine."""
    for file, draft in drafts.items():
        if held.settings is not None and (file.place, file.name) == (Place.CONFIG, SETTINGS_NAME):
            draft.write_bytes(held.settings)
            return load_settings(draft, target.overrides)
    return load_settings(target.config if target.config.exists() else None, target.overrides)


def _refuse_to_overwrite(settings: Settings, drafts: Mapping[File, Path], target: Target) -> None:
    _, colon, folder = settings.ledger.partition("embedded:")
    with explained(settings.state):
        running = is_held(settings.state) or is_served(Path(folder) if colon else settings.ledger_folder)
        kept = [settings.state / name for name in in_the_way(settings.state)]
    if running:
        raise ConfigError(f"restore to {settings.state}: capper is running there; stop it first")
    if mounted := [path for path in kept if path.is_mount()]:
        raise ConfigError(
            f"restore to {settings.state}: {mounted[0]} is mounted there by itself and cannot be moved aside; unmount it for"
            " the restore, or restore to an empty folder (--state)"
        )
    there = list(map(str, kept))
    there += [str(place) for file in drafts if (place := target.path(file)).exists()]
    if there and not target.replace:
        raise ConfigError(
            f"restore: {there[0]}{f' and {len(there) - 1} more' if len(there) > 1 else ''} would be replaced;"
            " nothing was changed. With --replace what is there is kept aside"
        )


def _kind(settings: Settings) -> str:
    return settings.ledger.partition(":")[0]


class _Filling:
    """Writes what a backup holds to where it is made ready.

    1. files, as they come; 2. with the first entry the ledger is opened: an embedded one of its own in the new state folder, else
    the owner's; 3. entries, as they come; 4. the ledger is closed, and all its entries are on the disk.
    """

    def __init__(self, settings: Settings, drafts: Mapping[File, Path], new: Path, now_ms: int) -> None:
        self._settings, self._drafts, self._new, self._now = settings, drafts, new, now_ms
        self.put = self.expired = 0
        self.link_is_outside = settings.ledger != "embedded"

    async def fill(self, sealed: Opener, name: str) -> None:
        """Read the backup once more, and put everything in its place."""
        sealed.rewind()
        ledger: RedisLedger | None = None
        path: Path | None = None
        try:
            for record in records(sealed, name):
                match record:
                    case File():
                        path = self._place(record)
                    case bytes() if path:
                        with explained(path), path.open("ab") as file:
                            file.write(record)
                    case tuple() if _kind(self._settings) != "memory":
                        ledger = ledger or self._open()
                        await self._keep(ledger, record)
        finally:
            if ledger:
                await ledger.close()

    def _place(self, file: File) -> Path | None:
        """The empty draft of a file; None where the file is there already."""
        path = self._new.joinpath(file.name) if file.place is Place.STATE else self._drafts.get(file)
        if path is None:
            return None
        with explained(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(b"")
            path.chmod(file.mode & 0o755)
        return path

    def _open(self) -> RedisLedger:
        secret = Secret.load_or_create(self._new / self._settings.secret_file.name)
        ledger = open_ledger(
            self._settings.ledger, secret, folder=self._new / "ledger", deadline=None, silence=PATIENCE
        )
        assert isinstance(ledger, RedisLedger), "every ledger but memory is on a server"
        return ledger

    async def _keep(self, ledger: RedisLedger, entries: tuple[Stored, ...]) -> None:
        alive = [entry for entry in entries if entry.expires > self._now]
        self.expired += len(entries) - len(alive)
        self.put += await put(ledger.link, alive, replace=not self.link_is_outside)


def _notes(held: Inventory, settings: Settings, target: Target) -> Iterator[str]:
    for file in held.digests:
        if file.origin and file.place is not Place.STATE:
            yield f"{target.path(file)} was at {file.origin}: move it there, or mend what names it"
    old = held.manifest.state_folder
    if held.settings and old != str(settings.state.absolute()) and old.encode() in held.settings:
        yield f"{target.config} names {old}, where the state was: it is in {settings.state} now"
    if _kind(settings) == "memory" and held.entries:
        yield 'the counts were not brought back: ledger = "memory" begins anew each time'
    elif settings.ledger != "embedded":
        yield f"the counts are in {redacted(settings.ledger)}"
