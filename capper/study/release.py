"""The figures of a study that may leave it: each a count of bounded parts of people, told with noise and for crowds only.

1. Of each person at most so many rows count (`truncation`), so that she can change a figure by no more.
2. Noise that hides as much is added (`noise`); a cell is told where, with it, it has clearly more people than the study's least (k).
3. What could be taken from a sum to leave a cell that was not told is not told either.

What a release does to a person holds for all of hers in the study: neighbours are two studies of which one has her and the other has not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capper.domain.decision import Verdict
from capper.domain.errors import ConfigError
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.metrics import Pairs, pairs
from capper.study.noise import crowds, noisy, told_from
from capper.study.table import Exposures, Key
from capper.study.truncation import bounded

_MOST_BIN = 20
_HOUR_MS = 3_600_000
_LEAST_EPSILON = 0.001
"""Below it, noise drowns every study that could be."""
_ADS = 0.8
"""The share of a threshold's epsilon that its number of ads takes, on which it depends most."""

Cell = tuple[str, ...]
"""A place in a table: one value for each axis; "" where a margin sums over the axis."""


class What(StrEnum):
    """What can be released."""

    FREQUENCY = "frequency"
    REACH = "reach"
    COUNTS = "counts"
    THRESHOLD = "threshold"


class Axis(StrEnum):
    """By what exposures can be counted."""

    BASIS = "basis"
    FORMAT = "format"
    HOUR = "hour"
    VERDICT = "verdict"

    @property
    def values(self) -> tuple[str, ...]:
        """All that there can be; nothing about anybody."""
        if self is Axis.HOUR:
            return tuple(f"{hour:02}" for hour in range(24))
        return tuple({Axis.BASIS: Basis, Axis.FORMAT: Format, Axis.VERDICT: Verdict}[self])


USUAL = {What.FREQUENCY: 1, What.REACH: 5, What.COUNTS: 1, What.THRESHOLD: 414}
"""How many rows of a person count: pairs with an ad, ads, exposures, ads."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; of two that are alike the second is answered with the first one's answer."""

    what: What
    epsilon: float
    delta: float
    key: Key = "advertiser"
    each: int = 1
    """Rows of one person that count."""
    by: tuple[Axis, ...] = ()
    """For counts: one or two."""
    margins: bool = False
    """For counts by two: the sums of each line too, with noise of their own."""
    week: str = ""
    """The week in question, as 2026-W47; the whole study without."""
    least: int = 20
    seed: int = 1

    def plain(self) -> dict[str, Any]:
        """As it is written down."""
        row: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return row | {"what": self.what.value, "by": [axis.value for axis in self.by]}

    @property
    def price(self) -> tuple[float, float]:
        """Epsilon and delta; a threshold has no cells that could come to light."""
        return self.epsilon, 0.0 if self.what is What.THRESHOLD else self.delta

    def checked(self) -> "Request":
        """This one.

        Raises:
            ConfigError: it asks for what cannot be.
        """
        wrong = ""
        if not _LEAST_EPSILON <= self.epsilon < np.inf:
            wrong = f"expected an epsilon of at least {_LEAST_EPSILON:g}, not {self.epsilon:g}"
        elif self.each < 1:
            wrong = f"{self.each} rows of a person leave nothing to count"
        elif self.what is What.COUNTS and not 1 <= len(self.by) <= 2:
            wrong = "counts are by one or two of basis, format, hour and verdict"
        elif len(set(self.by)) != len(self.by):
            wrong = f"by {self.by[0]} twice"
        elif self.by and self.what is not What.COUNTS:
            wrong = f"{self.what} is counted by ads alone"
        elif self.margins and len(self.by) != 2:
            wrong = "margins are those of counts by two"
        elif self.what is not What.THRESHOLD and not 0 < self.delta < 1:
            wrong = f"expected a delta above 0 and below 1, not {self.delta:g}"
        if wrong:
            raise ConfigError(f"release {self.what}: {wrong}")
        return self


def figure(exposures: Exposures, request: Request) -> dict[str, Any]:
    """The answer, with its noise: other noise at each call, so it is for `Spending.once` to call it.

    Raises:
        ConfigError: OpenDP is not installed.
    """
    if request.what is What.COUNTS:
        return _counts(exposures, request)
    met = _pairs(exposures, request)
    if request.what is What.THRESHOLD:
        return _threshold(met, request)
    if request.what is What.REACH:
        names = exposures.by(request.key).names
        told = _told([(names[ad],) for ad in met.ad], met.person, request, once=True)
        return {"axes": [request.key], **_table(told, request)}
    cells = [(str(times) if times < _MOST_BIN else f"{_MOST_BIN}+",) for times in met.observed.tolist()]
    told = _told(cells, met.person, request)
    return {"axes": ["times met"], **_table(told, request)}


def withheld(told: Iterable[Cell], values: Sequence[Sequence[str]]) -> set[Cell]:
    """The cells of a table that must not be told although they could be, for a margin would give away another one.

    A line of which the sum and all cells but one are told tells that one. So its smallest in order goes too, until no line does.

    Args:
        told: cells and margins that are to be told.
        values: of each axis.
    """
    left, gone = set(told), set[Cell]()
    while True:
        found = next(_betraying(left, values), None)
        if found is None:
            return gone
        left.discard(found)
        gone.add(found)


def _betraying(told: set[Cell], values: Sequence[Sequence[str]]) -> Iterator[Cell]:
    """From each line that tells its one hidden cell, a cell that hides it; the margin itself where there is none."""
    for axis, names in enumerate(values):
        for margin in sorted(cell for cell in told if "" in cell and cell.index("") == axis):
            line = [tuple(name if place == axis else each for place, each in enumerate(margin)) for name in names]
            shown = [cell for cell in line if cell in told]
            if len(line) - len(shown) == 1:
                yield shown[0] if shown else margin


@dataclass(frozen=True, slots=True)
class _Told:
    """The cells that are told, with noise: their people, and their rows where one person can have several in a cell."""

    people: Mapping[Cell, int]
    rows: Mapping[Cell, int] | None
    from_: int
    """The number of people, with noise, from which a cell is told."""


def _counts(exposures: Exposures, request: Request) -> dict[str, Any]:
    kept = bounded(exposures.person.codes.astype(np.int64), exposures.person.names, request.each, request.seed)
    columns = [_column(exposures, axis) for axis in request.by]
    cells: list[Cell] = [tuple(column[row] for column in columns) for row in kept]
    people = exposures.person.codes[kept].astype(np.int64)
    told = _told(cells, people, request)
    if request.margins:
        gone = withheld(told.people, [axis.values for axis in request.by])
        told = replace(
            told,
            people={cell: count for cell, count in told.people.items() if cell not in gone},
            rows=told.rows and {cell: count for cell, count in told.rows.items() if cell not in gone},
        )
    return {"axes": list(request.by), **_table(told, request)}


def _column(exposures: Exposures, axis: Axis) -> Sequence[str]:
    if axis is Axis.HOUR:
        return [f"{hour:02}" for hour in exposures.time // _HOUR_MS % 24]
    if axis is Axis.VERDICT:
        return [Verdict.SHOW if shown else Verdict.WITHHOLD for shown in exposures.shown]
    column = exposures.basis if axis is Axis.BASIS else exposures.format
    return [column.names[code] for code in column.codes]


def _pairs(exposures: Exposures, request: Request) -> Pairs:
    """The pairs that count, in an order to which nobody else's ads matter."""
    found = pairs(exposures, request.key)
    names = exposures.by(request.key).names
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    ordered = _chosen(found, np.lexsort((rank[found.ad], found.person)))
    return _chosen(ordered, bounded(ordered.person, exposures.person.names, request.each, request.seed))


def _chosen(found: Pairs, rows: NDArray[np.int64]) -> Pairs:
    return Pairs(*(getattr(found, name)[rows] for name in Pairs.__slots__))


def _told(cells: Sequence[Cell], whose: NDArray[np.int64], request: Request, *, once: bool = False) -> _Told:
    """Count rows, and the people they are of, by cell and margin. `once`: no two rows of a person are in one cell."""
    kinds = 1 + (len(request.by) if request.margins else 0)
    reach = request.each * kinds
    several = request.each > 1 and not once
    epsilon = request.epsilon / 2 if several else request.epsilon
    rows: dict[str, int] = {}
    people: dict[str, int] = {}
    seen: set[tuple[int, str]] = set()
    for person, cell in zip(whose.tolist(), cells, strict=True):
        for name in map("\t".join, _with_margins(cell, margins=request.margins)):
            rows[name] = rows.get(name, 0) + 1
            if (person, name) not in seen:
                seen.add((person, name))
                people[name] = people.get(name, 0) + 1
    told = crowds(people, reach, epsilon, request.delta, request.least)
    names = sorted(told)
    counted = noisy([rows[name] for name in names], reach, epsilon) if several else None
    return _Told(
        {tuple(name.split("\t")): told[name] for name in names},
        None
        if counted is None
        else {tuple(name.split("\t")): max(each, 0) for name, each in zip(names, counted, strict=True)},
        told_from(reach, epsilon, request.delta, request.least),
    )


def _with_margins(cell: Cell, *, margins: bool) -> Iterator[Cell]:
    yield cell
    if margins:
        yield (cell[0], "")
        yield ("", cell[1])


def _table(told: _Told, request: Request) -> dict[str, Any]:
    counted = "exposures" if request.what is What.COUNTS else "pairs"
    rows = [
        {"cell": list(cell), "people": people} | ({counted: told.rows[cell]} if told.rows is not None else {})
        for cell, people in sorted(told.people.items(), key=_in_order)
    ]
    return {"rows": rows, "told_from": told.from_}


def _in_order(row: tuple[Cell, int]) -> list[tuple[int, str]]:
    """Numbers by their size, other words by letter."""
    return [(len(each) if each[:1].isdigit() else 0, each) for each in row[0]]


def _threshold(met: Pairs, request: Request) -> dict[str, Any]:
    """Users_th of `detection`, the mean of how many people met an ad: from the number of pairs, and that of ads.

    Both are counts that a person changes by at most as many ads as count of hers.
    """
    [ads] = noisy([len(np.unique(met.ad))], request.each, request.epsilon * _ADS)
    [number] = noisy([len(met)], request.each, request.epsilon * (1 - _ADS))
    return {"threshold": max(number, 0) / max(ads, 1), "pairs": number, "ads": ads}
