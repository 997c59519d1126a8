"""Finds the bids of an auction's answer, and takes those out that were withheld: every other byte stays as it was.

    found = find(data, url, layouts, page=page, exchange=is_ad_host)
    ads = [read_offer(reader, bid.offer) for bid in found.bids]
    data = apply(found, withheld)          # numbers of bids; none: the very same object

A bid is a candidate: it may be asked about (peek), never counted. What counts is what is fetched when it has won, and
`Bid.urls` are the addresses that then lead back to its ad. Where there are none, its winning is all that will be seen of it:
`Found.best(withheld)` are the bids that win.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from json import dumps

from capper.domain.errors import Unrewritable
from capper.domain.sighting import Format
from capper.jsontext import Edit, Locator, Path, Text, insert, read, splice
from capper.rewrite.auction import amp
from capper.rewrite.auction.addresses import host_and_path
from capper.rewrite.auction.bids import Bid, Reader, best
from capper.rewrite.auction.formats import format_of, is_known, is_served, spoken
from capper.rewrite.auction.layout import Layout
from capper.rewrite.auction.removal import removal
from capper.rewrite.auction.screen import Sight, Words
from capper.rewrite.auction.targeting import Asked, Promotion, ServerBid, promotions

_PLAIN = (b'"seatbid"', b'"impid"', b'"assets"', b"hb_", b"_bidder")
"""What an answer has that is known for one wherever it comes from."""
_AUCTION = Words(((b'"seatbid"',),))


@dataclass(frozen=True)
class Found:
    """The bids of an answer, in its order, and what is needed to take some out."""

    data: bytes
    bids: tuple[Bid, ...] = ()
    text: Text | None = None
    layout: Layout | None = None
    targeting: tuple[ServerBid, ...] = ()
    """A Prebid Server's keys of each bid, if one answered: the auction was held there already."""
    amp: bool = False
    asked: Asked = Asked()  # noqa: RUF009  immutable

    def best(self, withheld: Collection[int] = ()) -> frozenset[int]:
        """The bids that win their slots once `withheld` are gone, as far as this answer can say: other exchanges bid too."""
        winners = {number for number, each in enumerate(self.targeting) if each.plain}
        return best(self.bids, withheld, winners, deals=self.asked.prefers_deals)

    def paid(self) -> dict[str, float]:
        """What the slots' best bids pay as the answer came, per currency, for a thousand; bids without a price are left out."""
        paid: dict[str, float] = {}
        for bid in (self.bids[number] for number in sorted(self.best())):
            if bid.price:
                paid[bid.currency] = paid.get(bid.currency, 0.0) + bid.price
        return paid

    def lost(self, withheld: Collection[int]) -> dict[str, float]:
        """What the publisher is paid less without `withheld`, per currency, for a thousand: the slots' best bids then and now."""
        lost: dict[str, float] = {}
        before, left = self.best(), {self.bids[number].slot: self.bids[number] for number in self.best(withheld)}
        for bid in (self.bids[number] for number in sorted(before & set(withheld))):
            other = left.get(bid.slot)
            # A price in another currency is not known to be less.
            if other is None or other.currency == bid.currency:
                less = (bid.price or 0.0) - ((other.price if other else None) or 0.0)
                lost[bid.currency] = lost.get(bid.currency, 0.0) + max(less, 0.0)
        return {currency: amount for currency, amount in lost.items() if amount > 0}


def may_hold(data: bytes) -> bool:
    """Whether an answer from anywhere might hold bids: so that JSON without any is not even parsed."""
    return any(hint in data for hint in _PLAIN)


def find(
    data: bytes,
    url: str,
    layouts: Sequence[Layout],
    *,
    page: str = "",
    exchange: bool = False,
    asked: Asked = Asked(),  # noqa: B008  immutable
) -> Found:
    """The bids in the answer from `url`; `page` is the publisher's page.

    Formats that say little of themselves are looked for only where it is known that an `exchange` answered. What the request
    `asked` of a Prebid Server says how its auction is held.

    Raises:
        Unrewritable: the answer is no JSON.
    """
    if not exchange and not may_hold(data):
        return Found(data)
    host, path = host_and_path(url)
    sight = Sight(data)
    formats = spoken(layouts, host, path, exchange=exchange)
    # What calls itself an auction's answer is read, so that it is said what is wrong with it.
    if not any(sight.fits(words) for words in (_AUCTION, *(each.words for each in formats), amp.WORDS)):
        return Found(data)
    text = read(data)
    server = amp.bids(text.value)
    if server:
        bids = tuple(
            Bid(
                number, ("targeting",), each.offer, Format.BANNER, each.slot, each.price, deal=each.deal,
                kept=each.kept, leads=each.urls.__iter__,
            )
            for number, each in enumerate(server)
        )  # fmt: skip
        return Found(data, bids, text, targeting=tuple(server), amp=True, asked=asked)
    layout, rows = format_of(text.value, (each for each in formats if sight.fits(each.words)))
    if layout is None:
        return Found(data)
    served = is_served(rows, path)
    own = not is_known(host) or layout.speaks_for(host, path)
    bids = Reader(layout, url, page, host, served=served, own=own).read(rows)
    targeting = (
        tuple(
            ServerBid.of(path, way[-1], bid.offer.buyer, bid.slot, bid.price, deal=bid.deal)
            for bid, (path, way) in zip(bids, rows, strict=True)
        )
        if served
        else ()
    )
    return Found(data, bids, text, layout, targeting, asked=asked)


def apply(found: Found, withheld: Collection[int]) -> bytes:
    """The answer without the bids numbered `withheld`; where they had won already, the runners-up have won instead.

    None withheld: the very same object.
    """
    text, layout = found.text, found.layout
    if not withheld or text is None:
        return found.data
    locator = Locator(text)
    edits: list[Edit] = []
    if found.amp:
        edits += amp.edits(locator, found.targeting, withheld, found.asked)
    elif layout is not None:
        edits += removal(locator, layout, found.bids, withheld)
        edits += _promoting(locator, found, withheld)
    return text.encode(splice(text.source, edits))


def _promoting(locator: Locator, found: Found, withheld: Collection[int]) -> Iterator[Edit]:
    """The edits that make runners-up the winners."""
    for promotion in promotions(found.targeting, withheld, found.asked):
        yield _crowned(locator, promotion)


def _crowned(locator: Locator, promotion: Promotion) -> Edit:
    """The edit that gives a bid the winner's keys, in the innermost object on the way to them that there is."""
    path = promotion.path
    if promotion.new:
        keys = [f"{dumps(name)}: {value}" for name, value in promotion.new.items()]
        while (at := _object(locator, path)) is None:
            keys, path = [f"{dumps(path[-1])}: {{{', '.join(keys)}}}"], path[:-1]
        return insert(locator.source, at, locator.children(at), keys)
    at = locator.at(path)
    if locator.source[at] != "{":
        raise Unrewritable("a bid's keys are no object")
    places = locator.children(at)
    raw = {place.key: locator.source[place.value : place.end] for place in places}
    items = [f'"{new}": {raw[old]}' for new, old in promotion.keys.items() if old in raw]
    return insert(locator.source, at, places, items)


def _object(locator: Locator, path: Path) -> int | None:
    """Where the object at `path` begins; None where there is none."""
    at = locator.at(path[:-4])
    for step in path[-4:]:
        place = locator.child(at, step)
        if place is None:
            return None
        at = place.value
    if locator.source[at] != "{":
        raise Unrewritable("a bid's keys are no object")
    return at
