"""What recognition says of the links and requests of one page: an ad network's click, or anyone's."""

import pytest

from capper.domain.evidence import Evidence
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser

PAGE = "https://www.boingnews.example/story"
LISTS = [FilterList("ads", "||ads.example^\n||zergnet.com^$third-party", ListKind.ADS)]
RECOGNISER = Recogniser(Engines.build(LISTS), AdReader(load_networks()))


@pytest.mark.parametrize(
    "url",
    [
        "https://adclick.g.doubleclick.net/pcs/click?xai=1&adurl=https://www.shoes.example/",
        "https://paid.outbrain.com/network/redir?p=1",
        "https://www.awin1.com/cread.php?p=https%3A%2F%2Fshoes.example",
        "https://www.boingnews.example/out?url=https%3A%2F%2Fad.doubleclick.net%2Fddm%2Fclk%2F1%3Bhttps%3A%2F%2Fshoes.example%2F",
        "https://www.zergnet.com/i/4779093/81000",
    ],
)
def test_a_click_on_an_ad(url):
    """A link is an ad's if an ad network counts it, at once or after others."""
    assert RECOGNISER.page(PAGE).is_click(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://bit.ly/2Phy4VR",
        "https://fb.me/boingnews",
        "https://mailchi.mp/boingnews/signup",
        "https://goo.gl/AtWsfO",
        "https://www.boingnews.example/click?url=https://privacy.truste.com/privacy-seal/validation",
        "https://web.archive.org/web/20160401095740/http://www.shoes.example/",
        "https://twitter.com/share?url=https://www.boingnews.example/story",
        "https://traffic.outbrain.com/network/redir?p=1",
        "https://www.unheardof.example/redirect?u=https%3A%2F%2Fshoes.example",
        "https://www.revcontent.com/",
        "https://www.shoes.example/",
        "",
    ],
)
def test_a_click_on_anything(url):
    """A short link, a publisher's own counter, a share button or an archive say nothing of an ad."""
    assert not RECOGNISER.page(PAGE).is_click(url)


def test_an_archive_of_pages_is_not_full_of_ads():
    """A page of an archive leads everywhere through its own address."""
    page = "https://web.archive.org/web/20131110121040/http://www.peptalks.example/"

    assert not RECOGNISER.page(page).is_click("https://web.archive.org/web/20131110121040/http://other.example/a")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.shoes.example/", True),
        ("https://sport.boingnews.example/", False),
        ("https://traffic.outbrain.com/network/redir?p=1", False),
        ("https://twitter.com/boingnews", False),
        ("https://twitter.com/shoes", True),
    ],
)
def test_elsewhere(url, expected):
    """The publisher's teasers, and its own profile in a social network, do not lead away."""
    assert expected == RECOGNISER.page(PAGE).is_elsewhere(url)


def test_who_counts_a_click_for_a_network_does_not_advertise():
    """An unknown host that sends the click to an ad network that tells nothing is no advertiser."""
    click = (
        "https://cdn.group.example/ads/index.php?url=https://securepubads.g.doubleclick.net/gampad/adx?iu[[EQUAL]]/1"
    )

    assert () == RECOGNISER.read(Evidence((click,), page=PAGE)).advertisers


def test_the_picture_of_a_lazy_page_is_no_creative():
    """What stands in for every picture until it is seen belongs to no ad."""
    lazy = ("https://cdn.news.example/img/image-lazy.png", "https://cdn.news.example/assets/recipe-loader.gif")

    assert RECOGNISER.read(Evidence(("https://bit.ly/1",), lazy, page=PAGE)).creative is None


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [
        ("https://search.yahoo.com/yhs/r?utm_term=boingnews-home", True),
        ("https://www.facebook.com/boingnews", False),
        ("https://www.facebook.com/somebody", True),
        ("https://www.facebook.com/feed?link=https://www.boingnews.example/story", False),
        ("https://youradchoices.com/", False),
        ("https://news.google.com/publications/CAAq", False),
        ("https://www.shoes.example/", True),
    ],
)
def test_what_leads_away(url, elsewhere):
    """Neither its own profiles nor notices on ads lead away from a page; an ad whose address names the page does."""
    assert RECOGNISER.page(PAGE).is_elsewhere(url) is elsewhere


def test_notices_and_sold_clicks():
    """What stands beside an ad is told from what leads to it."""
    judge = RECOGNISER.page(PAGE)

    assert judge.is_notice("https://adssettings.google.com/whythisad?x")
    assert not judge.is_notice("https://www.shoes.example/")
    assert judge.is_sold("https://adclick.g.doubleclick.net/pcs/click?xai=1")
    assert not judge.is_sold("https://www.shoes.example/")
    assert judge.is_profile("https://www.facebook.com/somebody")
    assert not judge.is_profile("https://www.shoes.example/")
    assert judge.shapes == load_networks().shapes
