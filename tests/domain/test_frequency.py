"""How often, and how far apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.frequency import BINS, binned, distance, shares

HISTOGRAMS = st.dictionaries(st.integers(0, 80), st.integers(0, 9), max_size=8)


@given(HISTOGRAMS, HISTOGRAMS)
def test_distances_and_bins(one, other):
    """A distance is 0 of the same, at most 1, and the same both ways; bins lose nothing."""
    first, second = shares(one), shares(other)

    assert distance(first, first) == 0
    assert 0 <= distance(first, second) <= 1 + 1e-9
    assert distance(first, second) == distance(second, first)
    assert list(binned(first)) == list(BINS)
    assert sum(binned(first).values()) == pytest.approx(1 if first else 0)
