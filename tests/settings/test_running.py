"""What a running capper says of itself is found by commands beside it, and gone when it stops."""

import json
from dataclasses import replace

import pytest

from capper.settings.running import NAME, Running, Worker, read_running, tell_running, tell_stopped
from capper.testing import NOON

ONE = Running(17, "0.1.0", NOON, ("127.0.0.1:8080", "[::1]:8080"), "http://127.0.0.1:8081/")


def test_what_was_told_is_read(tmp_path):
    """All of it, by its owner only."""
    tell_running(tmp_path, ONE)

    assert ONE == read_running(tmp_path)
    assert 0o600 == (tmp_path / NAME).stat().st_mode & 0o777


def test_several_workers(tmp_path):
    """Each is there; of one that an older capper left, nothing is said of any."""
    several = replace(ONE, workers=(Worker(18, NOON), Worker(19, NOON, 2)))
    tell_running(tmp_path, several)
    read = read_running(tmp_path)
    row = json.loads((tmp_path / NAME).read_text())
    del row["workers"]
    (tmp_path / NAME).write_text(json.dumps(row))

    assert (several, ONE) == (read, read_running(tmp_path))


def test_who_stops_takes_back_her_own_word(tmp_path):
    """A later process's stays."""
    tell_running(tmp_path, ONE)
    tell_stopped(tmp_path, 16)
    stays = read_running(tmp_path)
    tell_stopped(tmp_path, 17)

    assert (ONE, None) == (stays, read_running(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"pid": 1}',
        '{"pid": "x", "version": 1, "started": "never", "listens": 3}',
        "[" * 5000,
        '{"pid": 1, "version": "1", "started": "2026-01-01T00:00Z", "listens": [], "dashboard": null, "workers": [1]}',
    ],
)
def test_what_cannot_be_read_is_nothing(tmp_path, text):
    """Another version's, half a file, or a hostile one."""
    (tmp_path / NAME).write_text(text)

    assert read_running(tmp_path) is None
