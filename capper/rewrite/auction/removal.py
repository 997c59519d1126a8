"""Takes bids out of an answer, so that the page reads it as an answer that never had them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from capper.jsontext import Edit, Locator, Path, cut, insert
from capper.rewrite.auction.bids import Bid
from capper.rewrite.auction.layout import Layout


def removal(locator: Locator, layout: Layout, bids: Sequence[Bid], withheld: Collection[int]) -> list[Edit]:
    """The edits that take the bids numbered `withheld` out, and with the last of a seat the seat."""
    if layout.together:
        shared = {bids[number].path[:-1] for number in withheld}
        withheld = {bid.number for bid in bids if bid.path[:-1] in shared}
    rows = _units(bids) if layout.loose else [bid.path for bid in bids]
    elements: dict[Path, set[int]] = {}
    members: dict[Path, set[str]] = {}
    edits: list[Edit] = []
    for path in dict.fromkeys(rows[number] for number in sorted(withheld)):
        last = path[-1] if path else ""
        if isinstance(last, int) and layout.in_turn is not None:
            edits.append(_stand_in(locator, layout.absent, layout.in_turn, path))
        elif isinstance(last, int):
            elements.setdefault(path[:-1], set()).add(last)
        elif path and not layout.absent:
            members.setdefault(path[:-1], set()).add(last)
        else:
            at = locator.at(path)
            edits.append(Edit(at, locator.end(at), layout.absent or "{}"))
    for path, names in members.items():
        places = locator.children(locator.at(path))
        edits += cut(places, {number for number, place in enumerate(places) if place.key in names})
    return [*edits, *_emptied(locator, layout, elements)]


def _stand_in(locator: Locator, absent: str, kept: Collection[str], path: Path) -> Edit:
    """The edit that leaves a bid's place to what is none, so that the bids after it keep their turn."""
    at = locator.at(path)
    members = [locator.source[each.start : each.end] for each in locator.children(at) if each.key in kept]
    return Edit(at, locator.end(at), ", ".join([absent.removesuffix("}"), *members]) + "}")


def _units(bids: Sequence[Bid]) -> list[Path]:
    """What goes with each bid: the element of the innermost array it stands in, if no other bid stands in that."""
    units = [
        bid.path[: next((n for n in range(len(bid.path), 0, -1) if isinstance(bid.path[n - 1], int)), 0)]
        for bid in bids
    ]
    crowd = Counter(bid.path[:length] for bid in bids for length in range(len(bid.path) + 1))
    return [unit if unit and crowd[unit] == 1 else bid.path for bid, unit in zip(bids, units, strict=True)]


def _emptied(locator: Locator, layout: Layout, elements: Mapping[Path, set[int]]) -> list[Edit]:
    """The edits that take elements of arrays out, and do with the holder of an emptied array what the format wants."""
    edits: list[Edit] = []
    holders: dict[Path, set[int]] = {}
    for path, numbers in elements.items():
        places = locator.children(locator.at(path))
        if len(numbers) < len(places):
            edits += cut(places, numbers)
        elif layout.vanishes and len(path) > 1 and isinstance(path[-2], int):
            holders.setdefault(path[:-2], set()).add(path[-2])
        else:
            edits += cut(places, numbers)
            edits += _set(locator, path[:-1], layout.emptied) if path and layout.emptied else []
    for path, numbers in holders.items():
        edits += cut(locator.children(locator.at(path)), numbers)
    return edits


def _set(locator: Locator, path: Path, members: Mapping[str, str]) -> list[Edit]:
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
