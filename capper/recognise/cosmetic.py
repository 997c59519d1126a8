"""Element-hiding rules with `:has()`, which the filter engine drops without a word: read from the lists and looked up here."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from capper.recognise.domains import registrable

_RULE = re.compile(r"(?P<sites>[^#/$|^]*)#(?P<mark>@?\??)#(?P<selector>.+)")
_OURS = re.compile(r":(?:-abp-)?has\(")
_PROCEDURAL = re.compile(
    r":(?:has-text|-abp-contains|-abp-properties|contains|upward|nth-ancestor|xpath|matches-[a-z-]+|min-text-length"
    r"|others|watch-attrs?|style|remove(?:-attr|-class)?|if|if-not|shadow|spath|visible|hidden)\b|[{}]|\+js\("
)
_LONGEST = 2000
_MOST_LABELS = 20


@dataclass(frozen=True, slots=True)
class SelectorRules:
    """Selectors by site (`nu.nl`, `shop.*`), those for all sites, and by site those not to be used."""

    generic: tuple[str, ...] = ()
    by_site: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unhidden: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, rules: Iterable[str]) -> Self:
        """Take the rules that a CSS engine can evaluate and the filter engine cannot hold."""
        generic: dict[str, None] = {}
        by_site: dict[str, dict[str, None]] = {}
        unhidden: dict[str, set[str]] = {}
        for rule in rules:
            if "#" not in rule or not _OURS.search(rule) or not (match := _RULE.fullmatch(rule)):
                continue
            selector = match["selector"].strip().replace(":-abp-has(", ":has(")
            if not usable(selector):
                continue
            sites = [site.strip().lower() for site in match["sites"].split(",") if site.strip()]
            freed = [site[1:] for site in sites if site[0] == "~"]
            named = [site for site in sites if site[0] != "~"]
            if "@" in match["mark"]:
                named, freed = [], named or ["*"]
            elif not named:
                generic[selector] = None
            for site in named:
                by_site.setdefault(site, {})[selector] = None
            for site in freed:
                unhidden.setdefault(site, set()).add(selector)
        return cls(
            tuple(generic),
            {site: tuple(found) for site, found in by_site.items()},
            {site: frozenset(found) for site, found in unhidden.items()},
        )

    def of(self, host: str, *, generic: bool = True) -> tuple[str, ...]:
        """The selectors for a page of `host`, without those that some list takes back there."""
        sites = ["*", *_sites(host)]
        found = dict.fromkeys(self.generic) if generic else {}
        for site in sites:
            found.update(dict.fromkeys(self.by_site.get(site, ())))
        back = frozenset().union(*(self.unhidden.get(site, frozenset()) for site in sites))
        return tuple(selector for selector in found if selector not in back)

    def dump(self) -> bytes:
        """As bytes that `load` reads."""
        unhidden = {site: sorted(found) for site, found in self.unhidden.items()}
        return json.dumps([self.generic, self.by_site, unhidden]).encode()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read what `dump` wrote.

        Raises:
            ValueError: it is not that.
        """
        try:
            generic, by_site, unhidden = json.loads(data)
            return cls(
                tuple(generic),
                {site: tuple(found) for site, found in by_site.items()},
                {site: frozenset(found) for site, found in unhidden.items()},
            )
        except (TypeError, AttributeError) as exc:
            raise ValueError(f"selector rules: {exc}") from exc


def usable(selector: str) -> bool:
    """Whether a browser's selector engine could evaluate it: no procedural steps, and everything closed that was opened."""
    if len(selector) > _LONGEST or selector[:1] in ("^", "") or _PROCEDURAL.search(selector):
        return False
    return _balanced(selector)


def _balanced(selector: str) -> bool:
    pairs = {")": "(", "]": "["}
    opened: list[str] = []
    quote = ""
    escaped = False
    for char in selector:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([":
            opened.append(char)
        elif char in pairs and (not opened or opened.pop() != pairs[char]):
            return False
    return not opened and not quote and not escaped


def _sites(host: str) -> Iterator[str]:
    """Every name a rule may know the host by: itself, the domains above it, and each of these as `name.*`."""
    labels = host.split(".")[-_MOST_LABELS:]
    own = registrable(host)
    suffix = own.partition(".")[2] if own else ""
    for start in range(len(labels)):
        site = ".".join(labels[start:])
        yield site
        if suffix and len(site) > len(suffix) + 1:
            yield site.removesuffix(suffix) + "*"
