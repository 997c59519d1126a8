"""What a body's language is told by: its first words, without markup, scripts and styles."""

from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.credit.sample import plain, sample
from capper.recognise.credit.words import fold

PIECES = ["<p>", "</p>", "<script>", "</SCRIPT", "<Style>", "</style>", "<", ">", "&eacute;", "&amp", "limit ", "é"]


@given(st.lists(st.sampled_from(PIECES), max_size=40), st.integers(1, 60))
def test_first_words(pieces, times):
    """However many tags stand in it, as much of a page is read as `fold` keeps, and that as `plain` gives it."""
    page = ("<body>" + ("<p>a long enough text to tell by</p>" * 20) + "".join(pieces) * times).encode()

    assert fold(plain(page[:30_000], "utf-8")) == fold(sample(page, "text/html", "utf-8"))


def test_scripts_and_styles():
    """What stands in a script or a style sheet is no text; one that is not closed is a tag."""
    assert ["a", "b", "c", "var", "x"] == plain(
        b"a<SCRIPT>if (1 < 2) '</scr'</Script>b<style>p > a {}</style>c<script>var x", ""
    ).replace(">", " ").split()
