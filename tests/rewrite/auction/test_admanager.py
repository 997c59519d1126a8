"""Ad Manager's answers, all made up: slots and their ads, and a slot that becomes empty."""

import json

import pytest

from capper.domain.exchange import Headers
from capper.recognise.ad import AdReader
from capper.recognise.networks import load_networks
from capper.recognise.offer import read_offer
from capper.rewrite.auction import admanager

URL = "https://securepubads.g.doubleclick.net/gampad/ads?output=ldjh"
PAGE = "https://news.example/"


def line(unit, width=300, height=250, empty=0):
    """A slot's line."""
    return json.dumps({unit: ["html", empty, None, None, 0, height, width, 0, 0, "x"]}, separators=(",", ":")).encode()


CLICK = b'<!doctype html><a href="https://adclick.g.doubleclick.net/pcs/click?xai=1&adurl=https://www.shoes.example/x"><img src="https://tpc.googlesyndication.com/simgad/123456"></a>'
OTHER = b"<!doctype html><script>play()</script>"


def answer(*slots):
    """Lines and HTML in turn."""
    return b"".join(head + b"\n" + html + b"\n" for head, html in slots)


def test_each_slot_says_whose_its_ad_is():
    """The click in its HTML names the advertiser; line item and creative of the headers its campaign and creative."""
    headers = Headers([("google-lineitem-id", "11,-2,13"), ("google-creative-id", "21,-2,23")])
    data = answer((line("/9/top"), CLICK), (line("/9/mid", empty=1), b""), (line("/9/low", 728, 90), OTHER))
    found = admanager.find(data, headers, URL, page=PAGE)
    ads = [read_offer(AdReader(load_networks()), slot.offer) for slot in found.slots]

    assert [(0, "/9/top", (300, 250)), (2, "/9/low", (728, 90))] == [(s.number, s.unit, s.size) for s in found.slots]
    assert [("shoes.example",), ()] == [ad.advertisers for ad in ads]
    assert ["admanager.google.com/9/11", "admanager.google.com/9/13"] == [ad.campaign for ad in ads]
    assert ["admanager.google.com/9/21", "admanager.google.com/9/23"] == [ad.creative for ad in ads]


@pytest.mark.parametrize(
    "html",
    [
        b"<script src='https://cdn.example/creative.js'></script><script>ucTag.renderAd(document, {adId: '1'})</script>",
        b"<script>window.parent.pbjs.renderAd(document, '1');</script>",
        b"<script>apstag.renderImp(document, 'x')</script>",
    ],
)
def test_a_line_that_stands_in_for_any_bid_has_no_identity(html):
    """The creative that shows whichever bid won in the page is one for all advertisers, so its ids say nothing."""
    headers = Headers([("google-lineitem-id", "11"), ("google-creative-id", "21")])
    (slot,) = admanager.find(answer((line("/9/top"), html)), headers, URL, page=PAGE).slots

    assert not read_offer(AdReader(load_networks()), slot.offer).identified


def test_ids_of_a_withheld_slot_go():
    """The header fields say of an emptied slot what they say of one without an ad."""
    headers = Headers([("google-lineitem-id", "11,-2,13"), ("google-creative-id", "21,-2,23"), ("x", "1")])
    data = answer((line("/9/top"), CLICK), (line("/9/mid", empty=1), b""), (line("/9/low", 728, 90), OTHER))
    found = admanager.find(data, headers, URL)

    assert "11,-2,-2" == admanager.emptied(headers, found, {2}).get("google-lineitem-id")
    assert "21,-2,-2" == admanager.emptied(headers, found, {2}).get("google-creative-id")
    assert admanager.emptied(headers, found, ()) is headers


def test_a_withheld_slot_is_empty_and_the_others_are_as_they_were():
    """The slot's line says so, its HTML is gone; every other byte stays."""
    data = answer((line("/9/top"), CLICK), (line("/9/low", 728, 90), OTHER))
    found = admanager.find(data, Headers(), URL)

    left = admanager.apply(found, {0})
    assert left.endswith(answer((line("/9/low", 728, 90), OTHER)))
    assert {"/9/top": ["html", 1, None, None, 0, None, None, 0, 0, "x"]} == json.loads(left.partition(b"\n")[0])
    assert [1] == [slot.number for slot in admanager.find(left, Headers(), URL).slots]
    assert admanager.apply(found, ()) is data


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b'{"a":1}', b'{"/9/x":["html"]}\n<b>', b'{"/9/x":["html",0', b'{"a":[1],"b":[2]}\n<b>']
)
def test_what_is_no_such_answer_has_no_slots(data):
    """Anything else passes: it has no slots that could be emptied."""
    assert () == admanager.find(data, Headers(), URL).slots
