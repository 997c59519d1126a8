"""Which ads a device was shown within the last hour, and what leads back to each."""

from datetime import timedelta

import pytest

from capper.testing import NOON, an_ad
from capper.trail.seen import LIFE, Shown
from capper.trail.trail import Trail

CLICK = "https://ads.example/click?ai=C2YoqJ4BtaYScMJqA2roP&n=7&adurl=https://www.shoes.example/a/long/landing/page#top"


@pytest.fixture
def shown() -> Shown:
    return Trail().shown


def test_an_ad_is_found_by_what_it_is_made_of(shown):
    """By its addresses, without fragments; by long values in them that are no addresses; by the domains it came from."""
    shown.put("anna", an_ad(), "p1", [CLICK], ["ads.example"], NOON)
    [seen] = shown.of("anna", NOON)

    assert (seen.ad, seen.page) == (an_ad(), "p1")
    assert seen.links == {shown.link(CLICK.partition("#")[0])}
    assert seen.tokens == set(shown.tokens("https://other.example/?x=C2YoqJ4BtaYScMJqA2roP&short=7"))
    assert seen.networks == {shown.network("ads.example")}
    assert shown.of("ben", NOON) == ()


def test_each_ad_is_remembered_for_an_hour(shown):
    """A later one does not keep an earlier one; shown again with nothing new it is kept once."""
    half = NOON + LIFE / 2
    for when in (NOON, half):
        shown.put("anna", an_ad("shoes.example"), None, [], [], NOON)
        shown.put("anna", an_ad("bikes.example"), None, [], [], when)

    assert [seen.ad.label for seen in shown.of("anna", NOON + LIFE - timedelta(seconds=1))] == [
        "bikes.example",
        "shoes.example",
        "bikes.example",
    ]
    assert [seen.ad.label for seen in shown.of("anna", NOON + LIFE)] == ["bikes.example"]


def test_what_is_remembered_is_bounded(shown):
    """However many ads there are, and however much is in one, only so much is kept."""
    for n in range(200):
        links = [
            f"https://ads.example/{k}?" + "&".join(f"{j}={n}-{k}-{j}-{'x' * 16}" for j in range(29)) for k in range(99)
        ]
        shown.put("anna", an_ad(f"{n}.example"), None, links, [], NOON)
    seen = shown.of("anna", NOON)

    assert len(seen) == 60
    assert max(len(each.links) for each in seen) == 40
    assert max(len(each.tokens) for each in seen) == 80


@pytest.mark.parametrize(
    "link", ["https://[", "https://a.example/?" + "&".join("a=1" for _ in range(500)), "\ud800", ""]
)
def test_any_address(shown, link):
    """Damaged and endless addresses are no reason to forget the ad."""
    shown.put("anna", an_ad(), None, [link], [], NOON)

    assert [len(seen.tokens) for seen in shown.of("anna", NOON)] == [0]
