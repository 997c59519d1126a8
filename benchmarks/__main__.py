"""Capper's speed against what people would use instead, in one run on one machine, as ratios of interleaved rounds.

    python -m benchmarks                                   every row, with EasyList and EasyPrivacy where ../shared/data has them
    python -m benchmarks --only page --rounds 3 --scale 0.3 --json now.json
    python -m benchmarks --only claims --compare now.json

CPU time is a process's own (user and system, its children's included), read from the kernel, so that the load generator
and the origin, which are processes of their own, do not count. Linux only.
"""

import argparse
import gc
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks import report
from benchmarks.figures import Figure, Row, chosen, load_rows
from benchmarks.lists import NONE, chosen_lists, shared_data
from benchmarks.machine import machine
from benchmarks.run import Part, Run


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="rows by key, part or a word of the text")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turns (default: 5)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of a full run's work in each round (default: 1)"
    )
    parser.add_argument(
        "--lists",
        nargs="+",
        default=[],
        metavar="FILE",
        help=f"filter lists to load, or {NONE!r} for the starter lists",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, for --compare")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="say what changed since that run")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of this page")
    parser.add_argument("--marks", default="figures", metavar="NAME", help="which marks of the page (default: figures)")
    return parser


def main() -> None:
    """Measure what is asked for and say what was found."""
    parser = arguments()
    given = parser.parse_args()
    try:
        rows = chosen(load_rows(), given.only)
        before = report.from_json(given.compare.read_text("utf-8")) if given.compare else None
        lists = tuple(chosen_lists(given.lists, shared_data()))
    except (OSError, ValueError) as exc:
        parser.error(str(exc))
    with tempfile.TemporaryDirectory(prefix="capper-bench-") as folder:
        run = Run(Path(folder), given.rounds, given.scale, lists)
        found = report.Report(described(run), {})
        print(found.made, end="\n\n", flush=True)
        for figure in measured(run, rows):
            print(_briefly(rows[figure.key], figure), flush=True)
            found = found.also(figure)
            if given.json:  # as they come: a run takes long, and may be interrupted
                given.json.write_text(found.as_json(), "utf-8")
    told = "\n".join((found.made, "", *report.table(rows, found.figures)))
    print("\n".join(("", *report.table(rows, found.figures))))
    if before:
        print("\n".join(("", *report.comparison(rows, before.figures, found.figures))))
    if given.write:
        report.write(given.write, told, given.marks)


def described(run: Run) -> str:
    """The machine and how the run is made."""
    lists = ", ".join(each.name for each in run.lists) or "those that travel with capper"
    share = "" if run.scale == 1 else f" of {run.scale:g} of the full work"
    return f"{machine()}. {datetime.now(UTC):%Y-%m-%d}; {run.rounds} interleaved rounds{share}. Filter lists: {lists}."


def measured(run: Run, rows: Mapping[str, Row]) -> Iterator[Figure]:
    """The figure of each row, part by part."""
    for name in dict.fromkeys(row.part for row in rows.values()):
        keys = [key for key, row in rows.items() if row.part == name]
        # As a start does (`proxy/lean.py`): what the parts before left is not looked through again and again.
        gc.collect()
        gc.freeze()
        for figure in _part(name)(_in_own_folder(run, name), keys):
            if figure.key in keys:
                yield figure


def _part(name: str) -> Part:
    """What measures the rows of this part; imported when it is its turn."""
    part: Part = import_module(f"benchmarks.{name}").measure
    return part


def _in_own_folder(run: Run, name: str) -> Run:
    folder = run.folder / name
    folder.mkdir()
    return replace(run, folder=folder)


def _briefly(row: Row, figure: Figure) -> str:
    unit = "x" if row.against else row.unit
    return f"{row.key:20} {report.number(figure.spread.median):>8} {unit:6} {row.aim}"


if __name__ == "__main__":
    main()
