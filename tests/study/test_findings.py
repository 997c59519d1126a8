"""Everything that is told of a study together."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from capper.domain.window import to_ms
from capper.study.exposure import Arm, Kind, Visit
from capper.study.findings import findings
from capper.study.register import Study
from capper.study.table import Exposures, Visits, distinct
from capper.testing import NOON

STUDY = Study("ads", NOON, NOON + timedelta(days=7), "I agree.", 7)


@pytest.fixture
def found(exposure):
    """Shoes follow anna over eight sites; five others meet a brand each on four sites."""
    rows = [exposure(site, "anna", "shoes", f"s{site}", arm=Arm.CONTROL) for site in range(8)]
    for person in ("ben", "cara", "dan", "eva", "finn"):
        rows += [exposure(site, person, "brand", f"s{site}") for site in range(4)]
    rows += [exposure(site, "anna", "brand", f"s{site}") for site in range(4)]
    visits = Visits.of([Visit(NOON - timedelta(hours=1), "anna", "shoes", Kind.PRODUCT)])
    return lambda *keys: findings(STUDY, Exposures.of(rows), visits, keys, (3,), to_ms(STUDY.until))


def test_an_ad_that_follows_is_told_with_its_thresholds(found):
    """8 sites are more than her mean of 6, and 1 person fewer than the mean of 3.5."""
    [told] = found("advertiser").by_key
    [ad] = told.targeting.most

    assert ("shoes", 1, 1, 8, 6.0) == (ad.ad, ad.people, ad.users, ad.domains, ad.threshold)
    assert 3.5 == told.targeting.users_threshold
    assert (4.0, 6.0) == told.targeting.domains_thresholds
    assert (7, 7, 1, 6) == (
        told.targeting.pairs,
        told.targeting.decided,
        told.targeting.targeted,
        told.targeting.people,
    )


def test_each_arm_has_figures_of_its_own(found):
    """Where there are two."""
    [told] = found("advertiser").by_key

    assert (32, 24, 8) == (told.all.exposures, told.capped.exposures, told.control.exposures)


def test_each_key_is_told_by_itself(found):
    """Of a creative nothing is known here, and that is told."""
    creative, advertiser = found("creative", "advertiser").by_key

    assert ("creative", 0) == (creative.key, creative.all.exposures)
    assert None is creative.targeting.users_threshold
    assert 32 == advertiser.all.exposures


def test_retargeting_is_told_by_advertiser_whatever_keys_are_asked_for(found):
    """She looked at shoes an hour before."""
    told = found("creative").retargeting

    assert (1, 1, 8) == (told.viewed, told.retargeted, told.exposures)


def test_a_study_without_exposures():
    """Nothing was met, and nothing goes wrong."""
    told = findings(replace(STUDY, seed=1), Exposures.of([]), Visits.of([]), ("creative",), (3,), to_ms(STUDY.until))

    assert 0 == told.by_key[0].all.exposures
    assert None is told.by_key[0].capped
    assert () == told.opt_outs


@pytest.mark.parametrize("numbers", [[], [3], [2, 1, 2, 1, 1], [5, 4, 3]])
def test_each_number_once(numbers):
    """As numpy has it."""
    given = np.array(numbers, np.int64)

    assert np.unique(given).tolist() == distinct(given).tolist()
