"""What commands print."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from capper.cli.tables import moment, print_json, print_table, print_text
from capper.testing import NOON


def test_hostile_cells_cannot_paint(capsys):
    """Markup, emoji codes, escapes and bidi overrides from the network arrive as text."""
    print_table(["ad"], [["[red]:smile:\x1b[2J\u202e[/red]"]])
    print_text("[bold]\x07")

    shown = capsys.readouterr().out
    assert "[red]:smile:\\x1b[2J\\u202e[/red]" in shown
    assert "[bold]\\x07" in shown
    assert "\x1b" not in shown


def test_long_values_are_folded_not_cut(capsys):
    """A value wider than the screen is there in full."""
    print_table(["ad", "#n"], [["x" * 400, "1"]])

    assert capsys.readouterr().out.count("x") == 400


def test_a_row_is_a_line_in_a_pipe(capsys, monkeypatch):
    """Where no terminal says how wide it is nothing is folded, and no line ends in blanks."""
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(["ad", "why"], [["a" * 300, "b c " * 100], ["x", ""]])
    lines = capsys.readouterr().out.splitlines()

    assert 4 == len(lines)
    assert lines == [line.rstrip() for line in lines]


def test_json_is_ascii(capsys):
    """JSON carries anything in ASCII, times as ISO 8601."""
    print_json({"name": "Zoë\u202e\x9b", "at": NOON})
    shown = capsys.readouterr().out

    assert shown.isascii()
    assert json.loads(shown) == {"name": "Zoë\u202e\x9b", "at": "2026-11-22T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (None, ""),
        (NOON + timedelta(hours=2), "15:00"),
        (NOON + timedelta(hours=12), "tomorrow 01:00"),
        (NOON - timedelta(hours=14), "yesterday 23:00"),
        (datetime(2026, 12, 1, 8, tzinfo=UTC), "Tue 01 Dec 09:00"),
    ],
)
def test_moment(when, shown):
    """Times are told as people say them, by the policy's clock."""
    assert moment(when, NOON, ZoneInfo("Europe/Amsterdam")) == shown
