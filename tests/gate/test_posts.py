"""Posts of JSON feeds on their way through the gate: off by default, capped like banners where a household names the feed."""

import json

import pytest

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite.feeds import load_feeds
from capper.testing import FrozenClock, an_exchange

RECOGNISER = Recogniser(Engines.build([]), AdReader(load_networks()))
POSTS = [
    {"id": 1, "title": "news"},
    {"id": 2, "isSponsored": True, "url": "https://www.shoes.com/sale"},
    {"id": 3, "title": "more news"},
]
FEED = json.dumps({"items": POSTS, "next": None}).encode()


async def load(names, times):
    """What becomes of the feed of a page's own site, so many times."""
    policy = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"),)))
    gate = Gate(lambda: RECOGNISER, MemoryLedger(), lambda: policy, Journal(0), feeds=load_feeds(names))
    clock, outcomes = FrozenClock(), []
    for _ in range(times):
        clock.forward(minutes=1)
        exchange = an_exchange(
            "https://www.friends.example/api/feed",
            at=clock(),
            request={"Sec-Fetch-Dest": "empty", "Referer": "https://www.friends.example/"},
            response={"Content-Type": "application/json"},
            body=FEED,
        )
        outcomes.append(await gate.admit(exchange))
    return outcomes


@pytest.mark.parametrize("names", [(), ("x", "instagram")])
async def test_off_unless_named(names):
    """A feed that the household has not named passes untouched and uncounted."""
    outcomes = await load(names, 3)

    assert [(Action.PASS, ())] * 3 == [(outcome.action, outcome.decisions) for outcome in outcomes]


async def test_a_paid_post_beyond_its_cap_is_gone():
    """The third time the post is taken out of the feed; all others stand there as they were."""
    outcomes = await load(("any",), 3)

    assert [Action.PASS, Action.PASS, Action.REWRITE] == [outcome.action for outcome in outcomes]
    assert {"items": [POSTS[0], POSTS[2]], "next": None} == json.loads(outcomes[2].response.body)
