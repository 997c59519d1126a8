"""Rows as cells, in the order of the columns that `exposure.py` lists: what every format writes, and reads back."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import groupby
from typing import Any

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import EXPOSURES, VISITS, Arm, Column, Exposure, Kind, Visit

type Cell = str | int | datetime
type Cells = tuple[Cell, ...]
type Told = Mapping[str, object]
"""A row as a format tells it: by the columns' names."""


def cells(row: Exposure | Visit, columns: Sequence[Column]) -> Cells:
    """The row's values under `columns`; times are UTC, to the millisecond."""
    return tuple(_plain(getattr(row, column.name)) for column in columns)


def spelled(at: datetime) -> str:
    """A time as ISO 8601 has it, in UTC, to the millisecond: 2026-11-22T12:00:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def said(value: Cell) -> str | int:
    """A value for formats that know no times."""
    return spelled(value) if isinstance(value, datetime) else value


def exposure_of(told: Told) -> Exposure:
    """The exposure that a row of any format tells.

    Raises:
        ValueError, KeyError, TypeError: it tells none.
    """
    kinds = {"format": Format, "basis": Basis, "verdict": Verdict, "arm": Arm}
    found = _values(told, EXPOSURES)
    return Exposure(**found | {name: kind(found[name]) for name, kind in kinds.items()})


def visit_of(told: Told) -> Visit:
    """The visit; raises as `exposure_of` does."""
    found = _values(told, VISITS)
    return Visit(**found | {"kind": Kind(found["kind"])})


def by_day[Row: (Exposure, Visit)](rows: Iterable[Row]) -> Iterator[tuple[str, Iterator[Row]]]:
    """Rows in the order of time, day by day (UTC)."""
    for day, found in groupby(rows, key=lambda row: row.time.astimezone(UTC).date()):
        yield day.isoformat(), found


def _values(told: Told, columns: Sequence[Column]) -> dict[str, Any]:
    return {column.name: _READ[column.type](told[column.name]) for column in columns}


def _time(value: object) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone")
    return at.astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(value: object) -> int:
    number = int(str(value))
    if not 0 <= number < 2**31:
        raise ValueError(f"{number} is out of range")
    return number


_READ: dict[str, Callable[[object], object]] = {
    "timestamp[ms, tz=UTC]": _time,
    "string": _text,
    "int32": _number,
}


def _plain(value: Cell | Enum) -> Cell:
    return str(value.value) if isinstance(value, Enum) else value
