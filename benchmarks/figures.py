"""What is measured (`Row`, from rows.toml) and what was found (`Figure`): spreads of rounds, ratios taken pair by pair, aims met or missed."""

import statistics
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROWS = Path(__file__).with_name("rows.toml")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured, by which part, and what is aimed at.

    With an `against` the aims speak of the ratio to it, else of the figure itself in its `unit`.
    """

    key: str
    part: str
    what: str
    unit: str
    against: str = ""
    at_most: float | None = None
    at_least: float | None = None
    when_named: bool = False
    """It needs what not everybody has, and is left out unless it is asked for."""

    @property
    def aim(self) -> str:
        """The aim as a reader wants it: `<= 0.5 x`; "" where there is none."""
        sign, limit = ("<=", self.at_most) if self.at_most is not None else (">=", self.at_least)
        return "" if limit is None else f"{sign} {limit:g} {'x' if self.against else self.unit}"

    def missed(self, median: float) -> float:
        """By which share of the aim `median` misses it: 0.1 is a tenth beyond; 0 where it is met or there is none."""
        if self.at_most is not None:
            return max(0.0, median / self.at_most - 1)
        return max(0.0, 1 - median / self.at_least) if self.at_least else 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the median and the most of some rounds."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """What was found for the row called `key`.

    `spread` is of the ratios where the row is measured against something, else of capper's own figures; `own` and `other`
    are the medians of capper's figures and of what stood against it, in the row's unit.
    """

    key: str
    spread: Spread
    own: float
    other: float | None = None

    @classmethod
    def ratio(cls, key: str, own: Sequence[float], other: Sequence[float]) -> Self:
        """Rounds of capper and of another in turn: the ratio is taken pair by pair, because machines drift."""
        ratios = [ours / theirs for ours, theirs in zip(own, other, strict=True)]
        return cls(key, Spread.of(ratios), statistics.median(own), statistics.median(other))

    @classmethod
    def plain(cls, key: str, values: Sequence[float]) -> Self:
        """Rounds of capper alone."""
        spread = Spread.of(values)
        return cls(key, spread, spread.median)


def load_rows(path: Path = ROWS) -> dict[str, Row]:
    """Every row by its key, in the order of the file."""
    return {key: Row(key, **fields) for key, fields in tomllib.loads(path.read_text("utf-8")).items()}


def chosen(rows: dict[str, Row], words: Sequence[str]) -> dict[str, Row]:
    """The rows that `words` name; without any, all but those that want to be named.

    A word is a part, or a row's key, or else stands in keys or descriptions.

    Raises:
        ValueError: a word fits no row.
    """
    found: set[str] = set()
    for word in words:
        exact = {row.key for row in rows.values() if word in (row.part, row.key)}
        fits = exact or {
            row.key for row in rows.values() if (word in row.key or word in row.what) and not row.when_named
        }
        if not fits:
            raise ValueError(f"--only {word}: no row is called so; there are {', '.join(rows)}")
        found |= fits
    return {key: row for key, row in rows.items() if (key in found if words else not row.when_named)}


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the ascending `values` lie."""
    return values[min(len(values) - 1, int(len(values) * share))]
