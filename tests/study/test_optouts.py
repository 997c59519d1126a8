"""Opt-outs as experiments, from treatments as they are registered."""

from datetime import timedelta

import numpy as np
import pytest

from capper.study.exposure import Kind, Visit
from capper.study.optouts import opt_outs
from capper.study.register import Treatment
from capper.study.table import Exposures, Visits
from capper.testing import NOON

OPTED = NOON + timedelta(days=10)


@pytest.fixture
def world(exposure):
    """Profiles that looked at shoes; `left` of the ads that follow stay with those who opted out."""

    def make(seed, left, blocks=6, each=4):
        rng = np.random.default_rng(seed)
        rows, visits, treatments = [], [], []
        for number in range(blocks * each):
            person, opted = f"p{number}", number % 2 == 0
            visits.append(Visit(NOON, person, "shoes", Kind.PRODUCT))
            treatments.append(Treatment(person, "adchoices" if opted else "", f"b{number // each}", OPTED))
            for day in range(1, 20):
                share = 0.4 * (left if opted and day >= 10 else 1)
                rows += [
                    exposure(day * 24 * 60 + slot, person, "shoes" if rng.random() < share else "cars")
                    for slot in range(20)
                ]
        return Exposures.of(rows), Visits.of(visits), treatments

    return make


def test_an_opt_out_that_helps(world):
    """Half of what followed is gone: 20 points, within the interval, of the advertiser whose product was looked at."""
    [found] = opt_outs(*world(1, 0.5), seed=1)
    told = found.all.effect

    assert ("adchoices", 6, 24) == (found.treatment, told.blocks, told.units)
    assert -0.2 in told.interval
    assert 0 not in told.interval
    assert found.all.corrected == told.p < 0.01
    assert ["shoes"] == list(found.by_advertiser)
    assert 0 in found.itself.interval


def test_an_opt_out_that_does_nothing(world):
    """Its interval holds 0."""
    [found] = opt_outs(*world(2, 1.0), seed=1)

    assert 0 in found.all.effect.interval


def test_a_treatment_of_all_tells_nothing(world):
    """There must be some in the block to whom nothing was done."""
    exposures, visits, treatments = world(1, 0.5)

    assert () == opt_outs(exposures, visits, [each for each in treatments if each.name], seed=1)
    assert () == opt_outs(exposures, visits, [], seed=1)


def test_two_treatments_are_corrected_for_each_other(world):
    """Holm's correction counts both."""
    exposures, visits, treatments = world(1, 0.5)
    named = [
        Treatment(each.person, "gpc" if each.name and each.block < "b3" else each.name, each.block, each.at)
        for each in treatments
    ]
    first, second = opt_outs(exposures, visits, named, seed=1)

    assert {"adchoices", "gpc"} == {first.treatment, second.treatment}
    assert max(first.all.corrected, second.all.corrected) >= max(first.all.effect.p, second.all.effect.p)
    assert min(first.all.corrected, second.all.corrected) == pytest.approx(
        2 * min(first.all.effect.p, second.all.effect.p), rel=0.5
    )
