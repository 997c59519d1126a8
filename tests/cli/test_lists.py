"""`capper lists` as a person meets it."""

import json

import pytest
from typer.testing import CliRunner

from capper.cli import app

LIST = "! Title: Test \x1b[31mlist\n||ads.example^\n||more.example^\n"


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """Run `capper lists ...` on a state folder of the test's own."""
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words, exit_code=0):
        result = CliRunner().invoke(app, ["lists", *words, "--state", str(tmp_path / "state")])
        assert result.exit_code == exit_code, result.output
        return result.output

    return run


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "test.txt"
    path.write_text(LIST)
    return path


def test_a_subscription_from_beginning_to_end(lists, source):
    """A list is added, shown, updated and removed."""
    assert "added" in lists("add", str(source))
    assert "test" in lists("show")
    source.write_text(LIST + "||third.example^\n")
    assert "fresh" in lists("update")
    assert "+1" in lists("update", "--force")
    assert "removed" in lists("remove", "test")
    assert "test.txt" not in lists("show")
    assert "No list is subscribed" in lists("update")


def test_json(lists, source):
    """Every command speaks JSON."""
    assert json.loads(lists("add", str(source), "--kind", "trackers", "--name", "mine", "--json"))[0]["rules"] == 2
    shown = {row["name"]: row for row in json.loads(lists("show", "--json"))}
    assert (shown["mine"]["kind"], shown["starter-ads"]["packaged"]) == ("trackers", True)
    assert json.loads(lists("update", "mine", "--json"))[0]["outcome"] == "fresh"
    assert json.loads(lists("remove", "mine", "--json"))["name"] == "mine"


def test_refusals(lists, source):
    """What cannot be done is one sentence and exit code 2."""
    assert "use https:// or a file" in lists("add", "http://lists.example/x.txt", exit_code=2)
    assert "no list is called 'x'" in lists("remove", "x", exit_code=2)
    assert "Invalid value" in lists("add", str(source), "--kind", "cookies", exit_code=2)


def test_a_failed_update(lists, source):
    """A list that cannot be had keeps its copy; the exit code says that something failed, and `show` says what."""
    lists("add", str(source))
    source.unlink()

    assert "the last good copy" in " ".join(lists("update", "--force", exit_code=1).split())
    assert "the last update failed" in lists("show")


def test_control_characters_are_not_obeyed(lists, source):
    """A list's title cannot paint the terminal."""

    assert "\x1b[31m" not in lists("add", str(source))
