"""Whether opting out helps, told from profiles whose truth is known."""

import numpy as np
import pytest

from capper.study.experiment import Rate, Unit, against_itself, effect, effects


def units(seed, *, blocks=12, each=4, base=0.3, left=1.0):
    """Blocks of profiles whose rate is `base`; that of the treated is `left` of it afterwards."""
    rng = np.random.default_rng(seed)

    def rate(share):
        return Rate(int(rng.binomial(200, share)), 200)

    return [
        Unit(f"day {block}", profile < each // 2, rate(base), rate(base * (left if profile < each // 2 else 1)))
        for block in range(blocks)
        for profile in range(each)
    ]


def test_half_of_it_is_found():
    """A rate of 30 % that falls by half: the effect is -15 points, within its interval, and no chance."""
    found = effect(units(1, left=0.5), seed=1)

    assert -0.15 in found.interval
    assert 0 not in found.interval
    assert (12, 48) == (found.blocks, found.units)
    assert found.p in found.p_interval
    assert found.p < 0.001


def test_nothing_is_nothing():
    """Without an effect the interval holds 0, and chance would do as well."""
    found = effect(units(2), seed=1)

    assert 0 in found.interval
    assert found.p > 0.05


def test_against_itself_nothing_is_found():
    """Untreated against untreated, in one experiment in twenty at most, or thereabouts."""
    found = [against_itself(units(seed, left=0.5, each=8), seed, 400).p for seed in range(60)]

    assert sum(p < 0.05 for p in found) <= 8


def test_the_intervals_hold_the_truth():
    """In nineteen of twenty, or thereabouts."""
    found = [-0.06 in effect(units(seed, left=0.8), seed, 10).interval for seed in range(80)]

    assert 80 * 0.87 <= sum(found)


def test_by_advertiser():
    """Each with its own p, corrected for there being two."""
    found = effects({"shoes": units(1, left=0.5), "cola": units(2)}, seed=3)

    assert [True, False] == [corrected < 0.05 for _, corrected in found.values()]
    assert all(corrected >= each.p for each, corrected in found.values())


def test_the_same_seed_finds_the_same():
    """To the last digit."""
    assert effect(units(4), 9) == effect(units(4), 9)


def test_blocks_that_tell_nothing_are_left_out():
    """Where all were treated there is nothing to compare with; if there is no other, that is said."""
    all_treated = [Unit("x", treated=True, before=Rate(1, 2), after=Rate(0, 2))] * 3
    found = effect([*units(1), *all_treated], 1)

    assert (12, 48) == (found.blocks, found.units)
    with pytest.raises(ValueError, match="no block has both"):
        effect(all_treated, 1)


def test_nothing_of_nothing():
    """A profile that met no ads has a rate of 0."""
    assert 0 == Unit("x", treated=True, before=Rate(0, 0), after=Rate(0, 0)).change
