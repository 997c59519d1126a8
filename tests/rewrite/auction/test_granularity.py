"""Prices as an ad server's line items have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.auction.granularity import Granularity


@pytest.mark.parametrize(
    ("said", "price", "expected"),
    [
        ("low", 3.74, "3.50"), ("med", 1.99, "1.90"), ("medium", 0.3, "0.30"), ("high", 1.257, "1.25"), ("auto", 5.55, "5.50"),
        ("auto", 11.9, "11.50"), ("dense", 3.07, "3.05"), ("high", 25, "20.00"), ("low", 0.49, ""),
        ({"precision": 1, "ranges": [{"max": 2, "increment": 0.5}, {"max": 10, "increment": 2}]}, 7.9, "6.0"),
        ({"ranges": [{"max": 10, "increment": 0.01}]}, 0.07, "0.07"),
    ],
)  # fmt: skip
def test_a_price_is_rounded_down_to_its_step(said, price, expected):
    """By name or by ranges; above the last range its end, below the first step nothing."""
    granularity = Granularity.of(said)

    assert granularity is not None
    assert expected == granularity.of_price(price)


@pytest.mark.parametrize(
    "said",
    [None, "finest", 1, [], {}, {"ranges": []}, {"ranges": [1]}, {"ranges": [{"max": 1}]}, {"ranges": [{"max": 1, "increment": 0}]},
     {"ranges": [{"max": 2, "increment": 1}, {"max": 1, "increment": 1}]}, {"precision": 99, "ranges": [{"max": 1, "increment": 1}]},
     {"ranges": [{"max": "x", "increment": 1}]}, {"precision": "9" * 5000, "ranges": [{"max": 1, "increment": 1}]}, {"ranges": [{"max": float("nan"), "increment": 1}]}],
)  # fmt: skip
def test_nonsense_says_nothing(said):
    """What is no granularity is none, and no fault."""
    assert Granularity.of(said) is None


@given(st.floats(0, 30), st.sampled_from(["low", "med", "high", "auto", "dense"]))
def test_no_price_is_rounded_up(price, name):
    """A step is never more than a hundredth of a cent above the price."""
    granularity = Granularity.of(name)

    assert granularity is not None
    assert float(granularity.of_price(price) or 0) <= price + 1e-3
