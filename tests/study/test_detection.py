"""Targeting told by counting."""

from datetime import timedelta

import numpy as np
import pytest

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.detection import Rule, Statistic, detect
from capper.study.exposure import Exposure
from capper.study.table import Exposures
from capper.testing import NOON


def met(*rows):
    """Exposures of (person, ad, site)."""
    return Exposures.of(
        Exposure(
            NOON + timedelta(minutes=place),
            person,
            "",
            site,
            Format.BANNER,
            "",
            Basis.CLICK,
            advertiser=ad,
            verdict=verdict,
        )
        for place, (person, ad, site, *verdict) in enumerate(rows)
        for verdict in [verdict[0] if verdict else Verdict.SHOW]
    )


FOLLOWED = [("anna", "shoes", f"site{each}") for each in range(5)]
COMMON = [(person, "cola", f"site{each}") for person in ("ben", "carl", "dora", "anna") for each in range(4)]


def targeted(exposures, **options):
    found = detect(exposures, "advertiser", **options)
    return {
        (exposures.person.names[person], exposures.advertiser.names[ad])
        for person, ad in zip(found.person[found.targeted], found.ad[found.targeted], strict=True)
    }


def test_what_follows_few_over_many_sites():
    """The shoes, which only anna meets, on more sites than her other ad; not what everybody meets."""
    assert {("anna", "shoes")} == targeted(met(*FOLLOWED, *COMMON))


def test_what_was_withheld_is_counted():
    """Or capping would hide what it caps."""
    withheld = [(*row, Verdict.WITHHOLD) for row in FOLLOWED]

    assert {("anna", "shoes")} == targeted(met(*withheld, *COMMON))


def test_the_same_site_counts_once():
    """An ad that is met again and again on one site follows nobody."""
    assert set() == targeted(met(*[("anna", "shoes", "site1")] * 5, *COMMON))


def test_who_met_few_sites_gets_no_verdict():
    """Three are too few to tell."""
    found = detect(met(*FOLLOWED[:3], *COMMON[:12]), "advertiser")

    assert {False, True} == set(found.decided.tolist())
    assert not found.decided[found.person == 1].any()


def test_what_is_not_known_is_left_out():
    """An ad without a name, a page without a site."""
    assert 0 == len(detect(met(("anna", "", "site1"), ("anna", "shoes", "")), "advertiser"))


def test_the_number_of_people_may_come_from_elsewhere():
    """Of many households it is told that the shoes are met by everybody."""
    exposures = met(*FOLLOWED, *COMMON)

    assert set() == targeted(exposures, users=np.array([0.0, 900.0, 900.0]))
    assert set() == targeted(exposures, users_threshold=1.0)


@pytest.mark.parametrize(
    ("statistic", "threshold"), [("mean", 3.0), ("median", 1.0), ("mean+median", 4.0), ("mean+std", 5.8284)]
)
def test_thresholds(statistic, threshold):
    """Of 1, 1 and 7."""
    assert threshold == pytest.approx(Statistic(statistic).of(np.array([1, 1, 7])), abs=0.001)


def test_of_nothing_nothing_is_above():
    """No exposures, no verdicts, and a threshold that nothing passes."""
    assert np.inf == detect(met(), "advertiser", Rule()).users_threshold
