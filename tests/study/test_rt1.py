"""Counting finds the ads that follow people in a world whose truth is known, within the bounds of the simulation table."""

import pytest

from capper.study.detection import Rule, Statistic, detect
from capper.study.rt1 import World, score, simulate

MEAN = Rule()


@pytest.fixture(scope="module")
def weeks():
    """The same world under several caps."""
    return {cap: simulate(1, cap) for cap in (1, 2, 3, 6)}


def missed(truth, rule=MEAN):
    return score(detect(truth.exposures, "advertiser", rule), truth).missed


def test_a_cap_of_one_hides_every_campaign(weeks):
    """What is met on one site cannot be told from what is met there by chance; each more shows more."""
    found = [missed(weeks[cap]) for cap in (1, 2, 3, 6)]

    assert found[0] == 1
    assert found == sorted(found, reverse=True)
    assert 0.1 < found[1] < 0.22
    assert found[2] < 0.08
    assert found[3] < 0.04


def test_few_others_are_called_targeted(weeks):
    """Of the pairs of a person and an ad that nobody aimed at her."""
    found = score(detect(weeks[6].exposures, "advertiser"), weeks[6])

    assert found.wrong < 0.001
    assert found.precision > 0.97


def test_a_median_misses_most(weeks):
    """Most ads are rare, so the middle one is too low."""
    assert missed(weeks[6], Rule(Statistic.MEDIAN, Statistic.MEDIAN)) > 0.5 > missed(weeks[6])


def test_a_campaign_at_many_hides_among_what_everybody_sees():
    """Thirty people are more than most ads reach."""
    big = simulate(1, 6, World(big=0.2))

    assert missed(big) > 0.5


def test_no_more_than_the_cap(weeks):
    """No campaign is met by anybody more often."""
    exposures = weeks[2].exposures
    pairs = {}
    for person, campaign in zip(exposures.person.codes, exposures.campaign.codes, strict=True):
        if campaign:
            pairs[person, campaign] = pairs.get((person, campaign), 0) + 1

    assert 2 == max(pairs.values())


def test_the_seed_makes_the_world():
    """The same again, another with another."""
    one, same, other = (simulate(seed, 3, World(people=20)).exposures for seed in (7, 7, 8))

    assert one.advertiser.names == same.advertiser.names
    assert (one.time == same.time).all()
    assert len(other) != len(one) or (other.site.codes != one.site.codes).any()
