"""Which files a household is made of: those of the state folder, and those of the owner that its settings name."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capper.backup.records import File, Place
from capper.backup.swap import ASIDE
from capper.domain.errors import ConfigError
from capper.settings import Settings
from capper.settings.places import config_dir
from capper.settings.version import NOBODYS
from capper.study.register import studies_folder

SETTINGS_NAME: Final = "capper.toml"
POLICY_NAME: Final = "policy.toml"
_MADE_ANEW: Final = frozenset(
    {
        "credit/packs.bin",
        "credit/scan.bin",
        "lists/engines.bin",
        "running.json",
        "strangers.json",
        "upstream-ca.pem",
        "version.json",
    }
)
"""Files of the state folder that capper makes by itself, from the others or from what it meets."""
_SERVERS_OWN: Final = "server.lock"
"""Stands in every folder of an embedded server, whose files are not for copying while it runs."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be kept, and where it is."""

    file: File
    path: Path


def settings_folder(config: Path | None) -> Path:
    """The folder of the owner's files: that of the configuration in use, else the usual one."""
    return config.absolute().parent if config else config_dir()


def sources(settings: Settings, config: Path | None) -> Iterator[Source]:
    """Every file, the secret first: what is forgotten while the rest is read can then not be read from the backup either."""
    yield from sorted(_of_state(settings), key=lambda source: (source.file.name != "secret", source.file.name))
    yield from _of_owner(settings, config)


def _of_state(settings: Settings) -> Iterator[Source]:
    state = settings.state
    if not state.is_dir():
        return
    for folder, below, names in os.walk(state, onerror=_unread):
        here = Path(folder)
        below[:] = [name for name in below if _is_kept(here / name, settings)]
        for name in names:
            path = here / name
            relative = path.relative_to(state).as_posix()
            # A link to a file is as good as the file; a socket is nothing to keep.
            if path.is_file() and not name.startswith(".") and relative not in _MADE_ANEW:
                yield Source(File(Place.STATE, relative, _mode(path)), path)


def _is_kept(folder: Path, settings: Settings) -> bool:
    if folder.is_symlink():
        raise ConfigError(f"back up {folder}: it is a link to another folder; put the folder itself there")
    if folder.name.startswith((".", ASIDE)) or folder.name == NOBODYS:
        return False
    if folder == studies_folder(settings.state):
        return False
    return folder != settings.ledger_folder and not (folder / _SERVERS_OWN).exists()


def _unread(exc: OSError) -> None:
    raise ConfigError(f"back up {exc.filename}: {exc.strerror}") from exc


def _of_owner(settings: Settings, config: Path | None) -> Iterator[Source]:
    base = settings_folder(config)
    seen: set[Path] = set()
    taken: set[str] = set()
    for path, name in _named(settings, config):
        full = Path(os.path.normpath(path.absolute()))
        if full in seen or full.is_relative_to(settings.state.absolute()):
            continue
        seen.add(full)
        mode = _mode(full)
        if name:
            yield Source(File(Place.CONFIG, name, mode, "" if full.parent == base else str(full)), full)
        elif full.is_relative_to(base):
            yield Source(File(Place.CONFIG, full.relative_to(base).as_posix(), mode), full)
        else:
            yield Source(File(Place.ELSEWHERE, _free(full.name, taken), mode, str(full)), full)


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number before it where another file has it already."""
    free, number = name, 2
    while free in taken:
        free, number = f"{number}-{name}", number + 1
    taken.add(free)
    return free


def _named(settings: Settings, config: Path | None) -> Iterator[tuple[Path, str]]:
    """The owner's files as the settings name them, and the name that those have which are looked for by name."""
    if config:
        yield config, SETTINGS_NAME
    if settings.policy:
        inside = settings.policy.absolute().is_relative_to(settings_folder(config))
        yield settings.policy, "" if inside else POLICY_NAME
    if settings.proxy_auth.startswith("@"):
        yield Path(settings.proxy_auth[1:]), ""
    yield from ((path, "") for path in settings.lists)
    if settings.upstream_ca:
        yield settings.upstream_ca, ""
    for mode in settings.mode:
        kind, _, rest = mode.partition(":")
        path = Path(rest.rpartition("@")[0] or rest).expanduser()
        if kind.casefold() == "wireguard" and rest and path.is_file():
            yield path, ""


def _mode(path: Path) -> int:
    try:
        about = path.stat()
    except OSError as exc:
        raise ConfigError(f"back up {path}: {exc.strerror}") from exc
    if not stat.S_ISREG(about.st_mode):
        raise ConfigError(f"back up {path}: it is no plain file")
    return stat.S_IMODE(about.st_mode)
