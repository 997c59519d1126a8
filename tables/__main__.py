"""`python -m tables`: every table, written to docs/measurement.md; exits with 1 where one is outside its tolerance."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tables.counting import big_campaigns, t1, t2, t3
from tables.identities import t5, t6
from tables.known_truth import Size, rows, run
from tables.pictures import t4
from tables.repeating import t10
from tables.row import Row
from tables.statistics import t7, t8, t9
from tables.visitors import visitors

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "measurement.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its number, what it asks, and what makes it."""

    name: str
    title: str
    make: Callable[[], list[Row]]


def tables(data: Path | None) -> list[Table]:
    """All of them; some take real data, of which each says so where there is none."""
    return [
        Table("T1", "Ads that follow people, told by counting (RT-1, 5 seeds)", lambda: t1() + big_campaigns()),
        Table("T2", "Size of a count-min sketch", t2),
        Table("T3", "The same verdicts without anybody's counts (RT-1, cap 6, 3 seeds)", t3),
        Table("T4", "The same picture, changed", partial(t4, data)),
        Table("T5", "Repeat share by key", partial(t5, data)),
        Table("T6", "Identity by rung", partial(t6, data)),
        Table("T7", "Frequency curves with noise: shuffle distance (1,000 runs)", partial(t7, 1000)),
        Table("T8", "Opting out: power, and what is found where there is nothing", t8),
        Table("T9", "Half-lives found again (10 seeds, the worst)", t9),
        Table("T10", "The same again", t10),
        Table("K", "Known truth: a study of an ad world that says itself whom it followed", known_truth),
    ]


def known_truth(seed: int = 1) -> list[Row]:
    """Through the real proxy, with browsers as small as can be."""
    with TemporaryDirectory() as folder:
        return rows(asyncio.run(run(Path(folder), Size(), seed, visitors)), seed)


def written(found: Sequence[tuple[Table, Sequence[Row]]]) -> str:
    """The tables as Markdown."""
    parts = []
    for table, lines in found:
        parts.append(f"### {table.name}. {table.title}\n\n| what | measured | asked | |\n|---|---|---|---|")
        parts[-1] += "".join(
            f"\n| {row.what} | {row.measured} | {row.wanted} | {_verdict(row.passed)} |" for row in lines
        )
    return "\n\n".join(parts)


def _verdict(passed: bool | None) -> str:  # noqa: FBT001  a cell of the table
    return {None: "", True: "pass", False: "**fail**"}[passed]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the tables, print how long each took, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tables", description=__doc__)
    parser.add_argument("--only", action="append", metavar="T", help="this table alone; may be repeated")
    parser.add_argument("--write", action="store_true", help="put all of them into docs/measurement.md")
    parser.add_argument("--data", type=Path, help="the folder of real data; left out: ../shared/data")
    chosen = parser.parse_args(arguments)
    if chosen.only and chosen.write:
        parser.error("--write writes all tables: leave --only out")
    found = []
    for table in tables(_data(chosen.data)):
        if not chosen.only or table.name in chosen.only:
            begun = time.process_time()
            found.append((table, table.make()))
            print(f"{table.name}: {time.process_time() - begun:.0f} s of CPU", file=sys.stderr, flush=True)  # noqa: T201
    text = written(found)
    if chosen.write:
        page = PAGE.read_text("utf-8")
        head, tail = page.partition(BEGIN)[0], page.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", "utf-8")
    else:
        print(text)  # noqa: T201
    return int(any(row.passed is False for _, lines in found for row in lines))


def _data(named: Path | None) -> Path | None:
    places = [named, Path(os.environ.get("CAPPER_SHARED_DATA", "-")), ROOT.parent / "shared" / "data"]
    return next((place for place in places if place and place.is_dir()), None)


if __name__ == "__main__":
    sys.exit(main())
