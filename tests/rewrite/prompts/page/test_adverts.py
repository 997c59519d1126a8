"""Advertisements labelled as such in what somebody opened to read: they are read as a shop's first page is, all else stays."""

import pytest

ARTICLE = "<article><h1>De brug gaat dicht</h1><p>Automobilisten moeten omrijden, meldt de provincie.</p></article>"
OFFER = "<h4>Jij bent alvast goedgekeurd</h4><p>Er ligt € 12.000 krediet voor je klaar</p><a href=/x>Neem het op</a>"
NEWS = "https://krant.example/nieuws/brug"


@pytest.mark.parametrize(
    "page",
    [
        "<aside><small>Advertentie</small>%s</aside>",
        "<div>%s<span>Partnerbijdrage</span></div>",
        "<div data-label='Gesponsord'><b>Lenta</b>%s</div>",
        "<div class='ad-slot'><b>Lenta</b>%s</div>",
    ],
)
@pytest.mark.parametrize("url", [NEWS, "https://winkel.example/klantenservice/retour"])
def test_what_is_labelled(left, page, url):
    """The offer goes, the label and the article stay."""
    assert ARTICLE in left(ARTICLE + page % OFFER, url=url)
    assert "12.000" not in left(ARTICLE + page % OFFER, url=url)


@pytest.mark.parametrize("page", ["<aside><small>Lees ook</small>%s</aside>", "<div class=teaser>%s</div>", "%s"])
def test_what_is_not(left, page):
    """It may be what she reads about."""
    assert ARTICLE + page % OFFER == left(ARTICLE + page % OFFER, url=NEWS)


def test_the_label_stays(left):
    """What is left says why there is a gap."""
    assert ARTICLE + "<aside><small>Advertentie</small></aside>" == left(
        ARTICLE + f"<aside><small>Advertentie</small>{OFFER}</aside>", url=NEWS
    )


def test_where_she_went_for_a_loan(left):
    """There advertisements for loans are what she looks for."""
    page = f"<aside><small>Advertentie</small>{OFFER}</aside>"

    assert page == left(page, url="https://krant.example/lenen/vergelijken")


def test_an_article_in_an_advertisement_s_clothes(left):
    """A whole page is none, whatever its class says."""
    page = f"<div class='ads page'>{ARTICLE}{'<p>Het werk duurt drie weken, zegt de aannemer.</p>' * 30}{OFFER}</div>"

    assert page == left(page, url=NEWS)
