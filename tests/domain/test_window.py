"""When windows begin and open again, also where clocks change and days are skipped."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.window import (
    ALWAYS,
    SCOPE_LIFE,
    SESSION_LIMIT,
    Calendar,
    CalendarUnit,
    Life,
    Rolling,
    Scope,
    Session,
    Spacing,
    Within,
    calendar_end,
    calendar_start,
    from_ms,
    lifespan,
    reopens,
    since,
    to_ms,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
# Clocks that change at midnight, by half an hour, by two hours; a date skipped; no change at all.
ZONES = st.sampled_from(
    [
        "Europe/Amsterdam", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe", "Antarctica/Troll",
        "Pacific/Apia", "Asia/Kathmandu", "UTC",
    ]
).map(ZoneInfo)  # fmt: skip
TIMES = st.datetimes(datetime(2001, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001  Hypothesis adds it
RETENTION = timedelta(days=35)
GAP = timedelta(minutes=30)
MOMENT = timedelta(milliseconds=1)


@given(when=TIMES)
def test_milliseconds_round_down(when):
    """To milliseconds and back loses less than one."""
    assert timedelta(0) <= when - from_ms(to_ms(when)) < MOMENT


@given(now=TIMES, zone=ZONES, unit=st.sampled_from(CalendarUnit))
def test_a_calendar_period_holds_its_instants(now, zone, unit):
    """Now lies in its period; the period ends where the next begins; all of it has one date, week or month."""
    start, end = calendar_start(unit, now, zone), calendar_end(unit, now, zone)

    assert start <= now < end
    assert calendar_start(unit, end, zone) == end
    assert calendar_start(unit, end - MOMENT, zone) == start
    assert end - start <= lifespan(Calendar(unit), RETENTION)


@given(now=TIMES, zone=ZONES)
def test_a_calendar_day_has_one_date(now, zone):
    """The first and last instants of a day carry its date, those beside them another."""
    start, end = (edge(CalendarUnit.DAY, now, zone) for edge in (calendar_start, calendar_end))
    day = now.astimezone(zone).date()

    assert [at.astimezone(zone).date() for at in (start, end - MOMENT)] == [day, day]
    assert end.astimezone(zone).date() > day > (start - MOMENT).astimezone(zone).date()


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", AMSTERDAM, 23),
        ("2026-10-25", AMSTERDAM, 25),
        ("2026-06-01", AMSTERDAM, 24),
        ("2026-10-25", ZoneInfo("Antarctica/Troll"), 26),
        ("2018-11-04", ZoneInfo("America/Sao_Paulo"), 23),
        ("2026-11-01", ZoneInfo("America/Havana"), 25),
        ("2011-12-29", ZoneInfo("Pacific/Apia"), 24),
    ],
)
def test_days_are_as_long_as_they_are(day, zone, hours):
    """Days on which clocks change have another length; a skipped date takes nothing from the days beside it."""
    noon = datetime.combine(date.fromisoformat(day), datetime.min.time().replace(hour=12), zone)

    assert calendar_end(CalendarUnit.DAY, noon, zone) - calendar_start(CalendarUnit.DAY, noon, zone) == timedelta(
        hours=hours
    )


def test_a_week_begins_on_monday_and_a_month_on_its_first():
    """Sunday 2026-11-22 lies in the week from the 16th and the month from the 1st, by Amsterdam's midnight."""
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert calendar_start(CalendarUnit.WEEK, sunday, AMSTERDAM) == datetime(2026, 11, 15, 23, tzinfo=UTC)
    assert calendar_end(CalendarUnit.WEEK, sunday, AMSTERDAM) == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert calendar_start(CalendarUnit.MONTH, sunday, AMSTERDAM) == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert calendar_end(CalendarUnit.MONTH, sunday, AMSTERDAM) == datetime(2026, 11, 30, 23, tzinfo=UTC)


WINDOWS = st.one_of(
    st.integers(1, 10_000_000).map(lambda seconds: Rolling(timedelta(seconds=seconds))),
    st.integers(1, 10_000_000).map(lambda seconds: Spacing(timedelta(seconds=seconds))),
    st.sampled_from(CalendarUnit).map(Calendar),
)


@given(window=WINDOWS, nth=TIMES, zone=ZONES, share=st.floats(0, 1))
def test_a_window_reopens_when_its_sighting_no_longer_counts(window, nth, zone, share):
    """At any moment before the hour told, the sighting that fills the window still counts; at that hour it does not."""
    nth = from_ms(to_ms(nth))
    opens = reopens(window, nth, nth, zone, GAP)
    between = nth + (opens - MOMENT - nth) * share

    assert to_ms(nth) > since(window, opens - MOMENT, zone)
    assert to_ms(nth) > since(window, max(between, nth), zone)
    assert not to_ms(nth) > since(window, opens, zone)
    assert opens - nth <= lifespan(window, RETENTION)


@pytest.mark.parametrize("zone", [UTC, AMSTERDAM])
def test_hours_are_added_as_time_passes_not_as_the_wall_clock_shows(zone: tzinfo):
    """Half an hour before the clocks change, an hour later is an hour later, in whatever zone `now` came."""
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    after = before + timedelta(hours=1)

    assert reopens(Rolling(timedelta(hours=1)), before.astimezone(zone), before, zone, GAP) == after
    assert reopens(Session(), before, before.astimezone(zone), zone, timedelta(hours=1)) == after


def test_windows_without_an_hour():
    """A page, a pod and a life began before everything, open with no hour, and are bounded all the same."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    windows = [Within(Scope.PAGE), Within(Scope.POD), Life()]

    assert [since(window, now, UTC) for window in windows] == [ALWAYS] * 3
    assert [reopens(window, now, now, UTC, GAP) for window in windows] == [None] * 3
    assert [lifespan(window, RETENTION) for window in windows] == [SCOPE_LIFE, SCOPE_LIFE, RETENTION]


def test_only_the_ledger_knows_when_a_session_began():
    """A session has no beginning here, ends a gap after now, and lasts a day at most."""
    now = datetime(2026, 11, 22, tzinfo=UTC)

    assert since(Session(), now, UTC) is None
    assert reopens(Session(), now, now, UTC, GAP) == now + GAP
    assert lifespan(Session(), RETENTION) == SESSION_LIMIT
