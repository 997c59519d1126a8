"""The version of what lies in the state folder: what is older is brought up to date, what is newer is left alone and refused.

    0   before the folder said a version
    1   it does, in version.json; nothing else is different
    2   names in the ledger are sealed in less room; those of before are read as well

One number speaks for all of it: the secret, the ledger's keys and values, the lists' records, the person's own sites. It goes up when a
capper of before could misread what a new one writes, and a step of `STEPS` goes with it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from capper.domain.errors import ConfigError
from capper.settings.writing import put

Step = Callable[[Path], None]
"""Brings a state folder one version further. It may be interrupted and run again, and deletes nothing."""


def _stays(state: Path) -> None:
    """There is nothing to change: what is of before is read as it is."""
    del state


STEPS: Final[tuple[Step, ...]] = (_stays, _stays)
"""The step from each version to the next, beginning with that from 0."""
CURRENT: Final = len(STEPS)
VERSION_FILE: Final = "version.json"
_KEY = "capper_state"
NOBODYS: Final = "lost+found"
"""A file system of its own has such a folder at its root."""


def state_version(state: Path) -> int | None:
    """The version of what lies in the folder; None where nothing does.

    Raises:
        ConfigError: the file that says so cannot be read.
    """
    path = state / VERSION_FILE
    try:
        return _read(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return 0 if kept_in(state) else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else "it does not say a version"
        raise ConfigError(
            f"read {path}: {reason}; it should say {_spelled(CURRENT)} if this capper was the last to run here"
        ) from exc


def kept_in(state: Path) -> list[Path]:
    """What the folder holds besides its version and hidden names, sorted; nothing where there is no folder."""
    if not state.is_dir():
        return []
    return sorted(path for path in state.iterdir() if path.name not in {VERSION_FILE, NOBODYS} and path.name[0] != ".")


def _read(text: bytes) -> int:
    """Raises ValueError, TypeError or KeyError unless `text` names a version."""
    version = json.loads(text)[_KEY]
    if type(version) is not int or version < 0:
        raise ValueError(text)
    return version


def check_state(state: Path, newest: int = CURRENT) -> int | None:
    """The version of what lies in the folder, if this capper can use it; nothing is changed.

    Raises:
        ConfigError: a newer capper was here, whose files this one would misread.
    """
    version = state_version(state)
    if version is not None and version > newest:
        raise ConfigError(
            f"{state} is of version {version}, and this capper knows versions up to {newest}: a newer capper has been at work there."
            " Use that one again, restore a backup made before (`capper backup restore`), or name another folder (`state`)."
            " Nothing was changed"
        )
    return version


def ready_state(state: Path, steps: Sequence[Step] = STEPS) -> int | None:
    """Make the folder, or bring what lies in it up to date; returns the version it had, None if nothing was there.

    Raises:
        ConfigError: it cannot be made or changed, or `check_state` refuses it.
    """
    version = check_state(state, len(steps))
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number, step in enumerate(steps[version or 0 :], (version or 0) + 1):
            if version is not None:
                step(state)
            write_version(state, number)
    except OSError as exc:
        what = "make the state folder" if version is None else "bring the state folder up to date:"
        raise ConfigError(f"{what} {state}: {exc.strerror or exc}") from exc
    return version


def write_version(state: Path, version: int) -> None:
    """Say that what lies in the folder is of this version.

    Raises:
        ConfigError: the folder cannot be written.
    """
    put(state / VERSION_FILE, f"{_spelled(version)}\n".encode())


def _spelled(version: int) -> str:
    return json.dumps({_KEY: version})
