"""The log, for a person and for programs."""

import json
import logging
import sys

import pytest

from capper.cli.logs import Lines, Sentences


def record(message: str, *args, exc_info=None) -> logging.LogRecord:
    made = logging.LogRecord("capper.part", logging.WARNING, __file__, 1, message, args, exc_info)
    made.created = 1_795_435_200.25
    return made


def test_a_sentence():
    """With who speaks before it, and nothing that a terminal would obey."""
    assert "capper: refused: \\x1b[2J" == Sentences().format(record("refused: %s", "\x1b[2J"))


@pytest.mark.parametrize("message", ["plain", "two\nlines", "\x1b[2J", "\ud800", 'a "quote"'])
def test_a_line_is_one_object(message):
    """Whatever is said, it is one line of ASCII that reads as what was said."""
    line = Lines().format(record("%s", message))

    assert (1, True) == (len(line.splitlines()), line.isascii())
    assert {
        "time": "2026-11-23T12:00:00.250+00:00",
        "level": "warning",
        "part": "capper.part",
        "message": message,
    } == json.loads(line)


def test_one_of_several():
    """Which process speaks is told, but not of what all of them see alike."""
    own, common = record("slow"), record("policy reloaded")
    common.name = "capper.settings.watch"

    assert "capper (worker 2): slow" == Sentences("worker 2").format(own)
    assert "worker 2" == json.loads(Lines("worker 2").format(own))["process"]
    assert "capper: policy reloaded" == Sentences("worker 2").format(common)
    assert "process" not in json.loads(Lines("worker 2").format(common))


def test_a_fault_has_its_trace():
    """In the same line."""
    try:
        int("broken")
    except ValueError:
        line = Lines().format(record("read", exc_info=sys.exc_info()))

    assert "ValueError: invalid literal" in json.loads(line)["trace"]
