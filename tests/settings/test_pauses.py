"""Whom capper leaves alone, and until when."""

import logging
import stat
from datetime import timedelta

import pytest

from capper.domain.errors import ConfigError
from capper.settings.pauses import LONGEST, Pauses, a_pause, in_force, pause, pauses_file, read_pauses
from capper.testing import NOON, FrozenClock

HALF = timedelta(minutes=30)


@pytest.fixture
def file(tmp_path):
    return pauses_file(tmp_path)


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("20", timedelta(minutes=20)),
        ("2 hours", timedelta(hours=2)),
        (" 1  day ", LONGEST),
        ("hour", timedelta(hours=1)),
    ],
)
def test_how_long(text, length):
    """A number is minutes; a day is the most."""
    assert length == a_pause(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "25 hours", "2 weeks", "1441", "9" * 50, "\u0663"])
def test_how_long_not(text):
    """What is no length, nothing, or more than a day is refused in a sentence."""
    with pytest.raises(ValueError, match=r"^expected "):
        a_pause(text)


def test_written_and_read(file):
    """Each person's pause has its own end; who may read it is its owner."""
    pause(file, 'anna "the" first', NOON + HALF, NOON)
    pause(file, "ben", NOON + 2 * HALF, NOON)
    pause(file, "ben", NOON + HALF, NOON)

    assert {'anna "the" first': NOON + HALF, "ben": NOON + HALF} == read_pauses(file)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_ended(file):
    """A pause that is ended, or over, leaves the file."""
    pause(file, "anna", NOON + HALF, NOON)
    pause(file, "ben", NOON + 2 * HALF, NOON)
    pause(file, "ben", None, NOON)
    ended = read_pauses(file)
    pause(file, "cleo", NOON + 3 * HALF, NOON + HALF)

    assert {"anna": NOON + HALF} == ended
    assert ["cleo"] == list(read_pauses(file))


def test_in_force():
    """Until its end, not at it; one that is further away than any pause is long was made by a wrong clock."""
    pauses = {"over": NOON, "on": NOON + HALF, "far": NOON + LONGEST + HALF}

    assert {"on": NOON + HALF} == in_force(pauses, NOON)


def test_a_running_proxy(file, clock):
    """It heeds a pause within a second, ends it by itself, and knows it again when it is started anew."""
    pauses = Pauses(file, clock)
    before = pauses.holds("anna")
    pause(file, "anna", NOON + HALF, NOON)
    at_once = pauses.holds("anna")
    clock.forward(seconds=1)
    held, other = pauses.holds("anna"), pauses.holds("ben")
    again = Pauses(file, clock).holds("anna")
    clock.forward(minutes=30)

    assert [False, False, True, False, True, False] == [before, at_once, held, other, again, pauses.holds("anna")]


def test_a_file_that_goes(file, clock):
    """Without it nobody is left alone."""
    pause(file, "anna", NOON + HALF, NOON)
    pauses = Pauses(file, clock)
    file.unlink()
    clock.forward(seconds=1)

    assert not pauses.holds("anna")


def test_a_file_that_cannot_be_used(file, clock, caplog):
    """What was read before stays, and it is said once; what is no time is nobody's pause."""
    pause(file, "anna", NOON + HALF, NOON)
    pauses = Pauses(file, clock)
    file.write_text("anna = ")
    with caplog.at_level(logging.WARNING):
        held = []
        for _ in range(3):
            clock.forward(seconds=1)
            held.append(pauses.holds("anna"))
    with pytest.raises(ConfigError):
        pause(file, "ben", NOON + HALF, NOON)
    file.write_text('anna = "noon"\nben = 2026-11-22T12:30:00\ncleo = 2026-11-22T12:30:00Z\n[dora]\n')

    assert [True, True, True] == held
    assert 1 == len(caplog.records)
    assert ["cleo"] == list(read_pauses(file))


def test_looked_at_once_a_second(file, clock):
    """However many requests there are."""
    looks = []
    pauses = Pauses(file, clock, look=looks.append)
    for _ in range(100):
        pauses.holds("anna")
        clock.forward(milliseconds=20)

    assert 2 <= len(looks) <= 3
