"""What is kept of a person's days: how often each advertiser was shown and withheld, and on about how many sites.

No site is kept: of each only one of `SLOTS` slots is, and which one differs by person and advertiser.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Self

SPAN = 28
"""Days that are kept, today included."""
WEEK = 7
"""Days whose slots are kept together, and forgotten together."""
SLOTS = 256
EVERYBODY = ""
"""The name under which the days of all advertisers together are kept, the unidentified among them."""
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Daily:
    """What happened in a day, or in several."""

    shown: int = 0
    withheld: int = 0
    prompts: int = 0
    """Credit prompts taken out or marked; of all advertisers together only."""

    def __add__(self, other: Self) -> "Daily":
        return Daily(self.shown + other.shown, self.withheld + other.withheld, self.prompts + other.prompts)

    @property
    def met(self) -> int:
        """How many ads there would have been."""
        return self.shown + self.withheld


@dataclass(frozen=True, slots=True)
class Addition:
    """What some exchanges of one day add to an advertiser's record; `sites` are registrable domains and not kept as such."""

    advertiser: str
    day: int
    counts: Daily
    sites: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Follower:
    """An advertiser's days with one person, and on about how many sites it was shown or withheld."""

    name: str
    days: Mapping[int, Daily] = field(default_factory=dict)
    sites: int = 0

    def within(self, today: int, days: int) -> Daily:
        """The sum of the last `days` days, today included."""
        return sum((counts for day, counts in self.days.items() if today - days < day <= today), Daily())


def day_of(at: datetime, zone: tzinfo) -> int:
    """The number of the day by a clock in `zone`: days since 1970."""
    return at.astimezone(zone).date().toordinal() - _EPOCH


def date_of(day: int) -> date:
    """The day as the calendar has it."""
    return date.fromordinal(day + _EPOCH)


def kept(day: int, today: int) -> bool:
    """Whether a day is still kept; one ahead is another process's clock or zone."""
    return day > today - SPAN


def week_kept(week: int, today: int) -> bool:
    """Whether a week's slots are: none of its days is older than `SPAN`."""
    return kept(week * WEEK, today)


def sites_of(slots: int) -> int:
    """About how many sites fill so many slots (linear counting, Whang 1990); at most some 1,400."""
    empty = max(SLOTS - slots, 1)
    return round(-SLOTS * math.log(empty / SLOTS))
