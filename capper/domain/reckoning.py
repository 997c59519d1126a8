"""How many ads caps would have let through at most, reckoned from how many there would have been on each day.

A day's count does not tell hours, pages, sessions, creatives or campaigns. So every number here is an upper bound: caps of which
it tells nothing can only have withheld more.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from capper.domain.cap import Cap
from capper.domain.daily import date_of
from capper.domain.identity import Ad, Basis, Level
from capper.domain.policy import Policy, Rule
from capper.domain.sighting import Sighting
from capper.domain.window import Calendar, CalendarUnit, Life, Rolling, Spacing, Window

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Speaking:
    """The rule that speaks about an advertiser's ads, and those above it that may, on some site or in some format."""

    rule: Rule
    perhaps: tuple[Rule, ...] = ()


def speaking(policy: Policy, person: str, advertiser: str) -> Speaking:
    """Which rules may have spoken about ads of which only the advertiser is known."""
    sighting = Sighting(policy.viewer(person), Ad((advertiser,), basis=Basis.REMEMBERED), "")
    perhaps: list[Rule] = []
    for rule in policy.rules:
        if rule.fits(sighting):
            return Speaking(rule, tuple(perhaps))
        # What a day's count does not tell may be whatever the rule asks for.
        if replace(rule, creative=(), campaign=(), category=(), site=(), network=(), format=()).fits(sighting):
            perhaps.append(rule)
    return Speaking(policy.default, tuple(perhaps))


def at_most(met: Mapping[int, int], caps: Sequence[Cap]) -> dict[int, int]:
    """How many of the ads met on each day would have been shown at most, under caps that hold together.

    Each day shows as many as it may: what is shown earlier leaves room again earlier, so no other order shows more in all.
    """
    found: dict[int, int] = {}
    for day in sorted(met):
        found[day] = max(min([met[day], *(_left(cap, day, found) for cap in _reckonable(caps))]), 0)
    return found


def untold(caps: Iterable[Cap]) -> tuple[Cap, ...]:
    """The caps that a day's count says nothing about: each of them may have withheld more."""
    known = set(_reckonable(caps := tuple(caps)))
    return tuple(cap for cap in caps if cap not in known)


def _reckonable(caps: Iterable[Cap]) -> list[Cap]:
    return [
        cap
        for cap in caps
        if cap.level is None
        or (cap.level is Level.ADVERTISER and isinstance(cap.window, Rolling | Spacing | Calendar | Life))
        or (cap.level is Level.ADVERTISER and cap.count == 0)
    ]


def _left(cap: Cap, day: int, found: Mapping[int, int]) -> int:
    """How many more a cap allows on `day` at most, after what was shown on the days before."""
    if cap.count == 0:
        return 0
    if isinstance(cap.window, Rolling | Spacing) and cap.window.length < _DAY:
        return cap.count * math.ceil(_DAY / cap.window.length)
    first = _first(cap.window, day)
    return cap.count - sum(count for other, count in found.items() if first is None or other >= first)


def _first(window: Window, day: int) -> int | None:
    """The first day of those that lie wholly within the window at the end of `day`; None for all."""
    match window:
        case Rolling(length) | Spacing(length):
            return day - length // _DAY + 1
        case Calendar(CalendarUnit.DAY):
            return day
        case Calendar(CalendarUnit.WEEK):
            return day - date_of(day).weekday()
        case Calendar(CalendarUnit.MONTH):
            return day - date_of(day).day + 1
    return None
