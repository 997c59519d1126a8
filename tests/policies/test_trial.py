"""What a policy expects of itself, as it is read and as it is tried."""

import asyncio

import pytest

from capper.domain.errors import ConfigError
from capper.ledger.versions import MemoryVersions
from capper.policies.enacting import enact
from capper.policies.trial import failures, try_out
from capper.settings import policy_text, read_policy
from capper.testing import NOON

POLICY = """
time_zone = "Europe/Amsterdam"
caps = ["3 per advertiser per day", "2 per advertiser per calendar day", "at most every 5 minutes per creative"]
[people.anna]
devices = ["192.168.1.20"]
[[rules]]
name = "no shoes"
advertiser = "shoes.example"
people = "anna"
caps = ["never"]
[[rules]]
name = "sessions"
site = "paper.example"
caps = ["3 per advertiser per session"]
"""


def tried(test: str, policy: str = POLICY) -> list[str]:
    """What fails of one test."""
    reading = read_policy(f"{policy}[[tests]]\n{test}", "p.toml")
    return [one.partition("test 1: ")[2] for one in failures(asyncio.run(try_out(reading)))]


@pytest.mark.parametrize(
    "test",
    [
        'advertiser = "bikes.example"\nexpect = "show"',
        'advertiser = "bikes.example"\nseen = 1\nexpect = "show"\nrule = "caps"',
        'advertiser = "bikes.example"\nseen = 2\nexpect = "withhold"\ncap = "2 per calendar day"',
        'advertiser = "bikes.example"\nseen = ["13 hours", "14 hours"]\nexpect = "show"',
        'advertiser = "bikes.example"\nseen = ["13 hours", "14 hours", "15 hours"]\nexpect = "withhold"\ncap = "3 per day"',
        'advertiser = "www.shoes.example"\nperson = "anna"\nexpect = "withhold"\nrule = "no shoes"',
        'advertiser = "shoes.example"\nexpect = "show"\nrule = "caps"',
        'creative = "ads.example/1"\nseen = 1\nexpect = "withhold"\ncap = "at most every 5 minutes per creative"',
        'creative = "ads.example/1"\nseen = ["6 minutes"]\nexpect = "show"',
        'advertiser = "bikes.example"\nsite = "www.paper.example"\nseen = 3\nexpect = "withhold"\nrule = "sessions"',
        'advertiser = "bikes.example"\nsite = "paper.example"\nseen = ["31 minutes", "32 minutes", "33 minutes"]\nexpect = "show"',
        'site = "news.example"\nexpect = "show"',
    ],
)
def test_what_holds(test):
    """By the caps' own windows, in the policy's zone, on a page of its own; the unknown ad is never capped by guess."""
    assert tried(test) == []


@pytest.mark.parametrize(
    ("test", "why"),
    [
        (
            'advertiser = "bikes.example"\nseen = 2\nexpect = "show"',
            "expected show, found withhold by the caps at the top: 2 per advertiser per calendar day",
        ),
        (
            'advertiser = "bikes.example"\nseen = 1\nexpect = "withhold"',
            "expected withhold, found show by the caps at the top: 1 of 2 per advertiser per calendar day",
        ),
        (
            'advertiser = "shoes.example"\nperson = "anna"\nexpect = "withhold"\nrule = "sessions"',
            'withhold as expected, but "no shoes" spoke instead of "sessions"',
        ),
        (
            'advertiser = "bikes.example"\nseen = 2\nexpect = "withhold"\ncap = "3 per day"',
            "withhold as expected, but by 2 per advertiser per calendar day instead of 3 per advertiser per day",
        ),
        ('site = "paper.example"\nexpect = "withhold"', 'expected withhold, found show by "sessions": no cap holds'),
    ],
)
def test_what_does_not_hold(test, why):
    """It is said what was expected, what was found, and which rule and cap made it so."""
    assert tried(test) == [why]


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("", r"tests\[1\]: expect is missing"),
        ('expect = "hide"', r'expected one of "show", "withhold"'),
        ('expect = "show"\nrule = "no shoe"', r'did you mean "no shoes"'),
        ('expect = "show"\nperson = "ana"', r'did you mean "anna"'),
        ('expect = "show"\nseen = -1', r"whole number from 0 to 1000"),
        ('expect = "show"\nseen = true', r"whole number"),
        ('expect = "show"\nseen = ["yesterday"]', r"expected"),
        ('expect = "show"\nadvertisr = "x.example"', r"unknown key; did you mean"),
        ('expect = "show"\ncap = "3 per dy"', r"did you mean 'day'"),
    ],
)
def test_a_test_that_cannot_be_read(test, why):
    """It makes the policy unusable, as any other mistake does, with its line."""
    with pytest.raises(ConfigError, match=why):
        read_policy(f"{POLICY}[[tests]]\n{test}", "p.toml")


def test_tests_are_written_out_with_the_policy():
    """A policy printed in its plainest form expects the same of itself."""
    text = (
        f'{POLICY}[[tests]]\nname = "one"\nadvertiser = ["a.example", "b.example"]\nseen = 3\nformat = "video"\nexpect = "show"\n'
        '[[tests]]\nperson = "anna"\ncampaign = "c"\nsite = "x.example"\ncap = "3 per day"\nexpect = "withhold"'
    )
    reading = read_policy(text, "")
    again = read_policy(policy_text(reading.policy, reading.tests), "")

    assert [(one.name, one.expect, one.seen, one.advertiser, one.cap, one.format) for one in again.tests] == [
        (one.name, one.expect, one.seen, one.advertiser, one.cap, one.format) for one in reading.tests
    ]


async def test_a_policy_that_fails_its_tests_is_not_put_in_force():
    """Unless whoever asks for it insists."""
    versions, text = MemoryVersions(), f'{POLICY}[[tests]]\nadvertiser = "bikes.example"\nexpect = "withhold"'
    with pytest.raises(ConfigError, match="line 15: test 1: expected withhold, found show"):
        await enact(versions, text, "anna", "", NOON, seen=0)
    await enact(versions, text, "anna", "", NOON, seen=0, despite_tests=True)

    assert await versions.newest() == 1
