"""A person's days: what is added is found again by her alone, is gone after four weeks, and tells no site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.daily import EVERYBODY, SLOTS, SPAN, Addition, Daily, Follower, sites_of

TODAY = 20_779


def by_name(found: list[Follower]) -> dict[str, Follower]:
    return {each.name: each for each in found}


async def test_what_is_added_is_found_by_advertiser(ledger):
    """Days add up; the sum of all advertisers stands under a name of its own."""
    first = [
        Addition("shoes.example", TODAY, Daily(2, 1), frozenset({"news.example"})),
        Addition(EVERYBODY, TODAY, Daily(3, 1, 4)),
    ]
    second = [Addition("shoes.example", TODAY, Daily(1), frozenset({"news.example"}))]
    await ledger.tally("anna", [*first, Addition("shoes.example", TODAY - 1, Daily(5))], TODAY)
    await ledger.tally("anna", second, TODAY)

    assert {
        "shoes.example": Follower("shoes.example", {TODAY - 1: Daily(5), TODAY: Daily(3, 1)}, 1),
        EVERYBODY: Follower(EVERYBODY, {TODAY: Daily(3, 1, 4)}),
    } == by_name(await ledger.followers("anna", TODAY))


async def test_its_sites_are_counted(ledger):
    """About how many there were, each once whatever the day: which two share a slot is left to the secret."""
    sites = [f"site{n}.example" for n in range(60)]
    for day in (TODAY - 1, TODAY):
        await ledger.tally("anna", [Addition("shoes.example", day, Daily(60), frozenset(sites))], TODAY)
    [found] = await ledger.followers("anna", TODAY)

    assert 60 == pytest.approx(found.sites, rel=0.4)


async def test_days_leave_after_four_weeks(ledger):
    """A day is kept for 28 days, today included, whether or not anything is added meanwhile; its sites go with its week."""
    await ledger.tally("anna", [Addition("shoes.example", TODAY, Daily(1), frozenset({"news.example"}))], TODAY)
    later = TODAY + SPAN - 1
    [last] = await ledger.followers("anna", later)
    gone = await ledger.followers("anna", later + 1)
    await ledger.tally("anna", [Addition("shoes.example", later + 1, Daily(1))], later + 1)

    assert {TODAY: Daily(1)} == last.days
    assert [] == gone
    assert [Follower("shoes.example", {later + 1: Daily(1)}, 0)] == await ledger.followers("anna", later + 1)


async def test_nobody_finds_anothers_days(ledger):
    """Neither the household nor another person."""
    await ledger.tally("anna", [Addition("shoes.example", TODAY, Daily(1))], TODAY)

    assert ([], []) == (await ledger.followers("ben", TODAY), await ledger.followers("household", TODAY))


async def test_who_is_forgotten_has_no_days(ledger):
    """Forgetting takes the days too."""
    await ledger.tally("anna", [Addition("shoes.example", TODAY, Daily(1))], TODAY)
    gone = await ledger.forget("anna")

    assert (1, []) == (gone, await ledger.followers("anna", TODAY))


async def test_names_may_be_anything(ledger):
    """A lone surrogate, a name of kilobytes, a day before 1970 or a count beyond four bytes break nothing."""
    strange = [
        Addition("\ud800", TODAY, Daily(1)),
        Addition("x" * 5000, TODAY, Daily(1)),
        Addition("a", TODAY, Daily(2**40)),
    ]
    await ledger.tally("anna", strange, TODAY)
    await ledger.tally("anna", [Addition("b", -1, Daily(1)), Addition("c", TODAY - SPAN, Daily(1))], TODAY)
    found = by_name(await ledger.followers("anna", TODAY))

    assert {"\ud800", "x" * 253, "a"} == set(found) - {"b"}


async def test_the_server_learns_no_site_and_no_advertiser(redis_ledger):
    """What is stored has neither name in it, and expires."""
    await redis_ledger.tally("anna", [Addition("shoes.example", TODAY, Daily(1), frozenset({"news.example"}))], TODAY)
    [keys] = [found async for found in redis_ledger.link.scan(redis_ledger._keyring.of("anna").pattern("d"))]
    value, left = await redis_ledger.link("GET", keys[0]), await redis_ledger.link("PTTL", keys[0])

    assert (False, False) == (b"shoes" in keys[0] + value, b"news" in keys[0] + value)
    assert 0 < left <= SPAN * 86_400_000


async def test_a_site_fills_unrelated_slots_for_two_advertisers(redis_ledger):
    """So that the sites of two advertisers cannot be laid over each other without the secret."""
    keys = redis_ledger._keyring.of("anna")
    sites = [f"site{n}.example" for n in range(200)]
    same = sum(keys.slot("shoes.example", site) == keys.slot("bikes.example", site) for site in sites)

    assert same < 10


@given(st.integers(0, 200))
def test_sites_are_estimated_from_slots(number):
    """Few sites are told to the one, many within a seventh, from as many slots as so many sites fill on average."""
    filled = round(SLOTS * (1 - (1 - 1 / SLOTS) ** number))

    assert sites_of(filled) == pytest.approx(number, rel=0.15, abs=1)
