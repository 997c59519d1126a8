"""Rows, aims and spreads."""

import pytest

from benchmarks.figures import Figure, Row, Spread, chosen, load_rows, quantile

RATIO = Row("claim", "claims", "a claim", "us", "INCR", at_most=1.5)
RATE = Row("rate", "claims", "claims a second", "/s", "INCR", at_least=0.5)
PLAIN = Row("start", "start", "listening", "s", at_most=1.0)
SEEN = Row("start-first", "start", "listening for the first time", "s")
NAMED = Row("page-peer", "peers", "a page against what is not everywhere", "ms", "peer", when_named=True)
ROWS = {row.key: row for row in (RATIO, RATE, PLAIN, SEEN, NAMED)}


@pytest.mark.parametrize(("row", "aim"), [(RATIO, "<= 1.5 x"), (RATE, ">= 0.5 x"), (PLAIN, "<= 1 s"), (SEEN, "")])
def test_an_aim_names_what_it_speaks_of(row, aim):
    """The ratio where a row is measured against something, else the figure in its unit; nothing where nothing is aimed at."""
    assert aim == row.aim


@pytest.mark.parametrize(
    ("row", "median", "missed"),
    [
        (RATIO, 1.5, 0.0),
        (RATIO, 1.2, 0.0),
        (RATIO, 3.0, 1.0),
        (RATE, 0.5, 0.0),
        (RATE, 0.9, 0.0),
        (RATE, 0.25, 0.5),
        (SEEN, 99.0, 0.0),
    ],
)
def test_an_aim_is_missed_by_a_share_of_itself(row, median, missed):
    """Twice what it may be is missed by one whole aim; half of what it must be, by half."""
    assert missed == row.missed(median)


def test_a_ratio_is_taken_pair_by_pair():
    """A machine that slows down for both in the second round changes no ratio."""
    figure = Figure.ratio("claim", [2.0, 20.0, 3.0], [1.0, 10.0, 1.0])

    assert Figure("claim", Spread(2.0, 2.0, 3.0), 3.0, 1.0) == figure


def test_rounds_of_one_alone():
    """Without another the spread is of the figures themselves."""
    assert Figure("start", Spread(1.0, 2.0, 4.0), 2.0) == Figure.plain("start", [4.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ([], ["claim", "rate", "start", "start-first"]),
        (["claim"], ["claim"]),
        (["peers"], ["page-peer"]),
        (["page-peer"], ["page-peer"]),
        (["claims"], ["claim", "rate"]),
        (["first"], ["start-first"]),
        (["rate", "listening"], ["rate", "start", "start-first"]),
    ],
)
def test_rows_are_chosen_by_words(words, keys):
    """A part or a key is meant whole where a word is one; any other word is looked for in keys and descriptions.

    What needs to be named is measured only where it is.
    """
    assert keys == list(chosen(ROWS, words))


def test_a_word_that_fits_nothing_is_refused():
    """Rather than measure nothing for a quarter of an hour."""
    with pytest.raises(ValueError, match="--only pgae: no row is called so; there are claim, rate"):
        chosen(ROWS, ["pgae"])


def test_every_aim_of_the_file_is_one():
    """A row of rows.toml aims at one thing at most, and says of which part it is."""
    rows = load_rows()

    assert [] == [key for key, row in rows.items() if row.at_most is not None and row.at_least is not None]
    assert [] == [key for key, row in rows.items() if not (row.part and row.what and row.unit)]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.99, 4), (1.0, 4)])
def test_quantiles_are_values_that_occurred(share, value):
    """Nothing is put between two of them."""
    assert value == quantile([1, 2, 3, 4], share)
