"""Auctions' and players' answers on their way through the gate: candidates are asked about, what is shown is counted."""

import json
from dataclasses import replace

import pytest

from capper.domain.cap import Cap
from capper.domain.exchange import Action
from capper.domain.policy import Policy, Rule
from capper.gate import Gate
from capper.journal import Journal, ListSink
from capper.ledger.memory import MemoryLedger
from capper.recognise.ad import AdReader
from capper.recognise.engine import Engines
from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.networks import load_networks
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction.layout import load_layouts
from capper.testing import FrozenClock, an_exchange

NEWS = "https://www.news.example/story"
AUCTION = "https://exchange.example/openrtb2/auction"
VIDEO = "https://exchange.example/vast?zone=1"
LISTS = [FilterList("ads", "||exchange.example^", ListKind.ADS)]
LAYOUTS = load_layouts()
RECOGNISER = Recogniser(Engines.build(LISTS), AdReader(load_networks()))
PIXEL = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


def bid(advertiser: str, price: float) -> dict[str, object]:
    """A synthetic OpenRTB 2.6 bid."""
    return {
        "id": advertiser,
        "impid": "top",
        "price": price,
        "adomain": [advertiser],
        "crid": f"cr-{advertiser}",
        "burl": f"https://exchange.example/billed?{advertiser}",
        "adm": f"<a href='https://www.{advertiser}/'>{advertiser}</a>",
        "w": 300,
        "h": 250,
    }


ANSWER = json.dumps(
    {
        "id": "1",
        "cur": "EUR",
        "seatbid": [{"seat": "s", "bid": [bid("shoes.example", 2.0), bid("coffee.example", 1.0)]}],
    }
)


def video(advertiser: str, sequence: int | None = None) -> str:
    """A synthetic VAST 4 ad."""
    turn = "" if sequence is None else f' sequence="{sequence}"'
    return (
        f'<Ad id="{advertiser}"{turn}><InLine><AdSystem>test</AdSystem><AdTitle>t</AdTitle>'
        f"<Impression><![CDATA[https://exchange.example/imp?{advertiser}]]></Impression><Creatives><Creative><Linear>"
        f"<VideoClicks><ClickThrough><![CDATA[https://www.{advertiser}/]]></ClickThrough></VideoClicks>"
        f"</Linear></Creative></Creatives></InLine></Ad>"
    )


def vast(*ads: str) -> bytes:
    """A VAST document of `ads`."""
    return f'<VAST version="4.0">{"".join(ads)}</VAST>'.encode()


class Visit:
    """Anna in front of the gate, on one page load after the other."""

    def __init__(self, *caps: str) -> None:
        self.policy = Policy(Rule("caps", tuple(map(Cap.parse, caps))))
        self.sink = ListSink()
        self.journal = Journal(sink=self.sink)
        self.gate = Gate(lambda: RECOGNISER, MemoryLedger(), lambda: self.policy, self.journal, layouts=LAYOUTS)
        self.clock = FrozenClock()

    async def get(self, url, body, media_type, kind="empty"):
        """One exchange, a minute after the last, from a page opened just before."""
        self.clock.forward(minutes=1)
        page = an_exchange(
            NEWS, at=self.clock(), request={"Sec-Fetch-Dest": "document"}, response={"Content-Type": "text/html"}
        )
        await self.gate.admit(page)
        return await self.ask(url, body, media_type, kind)

    async def ask(self, url, body, media_type, kind="empty"):
        """One exchange of the page that is open."""
        exchange = an_exchange(
            url,
            at=self.clock(),
            request={"Sec-Fetch-Dest": kind, "Referer": NEWS},
            response={"Content-Type": media_type},
            body=body,
        )
        before = await self.gate.admit(replace(exchange, response=None))
        return before if before.action is Action.ANSWER else await self.gate.admit(exchange)

    async def auction(self, answer=ANSWER):
        return await self.get(AUCTION, answer.encode(), "application/json")

    async def shown(self, advertiser):
        """The browser tells the exchange that the bid was shown."""
        return await self.ask(f"https://exchange.example/billed?{advertiser}", PIXEL, "image/gif", "image")

    async def player(self, *ads):
        return await self.get(VIDEO, vast(*ads), "application/xml")


async def test_a_bid_is_a_candidate_and_counts_once_it_is_shown():
    """However often an advertiser bids, only what was shown counts against its cap."""
    anna = Visit("1 per advertiser per day")
    for _ in range(3):
        assert (await anna.auction()).action is Action.PASS

    shown = await anna.shown("shoes.example")
    after = await anna.auction()

    assert ["show"] == [str(decision.verdict) for decision in shown.decisions]
    assert Action.REWRITE is after.action
    assert [["coffee.example"]] == [
        each["adomain"] for seat in json.loads(after.response.body)["seatbid"] for each in seat["bid"]
    ]


async def test_an_auction_without_a_capped_bid_passes_byte_for_byte():
    """Bids that lost, or were not shown, cost nobody anything."""
    anna = Visit("1 per advertiser per day")
    await anna.auction()
    await anna.shown("travel.example")

    assert (await anna.auction()).action is Action.PASS


async def test_only_what_is_withheld_is_written_down_of_an_auction():
    """The journal tells what was done, not who bid."""
    anna = Visit("1 per advertiser per day")
    await anna.auction()
    await anna.shown("shoes.example")
    await anna.auction()

    await anna.journal.drain()

    assert ["show", "withhold"] == [str(record.verdict) for record in anna.sink.records]


async def test_a_player_gets_the_next_ad_of_the_buffet():
    """Of several ads the player takes the first, so that one is counted; over its cap it goes, and the next is first."""
    anna = Visit("1 per advertiser per day")
    ads = video("shoes.example"), video("coffee.example")

    outcomes = [await anna.player(*ads) for _ in range(3)]

    assert Action.PASS is outcomes[0].action
    assert vast(ads[1]) == outcomes[1].response.body
    assert vast() == outcomes[2].response.body


async def test_one_advertiser_once_in_a_pod():
    """Ads with a sequence are all played; a second one of the same advertiser goes, the others stay."""
    anna = Visit("1 per advertiser per pod")
    ads = video("shoes.example", 1), video("coffee.example", 2), video("shoes.example", 3)

    outcome = await anna.player(*ads)
    again = await anna.player(*ads)

    assert vast(*ads[:2]) == outcome.response.body
    assert vast(*ads[:2]) == again.response.body


async def test_the_beacon_of_a_played_ad_counts_no_second_time():
    """Answer and impression are one occasion."""
    anna = Visit("2 per advertiser per day")
    for _ in range(2):
        await anna.player(video("shoes.example"))
        await anna.ask("https://exchange.example/imp?shoes.example", PIXEL, "image/gif", "image")

    third = await anna.player(video("shoes.example"))

    assert vast() == third.response.body


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[[[[", b'{"seatbid": 3}', b"<VAST", b"\xff\xfe<\0V\0", b'{"seatbid":[{"bid":[null]}]}']
)
async def test_what_is_no_sound_answer_passes_untouched(body):
    """Half an answer, or something else altogether, is the player's or the page's to deal with."""
    anna = Visit("1 per advertiser per day")

    outcome = await anna.get(AUCTION, body, "application/json")

    assert Action.PASS is outcome.action


def test_json_of_other_hosts_is_not_even_buffered():
    """Only what comes from a host that delivers ads is looked into."""
    anna = Visit("1 per advertiser per day")
    exchange = an_exchange(
        "https://api.news.example/feed",
        request={"Sec-Fetch-Dest": "empty", "Referer": NEWS},
        response={"Content-Type": "application/json"},
        body=ANSWER.encode(),
    )

    assert not anna.gate.wants(exchange)


async def test_a_wrappers_ad_plays_in_the_wrappers_pod():
    """What a player is sent on for belongs to the pod it stands in for, whatever the time in its address."""
    anna = Visit("1 per advertiser per pod")
    wrapper = (
        '<Ad sequence="2"><Wrapper><VASTAdTagURI>https://exchange.example/next?z=77&amp;t=[TIMESTAMP]</VASTAdTagURI>'
        "</Wrapper></Ad>"
    )
    await anna.player(video("shoes.example", 1), wrapper)

    again = await anna.ask("https://exchange.example/next?z=77&t=1234", vast(video("shoes.example")), "text/xml")
    elsewhere = await anna.ask("https://exchange.example/next?z=78&t=1", vast(video("shoes.example")), "text/xml")

    assert vast() == again.response.body
    assert Action.PASS is elsewhere.action


async def test_a_bids_video_counts_once():
    """An auction's video, fetched because it won, is the bid: the answer, the video and its impression are one occasion."""
    anna = Visit("2 per advertiser per day")
    answer = json.loads(ANSWER)
    answer["seatbid"][0]["bid"][0] |= {"nurl": "https://exchange.example/won?id=shoes-1", "adm": ""}
    for _ in range(2):
        await anna.auction(json.dumps(answer))
        await anna.ask("https://exchange.example/won?id=shoes-1", vast(video("boots.example")), "application/xml")
        await anna.ask("https://exchange.example/imp?boots.example", PIXEL, "image/gif", "image")

    third = await anna.auction(json.dumps(answer))

    assert ["shoes.example"] == [each for decision in third.decisions for each in decision.ad.advertisers]


@pytest.mark.parametrize(
    ("asked", "media_type"), [("0.42", "text/plain"), ("${AUCTION_PRICE}", "application/json"), ("1", "image/gif")]
)
async def test_a_notice_by_script_counts(asked, media_type):
    """A notice sent by a script, with the price filled in, says like a pixel that the bid was shown."""
    anna = Visit("1 per advertiser per day")
    answer = json.loads(ANSWER)
    answer["seatbid"][0]["bid"][0]["burl"] = "https://exchange.example/billed?shoes&p=${AUCTION_PRICE}"
    await anna.auction(json.dumps(answer))

    shown = await anna.ask(f"https://exchange.example/billed?shoes&p={asked}", b"{}", media_type)

    assert [("shoes.example",)] == [decision.ad.advertisers for decision in shown.decisions]


@pytest.mark.parametrize(
    ("url", "media_type", "looked"),
    [
        ("https://unheard-of.example/bid", "application/json", True),
        ("https://unheard-of.example/vast", "application/xml", True),
        ("https://unheard-of.example/stream", "text/plain", False),
        ("https://prebid.news.example/openrtb2/auction", "application/json", True),
        ("https://ib.adnxs.com/ut/v3/prebid", "text/plain", True),
        ("https://api.news.example/feed", "application/json", False),
        ("https://api.news.example/feed.xml", "text/xml", False),
    ],
)
def test_who_may_be_an_exchange(url, media_type, looked):
    """An exchange is known by a list, its host or its path; any other site may be one, but not in what may never end."""
    exchange = an_exchange(
        url,
        request={"Sec-Fetch-Dest": "empty", "Referer": NEWS},
        response={"Content-Type": media_type},
        body=b"{}",
    )

    assert looked == Visit("1 per advertiser per day").gate.wants(exchange)


async def test_a_bid_of_an_exchange_nobody_heard_of():
    """OpenRTB is known wherever it comes from."""
    anna = Visit("1 per advertiser per day")
    await anna.get("https://unheard-of.example/bid", ANSWER.encode(), "application/json")
    await anna.shown("shoes.example")

    last = await anna.get("https://unheard-of.example/bid", ANSWER.encode(), "application/json")

    assert Action.REWRITE is last.action


def bare(advertiser: str, price: float, slot: str = "top") -> dict[str, object]:
    """A synthetic bid of which nothing is fetched: its markup is text."""
    return {"id": advertiser, "impid": slot, "price": price, "adomain": [advertiser], "adm": "<b>buy</b>"}


def answered(*bids: dict[str, object]) -> str:
    return json.dumps({"id": "1", "cur": "EUR", "seatbid": [{"bid": list(bids)}]})


def bidders(outcome) -> list[str]:
    """The advertisers that are left in a rewritten answer."""
    return [each["adomain"][0] for seat in json.loads(outcome.response.body)["seatbid"] for each in seat["bid"]]


async def test_a_bid_that_leaves_no_trace_counts_when_it_wins():
    """Of a bid that asks for nothing when it is shown the answer is all that is ever seen: the winner is counted then."""
    anna = Visit("1 per advertiser per day")
    answer = answered(bare("shoes.example", 2.0), bare("coffee.example", 1.0))

    first, second, third = [await anna.auction(answer) for _ in range(3)]

    assert (Action.PASS, ["shoes.example"]) == (first.action, list(first.decisions[0].ad.advertisers))
    assert ["coffee.example"] == bidders(second)
    assert "seatbid" not in json.loads(third.response.body) or [] == bidders(third)


async def test_one_advertiser_once_on_a_page_though_it_wins_two_slots():
    """The second slot goes to who bid next for it."""
    anna = Visit("1 per advertiser per page")
    answer = answered(bare("shoes.example", 2.0), bare("shoes.example", 2.0, "low"), bare("coffee.example", 1.0, "low"))

    outcome = await anna.auction(answer)

    assert ["shoes.example", "coffee.example"] == bidders(outcome)


async def test_what_a_cache_kept_is_the_bid_it_was():
    """AMP pages are told the id of a cached bid alone: it is known by the answer that named it before."""
    anna = Visit("1 per advertiser per day")
    answer = json.loads(ANSWER)
    cached = {"cacheId": "77-aa", "url": "https://exchange.example/cache?uuid=77-aa"}
    answer["seatbid"][0]["bid"][0]["ext"] = {"prebid": {"cache": {"bids": cached}}}
    await anna.auction(json.dumps(answer))
    await anna.shown("shoes.example")

    keys = {"hb_bidder": "s", "hb_pb": "2.00", "hb_cache_id": "77-aa"}
    outcome = await anna.ask(
        "https://exchange.example/openrtb2/amp", json.dumps({"targeting": keys}).encode(), "application/json"
    )

    assert {"targeting": {}} == json.loads(outcome.response.body)


async def test_a_video_in_json():
    """A player's answer that stands as a string in JSON is judged like any other."""
    anna = Visit("1 per advertiser per day")
    ads = video("shoes.example"), video("coffee.example")
    answer = json.dumps({"status": 1, "xml": vast(*ads).decode()}).encode()

    outcomes = [await anna.get("https://exchange.example/player", answer, "application/json") for _ in range(2)]

    assert Action.PASS is outcomes[0].action
    assert {"status": 1, "xml": vast(ads[1]).decode()} == json.loads(outcomes[1].response.body)


async def test_an_answer_in_letters_of_its_own():
    """What looks like another charset inside a JSON string is no reason to leave the answer alone."""
    anna = Visit("1 per advertiser per day")
    await anna.auction()
    await anna.shown("shoes.example")
    marked = ANSWER.replace("<a href", '<meta charset=\\"x-unknown\\"><a href')

    outcome = await anna.auction(marked)

    assert ["coffee.example"] == bidders(outcome)


WRAPPER = (
    "<Ad{turn}><Wrapper><VASTAdTagURI><![CDATA[https://exchange.example/{path}?cb=[CACHEBUSTING]]]></VASTAdTagURI>"
    "<Impression><![CDATA[https://exchange.example/wrapped?{path}]]></Impression></Wrapper></Ad>"
)


def wrapper(path: str, turn: int | None = None) -> str:
    return WRAPPER.format(path=path, turn="" if turn is None else f' sequence="{turn}"')


async def test_what_a_stand_in_leads_to_counts_when_it_is_shown():
    """Players fetch the wrappers of a buffet beforehand; only what then plays is a sighting."""
    anna = Visit("1 per advertiser per day")
    await anna.player(wrapper("vast/a"), wrapper("vast/b"))
    first = await anna.ask("https://exchange.example/vast/a?cb=1", vast(video("shoes.example")), "application/xml")
    second = await anna.ask("https://exchange.example/vast/b?cb=1", vast(video("coffee.example")), "application/xml")
    again = await anna.ask("https://exchange.example/vast/b?cb=2", vast(video("coffee.example")), "application/xml")
    shown = await anna.ask("https://exchange.example/wrapped?vast/b", PIXEL, "image/gif", "image")
    then = await anna.ask("https://exchange.example/vast/b?cb=3", vast(video("coffee.example")), "application/xml")

    assert ["show"] == [str(decision.verdict) for decision in first.decisions]
    assert () == second.decisions == again.decisions
    assert ["show"] == [str(decision.verdict) for decision in shown.decisions]
    assert vast() == then.response.body


async def test_the_breaks_of_a_playlist_are_pods():
    """What is fetched for one break is one pod, and two breaks are two."""
    anna = Visit("1 per advertiser per pod")
    breaks = "".join(
        f"<vmap:AdBreak><vmap:AdSource><vmap:AdTagURI><![CDATA[https://exchange.example/vast/{n}?c=[RANDOM]]]></vmap:AdTagURI>"
        "</vmap:AdSource></vmap:AdBreak>"
        for n in "ab"
    )
    await anna.get(VIDEO, f"<vmap:VMAP>{breaks}</vmap:VMAP>".encode(), "application/xml")
    pod = vast(video("shoes.example", 1), video("shoes.example", 2))
    outcomes = [await anna.ask(f"https://exchange.example/vast/{n}?c=7", pod, "application/xml") for n in "ab"]

    assert [vast(video("shoes.example", 1))] * 2 == [outcome.response.body for outcome in outcomes]


async def test_a_stand_in_counts_where_the_pod_is_gone():
    """With all of the pod withheld, the first ad beside it plays."""
    anna = Visit("1 per advertiser per day")
    ads = video("shoes.example", 1), video("coffee.example")

    outcomes = [await anna.player(*ads) for _ in range(3)]

    assert vast(ads[1]) == outcomes[1].response.body
    assert vast() == outcomes[2].response.body


async def test_video_ads_in_json_are_ads():
    """A player's own JSON holds the answer in a string: what is withheld goes from that string alone."""
    anna = Visit("1 per advertiser per day")
    ads = video("shoes.example", 1), video("coffee.example", 2)
    first, second = (json.dumps({"vastXml": vast(*each).decode(), "n": 1.50}).encode() for each in (ads, ads[1:]))

    await anna.player(ads[0])
    outcomes = [await anna.get("https://exchange.example/player", first, "application/json") for _ in range(2)]

    assert second == outcomes[0].response.body
    assert json.loads(outcomes[1].response.body)["vastXml"] == vast().decode()


async def test_an_answer_that_is_a_script():
    """An exchange that is known to answer in a script's call is read there, and the call around it stays."""
    anna = Visit("1 per advertiser per day")
    script = f"/**/pbjs.callback({ANSWER});".encode()
    url = "https://htlb.casalemedia.com/openrtb/pbjs?fn=pbjs.callback"

    await anna.get(url, script, "text/javascript", "script")
    await anna.shown("shoes.example")
    outcome = await anna.get(url, script, "text/javascript", "script")

    assert outcome.response.body.startswith(b"/**/pbjs.callback({")
    assert b"shoes.example" not in outcome.response.body
    assert b"coffee.example" in outcome.response.body


async def test_other_scripts_stream_on():
    """The scripts of ad servers are large and hold no auction."""
    exchange = an_exchange(
        "https://exchange.example/tag.js",
        request={"Sec-Fetch-Dest": "script", "Referer": NEWS},
        response={"Content-Type": "text/javascript"},
        body=b"1",
    )

    assert not Visit("1 per advertiser per day").gate.wants(exchange)


async def test_a_players_answer_in_a_type_that_is_not_true():
    """Ad servers that call their VAST a page are read all the same."""
    anna = Visit("1 per advertiser per day")

    outcomes = [await anna.get(VIDEO, vast(video("shoes.example")), "text/html") for _ in range(2)]

    assert vast() == outcomes[1].response.body


async def test_what_it_costs_the_publisher():
    """The difference between the bid that would have won and the one that wins instead is told."""
    anna = Visit("1 per advertiser per day")
    await anna.auction()
    await anna.shown("shoes.example")

    outcome = await anna.auction()

    assert (("EUR", 1.0),) == outcome.lost


async def test_a_bids_video_from_the_pages_own_cache_counts_once():
    """A video that a page put into a cache is its bid by the address both tell once it plays."""
    anna = Visit("2 per advertiser per day")
    answer = json.loads(ANSWER)
    answer["seatbid"][0]["bid"][0]["adm"] = vast(video("shoes.example")).decode()
    for _ in range(2):
        await anna.auction(json.dumps(answer))
        await anna.ask("https://cache.example/cache?uuid=1", vast(video("shoes.example")), "application/xml")
        await anna.shown("shoes.example")

    third = await anna.auction(json.dumps(answer))

    assert ["shoes.example"] == [each for decision in third.decisions for each in decision.ad.advertisers]


async def test_a_bids_frame_that_says_nothing_of_its_page():
    """A frame that a script fills from a bid's address is part of the page the bid was for, and one sighting with it."""
    anna = Visit("1 per advertiser per day")
    frame = "https://exchange.example/creative?id=77"
    answer = json.loads(ANSWER)
    answer["seatbid"][0]["bid"][0] |= {"adm": f"<iframe src='{frame}'></iframe>"}
    await anna.auction(json.dumps(answer))
    document = (
        b"<a href='https://www.shoes.example/'><img src='https://exchange.example/b.png' width=300 height=250></a>"
    )

    exchange = an_exchange(
        frame,
        at=anna.clock(),
        request={"Sec-Fetch-Dest": "iframe"},
        response={"Content-Type": "text/html"},
        body=document,
    )
    loaded = await anna.gate.admit(exchange)
    billed = await anna.shown("shoes.example")

    assert [(False, False)] == [(each.withheld, each.repeated) for each in loaded.decisions]
    assert [(False, True)] == [(each.withheld, each.repeated) for each in billed.decisions]
