"""Reads what is known of ad networks from config/networks/*.toml, and says of a mistake where it is."""

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from capper.domain.errors import ConfigError
from capper.domain.identity import Basis
from capper.packaged import packaged_config
from capper.recognise.ad import AdReader
from capper.recognise.knowledge import Identifier, Networks, Place, Role


def load_networks(folder: Path | None = None) -> Networks:
    """Read every *.toml of `folder`, by default those that travel with capper.

    Raises:
        ConfigError: names the file and the key.
    """
    folder = folder or packaged_config() / "networks"
    try:
        files = sorted(file for file in folder.glob("*.toml") if file.name not in _OTHERS)
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


@cache
def packaged_reader() -> AdReader:
    """The reader of ads for the networks that travel with capper.

    Raises:
        ConfigError: as `load_networks`.
    """
    return AdReader(load_networks())


_OTHERS = {"auction.toml"}
"""Those say how answers are built, which is capper/rewrite/auction/layout.py's to read."""


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
        known = {"hosts", "sold"} if role is Role.REDIRECTOR else {"hosts"}
        for unknown in table.keys() - known:
            raise self.error(f"{key}.{unknown}", f"nothing but {' and '.join(sorted(known))}")
        for entry in self.strings(f"{key}.hosts", table.get("hosts")):
            self.place(f"{key}.hosts", entry, Place(role))
        for entry in self.strings(f"{key}.sold", table.get("sold", [])):
            self.place(f"{key}.sold", entry, Place(role, sold=True))

    def resellers(self, table: dict[str, Any]) -> None:
        for entry, by in table.items():
            steps = _STEPS.fullmatch(by) if isinstance(by, str) else None
            names = () if steps else self.strings(f"resellers.{entry}", by)
            first = int(steps[1] or 0) if steps else 0
            self.place(f"resellers.{entry}", entry, Place(Role.RESELLER, by=names, steps=first))

    def place(self, key: str, entry: str, kind: Place) -> None:
        host, _, path = entry.partition("/")
        if not _HOST.fullmatch(host):
            raise self.error(key, f"hosts like ads.example, ads.example/click or ads.*, not {entry!r}")
        new = replace(kind, path=f"/{path.lower()}")
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


_STEPS = re.compile(r"path(?: ([1-9]))?")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:[a-z0-9-]+|\*)")
_ROLES = {
    "redirectors": Role.REDIRECTOR,
    "counters": Role.COUNTER,
    "teasers": Role.TEASER,
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
    "shapes": {"ads": "ads", "own": "own", "sponsors": "sponsors"},
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
