"""A real VAST client in a real browser: where an ad is capped the player plays the next, or goes on to the film."""

from collections import Counter
from pathlib import Path

import pytest

from .video import ADS, HOSTS, OTHER_ADS, TUBE, Film, Tube, Wrapper

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = f"https://{TUBE}/"
NO_AD = 303
"""What VAST has a player tell the server that had none."""
SHOES, TRAVEL, COFFEE = "shoes.example", "travel.example", "coffee.example"


@pytest.fixture
def watching(bundles: Path, sitting):
    """Sits somebody down before the film, `watching(policy, answers)`, and returns her and the world she is in."""

    async def begin(policy: str, answers):
        tube = Tube(answers, (bundles / "video.js").read_bytes)
        return await sitting(policy, tube.respond, HOSTS), tube

    return begin


async def plays(reader, loads: int):
    """What is played in each of so many page loads, and what the client complained of."""
    played, complaints = [], []
    for load in range(1, loads + 1):
        await reader.opens(PAGE, f"{load}")
        report = await reader.report()
        played.append(report["played"])
        complaints.append(report["complaints"])
    return played, complaints


def impressions(tube: Tube):
    """How often each advertiser's film was said to have been played."""
    return Counter(advertiser for what, advertiser in tube.told if what == "impression")


async def test_the_next_ad_of_a_buffet_plays(watching):
    """Three advertisers, of whom one is played: two loads each, then there is no ad and the client says so."""
    answers = {(ADS, "preroll"): [Film(SHOES), Film(TRAVEL), Film(COFFEE)]}
    reader, tube = await watching('caps = ["2 per advertiser per day"]', answers)

    played, complaints = await plays(reader, 7)

    assert [[SHOES]] * 2 + [[TRAVEL]] * 2 + [[COFFEE]] * 2 + [[]] == played
    assert [[]] * 6 == complaints[:6]
    assert [[NO_AD]] == complaints[6:]
    assert ("noad", "nobody") in tube.told
    assert {SHOES: 2, TRAVEL: 2, COFFEE: 2} == impressions(tube)
    assert [] == reader.errors


async def test_a_pod_is_played_without_the_capped(watching):
    """All of a pod are played, an advertiser once in each if the policy says so, and the rest keep their order."""
    answers = {(ADS, "preroll"): [Film(SHOES, 1), Film(TRAVEL, 2), Film(SHOES, 3), Film(COFFEE, 4)]}
    policy = 'caps = ["1 per advertiser per pod", "2 per advertiser per day"]'
    reader, tube = await watching(policy, answers)

    played, complaints = await plays(reader, 3)

    assert [[SHOES, TRAVEL, COFFEE]] * 2 + [[]] == played
    assert [[]] * 2 == complaints[:2]
    assert {SHOES: 2, TRAVEL: 2, COFFEE: 2} == impressions(tube)


async def test_what_a_wrapper_leads_to_is_capped(watching):
    """An ad that another server has is played as often as the cap allows; then the buffet's next is."""
    answers = {
        (ADS, "preroll"): [Wrapper("partner"), Film(TRAVEL)],
        (OTHER_ADS, "partner"): [Film(SHOES)],
    }
    reader, tube = await watching('caps = ["2 per advertiser per day"]', answers)

    played, _ = await plays(reader, 5)

    assert [[SHOES]] * 2 + [[TRAVEL]] * 2 + [[]] == played
    assert {SHOES: 2, TRAVEL: 2} == impressions(tube)


async def test_what_plays_in_place_of_an_ad_that_does_not_is_counted(watching):
    """The player turns to the next ad of the buffet by itself, and that is capped like any other."""
    answers = {(ADS, "preroll"): [Film(SHOES, files=f"{ADS}/gone"), Film(TRAVEL)]}
    reader, tube = await watching('caps = ["2 per advertiser per day"]', answers)

    played, _ = await plays(reader, 3)

    assert [[TRAVEL], [TRAVEL], []] == played
    assert {TRAVEL: 2} == impressions(tube)
