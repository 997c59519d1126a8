"""What a restore has made ready takes the place of what is there, and what was there is kept aside.

Files of the owner's change places one by one, and change back if one cannot. The state folder may be a mount point, which
nothing can take the place of; so its entries change places in two steps that can only go forward once they are begun:
`.ready` holds what is new while what is old goes aside, `.filling` what is new while it goes in. `finish` begins where it finds
the one or the other, so that after a power cut it is only run again.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from capper.domain.errors import ConfigError
from capper.settings.version import kept_in

NEW: Final = ".new"
"""In the state folder: what is being made ready. Short, because the path of a server's socket is limited."""
_READY, _FILLING = ".ready", ".filling"
_HELD: Final = ".held"
ASIDE: Final = "before-restore-"
"""How names begin under which is kept what a restore has replaced."""


def in_the_way(state: Path) -> list[str]:
    """What the state folder holds that a restore would replace."""
    return [path.name for path in kept_in(state) if not path.name.startswith(ASIDE)]


def hold(state: Path) -> None:
    """Keep restores away from the folder until this process ends; others may hold it too."""
    with contextlib.suppress(OSError):
        handle = os.open(state / _HELD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Never closed: the lock ends with the process, however suddenly that ends.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_held(state: Path) -> bool:
    """Whether a process holds the folder."""
    try:
        with (state / _HELD).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def interrupted(state: Path) -> bool:
    """Whether a restore was cut short and has to be finished."""
    return any((state / name).is_dir() for name in (_READY, _FILLING))


@contextmanager
def exchanged(drafts: Mapping[Path, Path], stamp: str) -> Iterator[list[Path]]:
    """The drafts (place to draft) in their places, and where what was there is kept; all back again if the block raises.

    Raises:
        ConfigError: one cannot be moved; none has been then.
    """
    undo: list[tuple[Path, Path | None]] = []
    try:
        for place, draft in drafts.items():
            kept = place.with_name(f"{place.name}.{stamp}") if place.exists() else None
            with explained(place):
                _sync(draft)
                give(draft, place if kept else place.parent)
                undo.append((place, kept))
                if kept:
                    place.rename(kept)
                draft.replace(place)
        yield [kept for _, kept in undo if kept]
    except BaseException:
        for place, kept in reversed(undo):
            with contextlib.suppress(OSError):
                kept.replace(place) if kept else place.unlink()
        raise


def commit(state: Path) -> None:
    """Say that what is in `NEW` is complete: from here on it only goes forward.

    Raises:
        ConfigError: it cannot be said; nothing has changed.
    """
    with explained(state):
        new = state / NEW
        for path in new.rglob("*"):
            if path.is_file() or path.is_dir():
                _sync(path)
        _sync(new)
        new.rename(state / _READY)
        _sync(state)


def finish(state: Path, stamp: str) -> Path | None:
    """Bring what is ready into its places, if anything is; returns the folder of what it replaced, if it replaced anything.

    Raises:
        ConfigError: a file cannot be moved; run it again when that is mended.
    """
    ready, filling, aside = state / _READY, state / _FILLING, state / stamp
    with explained(state):
        if ready.is_dir():
            for name in in_the_way(state):
                if not aside.is_dir():
                    aside.mkdir(mode=0o700)
                    give(aside, state)
                (state / name).rename(aside / name)
            ready.rename(filling)
            _sync(state)
        if filling.is_dir():
            for path in sorted(filling.iterdir()):
                path.replace(state / path.name)
            filling.rmdir()
            _sync(state)
    return aside if aside.is_dir() else None


def give(path: Path, like: Path) -> None:
    """Hand a file, or a folder with all it holds, to whoever owns `like`, where root restores for a service's own account."""
    if os.geteuid():
        return
    owner = like.stat()
    for each in (path, *path.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid, follow_symlinks=False)


def stamp_of(now: datetime) -> str:
    """The name of what is kept aside at `now`."""
    return f"{ASIDE}{now:%Y-%m-%d-%H%M%S}"


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What goes wrong with files in the block, in one sentence."""
    try:
        yield
    except OSError as exc:
        raise ConfigError(f"restore to {path}: {exc.strerror or exc}") from exc


def clear(folder: Path) -> None:
    """Away with what was made ready in vain."""
    shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
