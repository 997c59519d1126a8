"""Which format an answer is in, and where its bids stand."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from capper.rewrite.auction.layout import Layout
from capper.rewrite.auction.ways import Row, Where, folded, follow, objects, spread, values

if TYPE_CHECKING:
    from capper.jsontext import Path

MOST_BIDS = 300
_SERVERS = ("/openrtb2/auction", "/openrtb2/amp", "/openrtb2/video")
_SERVED = (
    Where(0, ("ext", "prebid", "targeting")),
    Where(0, ("ext", "prebid", "meta")),
    Where(0, ("ext", "origbidcpm")),
)


_NOTHING: tuple[None, list[str]] = (None, [])


def spoken(layouts: Sequence[Layout], host: str, path: str, *, exchange: bool) -> list[Layout]:
    """The formats that an answer from there may be in: that of its host first."""
    own = [layout for layout in layouts if layout.hosts and layout.speaks_for(host, path)]
    any_shape = exchange and not is_known(host)
    others = [
        layout
        for layout in layouts
        if not layout.of_hosts
        and (layout.open or any_shape or (exchange and (layout.distinct or layout.loose)))
        and not any(layout is each for each in own)
    ]
    return [*own, *others]


def format_of(answer: Any, layouts: Iterable[Layout]) -> tuple[Layout | None, list[Row]]:
    """The format of an answer, with its bids: the first that fits."""
    for layout in layouts:
        rows = _loosely(answer, layout) if layout.loose else _strictly(answer, layout)
        if rows:
            return layout, rows
    return None, []


def is_known(host: str) -> bool:
    """Whether it is known who answered: a file that somebody looks into has no host."""
    return bool(host) and not host.endswith(".invalid")


def is_served(rows: Sequence[Row], path: str) -> bool:
    """Whether a Prebid Server answers: there a seat is a bidder, at an exchange it is who bought."""
    return path.startswith(_SERVERS) or any("ext" in way[-1] and values(way, _SERVED) for _, way in rows)


def _strictly(answer: Any, layout: Layout) -> list[Row]:
    """The bids that stand where the format says, without those that stand inside another."""
    found = [[*_fitting(answer, layout, pattern)] for pattern in layout.bids]
    rows = [row for some in found for row in some][:MOST_BIDS]
    if sum(map(bool, found)) < 2:
        return rows  # what one pattern leads to is never inside another
    taken: set[Path] = set()
    kept = []
    for row in rows:
        if not any(row[0][:length] in taken for length in range(len(row[0]))):
            taken.add(row[0])
            kept.append(row)
    return kept


def _fitting(answer: Any, layout: Layout, pattern: tuple[str, ...]) -> Iterator[Row]:
    """What stands where a pattern leads and has what a bid needs."""
    for row in follow(answer, pattern, MOST_BIDS):
        if type(row[1][-1]) is dict and all(_has(row[1], need) for need in layout.needs):
            yield row


def _has(way: tuple[Any, ...], need: tuple[Where, ...]) -> bool:
    bid = way[-1]
    for where in need:
        if where.climb == 0 and len(where.names) == 1:
            if bid.get(where.names[0]) not in _NOTHING:
                return True
        elif values(way, (where,)):
            return True
    return False


def _loosely(answer: Any, layout: Layout) -> list[Row]:
    """The objects with a price (the first need) and, in them or beside them, what else a bid needs.

    One in another is a part of it; but where an object holds several, they are the bids and it is none.
    """
    prices, near = (frozenset(where.names[0] for where in need) for need in layout.needs)
    shapes: dict[tuple[str, ...], list[str]] = {}

    def is_priced(value: dict[str, Any]) -> bool:
        # The objects of an array mostly have the same names.
        keys = tuple(value)
        found = shapes.get(keys)
        if found is None:
            found = shapes[keys] = [key for key in keys if folded(key) in prices]
        return bool(found) and any(_is_number(value[key]) for key in found)

    priced = islice(objects(answer, MOST_BIDS, is_priced), 2 * MOST_BIDS)
    found = [row for row in priced if _says(row[1], near, layout)]
    places = {path for path, _ in found}
    inner: dict[Path, int] = {}
    for path, _ in found:
        for length in range(len(path)):
            if path[:length] in places:
                inner[path[:length]] = inner.get(path[:length], 0) + 1
    kept = {path for path in places if inner.get(path, 0) < 2}
    return [row for row in found if row[0] in kept and not any(row[0][:n] in kept for n in range(len(row[0])))][
        :MOST_BIDS
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, str) and value[:1].isdigit() and value.replace(".", "", 1).replace("e-", "", 1).isdigit()


def _says(way: tuple[Any, ...], near: frozenset[str], layout: Layout) -> bool:
    beside = way[-2] if len(way) > 1 and type(way[-2]) is dict else {}
    return (
        any(folded(key) in near for key in way[-1])
        or any(folded(key) in near for key in beside)
        or any(name in near for name in spread(way[-1], layout.without))
    )
