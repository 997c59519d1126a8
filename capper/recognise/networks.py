"""What is known of ad networks, read from config/networks/*.toml: hosts, parameters, ids. Data, so that no code names a network."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.domain.identity import Basis
from capper.packaged import packaged_config
from capper.recognise.domains import registrable

_LOOK = 256
"""How far into a path its looks are judged."""


class Role(StrEnum):
    """What a host is to an ad, where it is not its advertiser."""

    REDIRECTOR = "redirector"
    """Counts the click and passes it on."""
    BEACON = "beacon"
    """Counts something that is no click: what it holds leads nowhere."""
    CHOICES = "choices"
    """AdChoices, opt-out, sharing: the mark in the corner."""
    HOSTING = "hosting"
    """Keeps files for anyone."""
    RESELLER = "reseller"
    """Sends visitors on to others: each path or query is another advertiser's."""


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a network's hosts: the role of everything under `path`, and for a reseller what tells its ads apart."""

    role: Role
    path: str = ""
    by: tuple[str, ...] = ()
    """Query parameters; empty: the path itself."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """Where a network writes an id: `pattern` has one group, the id; it is unique within `buyer`."""

    pattern: re.Pattern[str]
    buyer: str
    basis: Basis
    hosts: frozenset[str] = frozenset()
    """Registrable domains or hosts whose addresses may hold it; empty with `attributes`."""
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Host:
    """What is known of one host; `places` with the most labels first, then the longest path."""

    places: tuple[Place, ...]
    tracker: bool
    creatives: tuple[Identifier, ...]
    campaigns: tuple[Identifier, ...]


@dataclass(frozen=True)
class Networks:
    """Everything the reader of ads knows about networks; immutable."""

    places: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    trackers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    macros: tuple[str, ...] = ()
    creatives: tuple[Identifier, ...] = ()
    campaigns: tuple[Identifier, ...] = ()
    creative_parameters: frozenset[str] = frozenset()
    creative_attributes: frozenset[str] = frozenset()
    campaign_parameters: frozenset[str] = frozenset()
    campaign_attributes: frozenset[str] = frozenset()
    advertiser_attributes: frozenset[str] = frozenset()
    click_attributes: frozenset[str] = frozenset()
    endings: frozenset[str] = frozenset()
    changing: tuple[str, ...] = ()
    lasting: frozenset[str] = frozenset()
    shared: tuple[str, ...] = ()

    def place(self, host: str, path: str) -> Place | None:
        """What `host` is at `path`: the entry with the most labels, then the longest path; None where nothing is known.

        An entry speaks for subdomains; `google.*` speaks for every country's. `path` begins with `/`; a query may follow.
        """
        about = self.about(host)
        start = path[:_LOOK]
        if about.places:
            lower = start.lower()
            for place in about.places:
                if lower.startswith(place.path):
                    return place
        if about.tracker or self._link.search(start):
            return _TRACKER
        return _NOTICE if self._notice.search(start.partition("?")[0]) else None

    @cached_property
    def about(self) -> Callable[[str], Host]:
        """What is known of a host; remembered, for hosts repeat."""
        return lru_cache(maxsize=8_192)(self._about)

    def _about(self, host: str) -> Host:
        names = list(_upwards(host))
        places = [place for name in names for place in self.places.get(name, ())]
        domain = registrable(host)
        if domain is not None and domain.partition(".")[0] in self._wild:
            stem = host[: len(host) - len(domain)] + domain.partition(".")[0]
            places += (place for name in _upwards(stem) for place in self.places.get(f"{name}.*", ()))
        return Host(
            tuple(places),
            tracker=bool(self._tracker.search(host)),
            creatives=tuple(row for row in self.creatives if not row.hosts.isdisjoint(names)),
            campaigns=tuple(row for row in self.campaigns if not row.hosts.isdisjoint(names)),
        )

    @cached_property
    def _tracker(self) -> re.Pattern[str]:
        return _any_of(self.trackers)

    @cached_property
    def _link(self) -> re.Pattern[str]:
        return _any_of(self.links)

    @cached_property
    def _notice(self) -> re.Pattern[str]:
        return _any_of(self.notices)

    @cached_property
    def creative_parameter(self) -> re.Pattern[str]:
        """Finds a creative's id under a common name; the group is its value, still encoded."""
        return _parameter(self.creative_parameters)

    @cached_property
    def campaign_parameter(self) -> re.Pattern[str]:
        """Finds a campaign's id under a common name; the group is its value, still encoded."""
        return _parameter(self.campaign_parameters)

    @cached_property
    def origin_parameter(self) -> re.Pattern[str]:
        """Finds the advertiser's origin; the group is its value, in base64url."""
        return _parameter(frozenset(self.origin))

    @cached_property
    def _wild(self) -> frozenset[str]:
        return frozenset(name[:-2].rpartition(".")[2] for name in self.places if name.endswith(".*"))

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """Parameters that may hold a destination, and how far each is trusted (0 the most)."""
        return {name: at for at, name in reversed(list(enumerate((*self.carried, *self.destination, *self.doubtful))))}

    @cached_property
    def macro(self) -> re.Pattern[str]:
        """Matches a macro that nobody filled in."""
        return _any_of(self.macros, 0)

    @cached_property
    def common(self) -> re.Pattern[str]:
        """Matches the address of what is part of many ads."""
        return _any_of(self.shared)

    def changes(self, parameter: str) -> bool:
        """Whether a query parameter differs from one delivery of a creative to the next."""
        name = parameter.lower()
        return name in self._changing or name.startswith(self._changing_prefixes)

    @cached_property
    def _changing(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.changing if not name.endswith("*"))

    @cached_property
    def _changing_prefixes(self) -> tuple[str, ...]:
        return tuple(name[:-1].lower() for name in self.changing if name.endswith("*"))


_TRACKER = Place(Role.REDIRECTOR)
_NOTICE = Place(Role.CHOICES)


def _any_of(patterns: tuple[str, ...], flags: re.RegexFlag | int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)", flags)


def _parameter(names: frozenset[str]) -> re.Pattern[str]:
    # Without IGNORECASE, which doubles its cost: names are lower-case here, and addresses are made so before.
    return _any_of((f"[?&;](?:{'|'.join(map(re.escape, sorted(names)))})=([^&;#]*)",) if names else (), 0)


def _upwards(name: str) -> Iterator[str]:
    """The name, and each name above it."""
    while name:
        yield name
        name = name.partition(".")[2]


def load_networks(folder: Path | None = None) -> Networks:
    """Read every *.toml of `folder`, by default those that travel with capper.

    Raises:
        ConfigError: names the file and the key.
    """
    folder = folder or packaged_config() / "networks"
    try:
        files = sorted(folder.glob("*.toml"))
        texts = [(file, file.read_text("utf-8")) for file in files]
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"read the networks in {folder}: {exc}") from exc
    if not texts:
        raise ConfigError(f"read the networks in {folder}: no *.toml there")
    reader = _Reader()
    for file, text in texts:
        try:
            reader.read(file, tomllib.loads(text))
        except tomllib.TOMLDecodeError as exc:
            raise ConfigError(f"{file}: {exc}") from exc
    return reader.networks()


class _Reader:
    """Gathers the files' tables; every complaint names file and key."""

    def __init__(self) -> None:
        self.file = Path()
        self.places: dict[str, list[Place]] = {}
        self.words: dict[str, list[str]] = {}
        self.ids: dict[str, list[Identifier]] = {"creatives": [], "campaigns": []}

    def read(self, file: Path, tables: dict[str, Any]) -> None:
        self.file = file
        if not isinstance(tables.pop("name", None), str):
            raise self.error("name", "a text")
        for key, value in tables.items():
            if key in _ROLES:
                self.hosts(key, _ROLES[key], self.table(key, value))
            elif key == "resellers":
                self.resellers(self.table(key, value))
            elif key in self.ids:
                self.identifiers(key, value)
            elif key in _WORDS:
                self.lists(key, self.table(key, value))
            else:
                raise self.error(key, f"one of {', '.join(['name', 'resellers', *_ROLES, *self.ids, *_WORDS])}")

    def hosts(self, key: str, role: Role, table: dict[str, Any]) -> None:
        for unknown in table.keys() - {"hosts"}:
            raise self.error(f"{key}.{unknown}", "nothing but hosts")
        for entry in self.strings(f"{key}.hosts", table.get("hosts")):
            self.place(f"{key}.hosts", entry, role, ())

    def resellers(self, table: dict[str, Any]) -> None:
        for entry, by in table.items():
            names = () if by == "path" else self.strings(f"resellers.{entry}", by)
            self.place(f"resellers.{entry}", entry, Role.RESELLER, names)

    def place(self, key: str, entry: str, role: Role, by: tuple[str, ...]) -> None:
        host, _, path = entry.partition("/")
        if not _HOST.fullmatch(host):
            raise self.error(key, f"hosts like ads.example, ads.example/click or ads.*, not {entry!r}")
        new = Place(role, f"/{path.lower()}", by)
        entries = self.places.setdefault(host, [])
        clash = next((old for old in entries if old.path == new.path and old != new), None)
        if clash:
            raise self.error(key, f"{entry!r} once: it is a {clash.role} already")
        if new not in entries:
            entries.append(new)

    def identifiers(self, key: str, rows: object) -> None:
        if not isinstance(rows, list):
            raise self.error(key, f"tables of the form [[{key}]]")
        for at, row in enumerate(rows, 1):
            where = f"{key}[{at}]"
            table = self.table(where, row)
            for unknown in table.keys() - {"hosts", "attributes", "path", "buyer", "rung"}:
                raise self.error(f"{where}.{unknown}", "hosts, attributes, path, buyer or rung")
            for needed in ("path", "buyer"):
                if not isinstance(table.get(needed), str):
                    raise self.error(f"{where}.{needed}", "a text")
            pattern = self.pattern(f"{where}.path", table["path"])
            if pattern.groups != 1:
                raise self.error(f"{where}.path", "a pattern with one group, the id")
            if table.get("rung", Basis.CRID) not in (Basis.CRID, Basis.CM360):
                raise self.error(f"{where}.rung", "crid or cm360")
            hosts, attributes = (
                frozenset(self.strings(f"{where}.{name}", table.get(name, []))) for name in ("hosts", "attributes")
            )
            if bool(hosts) == bool(attributes):
                raise self.error(where, "either hosts or attributes")
            basis = Basis(table.get("rung", Basis.CRID))
            self.ids[key].append(Identifier(pattern, table["buyer"], basis, hosts, attributes))

    def lists(self, key: str, table: dict[str, Any]) -> None:
        for name, value in table.items():
            target = _WORDS[key].get(name)
            if target is None:
                raise self.error(f"{key}.{name}", f"one of {', '.join(_WORDS[key])}")
            words = self.strings(f"{key}.{name}", value)
            if target in _PATTERNS:
                for word in words:
                    self.pattern(f"{key}.{name}", word)
            self.words.setdefault(target, []).extend(words)

    def networks(self) -> Networks:
        places = {
            host: tuple(sorted(found, key=lambda place: len(place.path), reverse=True))
            for host, found in self.places.items()
        }
        words: dict[str, Any] = {
            name: frozenset(map(str.lower, found)) if name in _SETS else tuple(found)
            for name, found in self.words.items()
        }
        return Networks(places, creatives=tuple(self.ids["creatives"]), campaigns=tuple(self.ids["campaigns"]), **words)

    def table(self, key: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(key, "a table")
        return value

    def strings(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(key, "a list of texts")
        return tuple(value)

    def pattern(self, key: str, text: str) -> re.Pattern[str]:
        try:
            return re.compile(text)
        except re.error as exc:
            raise ConfigError(f"{self.file}: {key}: pattern {text!r}: {exc}") from exc

    def error(self, key: str, expected: str) -> ConfigError:
        return ConfigError(f"{self.file}: {key}: expected {expected}")


_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:[a-z0-9-]+|\*)")
_ROLES = {
    "redirectors": Role.REDIRECTOR,
    "beacons": Role.BEACON,
    "choices": Role.CHOICES,
    "hosting": Role.HOSTING,
}
_WORDS: dict[str, dict[str, str]] = {
    "clicks": {"carried": "carried", "destination": "destination", "doubtful": "doubtful", "origin": "origin"},
    "macros": {"patterns": "macros"},
    "trackers": {"hosts": "trackers", "addresses": "links"},
    "notices": {"addresses": "notices"},
    "creative": {"parameters": "creative_parameters", "attributes": "creative_attributes"},
    "campaign": {"parameters": "campaign_parameters", "attributes": "campaign_attributes"},
    "advertiser": {"attributes": "advertiser_attributes", "clicks": "click_attributes"},
    "shown": {"endings": "endings"},
    "address": {"changing": "changing", "lasting": "lasting", "shared": "shared"},
}
_PATTERNS = {"macros", "trackers", "links", "notices", "shared"}
_SETS = {
    "creative_parameters",
    "creative_attributes",
    "campaign_parameters",
    "campaign_attributes",
    "advertiser_attributes",
    "click_attributes",
    "lasting",
    "endings",
}
