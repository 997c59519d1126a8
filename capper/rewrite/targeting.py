"""The keys a Prebid Server gives its bids for the ad server (`hb_pb`, `hb_bidder_appnexus`): who won, and who wins instead.

The winner of a slot has plain keys; every bidder's best bid has keys with its name behind them, cut to a length that the
server was told (20 letters by default), so that `hb_cache_host_audien` is `hb_cache_host` of `audienceNetwork`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from capper.domain.offer import Offer
from capper.jsontext import Edit, Locator, Path, cut, insert

_NAMES = (
    "pb", "bidder", "size", "deal", "format", "env", "cache_id", "cache_host", "cache_path", "uuid", "pb_cat_dur",
    "adomain", "crid", "adid", "winurl", "bidid", "source", "cat", "dur",
)  # fmt: skip
_MOST_KEYS, _MOST_BIDDERS = 2_000, 60
_ENDINGS = tuple(f"_{name}" for name in _NAMES)


@dataclass(frozen=True, slots=True)
class ServerBid:
    """The keys of one bid: `own` are those with its bidder's name (what each stands for, and what it is called)."""

    path: Path
    bidder: str
    slot: str
    price: float
    own: Mapping[str, str]
    plain: frozenset[str]
    deal: bool = False
    offer: Offer = field(default_factory=Offer)
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path, bid: Any, slot: str, price: float | None, *, deal: bool) -> Self | None:
        """The keys in a bid of a Prebid Server's answer; None where it was given none."""
        prebid = bid.get("ext", {}).get("prebid") if isinstance(bid.get("ext"), dict) else None
        keys = prebid.get("targeting") if isinstance(prebid, dict) else None
        if not isinstance(prebid, dict) or not isinstance(keys, dict) or not keys:
            return None
        named = next((value for key, value in keys.items() if "_bidder_" in key), None)
        code = named or prebid.get("targetbiddercode") or keys.get("hb_bidder")
        if not isinstance(code, str) or not code:
            return None
        own = _own(keys, code)
        plain = frozenset(key for key in keys if key.endswith(_ENDINGS)) - set(own.values())
        return cls((*path, "ext", "prebid", "targeting"), code, slot, price or 0.0, own, plain, deal)


class Promotion(NamedTuple):
    """The object of keys of a bid that wins now, and the plain keys it gets: each with the key whose value it has."""

    path: Path
    keys: Mapping[str, str]


def promotions(
    bids: Sequence[ServerBid | None], withheld: Collection[int], *, prefers_deals: bool = False
) -> Iterator[Promotion]:
    """Who wins the slots whose winner is withheld: the highest price, or a deal before it, among bids with keys."""
    for slot in dict.fromkeys(bids[number].slot for number in withheld if _won(bids[number])):  # type: ignore[union-attr]
        left = [
            bid
            for number, bid in enumerate(bids)
            if bid is not None and bid.slot == slot and number not in withheld and bid.own
        ]
        if any(bid.plain for bid in left):
            continue
        best = max(left, key=lambda bid: (prefers_deals and bid.deal, bid.price), default=None)
        if best is not None:
            yield Promotion(best.path, best.own)


def _won(bid: ServerBid | None) -> bool:
    return bid is not None and bool(bid.plain)


def _own(keys: Mapping[str, Any], bidder: str) -> dict[str, str]:
    """Each plain name with the key that stands for it at `bidder`."""
    longest = max(map(len, keys), default=0)
    found = {}
    for key in keys:
        at = key.find("_")
        while at >= 0:
            base, full = key[:at], f"{key[:at]}_{bidder}"
            cut_short = len(key) == longest and at + 1 < len(key) and full.startswith(key)
            if base.endswith(_ENDINGS) and (key == full or cut_short):
                found[base] = key
            at = key.find("_", at + 1)
    return found


# AMP: an answer that is nothing but keys


def amp_bids(answer: Any) -> list[ServerBid]:
    """The bids of an answer for AMP (`{"targeting": {...}}`), the winner first; empty where it is none."""
    keys = answer.get("targeting") if isinstance(answer, dict) else None
    if not isinstance(keys, dict) or "seatbid" in answer:
        return []
    keys = {key: value for key, value in [*keys.items()][:_MOST_KEYS] if isinstance(value, str)}
    winner = next((value for key, value in keys.items() if key.endswith("_bidder")), "")
    named = [value for key, value in keys.items() if "_bidder_" in key]
    bidders = [*dict.fromkeys(name for name in (winner, *named) if name)][:_MOST_BIDDERS]
    owns = {bidder: _own(keys, bidder) for bidder in bidders}
    taken = {key for own in owns.values() for key in own.values()}
    plain = frozenset(key for key in keys if key.endswith(_ENDINGS)) - taken
    bids = []
    for bidder in bidders:
        values = {name.partition("_")[2]: keys[key] for name, key in owns[bidder].items()}
        if bidder == winner:
            values |= {name.partition("_")[2]: keys[name] for name in plain}
        bids.append(_amp_bid(bidder, values, owns[bidder], plain if bidder == winner else frozenset()))
    return bids


def _amp_bid(bidder: str, values: Mapping[str, str], own: Mapping[str, str], plain: frozenset[str]) -> ServerBid:
    domains = (values["adomain"],) if values.get("adomain") else ()
    offer = Offer(bidder, domains, creative=values.get("crid"))
    host, path = values.get("cache_host", ""), values.get("cache_path", "")
    ids = [values[name] for name in ("cache_id", "uuid") if name in values] if host and "{" not in host else []
    urls = tuple(f"https://{host}{path}?uuid={name}" for name in ids)
    return ServerBid(
        ("targeting",), bidder, "", _price(values.get("pb", "")), own, plain, "deal" in values, offer, urls
    )


def _price(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def amp_edits(locator: Locator, bids: Sequence[ServerBid], withheld: Collection[int]) -> list[Edit]:
    """The edits that take the keys of bids out; the winner's plain keys become the runner-up's, or go too."""
    left = [bid for number, bid in enumerate(bids) if number not in withheld]
    kept = {key for bid in left for key in bid.own.values()}
    gone = {key for number in withheld for key in bids[number].own.values()} - kept
    at = locator.at(("targeting",))
    places = locator.children(at)
    raw = {place.key: locator.source[place.value : place.end] for place in places}
    edits: list[Edit] = []
    new: list[str] = []
    plain = next((bids[number].plain for number in withheld if bids[number].plain), frozenset[str]())
    if plain:
        best = max((bid for bid in left if bid.own), key=lambda bid: bid.price, default=None)
        gives = best.own if best else {}
        gone |= plain - gives.keys()
        edits += [
            Edit(place.value, place.end, raw[gives[place.key]]) for place in places if place.key in plain & gives.keys()
        ]
        new = [f'"{name}": {raw[key]}' for name, key in gives.items() if name not in plain]
    numbers = {number for number, place in enumerate(places) if place.key in gone}
    edits += cut(places, numbers)
    if new:
        # After the last that stays: what goes behind it must not take the new ones along.
        last = max((number for number in range(len(places)) if number not in numbers), default=None)
        edits.append(insert(locator.source, at, places[: last + 1] if last is not None else [], new))
    return edits
