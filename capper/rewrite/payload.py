"""Finds the bids of an auction's answer, and takes those out that were withheld: every other byte stays as it was.

    found = find(data, url, layouts, page=page, exchange=is_ad_host)
    ads = [read_offer(reader, bid.offer) for bid in found.bids]
    data = apply(found, withheld)          # numbers of bids; none: the very same object

A bid is a candidate: it may be asked about (peek), never counted. What counts is what is fetched when it has won, and
`Bid.urls` are the addresses that then lead back to its ad.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from capper.domain.errors import Unrewritable
from capper.domain.offer import Offer
from capper.domain.sighting import Format
from capper.jsontext import Edit, Locator, Path, Text, cut, insert, read, splice
from capper.rewrite.creative import Markup, addresses, host_and_path, skim, study
from capper.rewrite.layout import Layout, Where, found, values
from capper.rewrite.targeting import Promotion, ServerBid, amp_bids, amp_edits, promotions

MOST_BIDS = 300
_HINTS = (
    b'"seatbid"',
    b'"bid"',
    b"pm",
    b"price",
    b'"pr"',
    b"hb_",
    b'"assets"',
    b"amznbid",
    b"adspaceId",
    b"creativeId",
)


@dataclass(frozen=True, slots=True)
class Bid:
    """One ad that an auction offers.

    `price` is for a thousand, in `currency` ("" where the answer does not say). `slot` is what the page calls the place
    it bids for. `urls` lead back to it once it is shown: notices, beacons, what its markup loads, with the price filled in.
    """

    number: int
    path: Path
    offer: Offer
    format: Format
    slot: str = ""
    price: float | None = None
    asked: float | None = None
    """The price as the answer puts it, which is what macros are filled with."""
    currency: str = ""
    deal: bool = False
    won: bool = False
    """No candidate: the answer is the ad itself, fetched because it won."""
    given: tuple[str, ...] = ()
    sources: tuple[Any, ...] = field(default=(), compare=False, repr=False)

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses that lead back to it once it is shown: read on demand, for most bids never are."""
        return _filled((*self.given, *(url for source in self.sources for url in addresses(source))), self.asked)


@dataclass(frozen=True)
class Found:
    """The bids of an answer, in its order, and what is needed to take some out."""

    data: bytes
    bids: tuple[Bid, ...] = ()
    text: Text | None = None
    layout: Layout | None = None
    targeting: tuple[ServerBid | None, ...] = ()
    """A Prebid Server's keys of each bid: the auction was held there already."""
    amp: bool = False
    prefers_deals: bool = False

    def lost(self, withheld: Collection[int]) -> dict[str, float]:
        """What the slots' best bids fetch less without `withheld`, per currency, for a thousand."""
        lost: dict[str, float] = {}
        for slot in {bid.slot for bid in self.bids}:
            prices = {bid.number: (bid.price or 0.0, bid.currency) for bid in self.bids if bid.slot == slot}
            best = max(prices.values())
            left = max((price for number, (price, _) in prices.items() if number not in withheld), default=0.0)
            if best[0] > left:
                lost[best[1]] = lost.get(best[1], 0.0) + best[0] - left
        return lost


def may_hold(data: bytes) -> bool:
    """Whether an answer might hold bids: so that JSON without any is not even parsed."""
    return any(hint in data for hint in _HINTS)


def find(
    data: bytes,
    url: str,
    layouts: Sequence[Layout],
    *,
    page: str = "",
    exchange: bool = False,
    prefers_deals: bool = False,
) -> Found:
    """The bids in the answer from `url`; `page` is the publisher's page.

    Formats that say little of themselves are looked for only where it is known that an `exchange` answered. Prebid Server
    may have been asked to put deals before prices (`prefers_deals`): the request says so.

    Raises:
        Unrewritable: the answer is no JSON.
    """
    if not may_hold(data):
        return Found(data)
    text = read(data)
    host, path = host_and_path(url)
    amp = amp_bids(text.value)
    if amp:
        bids = tuple(
            Bid(number, ("targeting",), each.offer, Format.BANNER, each.slot, each.price, given=each.urls)
            for number, each in enumerate(amp)
        )
        return Found(data, bids, text, targeting=tuple(amp), amp=True)
    layout, rows = _layout(text.value, layouts, host, path, exchange=exchange)
    if layout is None:
        return Found(data)
    reader = _Reader(layout, url, page, host, served=_served(rows, path))
    bids = tuple(reader.bid(number, *row) for number, row in enumerate(rows))
    targeting = tuple(
        ServerBid.of(path, way[-1], bid.slot, bid.price, deal=bid.deal)
        for bid, (path, way) in zip(bids, rows, strict=True)
    )
    return Found(data, bids, text, layout, targeting, prefers_deals=prefers_deals)


def apply(found: Found, withheld: Collection[int]) -> bytes:
    """The answer without the bids numbered `withheld`; where they had won already, the runners-up have won instead.

    None withheld: the very same object.
    """
    text = found.text
    if not withheld or text is None:
        return found.data
    locator = Locator(text)
    if found.amp:
        edits = amp_edits(locator, [each for each in found.targeting if each], withheld)
    else:
        edits = [*_removal(locator, found, withheld), *_promoting(locator, found, withheld)]
    return text.encode(splice(text.source, edits))


# Finding


type _Row = tuple[Path, tuple[Any, ...]]


def _layout(
    answer: Any, layouts: Sequence[Layout], host: str, path: str, *, exchange: bool
) -> tuple[Layout | None, list[_Row]]:
    """The format of an answer: that of its host first, then the first that fits."""
    own = [layout for layout in layouts if layout.speaks_for(host, path)]
    others = [layout for layout in layouts if layout not in own and not layout.of_hosts and (layout.open or exchange)]
    for layout in (*own, *others):
        rows = [row for pattern in layout.bids for row in found(answer, pattern, MOST_BIDS) if _fits(layout, row)]
        if rows:
            return layout, _outermost(rows[:MOST_BIDS])
    return None, []


def _fits(layout: Layout, row: _Row) -> bool:
    return isinstance(row[1][-1], dict) and all(values(row[1], need) for need in layout.needs)


def _outermost(rows: list[_Row]) -> list[_Row]:
    """Without what stands inside another."""
    taken: set[Path] = set()
    kept = []
    for path, way in rows:
        if not any(path[:length] in taken for length in range(len(path))):
            taken.add(path)
            kept.append((path, way))
    return kept


def _served(rows: list[_Row], path: str) -> bool:
    """Whether a Prebid Server answers: there a seat is a bidder, at an exchange it is who bought."""
    if path.startswith(("/openrtb2/auction", "/openrtb2/amp", "/openrtb2/video")):
        return True
    ways = (
        Where(0, ("ext", "prebid", "targeting")),
        Where(0, ("ext", "prebid", "meta")),
        Where(0, ("ext", "origbidcpm")),
    )
    return any(values(way, ways) for _, way in rows)


class _Reader:
    """Reads the bids of one answer."""

    def __init__(self, layout: Layout, url: str, page: str, host: str, *, served: bool) -> None:
        self.layout, self.url, self.page, self.served = layout, url, page, served
        self.bidder = layout.name if layout.name not in _SHARED else _short(host)

    def texts(self, way: tuple[Any, ...], name: str) -> tuple[str, ...]:
        return tuple(text for value in values(way, self.layout.fields.get(name, ())) if (text := _text(value)))

    def first(self, path: Path, way: tuple[Any, ...], name: str) -> str | None:
        if self.layout.fields.get(name) == (_KEY,):
            return str(path[-1]) if path else None
        return next(iter(self.texts(way, name)), None)

    def bid(self, number: int, path: Path, way: tuple[Any, ...]) -> Bid:
        asked = _price(self.first(path, way, "price"))
        advertisers, declared = self.texts(way, "advertiser"), self.texts(way, "declared")
        sources = tuple(values(way, self.layout.fields.get("markup", ())))
        named = any("." in text for text in (*advertisers, *declared))
        markup = skim(sources, self.page) if named else study(sources, self.page, self.url)
        evidence, clicks = markup.evidence, self.texts(way, "click")
        if clicks:
            evidence = replace(evidence, clicks=(*clicks, *evidence.clicks), page=self.page)
        offer = Offer(
            self.buyer(self.first(path, way, "seat")),
            advertisers,
            (*declared, *markup.declared),
            (*self.texts(way, "sponsor"), *markup.sponsors),
            self.first(path, way, "buyer_id"),
            self.first(path, way, "campaign"),
            self.first(path, way, "creative"),
            self.texts(way, "category"),
            evidence,
        )
        return Bid(
            number,
            path,
            offer,
            _format(self.texts(way, "format"), markup),
            self.first(path, way, "slot") or "",
            None if asked is None else asked * self.layout.factor,
            asked,
            self.first(path, way, "currency") or "",
            deal=bool(self.texts(way, "deal")),
            won=self.layout.won,
            given=self.texts(way, "urls"),
            sources=sources,
        )

    def buyer(self, seat: str | None) -> str:
        if self.served:
            return seat or self.bidder
        return f"{self.bidder}.{seat}" if seat and seat != self.bidder and self.bidder else seat or self.bidder


_SHARED = frozenset({"", "openrtb", "cached", "native"})
_KEY = Where(0, ("#",))
_FORMATS = {
    "1": Format.BANNER,
    "2": Format.VIDEO,
    "3": Format.VIDEO,
    "4": Format.NATIVE,
    "banner": Format.BANNER,
    "display": Format.BANNER,
    "html": Format.BANNER,
    "video": Format.VIDEO,
    "audio": Format.VIDEO,
    "instream": Format.VIDEO,
    "outstream": Format.VIDEO,
    "native": Format.NATIVE,
}


def _format(words: tuple[str, ...], markup: Markup) -> Format:
    named = next((_FORMATS[word.lower()] for word in words if word.lower() in _FORMATS), None)
    return named or markup.format or Format.BANNER


def _text(value: object) -> str:
    """A string or a number as text; "" for anything else."""
    return value.strip() if isinstance(value, str) else ""


def _price(text: str | None) -> float | None:
    try:
        price = float(text) if text else None
    except ValueError:
        return None
    return price if price is not None and 0 <= price < 1e9 else None


def _filled(urls: Sequence[str], price: float | None) -> tuple[str, ...]:
    """The addresses as they will be asked for: the price stands where its macro stood (OpenRTB 2.6, section 4.4)."""
    made = []
    for url in urls:
        if not url[:8].lower().startswith(("http://", "https://", "//")):
            continue
        full = f"https:{url}" if url.startswith("//") else url
        if "${AUCTION_PRICE}" in full and price is not None:
            made.append(full.replace("${AUCTION_PRICE}", f"{price:.15g}"))
        made.append(full)
    return tuple(dict.fromkeys(made))[:120]


def _short(host: str) -> str:
    """An exchange by its host, the part that all its hosts share: good enough to keep two exchanges' ids apart."""
    parts = host.split(".")
    if len(parts) < 3:
        return host
    length = 3 if len(parts[-1]) == 2 and len(parts[-2]) <= 3 else 2
    return ".".join(parts[-length:])


# Taking out


def _removal(locator: Locator, found: Found, withheld: Collection[int]) -> list[Edit]:
    """The edits that take bids out, and with the last of a seat the seat."""
    layout = found.layout
    if layout is None:
        return []
    if layout.together:
        shared = {found.bids[number].path[:-1] for number in withheld}
        withheld = {bid.number for bid in found.bids if bid.path[:-1] in shared}
    gone: dict[Path, set[int]] = {}
    members: dict[Path, set[str]] = {}
    edits: list[Edit] = []
    for number in sorted(withheld):
        path = found.bids[number].path
        last = path[-1] if path else ""
        if isinstance(last, int):
            gone.setdefault(path[:-1], set()).add(last)
        elif path and not layout.absent:
            members.setdefault(path[:-1], set()).add(last)
        else:
            at = locator.at(path)
            edits.append(Edit(at, locator.end(at), layout.absent or "{}"))
    for path, names in members.items():
        places = locator.children(locator.at(path))
        edits += cut(places, {number for number, place in enumerate(places) if place.key in names})
    holders: dict[Path, set[int]] = {}
    for path, numbers in gone.items():
        places = locator.children(locator.at(path))
        if len(numbers) < len(places):
            edits += cut(places, numbers)
        elif layout.vanishes and len(path) > 1 and isinstance(path[-2], int):
            holders.setdefault(path[:-2], set()).add(path[-2])
        else:
            edits += cut(places, numbers)
            edits += _set(locator, path[:-1], layout.emptied) if path else []
    for path, numbers in holders.items():
        edits += cut(locator.children(locator.at(path)), numbers)
    return edits


def _set(locator: Locator, path: Path, members: Any) -> list[Edit]:
    """The edits that give an object these members."""
    at = locator.at(path)
    places = locator.children(at)
    edits, new = [], []
    for key, value in members.items():
        place = locator.child(at, key)
        if place is not None:
            edits.append(Edit(place.value, place.end, value))
        else:
            new.append(f'"{key}": {value}')
    return [*edits, insert(locator.source, at, places, new)] if new else edits


def _promoting(locator: Locator, found: Found, withheld: Collection[int]) -> Iterator[Edit]:
    """The edits that make runners-up the winners."""
    for promotion in promotions(found.targeting, withheld, prefers_deals=found.prefers_deals):
        yield _crowned(locator, promotion)


def _crowned(locator: Locator, promotion: Promotion) -> Edit:
    at = locator.at(promotion.path)
    if locator.source[at] != "{":
        raise Unrewritable("a bid's keys are no object")
    places = locator.children(at)
    raw = {place.key: locator.source[place.value : place.end] for place in places}
    items = [f'"{new}": {raw[old]}' for new, old in promotion.keys.items() if old in raw]
    return insert(locator.source, at, places, items)
