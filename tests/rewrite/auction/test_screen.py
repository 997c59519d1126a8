"""What an answer's text must hold for a format's bids to be in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.rewrite.auction.formats import format_of
from capper.rewrite.auction.layout import load_layouts
from capper.rewrite.auction.screen import Sight, Words
from capper.rewrite.auction.ways import Where

LAYOUTS = load_layouts()
NAMES = [
    "seatbid", "bid", "price", "impid", "adm", "assets", "link", "native", "tags", "ads", "cpm", "creative_id", "ad_type", "size_id",
    "adUnits", "creativeId", "decisions", "adId", "flightId", "bid_price", "WinBid", "cpm_bid", "crid", "eCPM", "meta", "data", "slots",
]  # fmt: skip


def answers():
    """JSON of the names that formats know, nested as they nest them."""
    leaves = st.sampled_from([1, 0.5, "1.5", "x", None, [], {}])
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
        max_leaves=25,
    )


def as_read(value):
    """Numbers as the text they are."""
    return json.loads(json.dumps(value), parse_int=str, parse_float=str)


@given(answers())
def test_what_is_passed_over_holds_no_bid(value):
    """An answer that a format's words are not in has no bids in that format."""
    sight = Sight(json.dumps(value).encode())

    for layout in LAYOUTS:
        if not sight.fits(layout.words):
            assert (None, []) == format_of(as_read(value), [layout]), layout.name


@pytest.mark.parametrize(
    "data",
    [
        b'{"seatbid": [{"bid": [{"impid": "1", "price": 1}]}]}',
        b'{"seatb\\u0069d": [{"b\\u0069d": [{"impid": "1", "price": 1}]}]}',
    ],
    ids=["plain", "escaped"],
)
def test_an_auction_is_seen(data):
    """Names may be written with escapes."""
    openrtb = next(layout for layout in LAYOUTS if layout.name == "openrtb")

    assert Sight(data).fits(openrtb.words)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('{"Bid_Price": 1}', True),
        ('{"bidPrice" :\n"0.5"}', True),
        ('{"price": {"amount": 1}}', False),
        ('{"price": -1}', False),
        ('{"prices": 1}', False),
        ('{"name": "price", "n": 1}', False),
    ],
)
def test_a_loose_price_is_a_number_under_its_name(text, fits):
    """However the name is written, and only if a number follows it."""
    words = Words.of([("**",)], [[Where(0, ("bidprice",)), Where(0, ("price",))]], loose=True)

    assert fits == Sight(text.encode()).fits(words)


def test_of_several_places_any_will_do():
    """The names that all ways to the bids have must be there, else one of each way's."""
    need = [[Where(0, ("url",))]]
    same = Words.of([("a", "[]", "bid"), ("b", "bid")], need, loose=False)
    other = Words.of([("recs", "[]"), ("tiles", "[]")], need, loose=False)
    bare = Words.of([("recs", "[]"), ("[]",)], need, loose=False)

    assert ((b'"bid"',), (b'"url"',)) == same.all_of
    assert ((b'"recs"', b'"tiles"'), (b'"url"',)) == other.all_of
    assert ((b'"url"',),) == bare.all_of
