"""Requests to auctions on their way through the gate: they are told whom not to ask, and change in nothing else."""

import gzip
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction.layout import load_layouts
from capper.testing import FrozenClock, an_exchange

NEWS = "https://www.news.example/story"
EXCHANGE = "https://exchange.example/bid"
OWN_SERVER = "https://prebid.news.example/openrtb2/auction"
RECOGNISER = Recogniser(
    Engines.build([FilterList("ads", "||exchange.example^", ListKind.ADS)]), AdReader(load_networks())
)
LAYOUTS = load_layouts()
REQUEST = {"id": "1", "imp": [{"id": "top", "banner": {"w": 300, "h": 250}}], "badv": ["poker.example"], "at": 1}
VAST = (
    '<VAST version="4.0"><Ad id="1"><InLine><AdSystem>t</AdSystem><Impression/><Creatives><Creative><Linear><VideoClicks>'
    "<ClickThrough>https://www.{}/</ClickThrough></VideoClicks></Linear></Creative></Creatives></InLine></Ad></VAST>"
)


class Anna:
    """Who has seen an advertiser's videos."""

    def __init__(self, *caps: str, rules: tuple[Rule, ...] = ()) -> None:
        policy = Policy(Rule("caps", tuple(map(Cap.parse, caps))), rules)
        self.ledger = MemoryLedger()
        self.gate = Gate(lambda: RECOGNISER, self.ledger, lambda: policy, Journal(0), layouts=LAYOUTS)
        self.clock = FrozenClock()

    async def sees(self, advertiser: str) -> None:
        self.clock.forward(minutes=1)
        exchange = an_exchange(
            f"https://exchange.example/vast?{advertiser}",
            at=self.clock(),
            request={"Sec-Fetch-Dest": "empty", "Referer": NEWS},
            response={"Content-Type": "application/xml"},
            body=VAST.format(advertiser).encode(),
        )
        assert [False] == [each.withheld for each in (await self.gate.admit(exchange)).decisions]

    async def asks(self, body=b"", url=EXCHANGE, method="POST", **fields):
        """A request of a page a minute later, before its origin has it."""
        self.clock.forward(minutes=1)
        fields = {"Content-Type": "text/plain", "Sec-Fetch-Dest": "empty", "Referer": NEWS} | fields
        made = an_exchange(url, at=self.clock(), request=fields)
        exchange = replace(made, response=None, request=replace(made.request, method=method, body=body))
        return self.gate.foresees(exchange), await self.gate.admit(exchange)


def body(**more) -> bytes:
    return json.dumps(REQUEST | more).encode()


@pytest.mark.parametrize("url", [EXCHANGE, OWN_SERVER])
async def test_a_capped_advertiser_is_blocked(url):
    """Who has reached the cap stands in `badv` beside those the publisher put there; all else is as it was."""
    anna = Anna("1 per advertiser per day")
    await anna.sees("shoes.example")

    foreseen, outcome = await anna.asks(body(), url, **{"Content-Length": str(len(body()))})

    assert foreseen
    assert Action.FORWARD is outcome.action
    assert {**REQUEST, "badv": ["poker.example", "shoes.example"]} == json.loads(outcome.request.body)
    assert outcome.request.headers.get("content-length") == str(len(outcome.request.body))


async def test_a_muted_advertiser_is_blocked():
    """Whom she muted is named to the auction too, though she saw nothing of it lately and no cap speaks."""
    anna = Anna("3 per advertiser per day")
    mute = Mute(Level.ADVERTISER, "shoes.example", Why.CLICKED, anna.clock(), anna.clock() + timedelta(days=90))
    await anna.ledger.mute("anna", mute, anna.clock())
    _, outcome = await anna.asks(body())

    assert json.loads(outcome.request.body)["badv"] == ["poker.example", "shoes.example"]


async def test_nobody_is_blocked_below_the_cap():
    """The request goes on byte for byte."""
    anna = Anna("2 per advertiser per day")
    await anna.sees("shoes.example")

    _, outcome = await anna.asks(body())

    assert Action.PASS is outcome.action


async def test_open_again_after_the_window():
    """Once the cap opens the advertiser is asked again."""
    anna = Anna("1 per advertiser per hour")
    await anna.sees("shoes.example")
    _, closed = await anna.asks(body())
    anna.clock.forward(hours=1)

    _, opened = await anna.asks(body())

    assert [Action.FORWARD, Action.PASS] == [closed.action, opened.action]


async def test_asking_counts_nothing():
    """A request is no sighting, however often it is made."""
    anna = Anna("2 per advertiser per day")
    await anna.sees("shoes.example")
    for _ in range(5):
        await anna.asks(body())

    await anna.sees("shoes.example")


async def test_never_is_blocked_from_the_start():
    """An advertiser that the policy names with `never` is blocked although nothing of it was seen."""
    never = Rule("no loans", (Cap.parse("never"),), advertiser=("loans.example",))
    anna = Anna("9 per advertiser per day", rules=(never,))

    _, outcome = await anna.asks(body())

    assert ["poker.example", "loans.example"] == json.loads(outcome.request.body)["badv"]


async def test_a_category_that_is_never_to_be_shown():
    """A rule on a category goes out as `bcat`."""
    never = Rule("no gambling", (Cap.parse("never"),), category=("IAB9-7",))

    _, outcome = await Anna(rules=(never,)).asks(body())

    assert ["IAB9-7"] == json.loads(outcome.request.body)["bcat"]


@pytest.mark.parametrize("fields", [{"Content-Encoding": "gzip"}, {}])
async def test_packed(fields):
    """A body in gzip is edited too, whether a header says so or not."""
    anna = Anna("1 per advertiser per day")
    await anna.sees("shoes.example")

    _, outcome = await anna.asks(gzip.compress(body()), **fields)

    assert "shoes.example" in json.loads(gzip.decompress(outcome.request.body))["badv"]


@pytest.mark.parametrize(
    "junk", [b"", b"{", b'{"imp": 3}', b'{"imp":[', b"\x1f\x8bjunk", b"a=1&b=2", b'"imp"', b"\xff" * 50]
)
async def test_junk_goes_on_as_it_is(junk):
    """What is no bid request reaches its origin byte for byte."""
    anna = Anna("1 per advertiser per day")
    await anna.sees("shoes.example")

    _, outcome = await anna.asks(junk)

    assert Action.PASS is outcome.action


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("https://api.news.example/comments", {}),
        (EXCHANGE, {"Content-Type": "multipart/form-data; boundary=x"}),
        (EXCHANGE, {"Sec-Purpose": "prefetch"}),
    ],
)
async def test_other_requests_stream_on(url, fields):
    """Uploads and the page's own API are not held up to be looked at."""
    foreseen, _ = await Anna("1 per advertiser per day").asks(body(), url, **fields)

    assert not foreseen


# Google Ad Manager

GAM = "https://securepubads.g.doubleclick.net/gampad/ads?iu=/1/front&prev_iu_szs=300x250&prev_scp={}&cust_params=a%3D1"


def slot(*bids: tuple[str, str, str], winner: str) -> str:
    """A slot's key-values as Prebid.js sets them."""
    pairs = ["pos=top"]
    for bidder, advertiser, price in bids:
        pairs += [f"hb_bidder_{bidder}={bidder}", f"hb_pb_{bidder}={price}", f"hb_adomain_{bidder}={advertiser}"]
        if bidder == winner:
            pairs += [f"hb_bidder={bidder}", f"hb_pb={price}", f"hb_adomain={advertiser}"]
    return quote("&".join(pairs))


async def test_a_capped_bid_is_not_offered_to_ad_manager():
    """Without its keys Ad Manager picks another line, so somebody is paid for the slot; what else it is told stays."""
    anna = Anna("1 per advertiser per day")
    await anna.sees("shoes.example")
    url = GAM.format(slot(("ix", "shoes.example", "2.00"), ("ttd", "coffee.example", "1.00"), winner="ix"))

    foreseen, outcome = await anna.asks(url=url, method="GET")

    assert foreseen
    asked = parse_qs(urlsplit(outcome.request.url).query)
    assert "pos=top&hb_bidder_ttd=ttd&hb_pb_ttd=1.00&hb_adomain_ttd=coffee.example" == asked["prev_scp"][0]
    assert unquote(url).replace("&hb_", "") != unquote(outcome.request.url)
    assert ["a=1"] == asked["cust_params"]


async def test_bids_below_their_caps_are_offered():
    """The request goes on byte for byte."""
    anna = Anna("2 per advertiser per day")
    await anna.sees("shoes.example")
    url = GAM.format(slot(("ix", "shoes.example", "2.00"), winner="ix"))

    _, outcome = await anna.asks(url=url, method="GET")

    assert Action.PASS is outcome.action


async def test_an_app_that_is_never_to_be_shown():
    """A rule on an app goes out as `bapp`."""
    never = Rule("no such game", (Cap.parse("never"),), advertiser=("app/com.poker.game",))

    _, outcome = await Anna(rules=(never,)).asks(body())

    assert ["com.poker.game"] == json.loads(outcome.request.body)["bapp"]
