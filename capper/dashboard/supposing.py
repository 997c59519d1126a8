"""What other caps would have done: reckoned from the counts of each day, for somebody who moves a slider."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from capper.domain.cap import Cap
from capper.domain.daily import Follower
from capper.domain.identity import Ad, Level
from capper.domain.policy import Policy, Rule
from capper.domain.sighting import Sighting
from capper.domain.window import Rolling
from capper.measure.whatif import Comparison, of_days
from capper.settings.policy_own import with_own_caps

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


def supposed(followers: Sequence[Follower], person: str, policy: Policy, choice: Choice, today: int) -> Comparison:
    """What `choice` would have made of her last `SPAN` days, beside what the policy in force makes of them."""
    caps = with_choice(ruling(policy, person).caps, choice)
    return of_days(followers, person, policy, with_own_caps(policy, person, caps), today, SPAN)


def ruling(policy: Policy, person: str) -> Rule:
    """The rule that speaks to her of an advertiser that none names."""
    return policy.rule_for(Sighting(policy.viewer(person), Ad(), ""))


def _speaks(cap: Cap, window: timedelta) -> bool:
    return cap.level is Level.ADVERTISER and cap.window == Rolling(window)


def _limit(caps: Sequence[Cap], window: timedelta) -> int | None:
    return min((cap.count for cap in caps if _speaks(cap, window)), default=None)


def _limit_at(slider: str, text: str, now: int | None, places: Mapping[str, int]) -> int | None:
    place = int(text[:6]) if text.isascii() and text.isdigit() else 0
    if not 1 <= place <= MOST[slider] or place == places[slider]:
        return now
    return None if place == MOST[slider] else place
