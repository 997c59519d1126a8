"""A Prebid Server's answers for AMP: nothing but keys (`{"targeting": {"hb_pb": ...}}`), of bids that are not in them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from capper.domain.offer import Offer
from capper.jsontext import Edit, Locator, cut, insert
from capper.rewrite.auction.screen import Words
from capper.rewrite.auction.targeting import ENDINGS, Asked, ServerBid, own_keys

WORDS = Words(((b'"targeting"',),))
_MOST_KEYS, _MOST_BIDDERS = 2_000, 60


def bids(answer: Any) -> list[ServerBid]:
    """The bids that an answer tells of, the winner first; empty where it is none."""
    keys = answer.get("targeting") if isinstance(answer, dict) else None
    if not isinstance(keys, dict) or "seatbid" in answer:
        return []
    keys = {key: value for key, value in [*keys.items()][:_MOST_KEYS] if isinstance(value, str)}
    winner = next((value for key, value in keys.items() if key.endswith("_bidder")), "")
    named = [value for key, value in keys.items() if "_bidder_" in key]
    bidders = [*dict.fromkeys(name for name in (winner, *named) if name)][:_MOST_BIDDERS]
    owns = {bidder: own_keys(keys, bidder) for bidder in bidders}
    taken = {key for own in owns.values() for key in own.values()}
    plain = frozenset(key for key in keys if key.endswith(ENDINGS)) - taken
    made = []
    for bidder in bidders:
        values = {name.partition("_")[2]: keys[key] for name, key in owns[bidder].items()}
        if bidder == winner:
            values |= {name.partition("_")[2]: keys[name] for name in plain}
        made.append(_bid(bidder, values, owns[bidder], plain if bidder == winner else frozenset()))
    return made


def _bid(bidder: str, values: Mapping[str, str], own: Mapping[str, str], plain: frozenset[str]) -> ServerBid:
    domains = (values["adomain"],) if values.get("adomain") else ()
    host, path = values.get("cache_host", ""), values.get("cache_path", "")
    kept = tuple(dict.fromkeys(values[name] for name in ("cache_id", "uuid") if values.get(name)))
    return ServerBid(
        ("targeting",),
        bidder,
        "",
        _price(values.get("pb", "")),
        own,
        plain,
        "deal" in values,
        values.get("size", ""),
        Offer(bidder, domains, creative=values.get("crid")),
        tuple(f"https://{host}{path}?uuid={name}" for name in kept if host and "{" not in host),
        kept,
    )


def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        return 0.0
    return price if 0 <= price < 1e9 else 0.0


def edits(locator: Locator, offers: Sequence[ServerBid], withheld: Collection[int], asked: Asked) -> list[Edit]:
    """The edits that take the keys of bids out; the winner's plain keys become the runner-up's, or go too."""
    left = [bid for number, bid in enumerate(offers) if number not in withheld]
    kept = {key for bid in left for key in bid.own.values()}
    gone = {key for number in withheld for key in offers[number].own.values()} - kept
    at = locator.at(("targeting",))
    places = locator.children(at)
    raw = {place.key: locator.source[place.value : place.end] for place in places}
    made: list[Edit] = []
    new: list[str] = []
    plain = next((offers[number].plain for number in withheld if offers[number].plain), frozenset[str]())
    if plain:
        rivals = [bid for bid in left if bid.own]
        best = max(rivals, key=lambda bid: (asked.prefers_deals and bid.deal, bid.price), default=None)
        gives = best.own if best else {}
        gone |= plain - gives.keys()
        made += [
            Edit(place.value, place.end, raw[gives[place.key]]) for place in places if place.key in plain & gives.keys()
        ]
        new = [f'"{name}": {raw[key]}' for name, key in gives.items() if name not in plain]
    numbers = {number for number, place in enumerate(places) if place.key in gone}
    made += cut(places, numbers)
    if new:
        # After the last that stays: what goes behind it must not take the new ones along.
        last = max((number for number in range(len(places)) if number not in numbers), default=None)
        made.append(insert(locator.source, at, places[: last + 1] if last is not None else [], new))
    return made
