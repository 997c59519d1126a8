"""What each process of a fleet says of itself, in memory that all of them share; it outlives the one that wrote it.

Each number is written by one process alone, so that nobody has to wait for anybody.
"""

import mmap
from dataclasses import fields
from typing import Final

from capper.journal import Totals

_BEAT, _CONNECTIONS, _RESTARTS, _FIRST_TOTAL = range(4)
_TOTALS: Final = tuple(field.name for field in fields(Totals))
_WIDTH: Final = _FIRST_TOTAL + len(_TOTALS)
_CELL: Final = 8


class _Cell:
    """One number of a row, as an attribute."""

    def __init__(self, place: int) -> None:
        self._place = place

    def __get__(self, row: "SharedTotals | Row", _: type | None = None) -> int:
        return row.cells[self._place]

    def __set__(self, row: "SharedTotals | Row", value: int) -> None:
        row.cells[self._place] = value


class SharedTotals(Totals):
    """Totals that stand in a row: who comes after a process that died counts on where it stopped."""

    def __init__(self, cells: "memoryview[int]") -> None:
        self.cells = cells


for _place, _name in enumerate(_TOTALS, _FIRST_TOTAL):
    setattr(SharedTotals, _name, _Cell(_place))


class Row:
    """What one process says."""

    beat = _Cell(_BEAT)
    """The monotonic clock's nanoseconds when its event loop last turned; 0 until it is ready."""
    connections = _Cell(_CONNECTIONS)
    """Clients it serves now."""
    restarts = _Cell(_RESTARTS)
    """How often it was started anew; the parent's to write."""

    def __init__(self, cells: "memoryview[int]") -> None:
        self.cells = cells
        self.totals = SharedTotals(cells)


class Board:
    """The rows of a fleet, its workers' and that of the house; made before its processes are."""

    def __init__(self, workers: int) -> None:
        size = (workers + 1) * _WIDTH
        memory = memoryview(mmap.mmap(-1, size * _CELL)).cast("Q")
        self.house, *others = (Row(memory[at : at + _WIDTH]) for at in range(0, size, _WIDTH))
        self.workers = tuple(others)
        self.rows = (self.house, *self.workers)

    def totals(self) -> Totals:
        """What all of them have counted together, as it is now."""
        return Totals(*(sum(getattr(row.totals, name) for row in self.rows) for name in _TOTALS))
