"""Rows as CSV, JSON Lines and HAR: written as they come, however many they are, and read back."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from capper import __version__
from capper.study.exposure import EXPOSURES, Column, Exposure, Visit
from capper.study.formats.cells import Cell, Told, cells, said, spelled

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet takes for the beginning of a formula, and the mark itself."""
_MARK = "'"


def write_csv(path: Path, rows: Iterable[Exposure | Visit], columns: Sequence[Column]) -> int:
    """As RFC 4180 has it, in UTF-8, with one header; returns how many rows.

    A text that a spreadsheet would take for a formula stands behind an apostrophe, as does one that begins with an apostrophe: who reads it
    back takes the first apostrophe of a text away.
    """
    count = 0
    with _opened(path) as file:
        writer = csv.writer(file)
        writer.writerow(column.name for column in columns)
        for count, row in enumerate(rows, 1):  # noqa: B007 - it is what is returned
            writer.writerow(_safe(value) for value in cells(row, columns))
    return count


def write_jsonl(path: Path, rows: Iterable[Exposure | Visit], columns: Sequence[Column]) -> int:
    """One JSON object a line, in UTF-8; returns how many rows."""
    count = 0
    with _opened(path) as file:
        for count, row in enumerate(rows, 1):  # noqa: B007 - it is what is returned
            file.write(_object(row, columns) + "\n")
    return count


def write_har(path: Path, rows: Iterable[Exposure]) -> int:
    """HAR 1.2: an entry for each exposure, which stands whole in its `_capper`; returns how many.

    Of the request there is what a study keeps: its time and the network's domain. Nothing else was recorded, so nothing else is there.
    """
    count = 0
    creator = json.dumps({"name": "capper", "version": __version__})
    with _opened(path) as file:
        file.write(f'{{"log":{{"version":"1.2","creator":{creator},"pages":[],"entries":[\n')
        for count, row in enumerate(rows, 1):
            file.write((",\n" if count > 1 else "") + json.dumps(_entry(row), ensure_ascii=False))
        file.write("\n]}}\n")
    return count


def read_csv(path: Path) -> Iterator[Told]:
    """The rows of `write_csv`."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {name: value.removeprefix(_MARK) if value else value for name, value in row.items()}


def read_jsonl(path: Path) -> Iterator[Told]:
    """The rows of `write_jsonl`."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


def read_har(path: Path) -> Iterator[Told]:
    """The rows of `write_har`."""
    for entry in json.loads(path.read_bytes())["log"]["entries"]:
        yield entry["_capper"]


def _entry(row: Exposure) -> dict[str, object]:
    nothing = {"httpVersion": "", "cookies": [], "headers": [], "headersSize": -1, "bodySize": -1}
    request = {"method": "GET", "url": f"https://{row.network or 'unknown.invalid'}/", "queryString": []}
    response = {"status": 0, "statusText": "", "content": {"size": 0, "mimeType": ""}, "redirectURL": ""}
    return {
        "pageref": row.load,
        "startedDateTime": spelled(row.time),
        "time": 0,
        "request": request | nothing,
        "response": response | nothing,
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "_capper": json.loads(_object(row, EXPOSURES)),
    }


def _object(row: Exposure | Visit, columns: Sequence[Column]) -> str:
    told = {column.name: said(value) for column, value in zip(columns, cells(row, columns), strict=True)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _safe(value: Cell) -> str | int:
    plain = said(value)
    return _MARK + plain if isinstance(plain, str) and plain.startswith(_FORMULA) else plain


def _opened(path: Path) -> TextIO:
    # A half of a surrogate pair, which no UTF-8 can say, is told by its number.
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
