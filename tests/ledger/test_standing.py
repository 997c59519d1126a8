"""How an advertiser in a record stands against the caps."""

from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.identity import Level
from capper.ledger.base import Entry
from capper.ledger.standing import standings
from capper.settings.policy import parse_policy
from capper.testing import NOON


def minutes_ago(*minutes):
    return tuple(NOON - timedelta(minutes=number) for number in minutes)


@pytest.mark.parametrize(
    ("cap", "times", "shown", "opens"),
    [
        ("3 per day", minutes_ago(1, 60, 1439), "3 of 3 per day", NOON + timedelta(minutes=1)),
        ("3 per day", minutes_ago(1, 60, 1441), "2 of 3 per day", None),
        ("2 per day", minutes_ago(1, 60, 600), "3 of 2 per day", NOON + timedelta(days=1, minutes=-60)),
        ("1 per calendar day", minutes_ago(719), "1 of 1 per calendar day", datetime(2026, 11, 23, tzinfo=UTC)),
        ("1 per calendar day", minutes_ago(721), "0 of 1 per calendar day", None),
        ("2 per session", minutes_ago(1, 29, 58), "3 of 2 per session", NOON + timedelta(minutes=30)),
        ("2 per session", minutes_ago(1, 31, 40), "1 of 2 per session", None),
        ("2 per session", minutes_ago(30, 31), "0 of 2 per session", None),
        ("1 for life", minutes_ago(40_000), "1 of 1 for life", None),
        ("at most every 30 minutes", minutes_ago(10), "1 of 1 per 30 minutes", NOON + timedelta(minutes=20)),
        ("never", minutes_ago(10), "never", None),
    ],
)
def test_standing(cap, times, shown, opens):
    """Each window counts as the ledger does, and says when it opens."""
    policy = parse_policy(f'caps = ["{cap}"]', "p")
    _, (found,) = standings(policy, "anna", Entry(Level.ADVERTISER, "shoes.example", times), NOON)

    assert (str(found), found.reopens) == (shown, opens)


def test_the_rule_for_this_person_speaks():
    """A rule for another person or another level says nothing."""
    policy = parse_policy(
        """
        caps = ["1 per creative per day", "1 per page", "5 per week"]
        [people.ben]
        [[rules]]
        people = "ben"
        caps = []
        """,
        "p",
    )
    entry = Entry(Level.ADVERTISER, "shoes.example", minutes_ago(5))

    assert [
        (rule.name, [str(one) for one in found])
        for rule, found in (standings(policy, who, entry, NOON) for who in ("anna", "ben"))
    ] == [
        ("caps", ["1 of 5 per week"]),
        ("rule 1", []),
    ]
