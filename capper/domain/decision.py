"""From a sighting to what the ledger is asked (`Claim`), and from its answer to a `Decision` that says why.

Everything about time is settled here, in the policy's zone, so that the ledger only compares whole milliseconds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from capper.domain.cap import Cap
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute, Name, Why, names_of
from capper.domain.policy import Policy, Rule, Terms
from capper.domain.sighting import Sighting
from capper.domain.window import Scope, from_ms, reopens, since, to_ms

OCCASION_LIFE = timedelta(minutes=10)
"""How long two sightings with the same occasion are one: longer than a slow page load, shorter than a second visit."""


class Verdict(StrEnum):
    """What becomes of an ad."""

    SHOW = "show"
    WITHHOLD = "withhold"


# One or several of these are made for each ad; a dataclass takes three times as long to make.
class Counter(NamedTuple):
    """One row of the ledger: the newest `keep` times (a viewer's) `value` was shown, at `level`, within `scope`.

    `life_ms` is how long each of those times is kept; the row goes with the last of them.
    """

    level: Level
    value: str
    scope: str
    keep: int
    life_ms: int


class Check(NamedTuple):
    """Is the `limit`-th newest timestamp of counter number `counter` newer than `since_ms`? Then the cap is reached.

    `since_ms` is None for a session, whose beginning only the ledger knows.
    """

    cap: Cap
    counter: int
    limit: int
    since_ms: int | None


class Claim(NamedTuple):
    """Everything the ledger needs to check and count one sighting, all of its counters or none."""

    occasion: str
    counters: tuple[Counter, ...]
    checks: tuple[Check, ...]
    refused: bool = False
    """A cap of 0 speaks: withheld whatever the counters say, and nothing is counted."""
    names: tuple[Name, ...] = ()
    """What a mute could call it."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one check found: how many count in its window before this sighting, and the time (ms) of the `limit`-th newest."""

    count: int
    nth_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Muting:
    """The mute that a claim met: which of its names is muted (from 0), why, since and until when (ms).

    Of several, the one that ends last.
    """

    name: int
    why: Why
    since_ms: int
    until_ms: int


class Answer(NamedTuple):
    """The ledger's answer to one claim, with a tally for each of its checks, in their order."""

    shown: bool
    tallies: tuple[Tally, ...] = ()
    repeated: bool = False
    """The same occasion was claimed before; this is the answer it got then."""
    counted: bool = True
    """False where the ledger did not answer: this answer is by what this process remembers, and counts only there."""
    muted: Muting | None = None
    """Withheld whatever the tallies say."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one sighting, and why, in terms a person can check."""

    verdict: Verdict
    viewer: Viewer
    ad: Ad
    rule: str
    cap: Cap | None = None
    count: int = 0
    reopens: datetime | None = None
    repeated: bool = False
    counted: bool = True
    """False where the ledger did not answer, or was only asked: shown without being counted."""
    mute: Mute | None = None
    """What it was withheld by, in place of a cap."""

    @property
    def withheld(self) -> bool:
        """Whether the ad is not to be shown."""
        return self.verdict is Verdict.WITHHOLD


def prepare(policy: Policy, sighting: Sighting, now: datetime) -> tuple[Rule, Claim]:
    """What to ask the ledger about `sighting`, and the rule that says so.

    An unidentified ad yields a claim with no checks and no names: it is never capped by guess, nor muted. Only a rule that says `never` of
    everything it matches refuses it.
    """
    return prepare_all(policy, (sighting,), now)[0]


def prepare_all(policy: Policy, sightings: Iterable[Sighting], now: datetime) -> list[tuple[Rule, Claim]]:
    """The same of several sightings at one moment: when each window began is worked out once."""
    plan = _Plan(policy, now)
    return [plan.claim(sighting) for sighting in sightings]


class _Plan:
    """What a policy asks the ledger at one moment, of whatever is about to be shown."""

    __slots__ = ("_starts", "now", "policy")

    def __init__(self, policy: Policy, now: datetime) -> None:
        self.policy, self.now = policy, now
        self._starts: dict[int, list[int | None]] = {}

    def claim(self, sighting: Sighting) -> tuple[Rule, Claim]:
        policy, ad = self.policy, sighting.ad
        rule = policy.rule_for(sighting)
        counters: list[Counter] = []
        spans = []
        for level, scope, keep, life in policy.rows:
            first, place = len(counters), "" if scope is None else _place(sighting, scope)
            if place is not None:
                counters += [Counter(level, value, place, keep, life) for value in _called(ad, level)]
            spans.append(range(first, len(counters)))
        terms = policy.terms(rule)
        checks = [
            Check(term.cap, number, term.cap.count, start)
            for term, start in zip(terms.reached, self._began(rule, terms), strict=True)
            for number in spans[term.row]
        ]
        refused = any(_refuses(cap, ad) for cap in terms.never)
        return rule, Claim(sighting.occasion, tuple(counters), tuple(checks), refused, names_of(ad))

    def _began(self, rule: Rule, terms: Terms) -> list[int | None]:
        """When the window of each of a rule's caps began; a rule is there as long as its policy."""
        starts = self._starts.get(id(rule))
        if starts is None:
            now, zone, at = self.now, self.policy.zone, to_ms(self.now)
            starts = [at - back if back is not None else since(cap.window, now, zone) for cap, _, back in terms.reached]
            self._starts[id(rule)] = starts
        return starts


def _called(ad: Ad, level: Level) -> tuple[str, ...]:
    """What `ad` is called at `level`; named twice it is one sighting."""
    values = ad.keys(level)
    return tuple(dict.fromkeys(values)) if len(values) > 1 else values


def _refuses(cap: Cap, ad: Ad) -> bool:
    """Whether a cap of 0 speaks about `ad`: `never` of all, another only where the ad is known at its level."""
    return cap.count == 0 and (cap.level is None or bool(ad.keys(cap.level)))


def _place(sighting: Sighting, scope: Scope) -> str | None:
    """The page or pod that a window is confined to; None where it is not known."""
    place = sighting.page if scope is Scope.PAGE else sighting.pod
    return None if place is None else f"{scope}:{place}"


def conclude(policy: Policy, sighting: Sighting, rule: Rule, claim: Claim, answer: Answer, now: datetime) -> Decision:
    """The decision that `answer` amounts to: a mute speaks before any cap; of several caps reached, the one that opens last."""
    verdict = Verdict.SHOW if answer.shown else Verdict.WITHHOLD

    def decided(cap: Cap | None, count: int = 0, opens: datetime | None = None) -> Decision:
        who, ad, counted = sighting.viewer, sighting.ad, answer.counted
        return Decision(verdict, who, ad, rule.name, cap, count, opens, answer.repeated, counted)

    if claim.refused:
        zero = next((cap for cap in rule.caps if _refuses(cap, sighting.ad)), None)
        return decided(zero)
    if answer.muted:
        mute = _mute(claim, answer.muted)
        return replace(decided(None, opens=from_ms(answer.muted.until_ms)), mute=mute)
    found = [*zip(claim.checks, answer.tallies, strict=False)]
    reached = [] if answer.shown else [(check, tally) for check, tally in found if tally.nth_ms is not None]
    if not reached:
        check, tally = min(found, key=_left) if len(found) > 1 else found[0] if found else (None, None)
        return decided(check.cap, tally.count) if check and tally else decided(None)
    opens = [
        (reopens(check.cap.window, from_ms(tally.nth_ms or 0), now, policy.zone, policy.session_gap), check, tally)
        for check, tally in reached
    ]
    when, check, tally = max(opens, key=lambda row: (row[0] is None, row[0] or now))
    return decided(check.cap, tally.count, when)


def _mute(claim: Claim, muted: Muting) -> Mute | None:
    """The mute with its name; None where the occasion was another ad's, whose answer this one got."""
    if muted.name >= len(claim.names):
        return None
    level, name = claim.names[muted.name]
    return Mute(level, name, muted.why, from_ms(muted.since_ms), from_ms(muted.until_ms))


def _left(found: tuple[Check, Tally]) -> int:
    """How many sightings a cap still allows."""
    return found[0].limit - found[1].count
