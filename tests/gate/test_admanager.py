"""Google Ad Manager's answers on their way through the gate; all are made up, for none may be had with a licence."""

import json

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.testing import FrozenClock, an_exchange

NEWS = "https://www.news.example/story"
ADS = "https://securepubads.g.doubleclick.net/gampad/ads?output=ldjh&correlator=1"
RECOGNISER = Recogniser(
    Engines.build([FilterList("ads", "||doubleclick.net^", ListKind.ADS)]), AdReader(load_networks())
)
CLICK = (
    "<a href='https://adclick.g.doubleclick.net/pcs/click?xai=1&adurl=https://www.shoes.example/x'>"
    "<img src='https://tpc.googlesyndication.com/simgad/1'></a>"
)


def slot(unit: str, html: str) -> str:
    return json.dumps({unit: ["html", 0, None, None, 0, 250, 300]}, separators=(",", ":")) + f"\n{html}\n"


ANSWER = (slot("/9/top", CLICK) + slot("/9/low", "<p>a house ad</p>")).encode()


async def test_a_capped_slot_is_not_filled():
    """The third time the advertiser's slot is empty for Google's script, and the other slot is as it was."""
    policy = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"),)))
    gate = Gate(lambda: RECOGNISER, MemoryLedger(), lambda: policy, Journal(0))
    clock, outcomes = FrozenClock(), []
    for _ in range(3):
        clock.forward(minutes=1)
        exchange = an_exchange(
            ADS,
            at=clock(),
            request={"Sec-Fetch-Dest": "empty", "Referer": NEWS},
            response={
                "Content-Type": "text/plain; charset=UTF-8",
                "google-lineitem-id": "1,2",
                "google-creative-id": "3,4",
            },
            body=ANSWER,
        )
        outcomes.append(await gate.admit(exchange))

    assert [Action.PASS, Action.PASS, Action.REWRITE] == [outcome.action for outcome in outcomes]
    head = outcomes[2].response.body.partition(b"\n")[0]
    assert 1 == json.loads(head)["/9/top"][1]
    assert outcomes[2].response.body.endswith(slot("/9/low", "<p>a house ad</p>").encode())
    assert "-2,2" == outcomes[2].response.headers.get("google-lineitem-id")
