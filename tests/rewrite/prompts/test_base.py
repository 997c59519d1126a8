"""Where a body is hot, by bytes and by the characters of what stands in it."""

from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.prompts.base import ANYWHERE, Heat, bare


def test_near():
    """A range is hot if a word begins in it; where nothing is known, all is."""
    heat = Heat([3, 10])

    assert [False, True, False, True] == [heat.near(*each) for each in ((0, 3), (0, 4), (4, 10), (10, 11))]
    assert ANYWHERE.near(5, 6)
    assert [10] == heat.places(4, 99)


@given(st.text("aé€\U0001f600", min_size=1, max_size=20), st.data())
def test_inside_by_characters(text, data):
    """A place in a charset's bytes is the same place among its characters."""
    at = data.draw(st.integers(0, len(text) - 1))
    body, before = text.encode(), "x€".encode()
    heat = Heat([1, len(before) + len(text[:at].encode()), len(before + body) + 2])
    inner = heat.inside(len(before), body, text, "utf-8")

    assert [at] == list(inner.places(0, len(text)))


def test_bare_words():
    """Blanks and case tell nothing."""
    assert bare(" Let op!\u00a0\n Geld LENEN ") == "let op! geld lenen"
