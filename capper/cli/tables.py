"""What commands print: tables for people, JSON for programs. Nothing that came from a file or the network reaches the terminal raw."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from capper.cli.plain import plain

# rich takes as long to import as a twentieth of a proxy's start, which prints nothing but text.
if TYPE_CHECKING:
    from rich.console import Console

_ENDLESS = 1_000_000
"""Columns where no terminal says how wide it is: a row is a line there, for grep and awk."""


def console(*, stderr: bool = False) -> "Console":
    """A console that takes no text for markup, emoji or something to highlight."""
    from rich.console import Console  # noqa: PLC0415

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else _ENDLESS
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def print_text(*lines: str, style: str = "") -> None:
    """Print lines as they are, less what a terminal would obey."""
    if not style:
        sys.stdout.write("".join(f"{plain(line)}\n" for line in lines))
        sys.stdout.flush()
        return
    from rich.text import Text  # noqa: PLC0415

    for line in lines:
        console().print(Text(plain(line), style=style), soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Print rows under columns; a column whose name begins with `#` holds numbers. `styles`: one for each row, or none."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name.removeprefix("#"), justify="right" if name.startswith("#") else "left", overflow="fold")
    for place, row in enumerate(rows):
        table.add_row(*(Text(plain(cell)) for cell in row), style=styles[place] if styles else None)
    shown = console()
    if shown.is_terminal or os.environ.get("COLUMNS"):
        shown.print(table)
        return
    with shown.capture() as caught:
        shown.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in caught.get().splitlines()))


def print_json(value: Any) -> None:
    """Print JSON in ASCII, so that it too can be looked at on a terminal; times become ISO 8601."""
    sys.stdout.write(json_text(value))


def json_text(value: Any) -> str:
    """What `print_json` prints."""
    return json.dumps(value, indent=2, default=_spelled) + "\n"


def _spelled(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def moment(when: datetime | None, now: datetime, zone: tzinfo) -> str:
    """A time as people say it, in the policy's zone: `14:05`, `tomorrow 09:00`, `Mon 23 Nov 09:00`; nothing for None."""
    if when is None:
        return ""
    there, today = when.astimezone(zone), now.astimezone(zone).date()
    days = {today: "", today + timedelta(days=1): "tomorrow ", today - timedelta(days=1): "yesterday "}
    return f"{days.get(there.date(), f'{there:%a %d %b} ')}{there:%H:%M}"
