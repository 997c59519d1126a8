"""Real Prebid.js in a real browser: the capped advertiser loses, and the page's own auction finds the next."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from capper.proxy.testing import Seen, reply

from .auction import (
    ADAPTERS,
    BANNER,
    CACHE,
    HOSTS,
    NATIVE,
    NEWS,
    PREBID_SERVER,
    VIDEO,
    Exchange,
    Offer,
    publisher_page,
    units,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PAGE = f"https://{NEWS}/"
CAPS = 'caps = ["2 per advertiser per day"]'
CONFIG = {
    "bidderTimeout": 30_000,
    "userSync": {"syncEnabled": False},
    "enableTIDs": True,
}
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS}
SLOTS = {f"slot-{adapter.name}": adapter.name for adapter in ADAPTERS}
BEFORE = dict(zip(SLOTS, (ADAPTERS[-1].name, *list(BY_NAME)[:-1]), strict=True))
"""Each slot's runner-up: the winner of the slot before, so that an exchange has two bids in one answer."""


def first(exchange: str) -> str:
    """Who pays most by this exchange."""
    return f"{exchange}-one.example"


def second(exchange: str) -> str:
    """Who pays less by this exchange, for the next slot."""
    return f"{exchange}-two.example"


def offers(winners: Mapping[str, str], runners_up: Mapping[str, str]) -> dict[tuple[str, str], list[Offer]]:
    """What each exchange has for each slot."""
    made = {(name, slot): [Offer(first(name), 5.0)] for slot, name in winners.items()}
    return made | {(name, slot): [Offer(second(name), 2.0)] for slot, name in runners_up.items()}


@pytest.fixture
def opening(bundles: Path, sitting):
    """Sits somebody down before a page with Prebid, `opening(exchange, slots, config)`: the slots, each with its bidders."""

    async def begin(exchange: Exchange, slots, kinds=BANNER, *, everything=True, **config):
        page = publisher_page({"config": CONFIG | config, "units": units(slots, kinds)})

        def respond(seen: Seen) -> bytes:
            if seen.host != NEWS:
                return exchange.respond(seen)
            if seen.target == "/auction.js":
                return reply((bundles / "auction.js").read_bytes(), kind="text/javascript")
            return reply(page, kind="text/html; charset=utf-8")

        return await sitting(CAPS, respond, HOSTS, everything=everything)

    return begin


def asking(*sides: Mapping[str, str]):
    """For each slot the bidders of both sides, with what they want to be asked by."""
    return {slot: {side[slot]: BY_NAME[side[slot]].params for side in sides} for slot in sides[0]}


@pytest.mark.parametrize("everything", [True, False], ids=["every host opened", "ad hosts opened"])
async def test_the_runner_up_renders_where_the_winner_is_capped(opening, everything):
    """Ten exchanges, each by its real adapter: two page loads show the winners, two the runners-up, then none is left."""
    exchange = Exchange(offers(SLOTS, BEFORE), heeds=False)
    reader = await opening(exchange, asking(SLOTS, BEFORE), everything=everything)

    seen, complaints = [], []
    for load in range(1, 6):
        await reader.opens(PAGE, f"{load}")
        seen.append(await reader.sees())
        complaints += (await reader.report())["complaints"]

    winners = {slot: [first(name)] for slot, name in SLOTS.items()}
    runners_up = {slot: [second(name)] for slot, name in BEFORE.items()}
    assert [winners, winners, runners_up, runners_up, {}] == seen
    assert [] == complaints
    assert [] == reader.errors
    pixels = Counter(advertiser for what, advertiser in exchange.told if what == "seen")
    assert dict.fromkeys([*map(first, BY_NAME), *map(second, BY_NAME)], 2) == pixels


async def test_prebid_server_s_runner_up_becomes_the_winner(opening):
    """One answer with the bids of two bidders: the second gets the plain keys that the page's ad server goes by."""
    slots = {"slot-top": "adform", "slot-side": "yahooAds"}
    other = {"slot-top": "yahooAds", "slot-side": "adform"}
    exchange = Exchange(offers(slots, other), heeds=False)
    endpoint = f"https://{PREBID_SERVER.host}{PREBID_SERVER.path}"
    reader = await opening(
        exchange,
        {slot: {name: {"id": 1}, other[slot]: {"id": 2}} for slot, name in slots.items()},
        s2sConfig={
            "accountId": "1",
            "enabled": True,
            "adapter": "prebidServer",
            "bidders": ["adform", "yahooAds"],
            "timeout": 20_000,
            "endpoint": {"p1Consent": endpoint, "noP1Consent": endpoint},
            "extPrebid": {"targeting": {"includewinners": True, "includebidderkeys": True}},
        },
    )

    seen, targeted, complaints = [], [], []
    for load in range(1, 6):
        await reader.opens(PAGE, f"{load}")
        seen.append(await reader.sees())
        report = await reader.report()
        targeted.append({slot: one["targeting"].get("hb_bidder") for slot, one in report["slots"].items()})
        complaints += report["complaints"]

    winners = {slot: [first(name)] for slot, name in slots.items()}
    runners_up = {slot: [second(name)] for slot, name in other.items()}
    assert [winners, winners, runners_up, runners_up, {}] == seen
    assert [slots, slots, other, other, dict.fromkeys(slots)] == targeted
    assert [] == complaints
    assert [] == reader.errors


@pytest.mark.parametrize("framed", [False, True])
async def test_each_slot_keeps_its_own_bids(opening, framed):
    """An exchange that answers all slots in their turn, and one whose creatives may be documents of their own."""
    slots = {"slot-top": "rubicon", "slot-side": "smartadserver"}
    other = {"slot-top": "smartadserver", "slot-side": "rubicon"}
    exchange = Exchange(offers(slots, other), heeds=False, framed=framed)
    reader = await opening(exchange, asking(slots, other), rubicon={"singleRequest": True})

    seen, complaints = [], []
    for load in range(1, 6):
        await reader.opens(PAGE, f"{load}")
        seen.append(await reader.sees())
        complaints += (await reader.report())["complaints"]

    winners = {slot: [first(name)] for slot, name in slots.items()}
    runners_up = {slot: [second(name)] for slot, name in other.items()}
    assert [winners, winners, runners_up, runners_up, {}] == seen
    assert [] == complaints
    assert [] == reader.errors


OPENRTB = ("openx", "pubmatic", "ix", "criteo", "msft", "sovrn")


async def test_exchanges_are_told_whom_not_to_ask(opening):
    """Once an advertiser is capped `badv` names it, beside whom the publisher blocks, and the exchange sells to another."""
    slots = {f"slot-{name}": name for name in OPENRTB}
    made = {(name, slot): [Offer(first(name), 5.0), Offer(second(name), 4.0)] for slot, name in slots.items()}
    exchange = Exchange(made)
    reader = await opening(exchange, asking(slots), ortb2={"badv": ["rival.example"]})

    seen, blocked, complaints = [], [], []
    for load in range(1, 6):
        exchange.asked.clear()
        await reader.opens(PAGE, f"{load}")
        seen.append(await reader.sees())
        blocked.append({name: request.get("badv", []) for name, request in exchange.asked})
        complaints += (await reader.report())["complaints"]

    winners, others = ({slot: [of(name)] for slot, name in slots.items()} for of in (first, second))
    assert [winners, winners, others, others, {}] == seen
    # Not every adapter passes on whom the publisher blocks.
    own = blocked[0]
    assert {0, 1} == set(map(len, own.values()))
    assert all(badv[: len(own[name])] == own[name] for here in blocked for name, badv in here.items())
    capped = [], [], [*map(first, OPENRTB)], [*map(first, OPENRTB)], [*map(first, OPENRTB), *map(second, OPENRTB)]
    told = [{name: sorted(badv[len(own[name]) :]) for name, badv in here.items()} for here in blocked]
    assert [dict.fromkeys(OPENRTB, sorted(names)) for names in capped] == told
    assert [] == complaints
    assert [] == reader.errors


async def test_a_film_sold_in_an_auction_is_capped(opening):
    """The player fetches what the page put into Prebid Cache: bid, answer and impression are one sighting."""
    winner, other = {"slot-film": "openx"}, {"slot-film": "msft"}
    exchange = Exchange(offers(winner, other), heeds=False)
    reader = await opening(exchange, asking(winner, other), VIDEO, cache={"url": f"https://{CACHE}/cache"})

    played, complaints = [], []
    for load in range(1, 6):
        await reader.opens(PAGE, f"{load}")
        report = await reader.report()
        played.append(report["player"]["played"])
        complaints += report["complaints"] + report["player"]["complaints"]

    assert [[first("openx")]] * 2 + [[second("msft")]] * 2 + [[]] == played
    assert [] == complaints
    assert [] == reader.errors
    assert [first("openx")] * 2 + [second("msft")] * 2 == [who for what, who in exchange.told if what == "impression"]


async def test_a_native_card_is_capped(opening):
    """The parts of a card come in the answer, and the page makes them an ad."""
    winner, other = {"slot-card": "openx"}, {"slot-card": "msft"}
    exchange = Exchange(offers(winner, other), heeds=False)
    reader = await opening(exchange, asking(winner, other), NATIVE)

    seen, complaints = [], []
    for load in range(1, 6):
        await reader.opens(PAGE, f"{load}")
        seen.append((await reader.sees()).get("slot-card"))
        complaints += (await reader.report())["complaints"]

    assert [[first("openx")]] * 2 + [[second("msft")]] * 2 + [None] == seen
    assert [] == complaints
    assert [] == reader.errors


async def test_a_film_that_could_not_be_shown_is_counted_once_at_most(opening):
    """That the player tells the exchange of its failure is no sighting."""
    winner, other = {"slot-film": "openx"}, {"slot-film": "msft"}
    exchange = Exchange(offers(winner, other), heeds=False, playable=False)
    reader = await opening(exchange, asking(winner, other), VIDEO, cache={"url": f"https://{CACHE}/cache"})

    offered = []
    for _ in range(5):
        await reader.opens(PAGE)
        offered.append((await reader.report())["player"]["offered"])

    assert [[first("openx")]] * 2 + [[second("msft")]] * 2 + [[]] == offered
    assert [first("openx")] * 2 + [second("msft")] * 2 == [who for what, who in exchange.told if what == "error"]
