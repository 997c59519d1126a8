"""What is remembered of devices that are nobody's."""

import json
import logging
import stat
from datetime import timedelta

import pytest

from capper.devices.strangers import LIFE, MOST, Strangers, forget_strangers, read_strangers, strangers_file
from capper.testing import NOON, FrozenClock

MAC = "de:ad:be:ef:00:01"


@pytest.fixture
def file(tmp_path):
    return strangers_file(tmp_path)


def nobodys(_):
    return False


def test_kept_and_read(file):
    """The name and the minute, for its owner's eyes; nothing else, and the latest first."""
    clock = FrozenClock()
    strangers = Strangers(file, clock())
    strangers.note(MAC, clock.forward(seconds=61))
    strangers.note("user:guest", clock.forward(seconds=61))
    strangers.write(strangers.due(clock(), nobodys))

    assert {"version": 1, "devices": {"user:guest": "2026-11-22T12:02+00:00", MAC: "2026-11-22T12:01+00:00"}} == json.loads(file.read_text())  # fmt: skip
    assert ["user:guest", MAC] == list(read_strangers(file, clock()))
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_forgotten(file):
    """After a day, and as soon as it is somebody's, it is gone from the file too."""
    clock = FrozenClock()
    strangers = Strangers(file, clock())
    strangers.note(MAC, clock())
    strangers.note("user:guest", clock())
    strangers.write(strangers.due(clock(), nobodys))
    clock.forward(minutes=1)
    strangers.write(strangers.due(clock(), lambda device: device == MAC))
    claimed = list(read_strangers(file, clock()))
    clock.forward(hours=24)
    strangers.write(strangers.due(clock(), nobodys))

    assert ["user:guest"] == claimed
    assert {} == json.loads(file.read_text())["devices"]


def test_written_only_when_there_is_something_to_write(file):
    """A busy device is one entry a minute, not one a request."""
    clock = FrozenClock()
    strangers = Strangers(file, clock())
    nothing = strangers.due(clock(), nobodys)
    strangers.note(MAC, clock())
    first = strangers.due(clock(), nobodys)
    strangers.write(first)
    strangers.note(MAC, clock.forward(seconds=59))
    second = strangers.due(clock(), nobodys)
    strangers.note(MAC, clock.forward(seconds=1))
    soon, third = strangers.due(clock(), nobodys), strangers.due(clock.forward(seconds=15), nobodys)

    assert [None, None, None] == [nothing, second, soon and None]
    assert first != third


def test_two_with_one_file(file):
    """Each adds what it has seen to what the other wrote, with the latest time of each; neither is lost when both write at once."""
    clock = FrozenClock()
    first, second = Strangers(file, clock()), Strangers(file, clock())
    first.note("user:a", clock())
    second.note("user:a", clock.forward(minutes=1))
    second.note("user:b", clock())
    both = [first.due(clock(), nobodys), second.due(clock(), nobodys)]
    second.write(both[1])
    first.write(both[0])
    clock.forward(seconds=15)
    second.write(second.due(clock(), nobodys))

    assert {"user:a": NOON + timedelta(minutes=1), "user:b": NOON + timedelta(minutes=1)} == read_strangers(
        file, clock()
    )
    assert None is first.due(clock(), nobodys)


def test_a_restart(file):
    """What was written is known again."""
    before = Strangers(file, NOON)
    before.note(MAC, NOON)
    before.write(before.due(NOON, nobodys))
    after = Strangers(file, NOON)
    after.note("user:guest", NOON)
    after.write(after.due(NOON, nobodys))

    assert {MAC, "user:guest"} == set(read_strangers(file, NOON))


def test_a_restart_after_a_day(file):
    """What became too old while capper was not running leaves the file when it starts, though nobody new has come."""
    before = Strangers(file, NOON)
    before.note(MAC, NOON)
    before.write(before.due(NOON, nobodys))
    after = Strangers(file, NOON + LIFE)
    after.write(after.due(NOON + LIFE, nobodys))

    assert {"version": 1, "devices": {}} == json.loads(file.read_text())


def test_forgotten_at_once(file):
    """Who wants nothing remembered has no file; that there is none, or that it cannot go, is no error."""
    before = Strangers(file, NOON)
    before.note(MAC, NOON)
    before.write(before.due(NOON, nobodys))
    forget_strangers(file)
    forget_strangers(file)
    gone = not file.exists()
    file.mkdir()
    forget_strangers(file)

    assert gone


def test_a_flood(file):
    """Somebody who makes up devices pushes out the oldest, and no more are kept than ever."""
    clock = FrozenClock()
    strangers = Strangers(file, clock())
    for number in range(3 * MOST):
        strangers.note(f"user:{number}", clock.forward(minutes=1))
    strangers.write(strangers.due(clock(), nobodys))

    assert [f"user:{number}" for number in range(3 * MOST - 1, 2 * MOST - 1, -1)] == list(read_strangers(file, clock()))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"devices": []}', '{"devices": {"x y": "2026-11-22T12:00+00:00"}}', '{"devices": {"user:a": 1}}',
     '{"devices": {"user:a": "soon"}}', '{"devices": {"user:a": "0001-01-01T00:00+14:00"}}', "[" * 100_000, "\0"],
)  # fmt: skip
def test_a_file_that_is_none(file, text):
    """What cannot be used is nothing, and is written anew."""
    file.write_text(text)

    assert {} == read_strangers(file, NOON)


def test_a_clock_that_was_wrong(file):
    """What was seen in the future, or a day ago, was not lately."""
    file.write_text(
        json.dumps(
            {
                "devices": {
                    "user:a": "2027-01-01T00:00+00:00",
                    "user:b": (NOON - LIFE).isoformat(),
                    "user:c": NOON.isoformat(),
                }
            }
        )
    )

    assert ["user:c"] == list(read_strangers(file, NOON))


def test_a_folder_that_cannot_be_written(file, caplog):
    """It is told once, and costs nothing else."""
    file.mkdir()
    strangers = Strangers(file, NOON)
    with caplog.at_level(logging.WARNING):
        strangers.write(b"{}")
        strangers.write(b"{}")

    assert 1 == len(caplog.records)
