"""Which filter lists a run is made with."""

import gzip

import pytest

from benchmarks.lists import chosen_lists
from capper.recognise.filterlist import ListKind


@pytest.fixture
def data(tmp_path):
    """A folder of lists in several versions, synthetic."""
    folder = tmp_path / "lists"
    folder.mkdir()
    for name in ("easylist-20260714", "easylist-20260822", "easylist-germany-20260821", "easyprivacy-20260822"):
        (folder / f"{name}.txt.gz").write_bytes(gzip.compress(f"! {name}\n".encode()))
    return tmp_path


def test_the_newest_of_the_usual_lists(data):
    """EasyList for ads, EasyPrivacy for trackers, and none of their regional sisters."""
    found = [(each.name, each.kind, each.text) for each in chosen_lists([], data)]

    assert found == [
        ("easylist-20260822", ListKind.ADS, "! easylist-20260822\n"),
        ("easyprivacy-20260822", ListKind.TRACKERS, "! easyprivacy-20260822\n"),
    ]


def test_without_the_shared_data():
    """Only those that travel with capper."""
    assert chosen_lists([], None) == []


def test_lists_by_name(data):
    """Packed or not."""
    plain = data / "mine.txt"
    plain.write_text("||ads.example^\n")
    packed = data / "lists" / "easylist-20260714.txt.gz"
    found = [each.name for each in chosen_lists([str(plain), str(packed)], data)]

    assert found == ["mine", "easylist-20260714"]


def test_no_lists_at_all(data):
    """Where that is said."""
    assert chosen_lists(["none"], data) == []
