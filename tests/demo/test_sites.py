"""What the demo's hosts answer."""

import io
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from capper.demo.pictures import banner
from capper.demo.sites import (
    AD_SERVER,
    ADVERTISERS,
    COFFEE,
    NEWS,
    SHOES,
    SITES,
    TRAVEL,
    Asked,
    Site,
    answer,
    house,
    markup,
)


def ask(url: str, **headers: str) -> Asked:
    """A request for `url` with `headers` (dashes as underscores)."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Asked("GET", parts.netloc, target, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_ads_stand_in_the_page_as_their_markup_says(site: Site):
    """Both ads of a site are found in its page, byte for byte, so that a test can tell the page from its ads."""
    page = answer(ask(f"https://{site.host}/")).body.decode()

    assert [page.count(markup(place, site)) for place in (site.top, site.side)] == [1, 1]


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_a_house_ad_stands_beside_each_ad_of_the_page(site: Site):
    """What a site would have in a withheld ad's place is its own: a picture that it serves, of the ad's size."""
    page = answer(ask(f"https://{site.host}/")).body.decode()
    places = [place for place in (site.top, site.side) if not place.framed]

    assert page.count("<template data-capper-house>") == len(places)
    for place in places:
        assert markup(place, site) + house(place, site) in page
        picture = answer(ask(f"https://{site.host}/house-{place.width}x{place.height}.png"))
        assert (place.width, place.height) == Image.open(io.BytesIO(picture.body)).size
    assert answer(ask(f"https://{site.host}/house-1x1.png")).body.startswith(b"<!doctype html>")


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_pages_stay_the_same(site: Site):
    """A page is the same bytes each time, so that what was changed on the way shows."""
    assert answer(ask(f"https://{site.host}/more")) == answer(ask(f"https://{site.host}/more"))


def test_each_site_shows_shoes_once():
    """Every site carries one shoe ad and one other: the ad that follows a person about, and another that does not."""
    assert [[place.advertiser.name for place in (s.top, s.side)].count("shoes") for s in SITES.values()] == [1, 1, 1]


def test_clicks_lead_through_the_ad_server_to_the_shop():
    """A click goes to the ad server, which redirects to the advertiser's own site."""
    page = answer(ask("https://news.example/")).body.decode()
    click = page.split('<a class="ad" href="')[1].split('"')[0].replace("&amp;", "&")
    reply = answer(ask(click))

    assert urlsplit(click).netloc == AD_SERVER
    assert reply.status == 302
    assert dict(reply.headers)["location"] == parse_qs(urlsplit(click).query)["adurl"][0]
    assert answer(ask(dict(reply.headers)["location"])).status == 200


def test_banners_may_be_cached_and_revalidated():
    """A banner carries max-age and a validator, and a fitting If-None-Match is answered 304."""
    url = f"https://{AD_SERVER}/banner/shoes-728x90.png"
    first = answer(ask(url))
    again = answer(ask(url, if_none_match=dict(first.headers)["etag"]))

    assert dict(first.headers)["cache-control"] == "public, max-age=3600"
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "url",
    [
        f"https://{AD_SERVER}/banner/shoes-9999x9999.png",
        f"https://{AD_SERVER}/banner/hats-728x90.png",
        f"https://{AD_SERVER}/frame",
        f"https://{AD_SERVER}/frame?ad=shoes&size=1",
        f"https://{AD_SERVER}/../etc/passwd",
        "https://elsewhere.example/",
    ],
)
def test_whatever_is_not_in_this_world_is_missing(url: str):
    """Unknown hosts, advertisers and sizes are 404."""
    assert answer(ask(url)).status == 404


def test_banners_differ_by_advertiser_and_size():
    """No two advertisers' banners look alike, and painting one twice gives the same bytes."""
    pictures = [banner(one.look, *size) for one in (SHOES, TRAVEL, COFFEE) for size in ((728, 90), (300, 250))]

    assert len(set(pictures)) == 6
    assert banner.__wrapped__(SHOES.look, 728, 90) == pictures[0]


def test_frames_hold_the_banner_and_its_click():
    """An ad in a frame is a document of its own from the ad server."""
    source = markup(NEWS.side, NEWS).split('src="')[1].split('"')[0].replace("&amp;", "&")
    frame = answer(ask(source)).body.decode()

    assert "banner/travel-300x250.png" in frame
    assert "www.travel.example" in frame
    assert ADVERTISERS["travel"].domain == "travel.example"
