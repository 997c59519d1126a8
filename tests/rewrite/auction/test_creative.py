"""Bids' markup: what is read without a parser is what a parser reads."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capper.rewrite.auction import creative

PAGE, URL = "https://news.example/", "https://x.bidder.example/bid"
PIECES = st.sampled_from(
    ["<a ", "<area ", "<div ", "<A HREF=", "href=", 'href="', "href='", "https://a.example/", "?a=1&b=2", "&amp;", "&lt", "&copy_", "&#x26;",
     '"', "'", ">", "<", "/>", " ", "\n", "\r\n", "\t", " onclick=", " data-url=", "class=", "x", "style=", "url(", "é", "İ", "</a>", "//b.example", "="]
)  # fmt: skip
NAMES = st.sampled_from(
    ["href", "HREF", "class", "style", "target", "data-url", "onclick", "title", "src", "ping", "href"]
)
VALUES = st.lists(
    st.sampled_from(
        ["https://a.example/", "http://b.example/?x=1", "open(", r"https:\/\/d.example\/", "&amp;", "&y=2", "&copy=1", "&lt", ";", " ", "//c.example", "x", "url(", "é"]
    ),
    max_size=3,
).map("".join)  # fmt: skip
LINKS = st.lists(st.tuples(NAMES, st.sampled_from("\"'"), VALUES), max_size=3).map(
    lambda rows: "<a" + "".join(f" {name}={quote}{value}{quote}" for name, quote, value in rows) + ">"
)


@given(st.lists(PIECES, max_size=25).map("".join))
@example("<a\x0bhref=x><b ONCLICK = 'https://a.example'>")
def test_leading_tags_are_those_that_one_pattern_finds(text):
    """The quick search by words finds the tags that the pattern for them finds, in their order."""
    assert creative._LEADING.findall(text)[: creative.MOST_URLS] == creative._leading(text, text.lower())


@given(st.lists(LINKS, min_size=1, max_size=3))
@example(["<a href='https://a.example/?a&amp;b&c=d' class='x  y'>", '<a href="https://a.example/">'])
def test_plain_links_are_read_as_a_parser_reads_them(tags):
    """Where tags are plain links their addresses and attributes are a parser's, to the letter; else the parser is asked."""
    tags = [found for tag in tags for found in creative._leading(tag, tag.lower())]
    quick = creative._links(tags, PAGE)

    assert quick is None or quick == creative._evidence(tags, PAGE, URL)


def test_a_plain_link_needs_no_parser():
    """The common case is read without one: an address with raw and written ampersands."""
    text = '<div><a target="_blank" href="https://a.example/c?x=1&amp;y=2&z=3"><img src="x"></a></div>'
    (tag,) = creative._leading(text, text.lower())

    quick = creative._links([tag], PAGE)
    assert quick is not None
    assert ("https://a.example/c?x=1&y=2&z=3",) == quick.clicks


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["href=" * 80_000, "<a href=" * 50_000, "<a " + "href=" * 80_000, "<" * 200_000 + "href=", " onclick=" * 40_000],
)
def test_hostile_markup_costs_little(text):
    """Words without tags and tags without ends are read within bounds."""
    assert creative._leading(text, text.lower()) == creative._LEADING.findall(text)[: creative.MOST_URLS]
