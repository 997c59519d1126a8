"""A person's own caps are one rule of hers, and the rest of the policy stays as it was written."""

import pytest

from capper.domain.cap import Cap
from capper.domain.errors import ConfigError
from capper.settings.policy import parse_policy
from capper.settings.policy_own import own_rule, set_own_caps, set_own_silence

TEXT = """\
# ours
caps = ["3 per advertiser per day"]  # enough

[people.anna]
devices = ["192.168.1.20"]

[[rules]]
people = "anna"
advertiser = "shoes.example"
caps = ["never"]
"""
TWO = (Cap.parse("2 per advertiser per day"),)


def test_a_rule_is_added_last():
    """What stands there stays, letter by letter; the owner's rules come first."""
    after = set_own_caps(TEXT, "p", "anna", TWO)

    assert after.startswith(TEXT)
    assert ["rule 1", own_rule("anna")] == [rule.name for rule in parse_policy(after, "p").rules]


@pytest.mark.parametrize("caps", [(), (Cap.parse("5 per advertiser per week"),)])
def test_it_is_changed_afterwards(caps):
    """Chosen again, the same rule says so; no limit is a limit of nothing, not a rule without caps."""
    after = set_own_caps(set_own_caps(TEXT, "p", "anna", TWO), "p", "anna", caps)

    assert [caps] == [rule.caps for rule in parse_policy(after, "p").rules[1:]]


def test_a_rule_of_the_owners_is_not_hers():
    """What the owner wrote for her under another name stays as it is."""
    text = f'{TEXT}\n[[rules]]\nname = "anna at night"\npeople = "anna"\ncaps = []\n'

    assert text.rstrip() == set_own_caps(text, "p", "anna", TWO)[: len(text.rstrip())]


@pytest.mark.parametrize(
    "text",
    [
        'caps = []\nrules = [{people = "household", caps = []}]\n',
        TEXT + '[[rules]]\nname = "anna\'s own caps"\ncaps = []\n',
    ],
)
def test_what_cannot_be_changed_is_told(text):
    """A policy written in another way is left to its owner."""
    with pytest.raises(ConfigError, match="by hand"):
        set_own_caps(text, "p", "anna" if "anna" in text else "household", TWO)


def test_no_site_is_told_of_her():
    """A line of hers says so; the household's sites and all else stay, letter by letter; a second time changes nothing."""
    text = f'house_ads = "mypaper.example"  # our paper\n{TEXT}'
    after = set_own_silence(text, "p", "anna")

    assert ((), ("mypaper.example",)) == (
        parse_policy(after, "p").housed("anna"),
        parse_policy(after, "p").housed("ben"),
    )
    assert after.replace("house_ads = []\n", "") == text
    assert after == set_own_silence(after, "p", "anna")
    with pytest.raises(ConfigError, match="knows nobody called ben"):
        set_own_silence(text, "p", "ben")
