"""Who looks on while the gate decides."""

from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger

NEWS = "https://www.news.example/story"


class Onlooker:
    """Says whether caps are off, and keeps what it is told."""

    def __init__(self):
        self.off, self.pages, self.seen = False, [], []

    def control(self, viewer, at):
        return self.off

    def decided(self, at, sightings, decisions):
        self.seen += [
            (sighting.site, decision.withheld) for sighting, decision in zip(sightings, decisions, strict=True)
        ]

    def opened(self, exchange):
        self.pages.append(exchange.request.url)


@pytest.fixture
def onlooker():
    return Onlooker()


@pytest.fixture
def anna(person, onlooker):
    """Anna, under a cap of one, with somebody who looks on."""
    made = person()
    made.policy = Policy(Rule("caps", (Cap.parse("1 per day"),)))
    made.ledger = MemoryLedger()
    recogniser = made.gate._scene.recogniser
    made.gate = Gate(lambda: recogniser, made.ledger, lambda: made.policy, Journal(0), observer=onlooker)
    return made


async def test_it_is_told_of_every_page_and_every_ad(anna, onlooker, a_banner):
    """Shown or withheld; a page without ads is a page, a frame is none."""
    await anna.page(NEWS, a_banner())
    await anna.page("https://www.weather.example/", a_banner())
    await anna.page("https://www.shoes.example/p/1")
    await anna.frame("https://www.news.example/frame", "<p>a frame</p>", NEWS)

    assert [("news.example", False), ("weather.example", True)] == onlooker.seen
    assert [NEWS, "https://www.weather.example/", "https://www.shoes.example/p/1"] == onlooker.pages


async def test_caps_can_be_off(anna, onlooker, a_banner):
    """While it says so everything is shown, and counted: afterwards the cap holds at once."""
    onlooker.off = True
    for _ in range(3):
        await anna.page(NEWS, a_banner())
    onlooker.off = False
    await anna.page(NEWS, a_banner())

    assert (3, 1) == anna.counts


async def test_what_she_muted_stays_away(anna, onlooker, a_banner):
    """And so does what a policy never shows: she said so, or her household did."""
    onlooker.off = True
    now = anna.clock()
    mute = Mute(Level.ADVERTISER, "shoes.example", Why.ASKED, now, now + timedelta(days=9))
    await anna.ledger.mute("anna", mute, now)
    await anna.page(NEWS, a_banner())
    anna.policy = Policy(Rule("caps", (Cap.parse("never"),)))
    await anna.page(NEWS, a_banner("travel"))

    assert (0, 2) == anna.counts
