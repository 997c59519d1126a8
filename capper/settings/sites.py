"""Sites that are opened besides those that deliver ads: a person's own, as their file changes, and those known for credit."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.settings.names import a_host
from capper.settings.options import a_site
from capper.settings.toml import parse, read_text
from capper.settings.watch import Stamp, Watched, now, stamp
from capper.settings.writing import put

_HEAD = "# Sites of your own whose pages are opened too, a line each; `capper sites add` and `remove` write here.\n"


def sites_file(state: Path) -> Path:
    """The file of a person's own sites, in the state folder."""
    return state / "sites.txt"


def within(host: str, sites: Iterable[str]) -> bool:
    """Whether `host` is one of `sites` or lies below one; `sites` is best a set."""
    while host:
        if host in sites:
            return True
        host = host.partition(".")[2]
    return False


# Those known for credit


@dataclass(frozen=True, slots=True)
class KnownSites:
    """Shops and services known for credit nobody asked for, and what stays closed below them."""

    sites: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def covers(self, host: str) -> bool:
        """Whether `host` is one of them, or lies below one and is not something else altogether."""
        if not within(host, self.sites) or within(host, self.closed):
            return False
        return self.words.isdisjoint(re.split(r"[.-]", host))


def known_sites(path: Path | None = None) -> KnownSites:
    """The sites that travel with capper.

    Raises:
        ConfigError: the file cannot be used.
    """
    path = path or packaged_config() / "credit" / "sites.toml"
    try:
        table = parse(read_text(path), str(path)).data
        hosts = frozenset(a_site(host) for names in table["sites"].values() for host in _names(names))
        closed = table.get("closed", {})
        shut = frozenset(map(a_host, _names(closed.get("hosts", ""))))
        return KnownSites(hosts, shut, frozenset(_names(closed.get("words", ""))))
    except (KeyError, AttributeError, ValueError) as exc:
        raise ConfigError(f"{path}: cannot be used as a list of sites: {exc}") from exc


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


# A person's own


def read_sites(path: Path) -> tuple[str, ...]:
    """The sites of a person's file, in its order; none where there is no file.

    Raises:
        ConfigError: it cannot be read, or names the first line that is no site.
    """
    if not path.exists():
        return ()
    found: dict[str, None] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if site := line.partition("#")[0].strip():
            try:
                found[a_site(site)] = None
            except ValueError as exc:
                raise ConfigError(f"{path} line {number}: {exc}") from exc
    return tuple(found)


def write_sites(path: Path, sites: Iterable[str], head: str = _HEAD) -> None:
    """Put `sites` in the file after its `head`, all at once; only its owner may read it, for it says where somebody shops.

    Raises:
        ConfigError: it cannot be written.
    """
    put(path, (head + "".join(f"{site}\n" for site in sites)).encode())


class OwnSites:
    """A person's own sites as their file changes; one that cannot be used leaves those before, one that is gone leaves none."""

    def __init__(
        self,
        path: Path,
        clock: Callable[[], datetime] = now,
        *,
        look: Callable[[Path], Stamp | None] = stamp,
    ) -> None:
        self._clock = clock
        stays = "the sites of your own stay as they were"
        self._sites = Watched(path, _read_set, frozenset[str](), stays, clock, look=look)

    def current(self) -> frozenset[str]:
        """The sites in force. Never raises."""
        return self._sites.at(self._clock())

    def covers(self, host: str) -> bool:
        """Whether `host`, in lower case, is one of them or lies below one."""
        return within(host, self.current())


def _read_set(path: Path) -> frozenset[str]:
    return frozenset(read_sites(path))
