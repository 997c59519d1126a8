"""What is allowed in a policy and yet hardly meant."""

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import Cap
from capper.domain.policy import Rule
from capper.domain.window import since, to_ms
from capper.settings.policy import read_policy
from capper.settings.review import covers, implies, review
from capper.testing import NOON, a_sighting, an_ad


def notes(text):
    return [str(note) for note in review(read_policy(text, "p"))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('caps = ["1 per page", "3 per day", "9 per week"]', []),
        ('caps = ["3 per day", "3 per day"]', ['line 1: caps[2]: "3 per advertiser per day" is there twice']),
        (
            'caps = ["5 per day", "3 per week"]',
            ['line 1: caps[1]: "5 per advertiser per day" never speaks: "3 per advertiser per week" is reached first'],
        ),
        (
            'caps = ["never", "3 per week"]',
            [
                'line 1: caps: "never" at the top withholds every ad that no rule fits, named or not',
                'line 1: caps[2]: "3 per advertiser per week" never speaks: "never" is reached first',
            ],
        ),
        ("#", ["line 1: caps: no caps at the top: where no rule fits, ads are unlimited"]),
        (
            'caps = []\n[[rules]]\nadvertiser = "a.example"\ncaps = []\n[[rules]]\nadvertiser = "shop.a.example"\nsite = "b.example"\ncaps = []',
            ['line 5: rules[2]: never speaks: "rule 1" above it fits everything that it fits'],
        ),
        (
            "caps = []\n[[rules]]\ncaps = []",
            ["line 2: rules[1]: has no condition, so it fits every ad: caps at the top never hold"],
        ),
        (
            'caps = ["1 per calendar day"]',
            ["line 1: time_zone: calendar caps turn at midnight UTC; set time_zone to turn with your own"],
        ),
        (
            'caps = []\nhouse_ads = ["a.example", "my.a.example"]\n[people.anna]\ndevices = ["user:anna"]\nhouse_ads = ["b.example", "everywhere"]',
            [
                'line 2: house_ads: "my.a.example" is told anyway: "a.example" is',
                'line 5: people.anna.house_ads: "b.example" is told anyway: "everywhere" is',
            ],
        ),
        ('time_zone = "Europe/Amsterdam"\ncaps = ["1 per calendar day"]', []),
        (
            (
                'caps = []\n[[credit]]\nsite = "a.example"\ncredit_prompts = "mark"\n'
                '[[credit]]\nsite = "b.example"\ncredit_prompts = "mark"\n'
                '[[credit]]\nsite = "my.a.example"\ncredit_prompts = "leave"'
            ),
            ["line 8: credit[3]: never speaks: entry 1 above it fits everything that it fits"],
        ),
        ('caps = []\n[people.anna]\ndevices = ["user:anna",\n"AA-BB-CC-DD-EE-FF"]', []),
        (
            "caps = []\n[people.anna]",
            ["line 2: people.anna: has no devices, so nobody on the network is ever recognised as this person"],
        ),
    ],
)
def test_review(text, expected):
    """What can never speak, or is easily overlooked, is noted with its line."""
    assert notes(text) == expected


def cap(text):
    return Cap.parse(text)


@pytest.mark.parametrize(
    ("strict", "loose", "expected"),
    [
        ("3 for life", "3 per day", True),
        ("4 for life", "3 per day", False),
        ("3 per creative per week", "5 per advertiser per day", False),
        ("3 per day", "3 per calendar day", False),
        ("3 per 25 hours", "3 per calendar day", False),
        ("3 per 26 hours", "3 per calendar day", True),
        ("3 per calendar week", "3 per calendar day", True),
        ("3 per calendar month", "3 per calendar week", False),
        ("1 per 6 hours", "2 per page", True),
        ("0 per day", "3 per week", True),
        ("at most every 30 minutes", "3 per hour", False),
        ("at most every 2 hours", "3 per hour", True),
        ("3 per session", "3 per day", False),
    ],
)
def test_one_cap_makes_another_idle(strict, loose, expected):
    """A cap is idle when a stricter one looks back at least as far at every moment."""
    assert implies(cap(strict), cap(loose)) is expected


VALUES = st.sampled_from(
    [(), ("a.example",), ("b.a.example",), ("c.example", "a.example"), ("b.a.example", "c.example")]
)
RULES = st.builds(
    lambda ad, site, people: Rule("r", (), advertiser=ad, site=site, people=people), VALUES, VALUES, VALUES
)


HOSTS = st.sampled_from(["a.example", "b.a.example", "c.example", "x.example"])


@given(RULES, RULES, HOSTS, HOSTS, HOSTS)
def test_a_covered_rule_never_speaks(wide, narrow, advertiser, site, viewer):
    """Where one rule covers another, no sighting fits the second and not the first."""
    sighting = a_sighting(an_ad(advertiser), site=site, viewer=viewer)

    assert not (covers(wide, narrow) and narrow.fits(sighting) and not wide.fits(sighting))


@given(
    st.integers(1, 4), st.integers(1, 4),
    st.sampled_from(["per day", "per 2 days", "per calendar day", "per calendar week", "for life"]),
    st.sampled_from(["per day", "per 2 days", "per calendar day", "per calendar week", "for life"]),
    st.lists(st.integers(0, 20 * 24), max_size=12),
)  # fmt: skip
def test_an_idle_cap_is_never_reached(strict_count, loose_count, strict_window, loose_window, hours):
    """Played hour by hour: while the stricter cap holds, the idle one never fills."""
    strict, loose = cap(f"{strict_count} {strict_window}"), cap(f"{loose_count} {loose_window}")
    if strict == loose or not implies(strict, loose):
        return
    shown = []

    def full(one, now):
        return sum(ms > since(one.window, now, UTC) for ms in shown) >= one.count

    for hour in sorted(hours):
        now = NOON + timedelta(hours=hour)
        assert not full(loose, now) or full(strict, now)
        if not full(strict, now):
            shown.append(to_ms(now))


def test_of_many_rules_the_first_that_covers_another_is_named():
    """By domain, by name and by having no condition; a rule that is like an earlier one counts as covered."""
    text = "".join(
        f'[[rules]]\n{conditions}caps = ["never"]\n'
        for conditions in (
            'advertiser = "a.example"\n',
            'advertiser = "b.a.example"\npeople = "anna"\n',
            'creative = ["x", "y"]\n',
            'creative = "y"\nsite = "s.example"\n',
            'creative = ["y", "z"]\n',
            'creative = ["y", "z"]\n',
        )
    )
    found = review(read_policy(f'caps = ["3 per day"]\n{text}[people.anna]\ndevices = ["10.0.0.1"]', "p"))

    assert [("rules[2]", "rule 1"), ("rules[4]", "rule 3"), ("rules[6]", "rule 5")] == [
        (note.key, note.text.split('"')[1]) for note in found
    ]
