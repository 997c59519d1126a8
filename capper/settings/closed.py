"""Hosts that are never opened: the categories that travel with capper, and those a household closed itself."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from capper.domain.errors import ConfigError
from capper.packaged import packaged_config
from capper.settings.names import a_host
from capper.settings.toml import parse, read_text

YOURS = "yours"
"""Where a host was closed by the household itself."""

_SEPARATORS = re.compile(r"[.-]")


class Closing(NamedTuple):
    """What closes a host: the entry that speaks for it, and where that stands (a category, a list's name or `YOURS`)."""

    entry: str
    source: str


@dataclass(frozen=True, slots=True)
class ClosedHosts:
    """Hosts that speak for their subdomains, and words that speak for any host which has one between dots and hyphens.

    Both map to where they stand.
    """

    hosts: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def closing(self, host: str) -> Closing | None:
        """What closes `host`, in lower case and without a final dot; None where nothing does."""
        return self.by_host(host) or self._by_word(host)

    def by_host(self, host: str) -> Closing | None:
        """The longest entry that is `host` or a domain above it."""
        hosts = self.hosts
        while host:
            if (source := hosts.get(host)) is not None:
                return Closing(host, source)
            host = host.partition(".")[2]
        return None

    def _by_word(self, host: str) -> Closing | None:
        if self.words.keys().isdisjoint(parts := _SEPARATORS.split(host)):
            return None
        word = next(part for part in parts if part in self.words)
        return Closing(word, self.words[word])

    def also(self, hosts: Iterable[str], source: str) -> "ClosedHosts":
        """These and more; what is closed already keeps its source."""
        return ClosedHosts({**dict.fromkeys(hosts, source), **self.hosts}, self.words)


def built_in(path: Path | None = None) -> ClosedHosts:
    """The categories that travel with capper.

    Raises:
        ConfigError: the file cannot be used.
    """
    path = path or packaged_config() / "closed.toml"
    try:
        table = parse(read_text(path), str(path)).data
        hosts = {a_host(host): kind for kind, rows in table.items() for host in _names(rows.get("hosts", ""))}
        words = {word: kind for kind, rows in table.items() for word in _names(rows.get("words", ""))}
    except (KeyError, AttributeError, ValueError) as exc:
        raise ConfigError(f"{path}: cannot be used as a list of hosts that stay closed: {exc}") from exc
    return ClosedHosts(hosts, words)


@cache
def silent(path: Path | None = None) -> ClosedHosts:
    """Hosts of the advertising trade that carry no ads, by kind.

    Raises:
        ConfigError: the file cannot be used.
    """
    return built_in(path or packaged_config() / "silent.toml")


def _names(text: str) -> Iterator[str]:
    return (name.strip() for name in text.split(",") if name.strip())


CLOSED_HEAD = "# Hosts that you closed: never opened, a line each; `capper tls close` and `reopen` write here.\n"


def closed_file(state: Path) -> Path:
    """The file of the hosts that the household closed itself, in the state folder: a line each, as `sites_file` has them."""
    return state / "closed.txt"
