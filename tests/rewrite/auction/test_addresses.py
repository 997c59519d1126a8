"""Addresses in bids' markup: whole, with their macros, and none that only a click asks for."""

from base64 import b64encode
from urllib.parse import quote

import pytest

from capper.rewrite.auction.addresses import addresses, opened


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
        ("<Error>\n<![CDATA[https://a.example/e?code=[ERRORCODE]]]></Error><Error>https://a.example/f</Error>", []),
        ("<Errors>https://a.example/e</Errors>", ["https://a.example/e"]),
        ({"link": {"url": "https://shoes.example/"}, "imptrackers": ["https://a.example/i"]}, ["https://a.example/i"]),
        ({"assets": [{"img": {"url": "https://a.example/i.png"}, "link": {"url": "https://shoes.example/"}}]}, ["https://a.example/i.png"]),
    ],
)  # fmt: skip
def test_addresses_are_whole(source, expected):
    """Macros stay in them as they are written; an address without a scheme has its page's; where a link leads is none."""
    assert expected == [*addresses(source)]


@pytest.mark.parametrize("text", ["<VAST version='3.0'></VAST>", "<a href='https://a.example/?x=é'>x</a>"])
def test_encoded_markup_is_opened(text):
    """Percent-encoded or in base64, of either alphabet: markup is what it stands for."""
    coded = b64encode(text.encode()).decode()

    assert [text] * 4 == [
        opened(each) for each in (text, quote(text), coded, coded.replace("+", "-").replace("/", "_"))
    ]
    assert "Plain text, long enough to be something" == opened("Plain text, long enough to be something")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "href='https://" * 20_000,
        "<clickthrough" * 20_000 + "https://a.example/",
        "<error" * 20_000 + "https://a.example/",
        "'//a." * 60_000,
        "P" * 400_000,
        "%3c" * 100_000,
    ],
)
def test_hostile_markup_costs_little(text):
    """Addresses without ends, tags without ends and much that is not what it begins as are read within bounds."""
    assert len(addresses(opened(text))) <= 60
