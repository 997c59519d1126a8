"""Figures as tables for people and as JSON for machines, and the place in a page where a table belongs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from benchmarks.figures import Figure, Row, Spread

_HEAD = (
    "| what | aim | median | least to most | | capper | against |",
    "|---|--:|--:|--:|---|--:|--:|",
)


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run, and how it was made."""

    made: str
    """Machine, day and settings, in sentences."""
    figures: Mapping[str, Figure]

    def also(self, figure: Figure) -> Self:
        """With one figure more."""
        return replace(self, figures={**self.figures, figure.key: figure})

    def as_json(self) -> str:
        """The whole, for `from_json`."""
        rows = {key: asdict(figure) for key, figure in self.figures.items()}
        return json.dumps({"made": self.made, "figures": rows}, indent=1) + "\n"


def from_json(text: str) -> Report:
    """What `Report.as_json` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        figures = {
            key: Figure(key, Spread(**row["spread"]), row["own"], row["other"]) for key, row in data["figures"].items()
        }
        return Report(data["made"], figures)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"no report of a run: {exc!r}") from exc


def table(rows: Mapping[str, Row], figures: Mapping[str, Figure]) -> Iterator[str]:
    """One line for each row that has a figure, in the order of `rows`."""
    yield from _HEAD
    yield from (line(row, figures[key]) for key, row in rows.items() if key in figures)


def line(row: Row, figure: Figure) -> str:
    """One line of the table."""
    spread, unit = figure.spread, "x" if row.against else row.unit
    other = "" if figure.other is None else f"{row.against}: {number(figure.other)} {row.unit}"
    own = f"{number(figure.own)} {row.unit}" if row.against else ""
    span = "" if spread.least == spread.most else f"{number(spread.least)} to {number(spread.most)}"
    return f"| {row.what} | {row.aim} | {number(spread.median)} {unit} | {span} | {verdict(row, spread.median)} | {own} | {other} |"


def verdict(row: Row, median: float) -> str:
    """Whether the aim is met, else by how much it is missed; "" where there is none."""
    missed = row.missed(median)
    if not missed:
        return "met" if row.aim else ""
    return f"missed by {missed:.0%}" if missed < 1 else f"{number(missed + 1)} times the aim"


def comparison(rows: Mapping[str, Row], before: Mapping[str, Figure], now: Mapping[str, Figure]) -> Iterator[str]:
    """What both runs have, and by how much it changed; a change within the rounds' own spread is said to be so."""
    yield "| what | before | now | change | |"
    yield "|---|--:|--:|--:|---|"
    for key, row in rows.items():
        if key in before and key in now:
            was, found = before[key].spread, now[key].spread
            unit = "x" if row.against else row.unit
            noise = "within the spread" if was.least <= found.median <= was.most else ""
            yield (
                f"| {row.what} | {number(was.median)} {unit} | {number(found.median)} {unit} "
                f"| {found.median / was.median - 1:+.0%} | {noise} |"
            )


def number(value: float) -> str:
    """Three digits that say something, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def marks(name: str) -> tuple[str, str]:
    """The marks in a page between which the text called `name` stands."""
    return f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"


def write(page: Path, text: str, name: str = "figures") -> None:
    """Put `text` between a page's marks for `name`.

    Raises:
        ValueError: a mark is missing.
    """
    begin, end = marks(name)
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"write into {page}: expected the marks {begin.strip()} and {end.strip()}")
    page.write_text(f"{before}{begin}{text.rstrip()}\n{end}{after}", "utf-8")
