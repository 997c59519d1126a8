"""Bids' markup: what is read without a parser is what a parser reads."""

from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capper.rewrite import creative

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


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('<img src="https://a.example/i?cb=[CACHEBUSTING]&amp;p=${AUCTION_PRICE}">', ["https://a.example/i?cb=[CACHEBUSTING]&p=${AUCTION_PRICE}"]),
        ("<Impression><![CDATA[https://a.example/i?e=[ERRORCODE]]]></Impression>", ["https://a.example/i?e=[ERRORCODE]"]),
        ("<script src='//a.example/x.js'></script>// comment.example/ no", ["https://a.example/x.js"]),
        ('{"u":"https:\\/\\/a.example\\/x"}', ["https://a.example/x"]),
        ("url(//a.example/b.png)", ["https://a.example/b.png"]),
        (None, []),
        ('<a class=x href="https://shoes.example/"><link href="https://a.example/x.css">', ["https://a.example/x.css"]),
        ("<ClickThrough id='1'><![CDATA[ https://shoes.example/ ]]></ClickThrough><ClickTracking>https://a.example/c</ClickTracking>", ["https://a.example/c"]),
        ("<IconClickThrough>https://shoes.example/</IconClickThrough>", []),
        ({"link": {"url": "https://shoes.example/"}, "imptrackers": ["https://a.example/i"]}, ["https://a.example/i"]),
        ({"assets": [{"img": {"url": "https://a.example/i.png"}, "link": {"url": "https://shoes.example/"}}]}, ["https://a.example/i.png"]),
    ],
)  # fmt: skip
def test_addresses_are_whole(source, expected):
    """Macros stay in them as they are written; an address without a scheme has its page's; where a link leads is none."""
    assert expected == [*creative.addresses(source)]


@pytest.mark.parametrize("text", ["<VAST version='3.0'></VAST>", "<a href='https://a.example/?x=é'>x</a>"])
def test_encoded_markup_is_opened(text):
    """Percent-encoded or in base64, of either alphabet: markup is what it stands for."""
    coded = b64encode(text.encode()).decode()

    assert [text] * 4 == [
        creative.opened(each) for each in (text, quote(text), coded, coded.replace("+", "-").replace("/", "_"))
    ]
    assert "Plain text, long enough to be something" == creative.opened("Plain text, long enough to be something")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    ["href=" * 80_000, "<a href=" * 50_000, "<a " + "href=" * 80_000, "<" * 200_000 + "href=", " onclick=" * 40_000],
)
def test_hostile_markup_costs_little(text):
    """Words without tags and tags without ends are read within bounds."""
    assert creative._leading(text, text.lower()) == creative._LEADING.findall(text)[: creative.MOST_URLS]
