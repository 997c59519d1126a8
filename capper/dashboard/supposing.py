"""What other caps would have done: reckoned from the counts of each day, for somebody who moves a slider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from capper.domain.cap import Cap
from capper.domain.daily import EVERYBODY, Daily, Follower
from capper.domain.identity import Level
from capper.domain.reckoning import at_most
from capper.domain.window import Rolling

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MOST: Final = {"day": 21, "week": 41}
"""Where each slider ends; its last place means no limit."""
SPAN: Final = 7
"""The days that are reckoned over."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How often an advertiser may be shown in 24 hours and in seven days; None is without limit."""

    day: int | None
    week: int | None

    @property
    def places(self) -> dict[str, int]:
        """Where the sliders stand."""
        return {
            "day": MOST["day"] if self.day is None else min(self.day, MOST["day"]),
            "week": MOST["week"] if self.week is None else min(self.week, MOST["week"]),
        }


@dataclass(frozen=True, slots=True)
class Effect:
    """One advertiser's last days: how often it was shown, and about how often it would have been."""

    name: str
    was: int
    would: int


def choice_of(caps: Sequence[Cap]) -> Choice:
    """What `caps` say of an advertiser in a day and in a week."""
    return Choice(_limit(caps, DAY), _limit(caps, WEEK))


def chosen(day: str, week: str, now: Choice) -> Choice:
    """The choice that two sliders are at; one that was not moved, or is nowhere, leaves what holds now."""
    return Choice(_limit_at("day", day, now.day, now.places), _limit_at("week", week, now.week, now.places))


def with_choice(caps: Sequence[Cap], choice: Choice) -> tuple[Cap, ...]:
    """`caps` with this choice in place of what they said of an advertiser's day and week; the others stay."""
    found = list(caps)
    for window, limit in ((DAY, choice.day), (WEEK, choice.week)):
        place = next((at for at, cap in enumerate(found) if _speaks(cap, window)), len(found))
        found = [cap for cap in found if not _speaks(cap, window)]
        if limit is not None:
            found.insert(place, Cap(limit, Level.ADVERTISER, Rolling(window)))
    return tuple(found)


def effects(followers: Sequence[Follower], today: int, choice: Choice) -> list[Effect]:
    """What `choice` would have made of each advertiser's last week, the most shown first.

    Reckoned by days: what was withheld then is taken to come again, and a day's limit to hold from midnight to midnight.
    """
    found = [
        Effect(each.name, each.within(today, SPAN).shown, would_be_shown(each.days, today, choice))
        for each in followers
        if each.name != EVERYBODY and each.within(today, SPAN).met
    ]
    return sorted(found, key=lambda effect: (-effect.was, -effect.would, effect.name))


def would_be_shown(days: Mapping[int, Daily], today: int, choice: Choice) -> int:
    """How many of an advertiser's ads of the last `SPAN` days would have been shown."""
    met = {day: counts.met for day, counts in days.items() if today - SPAN < day <= today}
    return sum(at_most(met, with_choice((), choice)).values())


def _speaks(cap: Cap, window: timedelta) -> bool:
    return cap.level is Level.ADVERTISER and cap.window == Rolling(window)


def _limit(caps: Sequence[Cap], window: timedelta) -> int | None:
    return min((cap.count for cap in caps if _speaks(cap, window)), default=None)


def _limit_at(slider: str, text: str, now: int | None, places: Mapping[str, int]) -> int | None:
    place = int(text[:6]) if text.isascii() and text.isdigit() else 0
    if not 1 <= place <= MOST[slider] or place == places[slider]:
        return now
    return None if place == MOST[slider] else place
