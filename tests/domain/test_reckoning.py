"""How many ads caps would have let through at most, by days."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import Cap
from capper.domain.daily import day_of
from capper.domain.decision import prepare
from capper.domain.policy import Policy, Rule
from capper.domain.reckoning import at_most, speaking, untold
from capper.ledger.memory import MemoryLedger
from capper.testing import a_sighting, an_ad

MONDAY = day_of(datetime(2026, 11, 16, tzinfo=UTC), UTC)
WEEK = {MONDAY + place: met for place, met in enumerate([4, 0, 9, 1, 5, 5, 5])}


def caps(*texts: str) -> tuple[Cap, ...]:
    return tuple(map(Cap.parse, texts))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), [4, 0, 9, 1, 5, 5, 5]),
        (("3 per day",), [3, 0, 3, 1, 3, 3, 3]),
        (("3 per calendar day", "8 per week"), [3, 0, 3, 1, 1, 0, 0]),
        (("8 per calendar week",), [4, 0, 4, 0, 0, 0, 0]),
        (("10 for life",), [4, 0, 6, 0, 0, 0, 0]),
        (("5 per 2 days",), [4, 0, 5, 0, 5, 0, 5]),
        (("1 per 12 hours",), [2, 0, 2, 1, 2, 2, 2]),
        (("at most every 6 hours",), [4, 0, 4, 1, 4, 4, 4]),
        (("never",), [0] * 7),
        (("0 per advertiser per day",), [0] * 7),
        (("1 per creative per day", "1 per page", "2 per session"), [4, 0, 9, 1, 5, 5, 5]),
    ],
)
def test_each_day_shows_as_many_as_it_may(texts, expected):
    """Under the strictest of the caps of which a day's count tells anything."""
    assert list(at_most(WEEK, caps(*texts)).values()) == expected


def test_a_month_begins_on_the_first():
    """And a calendar week on Monday."""
    days = {day_of(datetime(2026, 11, 29, tzinfo=UTC), UTC) + place: 3 for place in range(4)}

    assert list(at_most(days, caps("4 per calendar month")).values()) == [3, 1, 3, 1]
    assert list(at_most(days, caps("4 per calendar week")).values()) == [3, 3, 1, 0]


WINDOWS = st.sampled_from(
    ["per day", "per 36 hours", "per 3 days", "per week", "per hour", "per 5 hours", "per calendar day", "per calendar week", "for life"]
)  # fmt: skip


@given(
    st.lists(st.integers(0, 12 * 24 * 6), max_size=40),
    st.lists(st.tuples(st.integers(0, 6), WINDOWS).map(lambda cap: f"{cap[0]} per advertiser {cap[1]}"), max_size=3),
)
def test_no_ledger_shows_more(tens, texts):
    """Whatever the hours of the ads were, the ledger itself lets no more of them through."""
    start = datetime(2026, 11, 16, tzinfo=UTC)
    policy = Policy(Rule("caps", caps(*texts)))
    ledger, times = MemoryLedger(), sorted(start + place * timedelta(minutes=10) for place in tens)

    async def shown() -> int:
        found = 0
        for place, now in enumerate(times):
            sighting = a_sighting(an_ad(creative=None), occasion=str(place), page=str(place))
            [answer] = await ledger.claim("anna", [prepare(policy, sighting, now)[1]], now, policy.session_gap)
            found += answer.shown
        return found

    met = Counter(day_of(now, UTC) for now in times)

    assert asyncio.run(shown()) <= sum(at_most(met, policy.default.caps).values())


def test_what_a_day_s_count_says_nothing_of():
    """Caps within hours are bounded, those within pages, pods, sessions and by other levels are not."""
    texts = (
        "2 per day",
        "never",
        "1 per page",
        "1 per pod",
        "2 per session",
        "3 per creative per day",
        "9 per category per week",
    )

    assert [str(cap) for cap in untold(caps(*texts))] == [
        "1 per advertiser per page",
        "1 per advertiser per pod",
        "2 per advertiser per session",
        "3 per creative per day",
        "9 per category per week",
    ]


def test_which_rule_speaks():
    """The first that certainly fits; those above it that ask for what is not known may speak."""
    rules = [
        Rule("paper", (), site=("paper.example",)),
        Rule("ben's", (), people=("ben",)),
        Rule("videos", (), advertiser=("shoes.example",), format=("video",)),
        Rule("shoes", (), advertiser=("shoes.example",)),
        Rule("bikes on paper", (), advertiser=("bikes.example",), site=("paper.example",)),
    ]
    policy = Policy(Rule("caps", ()), tuple(rules))

    def names(person: str, advertiser: str) -> tuple[str, list[str]]:
        found = speaking(policy, person, advertiser)
        return found.rule.name, [rule.name for rule in found.perhaps]

    assert names("anna", "shoes.example") == ("shoes", ["paper", "videos"])
    assert names("anna", "bikes.example") == ("caps", ["paper", "bikes on paper"])
    assert names("ben", "shoes.example") == ("ben's", ["paper"])
