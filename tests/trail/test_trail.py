"""The trail of minutes: what belongs to which page load, each person's apart from every other's."""

from datetime import timedelta

import pytest

from capper.domain.decision import OCCASION_LIFE
from capper.domain.sighting import Format
from capper.testing import NOON, an_ad
from capper.trail import Delivery, Recent, Trail
from capper.trail.offers import Sheaf

NEWS = "https://news.example/story?id=1"


def test_two_loads_of_one_page_are_two():
    """A reload is a new page load even though its URL is the same."""
    trail = Trail()

    first = trail.opened("anna", "pc", NEWS, None, NOON)
    second = trail.opened("anna", "pc", NEWS, None, NOON + timedelta(seconds=1))

    assert first.token != second.token


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (NEWS, "https://news.example/"),
        ("https://anna:secret@news.example:8443/story", "https://news.example:8443/"),
        ("https://[broken/story", ""),
    ],
)
def test_of_a_page_its_origin_is_remembered(url, origin):
    """Which of a site's pages somebody reads is kept nowhere, not in memory either."""
    trail = Trail()

    assert origin == trail.opened("anna", "pc", url, None, NOON).url
    assert origin == trail.supposed("anna", "pc", url, NOON).url


def test_what_came_of_an_offer_stands_before_the_offer_and_behind_the_next():
    """An answer's addresses are read late, and yet lead to whatever named them last."""
    trail, beacon = Trail(), "https://exchange.example/seen"
    bids = [Delivery(an_ad(), f"bid {n}", Format.VIDEO, None, candidate=True) for n in (1, 2)]
    played = Delivery(an_ad(), "played", Format.VIDEO, None)

    found = []
    for bid in bids:
        trail.offered("anna", "pc", Sheaf(beacon.encode(), ((bid, lambda: (beacon,)),)), NOON)
        trail.delivered("anna", "pc", ("https://other.example/",), played, NOON)
        trail.delivered("anna", "pc", (beacon,), played, NOON) if bid is bids[0] else None
        found.append(trail.delivery("anna", "pc", beacon, NOON))

    assert [played, bids[1]] == found


def test_a_request_leads_back_by_its_full_referrer_and_by_its_origin():
    """The exact URL is preferred, the bare origin (the browsers' default across sites) is enough."""
    trail = Trail()
    one = trail.opened("anna", "pc", NEWS, None, NOON)
    two = trail.opened("anna", "pc", "https://news.example/other", None, NOON)

    assert one == trail.page_of("anna", "pc", NEWS, None, NOON)
    assert two == trail.page_of("anna", "pc", "https://news.example/", None, NOON)


def test_the_browsers_own_name_for_a_load_comes_first():
    """A HAR's pageref tells two loads apart where the Referer cannot."""
    trail = Trail()
    one = trail.opened("anna", "pc", NEWS, "page_1", NOON)
    trail.opened("anna", "pc", NEWS, "page_2", NOON)

    assert one == trail.page_of("anna", "pc", "https://unknown.invalid/", "page_1", NOON)


def test_a_frame_passes_on_the_page_it_stands_in():
    """What a frame asks for belongs to the load of the page around it."""
    trail = Trail()
    page = trail.opened("anna", "pc", NEWS, None, NOON)

    trail.framed("anna", "pc", "https://ads.example/frame", page, NOON)

    assert page == trail.page_of("anna", "pc", "https://ads.example/", None, NOON)


def test_no_one_follows_anothers_trail():
    """Another person, or another device of the same person, finds nothing."""
    trail = Trail()
    page = trail.opened("anna", "pc", NEWS, None, NOON)
    trail.delivered("anna", "pc", ("https://a.example/1",), Delivery(an_ad(), "o", Format.IMAGE, page), NOON)

    assert trail.page_of("ben", "pc", NEWS, None, NOON) is None
    assert trail.page_of("anna", "phone", NEWS, None, NOON) is None
    assert trail.delivery("ben", "pc", "https://a.example/1", NOON) is None


def test_a_delivery_is_forgotten_after_minutes():
    """A file asked for after the occasion is over is a new sighting."""
    trail = Trail()
    delivery = Delivery(an_ad(), "o", Format.IMAGE, None)
    trail.delivered("anna", "pc", ("https://a.example/1",), delivery, NOON)

    assert delivery == trail.delivery("anna", "pc", "https://a.example/1", NOON + OCCASION_LIFE / 2)
    assert trail.delivery("anna", "pc", "https://a.example/1", NOON + OCCASION_LIFE) is None


def test_memory_is_bounded():
    """Of more values than it may hold, the ones not asked for longest go first."""
    recent = Recent(2, timedelta(hours=1))
    recent.put("a", 1, NOON)
    recent.put("b", 2, NOON)
    assert recent.get("a", NOON) == 1

    recent.put("c", 3, NOON)

    assert [1, None, 3] == [recent.get(key, NOON) for key in "abc"]


def test_a_url_that_cannot_be_parsed_is_nobodys():
    """A hostile Referer is no error."""
    assert Trail().page_of("anna", "pc", "https://[broken", None, NOON) is None


def test_a_load_is_known_once_its_document_was_seen():
    """A browser's name for a load means something from its first document on."""
    trail = Trail()

    before = trail.loaded("anna", "pc", "page_1", NOON)
    trail.opened("anna", "pc", NEWS, "page_1", NOON)

    assert (False, True) == (before, trail.loaded("anna", "pc", "page_1", NOON))


def test_a_page_that_was_not_seen_is_told_by_its_pauses():
    """Requests of one site in one go are one load; after a pause, or from another site, they are another."""
    trail = Trail()
    news, other = "https://www.news.example/", "https://www.weekly.example/"

    first = trail.supposed("anna", "", news, NOON)
    again = trail.supposed("anna", "", news + "story", NOON + timedelta(seconds=20))
    later = trail.supposed("anna", "", news, NOON + timedelta(seconds=45))
    paused = trail.supposed("anna", "", news, NOON + timedelta(seconds=80))

    assert first == again == later
    assert 4 == len(
        {
            page.token
            for page in (first, paused, trail.supposed("anna", "", other, NOON), trail.supposed("ben", "", news, NOON))
        }
    )
