"""When a window began and when it opens again: rolling, calendar, session, page, pod, life and spacing, given `now`.

Times are aware datetimes at the surface and whole milliseconds since the epoch inside, as the ledger keeps them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALWAYS = -1
"""The `since` of a window that never began: every timestamp is newer."""

SESSION_LIMIT = timedelta(days=1)
"""A session that never falls idle is cut here, so that its counters can expire."""
SCOPE_LIFE = timedelta(hours=6)
"""How long the counters of one page load or one ad pod are kept; a tab left open longer starts anew."""


class CalendarUnit(StrEnum):
    """The calendar's own periods; a week begins on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Scope(StrEnum):
    """A place rather than a time: one load of a page, or one pod of video ads."""

    PAGE = "page"
    POD = "pod"


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last `length` before now."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class Spacing:
    """At least `length` between two sightings."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class Calendar:
    """The current hour, day, week or month by the policy's clock."""

    unit: CalendarUnit


@dataclass(frozen=True, slots=True)
class Session:
    """Sightings with no idle gap between them; the policy says how long a gap ends it."""


@dataclass(frozen=True, slots=True)
class Within:
    """One page load or one pod."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Life:
    """As long as the ledger remembers."""


Window = Rolling | Spacing | Calendar | Session | Within | Life


def to_ms(when: datetime) -> int:
    """Whole milliseconds since the epoch, rounded down."""
    return (when - EPOCH) // MILLISECOND


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of `ms` milliseconds since the epoch."""
    return EPOCH + ms * MILLISECOND


def since(window: Window, now: datetime, zone: tzinfo) -> int | None:
    """The instant (ms) after which a sighting still counts in `window`; None when only the ledger knows (a session)."""
    match window:
        case Rolling(length) | Spacing(length):
            return to_ms(now) - length // MILLISECOND
        case Calendar(unit):
            return to_ms(calendar_start(unit, now, zone)) - 1
        case Session():
            return None
        case Within() | Life():
            return ALWAYS


def reopens(window: Window, nth: datetime, now: datetime, zone: tzinfo, gap: timedelta) -> datetime | None:
    """When a full `window` opens again, if nothing more is shown.

    Args:
        nth: the sighting that fills the window: the N-th newest for a cap of N.
        gap: how long without a sighting ends a session.

    Returns:
        None for a window that opens with no hour: a page, a pod, a life.
    """
    match window:
        case Rolling(length) | Spacing(length):
            return nth.astimezone(UTC) + length
        case Calendar(unit):
            return calendar_end(unit, now, zone)
        case Session():
            return now.astimezone(UTC) + gap  # in a zone of its own, Python adds by the wall clock
        case Within() | Life():
            return None


def lifespan(window: Window, retention: timedelta) -> timedelta:
    """How long after a sighting the window may still need its timestamp; the ledger's TTL."""
    match window:
        case Rolling(length) | Spacing(length):
            return length
        case Calendar(unit):
            return _LONGEST[unit]
        case Session():
            return SESSION_LIMIT
        case Within():
            return SCOPE_LIFE
        case Life():
            return retention


_LONGEST = {
    # The hours more are the autumn change to winter time: one, and two in Antarctica/Troll.
    CalendarUnit.DAY: timedelta(days=1, hours=2),
    CalendarUnit.WEEK: timedelta(days=7, hours=2),
    CalendarUnit.MONTH: timedelta(days=31, hours=2),
}


def calendar_start(unit: CalendarUnit, now: datetime, zone: tzinfo) -> datetime:
    """When the calendar period that holds `now` began, in UTC."""
    return _midnight(_first_day(unit, now.astimezone(zone).date()), zone)


def calendar_end(unit: CalendarUnit, now: datetime, zone: tzinfo) -> datetime:
    """When the calendar period that holds `now` ends and the next begins, in UTC."""
    first = _first_day(unit, now.astimezone(zone).date())
    # Longer than the longest period and shorter than two of the shortest, so it lands in the next one.
    step = {CalendarUnit.DAY: 1, CalendarUnit.WEEK: 7, CalendarUnit.MONTH: 31}[unit]
    return _midnight(_first_day(unit, first + timedelta(days=step)), zone)


def _first_day(unit: CalendarUnit, day: date) -> date:
    match unit:
        case CalendarUnit.DAY:
            return day
        case CalendarUnit.WEEK:
            return day - timedelta(days=day.weekday())
        case CalendarUnit.MONTH:
            return day.replace(day=1)


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The first instant of `day`: PEP 495's fold=0 picks the earlier of two midnights, and a skipped one maps to the change."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
