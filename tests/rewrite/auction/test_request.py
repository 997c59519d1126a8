"""Requests of auctions: whom not to ask is added, and the rest stays as the page wrote it."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.domain.policy import Policy, Rule
from capper.rewrite.auction.request import Blocked, bids, block, is_auction, names_bids, suspects, without_bids

SHOES = Blocked(("shoes.example",))


@pytest.mark.parametrize(
    ("body", "blocked", "asked"),
    [
        ('{"id":"1","imp":[{"id":"1"}]}', SHOES, '{"id":"1","imp":[{"id":"1"}],"badv":["shoes.example"]}'),
        ('{"imp":[{}], "badv":[]}', SHOES, '{"imp":[{}], "badv":["shoes.example"]}'),
        ('{"imp":[{}],"badv":null}', SHOES, '{"imp":[{}],"badv":["shoes.example"]}'),
        ('{"imp":[{}], "badv" : [ "hats.example" ] }', SHOES, '{"imp":[{}], "badv" : [ "hats.example", "shoes.example" ] }'),
        ('{"imp":[{}],"badv":["a.example", "b.example"]}', SHOES, '{"imp":[{}],"badv":["a.example", "b.example", "shoes.example"]}'),
        ('[{"imp":[{}]},{"x":1}]', SHOES, '[{"imp":[{}],"badv":["shoes.example"]},{"x":1}]'),
        (
            '{"imp":[{}]}', Blocked(("a.example",), ("IAB7-39",), ("com.app",)),
            '{"imp":[{}],"bcat":["IAB7-39"],"badv":["a.example"],"bapp":["com.app"]}',
        ),
        ('{"imp":[{}],"cattax":6}', Blocked(categories=("IAB7-39",)), '{"imp":[{}],"cattax":6}'),
        (
            '{"openrtb":{"request":{"item":[{}],"context":{"restrictions":{}}}}}', SHOES,
            '{"openrtb":{"request":{"item":[{}],"context":{"restrictions":{"badv":["shoes.example"]}}}}}',
        ),
    ],
)  # fmt: skip
def test_the_capped_are_named_in_the_request(body, blocked, asked):
    """OpenRTB 2.x and 3.0, with lists of its own or without."""
    assert asked.replace(" ", "") == block(body.encode(), blocked).decode().replace(" ", "")


@pytest.mark.parametrize(
    "body", [b'{"imp":[{}],"badv":["SHOES.example"]}', b'{"imp":[]}', b'{"imp":"x"}', b"a=1&b=2", b'{"imp":[1]}']
)
def test_nothing_to_add_is_the_very_same_request(body):
    """A domain that is named already, and what is no bid request, pass as the same object."""
    assert block(body, SHOES) is body


def test_real_requests_keep_all_else(shared_data):
    """The specification's own requests: with the names taken out again they are what they were, byte for byte."""
    for name in ("openrtb2-request-2.6-mobile.json", "openrtb2-request-2.6-video.json"):
        body = (shared_data / "adtech" / "openrtb-spec" / name).read_bytes()
        asked = block(body, Blocked(("shoes.example", "apple.com")))

        was, now = json.loads(body), json.loads(asked)
        assert "shoes.example" in now["badv"]
        assert now["badv"].count("apple.com") == 1
        assert {key: value for key, value in was.items() if key != "badv"} == {
            key: now[key] for key in now if key != "badv"
        }
        assert len(asked) - len(body) < 80


@given(
    st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text())),
    st.lists(st.text(min_size=1), max_size=3),
)
def test_any_request_says_what_it_said(members, names):
    """Random requests: every member is as it was, and the names are there."""
    request = {**members, "imp": [{"id": "1"}]}
    request.pop("badv", None)
    now = json.loads(block(json.dumps(request).encode(), Blocked(tuple(names))))

    assert {name.lower() for name in names} <= {name.lower() for name in now.pop("badv", [])}
    assert request == now


def test_what_is_no_json_is_left_to_the_caller():
    """A body that only looks like a request cannot be edited."""
    with pytest.raises(Unrewritable):
        block(b'{"imp":[{}]', SHOES)


def test_who_is_asked_about_and_what_they_are_called():
    """The viewer's advertisers and those of the rules are asked about; only a domain or an IAB code is a word in a request."""
    rule = Rule("r", (), advertiser=("never.example",), category=("IAB7-39", "credit"))
    asked = suspects(Policy(rules=(rule,)), ["shoes.example", "sponsor/shoe house", "appnexus.1/7", "never.example"])

    assert ("never.example", "shoes.example", "sponsor/shoe house", "appnexus.1/7") == tuple(
        name for ad in asked for name in ad.advertisers
    )
    assert Blocked(("never.example", "shoes.example"), ("IAB7-39",)) == Blocked.of(asked)


# Google Ad Manager; the addresses are made up


def gam(*kept):
    """An ad request for some slots."""
    return f"https://securepubads.g.doubleclick.net/gampad/ads?iu_parts=1%2Ctop&prev_scp={'|'.join(quote(k, safe='') for k in kept)}&npa=1"


def is_shoes(keys):
    """Whether a bid is for shoes."""
    return keys.get("hb_adomain") == "shoes.example"


def test_a_capped_bid_is_not_offered_to_ad_manager():
    """The keys of the capped bid go from its slot; other keys, other slots and the rest of the address stay."""
    url = gam("pos=top&hb_bidder=a&hb_pb=2&hb_adomain=shoes.example&x=1", "pos=low&hb_bidder=b&hb_adomain=hats.example")

    assert gam("pos=top&x=1", "pos=low&hb_bidder=b&hb_adomain=hats.example") == without_bids(url, is_shoes)
    assert ["shoes.example", "hats.example"] == [keys["hb_adomain"] for keys in bids(url)]


def test_keys_of_every_bidder_are_told_apart():
    """With keys of each bidder those of the capped one go, the plain ones too where it was the winner."""
    url = gam("hb_bidder=a&hb_pb=2&hb_bidder_a=a&hb_pb_a=2&hb_adomain_a=shoes.example&hb_bidder_b=b&hb_pb_b=1")

    assert gam("hb_bidder_b=b&hb_pb_b=1") == without_bids(url, is_shoes)


def test_a_request_without_capped_bids_is_the_same():
    """Nothing capped, no keys, another address: the very same text."""
    for url in (gam("hb_bidder=a&hb_adomain=hats.example"), gam("pos=1"), "https://news.example/?x=1"):
        assert without_bids(url, is_shoes) is url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://prebid.news.example/openrtb2/auction", True),
        ("https://exchange.example/rtb/bid?x=1", True),
        ("https://grid.exchange.example/openrtb_2_5/pbjs/auction/request", True),
        ("https://exchange.example/openrtb", True),
        ("https://news.example/shirtb/auction", False),
        ("https://news.example/?u=/openrtb2/auction", False),
        ("https://news.example/auction/lot-7", False),
    ],
)
def test_an_auction_is_known_by_its_path(url, said):
    """Prebid Server and its like are asked at a path of their own, whosever host it is; an auction house is none."""
    assert said == is_auction(url)


def test_a_cut_key_is_its_bidders():
    """Ad Manager leaves 20 letters of a key: what is left of it still says whose it is."""
    url = gam("hb_bidder=audienceNetwork&hb_bidder_audienceNe=audienceNetwork&hb_adomain_audienceN=shoes.example&x=1")

    assert {"hb_bidder": "audienceNetwork", "hb_adomain": "shoes.example"} in [dict(keys) for keys in bids(url)]
    assert gam("x=1") == without_bids(url, is_shoes)
    assert names_bids(url)
