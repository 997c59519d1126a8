"""Caps from the policy's sentence to the ledger's answer: every kind of window, and both days the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from capper.domain.cap import Cap
from capper.domain.policy import Policy, Rule
from capper.testing import NOON, a_sighting, an_ad

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MOMENT = timedelta(milliseconds=1)


def policy(*caps: str, **more) -> Policy:
    """A policy of these caps."""
    return Policy(Rule("caps", tuple(map(Cap.parse, caps))), **more)


def local(text: str) -> datetime:
    """An instant by the clock on the wall in Amsterdam; `+` before the hour picks the second of two."""
    return datetime.fromisoformat(text.replace("+", "")).replace(tzinfo=AMSTERDAM, fold="+" in text).astimezone(UTC)


@pytest.mark.parametrize(
    ("cap", "after"),
    [
        ("1 per advertiser per 30 seconds", timedelta(seconds=30)),
        ("1 per advertiser per hour", timedelta(hours=1)),
        ("1 per advertiser per day", timedelta(days=1)),
        ("1 per advertiser per week", timedelta(days=7)),
        ("1 per advertiser per 28 days", timedelta(days=28)),
        ("at most every 90 minutes per advertiser", timedelta(minutes=90)),
        ("1 per advertiser per calendar day", timedelta(hours=12)),
        ("1 per advertiser per calendar week", timedelta(hours=12)),
        ("1 per advertiser per calendar month", timedelta(days=8, hours=12)),
        ("1 per advertiser for life", timedelta(days=35)),
    ],
)
async def test_a_window_withholds_until_its_hour(see, cap, after):
    """Shown on a Sunday noon, withheld a moment before the window opens, shown when it does; it says so beforehand."""
    rules = policy(cap)
    first = await see(rules, a_sighting(occasion="o1"), NOON)
    early = await see(rules, a_sighting(occasion="o2"), NOON + after - MOMENT)
    later = await see(rules, a_sighting(occasion="o3"), NOON + after)

    assert [first.withheld, early.withheld, later.withheld] == [False, True, False]
    assert early.reopens == (None if "life" in cap else NOON + after)
    assert (str(early.cap), early.count) == (cap, 1)


@pytest.mark.parametrize(
    ("morning", "night", "midnight"),
    [
        ("2026-03-29T00:00", "2026-03-29T23:59", "2026-03-30T00:00"),
        ("2026-10-25T00:00", "2026-10-25T23:59", "2026-10-26T00:00"),
    ],
    ids=["23 hours", "25 hours"],
)
async def test_a_calendar_day_is_the_wall_clocks(see, morning, night, midnight):
    """On the days the clocks change a calendar day has 23 or 25 hours, and is still one day."""
    rules = policy("2 per advertiser per calendar day", zone=AMSTERDAM)
    before = await see(rules, a_sighting(occasion="o0"), local(morning) - MOMENT)
    day = [
        await see(rules, a_sighting(occasion=f"o{n}"), at)
        for n, at in enumerate((local(morning), local(night), local(midnight) - MOMENT, local(midnight)), 1)
    ]

    assert [before.withheld, *(seen.withheld for seen in day)] == [False, False, False, True, False]
    assert [before.count, *(seen.count for seen in day)] == [0, 0, 1, 2, 0]
    assert day[2].reopens == local(midnight)


async def test_a_day_is_24_hours_whatever_the_wall_clock_does(see):
    """`per day` rolls by 24 hours also over the night that has 25."""
    rules = policy("1 per advertiser per day", zone=AMSTERDAM)
    start = local("2026-10-24T12:00")
    await see(rules, a_sighting(occasion="o1"), start)
    early = await see(rules, a_sighting(occasion="o2"), local("2026-10-25T10:59"))
    later = await see(rules, a_sighting(occasion="o3"), local("2026-10-25T11:00"))

    assert (early.withheld, early.reopens, later.withheld) == (True, local("2026-10-25T11:00"), False)


async def test_the_hour_that_comes_twice_is_two_hours(see):
    """A sighting at the first 02:30 and one at the second are an hour apart."""
    rules = policy("at most every 1 hour per advertiser", zone=AMSTERDAM)
    first = await see(rules, a_sighting(occasion="o1"), local("2026-10-25T02:30"))
    second = await see(rules, a_sighting(occasion="o2"), local("2026-10-25T+02:30"))

    assert (first.withheld, second.withheld) == (False, False)


@pytest.mark.parametrize("day", ["2026-03-29T00:30", "2026-10-25T00:30"])
async def test_a_session_over_the_change_goes_by_elapsed_time(see, day):
    """A gap of 30 minutes is 30 minutes of time, also in the night the clocks change."""
    rules = policy("1 per advertiser per session", zone=AMSTERDAM)
    start, shown = local(day), []
    for n in range(8):
        at = (start + n * timedelta(minutes=29)).astimezone(AMSTERDAM)
        seen = await see(rules, a_sighting(occasion=f"o{n}"), at)
        shown.append(not seen.withheld)
    opened = await see(rules, a_sighting(occasion="later"), seen.reopens)

    assert shown == [True] + [False] * 7
    assert not opened.withheld


async def test_a_session_says_when_it_ends(see):
    """A session reopens a gap after now, if nothing more is shown."""
    rules = policy("1 per advertiser per session", session_gap=timedelta(minutes=10))
    await see(rules, a_sighting(occasion="o1"), NOON)
    withheld = await see(rules, a_sighting(occasion="o2"), NOON + timedelta(minutes=9))
    again = await see(rules, a_sighting(occasion="o3"), withheld.reopens)

    assert (withheld.reopens, again.withheld) == (NOON + timedelta(minutes=19), False)


async def test_once_per_page_is_once_per_load(see):
    """A second ad of the advertiser on the same page load is withheld, on the next load it is shown."""
    rules = policy("1 per advertiser per page")
    seen = [
        await see(rules, a_sighting(occasion=f"o{n}", page=page), NOON) for n, page in enumerate(("p1", "p1", "p2"))
    ]

    assert [one.withheld for one in seen] == [False, True, False]
    assert seen[1].reopens is None


async def test_a_page_that_is_not_known_is_not_capped(see):
    """Where the page load is unknown, a cap per page says nothing."""
    rules = policy("1 per advertiser per page")
    seen = [await see(rules, a_sighting(occasion=f"o{n}", page=None), NOON) for n in range(3)]

    assert not any(one.withheld for one in seen)


async def test_once_per_pod_is_once_per_break(see):
    """A pod of video ads counts by itself, on the same page."""
    rules = policy("1 per creative per pod")
    seen = [await see(rules, a_sighting(occasion=f"o{n}", pod=pod), NOON) for n, pod in enumerate(("a", "a", "b"))]

    assert [one.withheld for one in seen] == [False, True, False]


async def test_the_strictest_of_several_caps_decides(see):
    """Of the caps reached the one that opens last speaks."""
    rules = policy("2 per creative per hour", "3 per advertiser per day", "2 per advertiser per 2 hours")
    for n in range(2):
        await see(rules, a_sighting(occasion=f"o{n}"), NOON + n * timedelta(minutes=10))
    third = await see(rules, a_sighting(occasion="o3"), NOON + timedelta(minutes=20))

    assert (str(third.cap), third.reopens) == ("2 per advertiser per 2 hours", NOON + timedelta(hours=2))


async def test_several_advertisers_count_each(see):
    """An ad that declares two advertisers counts for both, and is withheld for either."""
    rules = policy("1 per advertiser per day")
    both = an_ad()
    both = type(both)(("shoes.example", "laces.example", "shoes.example"), basis=both.basis)
    first = await see(rules, a_sighting(both, occasion="o1"), NOON)
    second = await see(rules, a_sighting(an_ad("laces.example"), occasion="o2"), NOON)

    assert (first.withheld, first.count, second.withheld) == (False, 0, True)


async def test_never_withholds_and_does_not_count(see):
    """A rule that says never withholds, whoever else would be allowed; nothing is counted by it."""
    never = Policy(
        Rule("caps", (Cap.parse("1 per advertiser per day"),)),
        (Rule("no", (Cap.parse("never"),), site=("news.example",)),),
    )
    refused = await see(never, a_sighting(occasion="o1"), NOON)
    elsewhere = await see(never, a_sighting(occasion="o2", site="blog.example"), NOON)

    assert (refused.withheld, refused.rule, str(refused.cap)) == (True, "no", "never")
    assert not elsewhere.withheld


async def test_what_is_unlimited_on_one_site_counts_on_the_next(see):
    """A rule without caps shows without limit, and what it shows counts where another rule speaks."""
    rules = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"),)), (Rule("free", (), site=("free.example",)),))
    free = [await see(rules, a_sighting(occasion=f"f{n}", site="free.example"), NOON) for n in range(3)]
    strict = await see(rules, a_sighting(occasion="o1"), NOON)

    assert not any(one.withheld for one in free)
    assert (strict.withheld, strict.count) == (True, 2)
