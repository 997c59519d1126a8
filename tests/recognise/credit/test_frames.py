"""Why a person is on a page."""

import pytest

from capper.recognise.credit import Frame, frame_of, load_packs


@pytest.fixture(scope="module")
def packs():
    return load_packs()


@pytest.mark.parametrize(
    ("path", "frame"),
    [
        ("/lenen/berekenen", Frame.ASKED),
        ("/klantenservice/retour", Frame.READING),
        ("/api/cofrinho", Frame.OWN),
        ("/toeslagen/mijn", Frame.OWN),
        ("/api/flightCredit", Frame.OWN),
        ("/tarjeta/limites", Frame.HERS),
        ("/kort/granser", Frame.HERS),
        ("/zbiorka", Frame.ELSEWHERE),
        ("/versicherungen/hausrat", Frame.ELSEWHERE),
        ("/kasse/zahlung", Frame.PAYING),
        ("/notifications", Frame.ANY),
        ("/p/boxspringbett-lana", Frame.ANY),
        ("/pret-a-porter/robes", Frame.ANY),
        ("/", Frame.ANY),
    ],
)
def test_by_the_address(packs, path, frame):
    """Words of the address tell, in every language; a product's name does not."""
    assert frame is frame_of(packs, f"https://shop.example{path}")


def test_by_title_and_heading(packs):
    """Where the address says nothing."""
    assert frame_of(packs, "https://x.example/a/1", "Vorst & Zn", "Lening berekenen", packs.packs) is Frame.ASKED
    assert frame_of(packs, "https://x.example/a/1", "Vorst & Zn", "Welkom terug", packs.packs) is Frame.ANY


@pytest.mark.parametrize(
    "path", ["/home", "/app/home", "/nl/mijn-overzicht", "/mina-sidor", "/api/home/v3", "/Pulpit.html", "/min_side/"]
)
def test_where_one_arrives(packs, path):
    """An address that ends in what the first page behind a login is called."""
    assert Frame.LANDING is frame_of(packs, f"https://bank.example{path}")


@pytest.mark.parametrize("path", ["/home-living/sofas", "/home/garden", "/home-office/desk", "/", "/start-up"])
def test_where_one_does_not_arrive(packs, path):
    """The word is another one's, or more follows."""
    assert Frame.ANY is frame_of(packs, f"https://shop.example{path}")


def test_a_heading_says_more_than_that_one_arrives(packs):
    """The page is what it says it is."""
    assert Frame.ASKED is frame_of(packs, "https://x.example/home", "", "Lening berekenen", packs.packs)
