"""The keys a Prebid Server gives its bids for the ad server (`hb_pb`, `hb_bidder_appnexus`): who won, and who wins instead.

The winner of a slot has plain keys; every bidder's best bid has keys with its name behind them, cut to a length that the
server was told (20 letters by default), so that `hb_cache_host_audien` is `hb_cache_host` of `audienceNetwork`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Any, NamedTuple, Self

from capper.domain.offer import Offer
from capper.jsontext import Path
from capper.rewrite.auction.granularity import Granularity

_NAMES = (
    "pb", "bidder", "size", "deal", "format", "env", "cache_id", "cache_host", "cache_path", "uuid", "pb_cat_dur",
    "adomain", "crid", "adid", "winurl", "bidid", "source", "cat", "dur",
)  # fmt: skip
ENDINGS = tuple(f"_{name}" for name in _NAMES)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the request asked of the Prebid Server that holds its auction (`ext.prebid.targeting`)."""

    prefers_deals: bool = False
    granularity: Granularity | None = None
    """How prices become `hb_pb`; None where that is not known."""

    @classmethod
    def of(cls, request: Any) -> Self:
        """What an OpenRTB request asks; whatever it is, this does not fail."""
        for name in ("ext", "prebid", "targeting"):
            request = request.get(name) if isinstance(request, dict) else None
        if not isinstance(request, dict):
            return cls()
        deals = request.get("preferdeals", request.get("preferDeals"))
        return cls(deals is True, Granularity.of(request.get("pricegranularity", request.get("priceGranularity"))))


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
    size: str = ""
    offer: Offer = field(default_factory=Offer)
    urls: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path, bid: Any, seat: str, slot: str, price: float | None, *, deal: bool) -> Self:
        """The keys in a bid of a Prebid Server's answer; `own` and `plain` are empty where it was given none."""
        ext = bid.get("ext")
        prebid = ext.get("prebid") if isinstance(ext, dict) else None
        prebid = prebid if isinstance(prebid, dict) else {}
        keys = prebid.get("targeting")
        keys = keys if isinstance(keys, dict) else {}
        named = next((value for key, value in keys.items() if "_bidder_" in key), None)
        code = named or prebid.get("targetbiddercode") or keys.get("hb_bidder") or seat
        code = code if isinstance(code, str) else seat
        own = own_keys(keys, code)
        plain = frozenset(key for key in keys if key.endswith(ENDINGS)) - set(own.values())
        size = f"{bid.get('w')}x{bid.get('h')}" if bid.get("w") and bid.get("h") else ""
        return cls((*path, "ext", "prebid", "targeting"), code, slot, price or 0.0, own, plain, deal, size)

    def told(self, like: frozenset[str], granularity: Granularity | None) -> dict[str, str]:
        """The keys, with their JSON, that can be said of a bid that was given none: those of `like` that are known.

        Empty without `hb_pb`: an ad server would not choose it.
        """
        known = {
            "_bidder": self.bidder,
            "_size": self.size,
            "_pb": granularity.of_price(self.price) if granularity else "",
        }
        made = {
            key: known[ending] for key in sorted(like) for ending in known if key.endswith(ending) and known[ending]
        }
        return {key: dumps(value) for key, value in made.items()} if any(key.endswith("_pb") for key in made) else {}


class Promotion(NamedTuple):
    """The object of keys of a bid that wins now, and the plain keys it gets: each with the key whose value it has.

    A bid that was given no keys gets `new` ones, with their JSON.
    """

    path: Path
    keys: Mapping[str, str]
    new: Mapping[str, str] = {}


def promotions(bids: Sequence[ServerBid], withheld: Collection[int], asked: Asked) -> Iterator[Promotion]:
    """Who wins the slots whose winner is withheld: the highest price, or a deal before it if so asked.

    Bids with keys of their own go first: of a bid without, an ad server can be told little.
    """
    lost = {bids[number].slot: bids[number] for number in sorted(withheld) if bids[number].plain} if bids else {}
    for slot, winner in lost.items():
        left = [bid for number, bid in enumerate(bids) if bid.slot == slot and number not in withheld]
        if not left or any(bid.plain for bid in left):
            continue
        best = max(left, key=lambda bid: (bool(bid.own), asked.prefers_deals and bid.deal, bid.price))
        if best.own:
            yield Promotion(best.path, best.own)
        elif new := best.told(winner.plain, asked.granularity):
            yield Promotion(best.path, {}, new)


def own_keys(keys: Mapping[str, Any], bidder: str) -> dict[str, str]:
    """Each plain name with the key that stands for it at `bidder`."""
    longest = max(map(len, keys), default=0)
    found = {}
    for key in keys:
        at = key.find("_")
        while at >= 0:
            base, full = key[:at], f"{key[:at]}_{bidder}"
            cut_short = len(key) == longest and at + 1 < len(key) and full.startswith(key)
            if base.endswith(ENDINGS) and (key == full or cut_short):
                found[base] = key
            at = key.find("_", at + 1)
    return found
