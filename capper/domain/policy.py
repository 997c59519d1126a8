"""Ordered rules that say which caps hold for a sighting, and which rule spoke."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from capper.domain.cap import Cap
from capper.domain.identity import HOUSEHOLD, LEFT_ALONE, Level, Viewer
from capper.domain.rulebook import CALLED, Conditions, RuleBook, fits, parents
from capper.domain.sighting import Sighting
from capper.domain.window import MILLISECOND, Rolling, Scope, Session, Spacing, Window, Within, lifespan

EVERYWHERE = "everywhere"
"""What stands for all sites where `house_ads` names some."""


class CreditPrompts(StrEnum):
    """What becomes of credit nobody asked for."""

    STRIP = "strip"
    MARK = "mark"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Person:
    """A viewer of the household with her devices: addresses, networks, MACs, `user:NAME`, `wireguard:NAME`."""

    name: str
    devices: tuple[str, ...] = ()
    language: str | None = None
    credit_prompts: CreditPrompts | None = None
    credit_note: bool | None = None
    house_ads: tuple[str, ...] | None = None
    """Sites that may be told, as with `Policy.house_ads`; None where she has said nothing."""
    journal_level: int | None = None
    """The most that is written down of her; the household's level still is the most for anybody."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Caps for the sightings that every named condition fits; a condition left empty fits all.

    `advertiser` and `site` fit subdomains too: `shoes.example` speaks for `www.shoes.example`.
    """

    name: str
    caps: tuple[Cap, ...]
    advertiser: tuple[str, ...] = ()
    creative: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def conditions(self) -> Conditions:
        """What it names, by condition."""
        return {key: wanted for key in CALLED if (wanted := getattr(self, key))}

    def fits(self, sighting: Sighting) -> bool:
        """Whether this rule speaks about `sighting`."""
        return fits(self.conditions, sighting)


@dataclass(frozen=True, slots=True)
class CreditRule:
    """What becomes of credit nobody asked for, on these sites (their subdomains too) and for these people; empty fits all."""

    credit_prompts: CreditPrompts
    site: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    def fits(self, person: str, hosts: tuple[str, ...]) -> bool:
        """Whether it speaks about `person` on a page or an answer of one of `hosts`."""
        if self.people and person not in self.people:
            return False
        return not self.site or not parents(hosts).isdisjoint(self.site)


@dataclass(frozen=True, slots=True)
class Kept:
    """How much the ledger keeps of one level: the newest `count` timestamps, for `life` at most."""

    count: int
    life: timedelta


class Row(NamedTuple):
    """One kind of counter of the ledger's: what it counts, within what, and how much of it is kept, for how long (ms)."""

    level: Level
    scope: Scope | None
    keep: int
    life_ms: int


class Term(NamedTuple):
    """A cap that is reached: the number of the row it looks at, and how far back (ms), where that is the same at all times."""

    cap: Cap
    row: int
    back_ms: int | None


class Terms(NamedTuple):
    """A rule's caps: those that say never, and those that are reached."""

    never: tuple[Cap, ...]
    reached: tuple[Term, ...]


@dataclass(frozen=True)
class Policy:
    """The whole policy of a household, immutable; a changed file makes a new one.

    `default` speaks where no rule fits. No cap means unlimited, a cap of 0 means never. `unknown_devices` names the viewer
    that devices count as which are nobody's, or is LEFT_ALONE.
    """

    default: Rule = Rule("caps", ())
    rules: tuple[Rule, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    zone: tzinfo = UTC
    session_gap: timedelta = timedelta(minutes=30)
    retention: timedelta = timedelta(days=35)
    credit_prompts: CreditPrompts = CreditPrompts.STRIP
    unknown_devices: str = HOUSEHOLD
    credit: tuple[CreditRule, ...] = ()
    credit_note: bool = False
    mute_for: timedelta = timedelta(days=90)
    stop_when_bought: bool = False
    house_ads: tuple[str, ...] = ()
    """Sites that may know that an ad was withheld on a page of theirs, and show a notice of their own there."""

    def rule_for(self, sighting: Sighting) -> Rule:
        """The first rule that fits, else the default."""
        place = self._book.fitting(sighting) if self.rules else None
        return self.default if place is None else self.rules[place]

    def prompts_for(self, person: str, hosts: Callable[[], tuple[str, ...]]) -> CreditPrompts:
        """What becomes of credit nobody asked for: as the first rule says that fits, else as she chose, else the household.

        `hosts` is asked only where a rule wants to know.
        """
        if self.credit:
            found = hosts()
            for rule in self.credit:
                if rule.fits(person, found):
                    return rule.credit_prompts
        known = self.people.get(person)
        return (known and known.credit_prompts) or self.credit_prompts

    def notes_prompts(self, person: str) -> bool:
        """Whether a page is to say that credit nobody asked for was taken out of it: as she chose, else the household."""
        known = self.people.get(person)
        return self.credit_note if known is None or known.credit_note is None else known.credit_note

    def housed(self, person: str) -> tuple[str, ...]:
        """The sites that may know that an ad was withheld from her: as she chose, else the household."""
        known = self.people.get(person)
        return self.house_ads if known is None or known.house_ads is None else known.house_ads

    def houses(self, person: str, host: str) -> bool:
        """Whether a page of `host` may know it."""
        sites = self.housed(person)
        return bool(sites) and (EVERYWHERE in sites or not parents((host,)).isdisjoint(sites))

    def chosen_level(self, person: str) -> int | None:
        """The most that is to be written down of a person, where she has said so."""
        known = self.people.get(person)
        return known.journal_level if known else None

    def seeks_prompts(self, host: str) -> bool:
        """Whether there is anybody for whom a page of `host` is to be read for credit nobody asked for."""
        people = (HOUSEHOLD, *self.people)
        return any(self.prompts_for(person, lambda: (host,)) is not CreditPrompts.LEAVE for person in people)

    def viewer(self, name: str) -> Viewer:
        """The viewer called `name`, with what the policy knows of her."""
        person = self.people.get(name)
        return Viewer(name, person.language if person else None)

    def leaves_alone(self, viewer: Viewer) -> bool:
        """Whether the viewer is whoever has a device that is nobody's, and the policy leaves those alone."""
        return viewer.name == LEFT_ALONE and viewer.name not in self.people

    @cached_property
    def gap(self) -> timedelta:
        """How long without a sighting ends a session, as a ledger is told: zero where no cap speaks of sessions.

        It need then not keep when a viewer was last seen.
        """
        sessions = any(isinstance(cap.window, Session) for cap in self.caps())
        return self.session_gap if sessions else timedelta(0)

    @cached_property
    def _book(self) -> RuleBook:
        return RuleBook([rule.conditions for rule in self.rules])

    @cached_property
    def kept(self) -> Mapping[tuple[Level, Window | None], Kept]:
        """What must be kept per level: under (level, None) for windows of time, under (level, window) within a place.

        The same for every sighting, whichever rule speaks: what is unlimited on one site still counts on the next.
        """

        kept: dict[tuple[Level, Window | None], Kept] = {}
        for cap in self.caps():
            if cap.level is None or cap.count == 0:
                continue
            at = (cap.level, cap.window if isinstance(cap.window, Within) else None)
            was = kept.get(at, Kept(0, timedelta(0)))
            kept[at] = Kept(max(was.count, cap.count), max(was.life, lifespan(cap.window, self.retention)))
        return kept

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The same as the ledger is asked for it."""
        return tuple(
            Row(level, _scope(within), kept.count, kept.life // MILLISECOND)
            for (level, within), kept in self.kept.items()
        )

    def terms(self, rule: Rule) -> Terms:
        """The caps of one of its rules; remembered, for they are asked about with every ad."""
        found = self._terms.get(id(rule))
        if found is None:
            found = self._terms[id(rule)] = self._terms_of(rule)
        return found

    @cached_property
    def _terms(self) -> dict[int, Terms]:
        return {}

    def _terms_of(self, rule: Rule) -> Terms:
        numbers = {(row.level, row.scope): number for number, row in enumerate(self.rows)}
        return Terms(
            tuple(cap for cap in rule.caps if cap.count == 0),
            tuple(
                Term(cap, numbers[cap.level, _scope(cap.window)], _back_ms(cap.window))
                for cap in rule.caps
                if cap.level is not None and cap.count
            ),
        )

    def caps(self) -> Iterator[Cap]:
        """Every cap of the policy, the default's first."""
        for rule in (self.default, *self.rules):
            yield from rule.caps


def _scope(window: Window | None) -> Scope | None:
    return window.scope if isinstance(window, Within) else None


def _back_ms(window: Window) -> int | None:
    return window.length // MILLISECOND if isinstance(window, Rolling | Spacing) else None
