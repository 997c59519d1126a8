"""Figures that leave: bounded, with noise, of crowds only. OpenDP's noise has no seed: bounds are such that chance breaks none in a lifetime."""

import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.study.noise import crowds, noisy, told_from
from capper.study.release import Axis, Request, What, figure, withheld
from capper.study.table import Exposures


@pytest.fixture
def crowd(exposure):
    """Three hundred people: all meet shoes, once; one in thirty meets a rare ad as well; each meets one of her own."""

    def rows():
        for number in range(300):
            yield exposure(number % 60, f"p{number}", "shoes")
            yield exposure(number % 60, f"p{number}", f"own{number}")
            if number % 30 == 0:
                yield exposure(61, f"p{number}", "rare")

    return Exposures.of(rows())


def request(what, **fields):
    """With an epsilon at which noise is small."""
    return Request(what, 4.0, 1e-6, **fields).checked()


def cells(answer):
    """People by cell."""
    return {tuple(row["cell"]): row["people"] for row in answer["rows"]}


def test_reach_is_told_of_crowds_only(crowd):
    """What everybody met is; what ten met, and what each met alone, is not."""
    [(cell, people)] = cells(figure(crowd, request(What.REACH, each=3))).items()

    assert ("shoes",) == cell
    assert 40 > abs(people - 300)


def test_frequency_is_a_histogram_of_people(crowd):
    """One pair of each counts, unless more are to."""
    answer = figure(crowd, request(What.FREQUENCY))
    several = figure(crowd, request(What.FREQUENCY, each=2))

    assert [("1",)] == list(cells(answer))
    assert 20 > abs(cells(answer)["1",] - 300)
    assert 40 > abs(several["rows"][0]["pairs"] - 600)


def test_counts_by_two_and_their_margins(crowd):
    """Each with noise of its own, so that no two tell the same."""
    answer = figure(crowd, request(What.COUNTS, by=(Axis.FORMAT, Axis.BASIS), margins=True))

    assert {("banner", "click"), ("banner", ""), ("", "click")} == set(cells(answer))


@pytest.mark.parametrize(("axis", "values"), [(Axis.HOUR, {"12"}), (Axis.VERDICT, {"show"}), (Axis.FORMAT, {"banner"})])
def test_counts_by_one(crowd, axis, values):
    """By the hour of the day, UTC; by what became of it; by form."""
    assert values == {cell for (cell,) in cells(figure(crowd, request(What.COUNTS, by=(axis,))))}


def test_the_threshold_is_near_the_truth(crowd):
    """610 pairs of 302 ads."""
    answer = figure(crowd, request(What.THRESHOLD, each=3))

    assert 1 > abs(answer["threshold"] - 610 / 302)


def test_of_nobody_nothing_is_told(exposures):
    """And nothing fails."""
    for what in (What.REACH, What.FREQUENCY):
        assert [] == figure(exposures(), request(what))["rows"]
    assert [] == figure(exposures(), request(What.COUNTS, by=(Axis.HOUR,)))["rows"]
    assert figure(exposures(), request(What.THRESHOLD))["threshold"] >= 0


def test_too_few_are_told_hardly_ever():
    """A cell of one below the least: with a delta of one in a hundred, at most thirty of a thousand; one at the threshold, about half."""
    few = crowds({str(each): 19 for each in range(1000)}, 1, 1.0, 0.01, 20)
    enough = crowds({str(each): told_from(1, 1.0, 0.01, 20) for each in range(1000)}, 1, 1.0, 0.01, 20)

    assert 30 >= len(few)
    assert 400 < len(enough)


def test_the_noise_is_laplaces():
    """Its mean is nought and its scale what one person can change over epsilon; five standard errors and more are left to chance."""
    found = np.array(noisy([1000] * 4000, 5, 0.5)) - 1000

    assert 1.5 > abs(found.mean())
    assert 1.2 > abs(np.abs(found).mean() - 10)


@pytest.mark.parametrize(("cells_", "epsilon", "delta"), list(product((1, 5, 400), (0.01, 0.3, 8.0), (1e-6, 1e-9))))
def test_what_is_asked_for_is_what_is_spent(cells_, epsilon, delta):
    """OpenDP's own account of each noise is within epsilon and delta, or it would raise."""
    assert {} == crowds({"a": 1}, cells_, epsilon, delta, 20)
    assert 1 == len(noisy([1], cells_, epsilon))


CELLS = st.sets(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")))
MARGINS = st.sets(st.sampled_from([*((each, "") for each in "abc"), *(("", each) for each in "xyz")]))


@given(CELLS, MARGINS)
def test_no_margin_tells_a_cell_that_is_not_told(told, margins):
    """Of each line whose sum is told, none or at least two cells are hidden."""
    left = (told | margins) - withheld(told | margins, ["abc", "xyz"])
    lines = [[(row, column) for column in "xyz"] for row in "abc" if (row, "") in left]
    lines += [[(row, column) for row in "abc"] for column in "xyz" if ("", column) in left]

    assert all(sum(cell not in left for cell in line) != 1 for line in lines)


def test_nothing_is_hidden_without_need():
    """A table of which two cells of each line are hidden stays as it is."""
    told = {("a", "x"), ("a", ""), ("", "x"), ("b", "y")}

    assert set() == withheld(told, ["abc", "xyz"])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"what": What.COUNTS}, "one or two"),
        ({"what": What.COUNTS, "by": (Axis.HOUR, Axis.HOUR)}, "twice"),
        ({"what": What.REACH, "by": (Axis.HOUR,)}, "by ads alone"),
        ({"what": What.COUNTS, "by": (Axis.HOUR,), "margins": True}, "margins"),
        ({"what": What.REACH, "each": 0}, "nothing to count"),
        ({"what": What.REACH, "delta": 0}, "delta"),
        ({"what": What.REACH, "epsilon": 1e-9}, "epsilon"),
        ({"what": What.REACH, "epsilon": float("nan")}, "epsilon"),
    ],
)
def test_what_cannot_be_is_refused(fields, why):
    """Before anything is spent."""
    with pytest.raises(ConfigError, match=why):
        Request(**{"epsilon": 1.0, "delta": 1e-6} | fields).checked()


def test_without_opendp_it_says_what_to_install(monkeypatch):
    """The extra is for who releases something."""
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)

    with pytest.raises(ConfigError, match=r"capper\[research\]"):
        noisy([1], 1, 1.0)
