"""One scan tells which names stand in a page's bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.html.presence import names

NAMES = frozenset({"data-ad", "data-ad-slot", "onclick", "srcset", "pb_id"})
PIECES = ["data-", "ad", "-slot", "DATA-", "Ad", "onclick", "SrcSet", "srcse", "t", "pb_id", "pb-id", " ", "\0", "\xff"]


@given(st.lists(st.sampled_from(PIECES)))
def test_as_by_in(pieces):
    """What is found is what `in` would find, whatever the case."""
    text = "".join(pieces)

    assert names(NAMES).within(text.encode("latin-1")) == {name for name in NAMES if name in text.lower()}


@pytest.mark.parametrize(("wanted", "data"), [(frozenset(), b"data-ad"), (NAMES, b"")])
def test_nothing_to_find(wanted, data):
    """Without names, or in nothing, nothing is found."""
    assert names(wanted).within(data) == frozenset()
