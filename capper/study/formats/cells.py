"""Rows as cells, in the order of the columns that `exposure.py` lists: what every format writes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import groupby

from capper.study.exposure import Column, Exposure, Visit

type Cell = str | int | datetime
type Cells = tuple[Cell, ...]


def cells(row: Exposure | Visit, columns: Sequence[Column]) -> Cells:
    """The row's values under `columns`; times are UTC, to the millisecond."""
    return tuple(_plain(getattr(row, column.name)) for column in columns)


def spelled(at: datetime) -> str:
    """A time as ISO 8601 has it, in UTC, to the millisecond: 2026-11-22T12:00:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def said(value: Cell) -> str | int:
    """A value for formats that know no times."""
    return spelled(value) if isinstance(value, datetime) else value


def by_day[Row: (Exposure, Visit)](rows: Iterable[Row]) -> Iterator[tuple[str, Iterator[Row]]]:
    """Rows in the order of time, day by day (UTC)."""
    for day, found in groupby(rows, key=lambda row: row.time.astimezone(UTC).date()):
        yield day.isoformat(), found


def _plain(value: Cell | Enum) -> Cell:
    return str(value.value) if isinstance(value, Enum) else value
