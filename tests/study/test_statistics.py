"""Statistics against what is known of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from capper.study.statistics import (
    Interval,
    clopper_pearson,
    decay_rate,
    holm,
    kaplan_meier_median,
    of_difference,
    of_mean,
    permuted_within,
)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_of_a_share(hits, trials, low, high):
    """The exact one, as tables have it."""
    found = clopper_pearson(hits, trials)

    assert (low, high) == pytest.approx((found.low, found.high), abs=1e-4)
    assert (hits / trials if trials else 0.5) in found


def test_the_interval_of_a_mean():
    """Student's: of 1, 2 and 3 it is 2 and 2.484 to each side."""
    found = of_mean(np.array([1.0, 2.0, 3.0]))

    assert (2 - 2.484, 2 + 2.484) == pytest.approx((found.low, found.high), abs=1e-3)
    assert Interval(-np.inf, np.inf) == of_mean(np.array([1.0]))


def test_p_values_are_corrected():
    """The smallest for all tests, the next for one less; none below the one before it, none above 1."""
    found = holm({"a": 0.04, "b": 0.01, "c": 0.03, "d": 0.9})

    assert {"a": 0.09, "b": 0.04, "c": 0.09, "d": 0.9} == pytest.approx(found)
    assert ["a", "b", "c", "d"] == list(found)


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_correcting_only_raises(found):
    """And keeps the order of the tests."""
    corrected = holm(found)

    assert all(found[name] <= corrected[name] <= 1 for name in found)
    assert all(corrected[a] <= corrected[b] for a in found for b in found if found[a] < found[b])


def test_half_have_had_it_by_then():
    """Those who were not watched long enough count as long as they were: 1 of 4, 2 of 3, so half by the second."""
    assert 2 == kaplan_meier_median(np.array([1.0, 2.0, 9.0]), np.array([5.0]))
    assert 9 == kaplan_meier_median(np.array([1.0, 9.0]), np.array([2.0, 3.0, 4.0]))
    assert kaplan_meier_median(np.array([1.0]), np.array([2.0, 3.0])) is None
    assert kaplan_meier_median(np.array([]), np.array([2.0])) is None


@pytest.mark.parametrize("horizon", [0.7, 1.0, 3.0, 30.0])
def test_a_decay_is_found_again(horizon):
    """Also where half of it was not seen: within a tenth, from 20,000 events of rate 1."""
    lags = np.random.default_rng(1).exponential(1.0, 60_000)
    seen = lags[lags < horizon][:20_000]

    assert 1 == pytest.approx(decay_rate(seen, np.full(len(seen), horizon)), rel=0.1)


def test_what_does_not_decay():
    """Evenly spread, piled up at the end, or too few."""
    assert decay_rate(np.linspace(0.0, 1.0, 1001), np.ones(1001)) is None
    assert decay_rate(np.full(9, 0.9), np.ones(9)) is None
    assert decay_rate(np.array([0.5]), np.ones(1)) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=12))
def test_dealing_anew_keeps_each_blocks_number(units):
    """As many of a block are treated as before."""
    blocks = np.array([block for block, _ in units])
    treated = np.array([treated for _, treated in units])
    dealt = permuted_within(np.random.default_rng(0), blocks, treated, 5)

    assert all(
        np.bincount(blocks, weights=treated).tolist() == np.bincount(blocks, weights=row).tolist() for row in dealt
    )


def test_the_interval_of_a_difference():
    """Welch's, as SciPy has it; values that do not vary have none to speak of, and of one nothing can be told."""
    one, other = np.array([1.0, 2.0, 4.0, 7.0]), np.array([0.0, 0.5, 1.0])
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    found = of_difference(one, other)

    assert (expected.low, expected.high) == pytest.approx((found.low, found.high))
    assert Interval(2.0, 2.0) == of_difference(np.full(3, 3.0), np.full(4, 1.0))
    assert 1e9 in of_difference(one, other[:1])
