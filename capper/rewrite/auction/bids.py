"""Bids, and what each of an answer's says of itself, in the words of its format."""

from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from capper.domain.offer import Offer
from capper.domain.sighting import Format
from capper.jsontext import Number, Path
from capper.rewrite.auction.addresses import addresses, holds_address, is_url, opened
from capper.rewrite.auction.creative import Markup, skim, study
from capper.rewrite.auction.layout import Layout
from capper.rewrite.auction.ways import Names, Row, Where, folded, named, spread, values

_KEY = ("#",)
"""The way to what a bid is named by the object that holds it."""
_SHARED = frozenset({"", "openrtb", "cached", "native", "pods"})
_MOST_URLS = 120
_NONE: tuple[str, ...] = ()
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


@dataclass(frozen=True, slots=True)
class Bid:
    """One ad that an auction offers.

    `price` is for a thousand, in `currency` ("" where the answer does not say). `slot` is what the page calls the place
    it bids for. `kept` are the ids under which a cache keeps it.
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
    kept: tuple[str, ...] = ()
    leads: Callable[[], Iterator[str]] = field(default=lambda: iter(()), compare=False, repr=False)
    sources: tuple[Any, ...] = field(default=(), compare=False, repr=False)

    @property
    def silent(self) -> bool:
        """Whether nothing of it will be seen when it is shown: it has no address at all that leads back to it."""
        return not (any(map(is_url, self.leads())) or any(map(holds_address, self.sources)))

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses that lead back to it once it is shown: notices, beacons, what its markup loads.

        Read on demand, for most bids never are. A price's macro stays as it is written, and stands filled in beside it.
        """
        return _filled((*self.leads(), *(url for source in self.sources for url in addresses(source))), self.asked)


def best(
    bids: Sequence[Bid], without: Collection[int], winners: Collection[int] = (), *, deals: bool
) -> frozenset[int]:
    """The numbers of the bids that win their slots: those that had won already, else the highest, deals first if so asked."""
    taken: dict[str, Bid] = {}
    for bid in bids:
        if bid.number not in without:
            other = taken.get(bid.slot)
            if other is None or _rank(bid, winners, deals) > _rank(other, winners, deals):
                taken[bid.slot] = bid
    return frozenset(bid.number for bid in taken.values())


def _rank(bid: Bid, winners: Collection[int], deals: bool) -> tuple[bool, bool, float]:  # noqa: FBT001  a key function
    return bid.number in winners, deals and bid.deal, bid.price or 0.0


class Reader:
    """Reads the bids of one answer: `rows` are where they stand."""

    def __init__(self, layout: Layout, url: str, page: str, host: str, *, served: bool, own: bool) -> None:
        self.layout, self.url, self.page, self.served = layout, url, page, served
        self.bidder = layout.name if own and layout.name not in _SHARED else _short(host)
        self._shared: dict[int, Names] = {}
        self._ways: dict[tuple[str, ...], _Ways] = {}

    def read(self, rows: Sequence[Row]) -> tuple[Bid, ...]:
        """The bids, numbered in their order."""
        layout = self.layout
        if not layout.loose:
            return tuple([self._bid(n, path, self._strict(path, way)) for n, (path, way) in enumerate(rows)])
        crowd = Counter(path[:length] for path, _ in rows for length in range(len(path) + 1))
        return tuple(self._loose(number, row, crowd) for number, row in enumerate(rows))

    def _strict(self, path: Path, way: tuple[Any, ...]) -> "_Said":
        """A bid by the ways of its format. The bids of an answer mostly have the same names, so the same ways lead on."""
        names = tuple(way[-1])
        ways = self._ways.get(names)
        if ways is None:
            ways = self._ways[names] = _ways(self.layout, names)
        return _Strict(ways, path, way)

    def _loose(self, number: int, row: Row, crowd: Counter[Path]) -> Bid:
        """A bid by the names in it, then by those in what holds it and no other."""
        path, way = row
        without = self.layout.without
        inside = spread(way[-1], without)
        for length in range(len(path) - 1, -1, -1):
            around = way[length]
            if type(around) is dict:
                alone = crowd[path[:length]] == 1
                for name, found in (spread(around, without) if alone else self._shared_by_all(around)).items():
                    inside.setdefault(name, found)
        return self._bid(number, path, _Loose(self.layout, inside))

    def _bid(self, number: int, path: Path, said: "_Said") -> Bid:
        asked = _price(said.first("price"))
        advertisers, declared, clicks = said.texts("advertiser"), said.texts("declared"), said.texts("click")
        sources = tuple([opened(source) for source in said.values("markup")])
        named = "." in "".join((*advertisers, *declared))
        markup = skim(sources, self.page) if named else study(sources, self.page, self.url)
        evidence = markup.evidence
        if clicks and not named:
            evidence = replace(evidence, clicks=(*clicks, *evidence.clicks), page=self.page)
        offer = Offer(
            self.buyer(said.first("seat")),
            advertisers,
            declared + markup.declared,
            said.texts("sponsor") + markup.sponsors,
            said.first("buyer_id"),
            said.first("campaign"),
            said.first("creative"),
            said.texts("category"),
            evidence,
        )
        return Bid(
            number,
            path,
            offer,
            _format(said.texts("format"), markup),
            said.first("slot") or "",
            None if asked is None else asked * self.layout.factor,
            asked,
            said.first("currency") or "",
            deal=said.first("deal") is not None,
            won=self.layout.won,
            kept=said.texts("kept"),
            leads=said.leads,
            sources=sources,
        )

    def _shared_by_all(self, around: dict[str, Any]) -> Names:
        """What the holder of several bids says of all of them."""
        found = self._shared.get(id(around))
        if found is None:
            found = {folded(key): [value] for key, value in around.items() if isinstance(value, str)}
            self._shared[id(around)] = found
        return found

    def buyer(self, seat: str | None) -> str:
        """Within whom a bid's ids are unique."""
        if self.served:
            return seat or self.bidder
        return f"{self.bidder}.{seat}" if seat and seat != self.bidder and self.bidder else seat or self.bidder


class _Said:
    """What one bid says, by what it is about; `known` is all that it says anything of."""

    __slots__ = ("known",)

    def __init__(self, known: Container[str]) -> None:
        self.known = known

    def values(self, name: str) -> Sequence[Any]:
        raise NotImplementedError

    def leads(self) -> Iterator[str]:
        """The addresses that lead back to it."""
        return iter(self.texts("urls"))

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.values(name)
        return (
            tuple([text for value in found if isinstance(value, str) and (text := value.strip())]) if found else _NONE
        )

    def first(self, name: str) -> str | None:
        for value in self.values(name) if name in self.known else _NONE:
            if isinstance(value, str) and (text := value.strip()):
                return text
        return None


type _Ways = dict[str, tuple[tuple[str, Where], ...]]
"""What a bid may say, with the ways to it, the surest first; each with the one name it is, or ""."""


class _Strict(_Said):
    """What a bid says by the ways of its format; each is gone when it is asked for."""

    __slots__ = ("path", "way", "ways")

    def __init__(self, ways: _Ways, path: Path, way: tuple[Any, ...]) -> None:
        super().__init__(ways)
        self.ways, self.path, self.way = ways, path, way

    def values(self, name: str) -> Sequence[Any]:
        found: list[Any] = []
        for key, where in self.ways.get(name, ()):
            value = self.way[-1][key] if key else None
            if type(value) is str or type(value) is Number:
                found.append(value)
            elif where.names == _KEY:
                found += [str(self.path[-1])] if self.path else []
            else:
                found += values(self.way, (where,))
        return found


def _ways(layout: Layout, names: tuple[str, ...]) -> _Ways:
    """The ways of a format that a bid with these names may have."""
    found: dict[str, list[tuple[int, str, Where]]] = {}
    for key in dict.fromkeys(("", *names)):
        for name, rank, where in layout.starts.get(key, ()):
            found.setdefault(name, []).append((rank, key if len(where.names) == 1 else "", where))
    return {name: tuple((key, where) for _, key, where in sorted(ways)) for name, ways in found.items()}


class _Loose(_Said):
    """What the names say that were found in and around a bid."""

    __slots__ = ("found", "inside", "layout")

    def __init__(self, layout: Layout, inside: Names) -> None:
        self.layout, self.inside = layout, inside
        ranks: dict[str, list[tuple[int, str]]] = {}
        for key in inside:
            for name, rank, _ in layout.starts.get(key, ()):
                ranks.setdefault(name, []).append((rank, key))
        self.found = {name: [key for _, key in sorted(ranked)] for name, ranked in ranks.items()}
        super().__init__(self.found)

    def values(self, name: str) -> Sequence[Any]:
        return named(self.inside, self.found.get(name, ()))

    def leads(self) -> Iterator[str]:
        return _leading(self.layout, self.inside)


def _leading(layout: Layout, inside: Names) -> Iterator[str]:
    """The addresses that lead back to a bid read by names."""
    for name, found in inside.items():
        if layout.leads and layout.leads.fullmatch(name):
            yield from (text for value in named({name: found}, (name,)) if (text := _text(value)))


def _format(words: tuple[str, ...], markup: Markup) -> Format:
    said = next((_FORMATS[word.lower()] for word in words if word.lower() in _FORMATS), None) if words else None
    return said or markup.format or Format.BANNER


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
    """The addresses as they are written and, where one has a price's macro, as it will be asked for (OpenRTB 2.6, section 4.4)."""
    made = []
    for url in urls:
        if not is_url(url):
            continue
        full = f"https:{url}" if url.startswith("//") else url
        if "${AUCTION_PRICE}" in full and price is not None:
            made.append(full.replace("${AUCTION_PRICE}", f"{price:.15g}"))
        made.append(full)
    return tuple(dict.fromkeys(made))[:_MOST_URLS]


def _short(host: str) -> str:
    """An exchange by its host, the part that all its hosts share: good enough to keep two exchanges' ids apart."""
    parts = host.split(".")
    if len(parts) < 3:
        return host
    length = 3 if len(parts[-1]) == 2 and len(parts[-2]) <= 3 else 2
    return ".".join(parts[-length:])
