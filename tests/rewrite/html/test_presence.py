"""One scan tells which words stand in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.html.presence import words

MANY = frozenset(
    {"data-ad", "data-ad-slot", "onclick", "srcset", "pb_id", "\0https://ads.", ".png\0", "(ad)*", "\u20ac", "ad"}
)
FEW = frozenset({"data-ad", "pb_id", "\0https://ads."})
PIECES = ["data-", "ad", "-slot", "DATA-", "Ad", "onclick", "SrcSet", "srcse", "t", "pb_id", "pb-id", "\0", "\u20ac", "https://", "ADS.", ".pNg", "(ad)", "*", "\ud800", "\xe4"]  # fmt: skip


@pytest.mark.parametrize("wanted", [MANY, FEW], ids=["many", "few"])
@given(pieces=st.lists(st.sampled_from(PIECES)))
def test_as_by_in(wanted, pieces):
    """What is found is what `in` would find, whatever the case."""
    text = "".join(pieces)

    assert words(wanted).within(text.encode("utf-8", "surrogatepass")) == {
        word for word in wanted if word in text.lower()
    }


@pytest.mark.parametrize(("wanted", "data"), [(frozenset(), b"data-ad"), (MANY, b""), (FEW, b"")])
def test_nothing_to_find(wanted, data):
    """Without words, or in nothing, nothing is found."""
    assert words(wanted).within(data) == frozenset()
