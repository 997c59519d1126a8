"""What is known of ad networks: the role of hosts, where ids and destinations are written. Data: no code names a network."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import takewhile

from capper.clues import Shapes
from capper.domain.identity import Basis
from capper.recognise.domains import registrable
from capper.remembered import remembered

_LOOK = 256
"""How far into a path its looks are judged."""


class Role(StrEnum):
    """What a host is to an ad, where it is not its advertiser."""

    REDIRECTOR = "redirector"
    """An ad network's: counts the click on an ad and passes it on."""
    COUNTER = "counter"
    """Counts or shortens anyone's links and passes them on: that it does says nothing of an ad."""
    TEASER = "teaser"
    """Counts the click on a link from one of the publisher's pages to another."""
    BEACON = "beacon"
    """Counts something that is no click: what it holds leads nowhere."""
    CHOICES = "choices"
    """AdChoices, opt-out, sharing: the mark in the corner."""
    HOSTING = "hosting"
    """Keeps files for anyone."""
    RESELLER = "reseller"
    """Sends visitors on to others: each path or query is another advertiser's."""

    @property
    def delivers(self) -> bool:
        """Whether it takes part in every ad of a network, whoever pays for that."""
        return self in {Role.REDIRECTOR, Role.BEACON, Role.CHOICES}


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of a network's hosts: the role of everything under `path`, and for a reseller what tells its ads apart."""

    role: Role
    path: str = ""
    by: tuple[str, ...] = ()
    """Query parameters; empty: the path itself."""
    steps: int = 0
    """How many steps of the path tell; 0: all."""
    sold: bool = False
    """A redirector's: nothing but clicks on ads comes by here."""


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


@dataclass(frozen=True, slots=True)
class Parameter:
    """Finds a parameter by any of its names; what all of them end with is looked for first, for most addresses lack it."""

    ending: str
    pattern: re.Pattern[str]

    def search(self, text: str) -> re.Match[str] | None:
        """The first; its group is the value."""
        return self.pattern.search(text) if self.ending in text else None


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
    ads: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()

    @cached_property
    def shapes(self) -> Shapes:
        """How the networks' ads look in markup."""
        return Shapes(self.ads, self.own, self.sponsors)

    def place(self, host: str, path: str) -> Place | None:
        """What `host` is at `path`: the entry with the most labels, then the longest path; None where nothing is known.

        An entry speaks for subdomains; `google.*` speaks for every country's. `path` begins with `/`; a query may follow.
        """
        about = self.about(host)
        start = path[:_LOOK].lower()
        for place in about.places:
            if start.startswith(place.path):
                return place
        if about.tracker or self._link.match(start) or self._within.search(start):
            return _TRACKER
        return _NOTICE if self._notice.search(start.partition("?")[0]) else None

    @cached_property
    def about(self) -> Callable[[str], Host]:
        """What is known of a host; remembered, for hosts repeat."""
        return remembered(8_192)(self._about)

    def _about(self, host: str) -> Host:
        names = list(_upwards(host))
        places = [place for name in names for place in self.places.get(name, ())]
        domain = registrable(host)
        if domain is not None and domain.partition(".")[0] in self._wild:
            stem = host[: len(host) - len(domain)] + domain.partition(".")[0]
            places += (place for name in _upwards(stem) for place in self.places.get(f"{name}.*", ()))
        creatives, campaigns = (
            ((), ())
            if self._identifying.isdisjoint(names)
            else [
                tuple(row for row in rows if not row.hosts.isdisjoint(names))
                for rows in (self.creatives, self.campaigns)
            ]
        )
        return Host(tuple(places), bool(self._tracker.search(host)), creatives, campaigns)

    @cached_property
    def _identifying(self) -> frozenset[str]:
        """Hosts whose addresses may hold an id."""
        return frozenset[str]().union(*(row.hosts for row in (*self.creatives, *self.campaigns)))

    @cached_property
    def telling(self) -> frozenset[str]:
        """Attributes that say anything of whose an ad is, or which."""
        named = (row.attributes for row in (*self.creatives, *self.campaigns))
        declared = self.advertiser_attributes | self.click_attributes
        return declared.union(self.creative_attributes, self.campaign_attributes, *named)

    @cached_property
    def _tracker(self) -> re.Pattern[str]:
        return _caseless(self.trackers)

    @cached_property
    def _link(self) -> re.Pattern[str]:
        # Tried where a path begins, and not at each of its letters.
        return _caseless(tuple(f"(?:{text})" for text in self.links if _ANCHORED.fullmatch(text)))

    @cached_property
    def _within(self) -> re.Pattern[str]:
        return _caseless(tuple(text for text in self.links if not _ANCHORED.fullmatch(text)))

    @cached_property
    def _notice(self) -> re.Pattern[str]:
        return _caseless(self.notices)

    @cached_property
    def creative_parameter(self) -> Parameter:
        """Finds a creative's id under a common name; the group is its value, still encoded."""
        return _parameter(self.creative_parameters)

    @cached_property
    def campaign_parameter(self) -> Parameter:
        """Finds a campaign's id under a common name; the group is its value, still encoded."""
        return _parameter(self.campaign_parameters)

    def may_name(self, host: str, address: str) -> bool:
        """Whether an address, in lower case, may hold the id of a creative or of a campaign at all."""
        about = self.about(host)
        return bool(about.creatives or about.campaigns) or any(ending in address for ending in self._endings)

    @cached_property
    def _endings(self) -> frozenset[str]:
        return frozenset((self.creative_parameter.ending, self.campaign_parameter.ending))

    @cached_property
    def origin_parameter(self) -> Parameter:
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
    def trusted(self) -> int:
        """How far down the ranks any address is trusted to say where it leads."""
        return len(self.carried) + len(self.destination) - 1

    @cached_property
    def doubted(self) -> int:
        """And one that only passes on: an address that stands in it without a name ranks last."""
        return self.trusted + 1 + len(self.doubtful)

    @cached_property
    def macro(self) -> re.Pattern[str]:
        """Matches a macro that nobody filled in."""
        return _any_of(self.macros)

    @cached_property
    def common(self) -> re.Pattern[str]:
        """Matches the address, in lower case, of what is part of many ads."""
        return _caseless(self.shared)

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


_TRACKER = Place(Role.COUNTER)
_ANCHORED = re.compile(r"\^(?:[^|\\\[\]()]|\\.|\[[^\]\\]*\]|\((?:[^|()\[\]\\]|[|]|\\.|\[[^\]\\]*\]|\([^()]*\))*\))*")
"""A pattern that matches at the beginning or nowhere: it has no alternatives outside parentheses."""
_NOTICE = Place(Role.CHOICES)


def _any_of(patterns: tuple[str, ...], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    return re.compile("|".join(patterns) or r"(?!)", flags)


def _caseless(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """For texts in lower case: most patterns are so themselves, and IGNORECASE costs several times as much."""
    lower = all(text == text.lower() for text in patterns)
    return _any_of(patterns, re.NOFLAG if lower else re.IGNORECASE)


def _parameter(names: frozenset[str]) -> Parameter:
    # Names are lower-case here, and addresses are made so before.
    pattern = f"[?&;](?:{'|'.join(map(re.escape, sorted(names)))})=([^&;#]*)"
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*(f"={name[::-1]}" for name in names), strict=False))
    ending = "".join(letters[0] for letters in shared)[::-1]
    return Parameter(ending, _any_of((pattern,) if names else ()))


def _upwards(name: str) -> Iterator[str]:
    """The name, and each name above it."""
    while name:
        yield name
        name = name.partition(".")[2]
