"""Bounds on what one person adds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from capper.study.truncation import bounded

NAMES = ("", "anna", "ben", "carl")
ROWS = st.lists(st.integers(1, 3), max_size=40)


@given(ROWS, st.integers(1, 6), st.integers(0, 3))
def test_nobody_adds_more(rows, most, seed):
    """And who has no more keeps all."""
    whose = np.array(rows, np.int64)
    kept = whose[bounded(whose, NAMES, most, seed)]

    assert [min(rows.count(each), most) for each in (1, 2, 3)] == [int((kept == each).sum()) for each in (1, 2, 3)]


@given(ROWS, st.integers(1, 6))
def test_nobody_changes_what_counts_of_another(rows, most):
    """With her or without her, the same rows of all others count."""
    whose = np.array(rows, np.int64)
    others = np.flatnonzero(whose != 2)
    kept = bounded(whose, NAMES, most, 1)

    assert np.array_equal(kept[whose[kept] != 2], others[bounded(whose[others], NAMES, most, 1)])


def test_another_seed_draws_others():
    """By chance one of a thousand would do."""
    whose = np.ones(1000, np.int64)

    assert not np.array_equal(bounded(whose, NAMES, 10, 1), bounded(whose, NAMES, 10, 2))
