"""capper backup, as people use it: a passphrase from where they keep it, and sentences when something is wrong."""

import json
import os
import subprocess
import sys

import pytest

from capper.settings.version import CURRENT, VERSION_FILE


@pytest.fixture
def phrase(monkeypatch, home):
    """The passphrase in the environment, as a timer has it."""
    monkeypatch.setenv("CAPPER_BACKUP_PASSPHRASE", "four quiet words here")


@pytest.fixture
def household(home, capper, phrase):
    """A person's policy and a site of her own."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text(
        'caps = ["3 per advertiser per day"]\n[people.anna]\ndevices = ["user:anna"]\n'
    )
    capper("sites", "add", "shop.example")
    capper("ledger", "show", "--person", "anna")
    return home


def test_there_and_back(capper, household):
    """Made, checked, and brought back to a machine that has lost everything."""
    file = household / "b"
    made = json.loads(capper("backup", "create", file, "--json").out)
    checked = capper("backup", "check", file).out
    (household / "config").rename(household / "lost-config")
    (household / "state").rename(household / "lost-state")
    done = capper("backup", "restore", file)

    assert (made["files"], made["notes"]) == (3, [])
    assert f"{file} is whole: made 20" in checked
    assert "sites.txt" in checked
    assert (done.code, done.err) == (0, "")
    assert f"3 files are back, in {household / 'state'} and {household / 'config'}" in done.out
    assert "shop.example" in capper("sites", "list").out
    assert (household / "config" / "policy.toml").read_text().startswith("caps")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_not_overwritten_unasked(capper, household):
    """--force replaces it; a backup that fails leaves the old one."""
    file = household / "b"
    capper("backup", "create", file)
    before = file.read_bytes()
    again = capper("backup", "create", file)

    assert (again.code, file.read_bytes()) == (2, before)
    assert "is there already; name another file, or add --force" in again.err
    assert capper("backup", "create", file, "--force").code == 0
    assert file.read_bytes() != before


def test_a_policy_that_only_an_option_names(capper, household):
    """It is in the backup if it is named here as well; without any, that is said."""
    (household / "config" / "policy.toml").rename(household / "caps.toml")
    without = json.loads(capper("backup", "create", household / "b", "--json").out)
    capper("backup", "create", household / "b", "--force", "--policy", household / "caps.toml")
    files = json.loads(capper("backup", "check", household / "b", "--json").out)["files"]

    assert without["notes"][0].startswith("no policy of your own is in it")
    assert {"place": "config", "name": "policy.toml", "origin": str(household / "caps.toml")} in files


def test_to_standard_output(capper, household):
    """Sent elsewhere at once: nothing but the backup is on standard output."""
    words = [sys.executable, "-c", "from capper.cli import main; main()", "backup", "create", "-", "--state"]
    ended = subprocess.run([*words, household / "state"], capture_output=True, env=os.environ, check=True)
    (household / "b").write_bytes(ended.stdout)

    assert b"-: 2 files and 0 entries of the ledger, " in ended.stderr
    assert capper("backup", "check", household / "b").code == 0


def test_nothing_to_back_up_is_told(capper, home, phrase):
    """A wrong state folder must not end as an empty backup; no file is made."""
    result = capper("backup", "create", home / "b")

    assert (result.code, (home / "b").exists()) == (2, False)
    assert "no household is there" in result.err


def test_a_passphrase_from_a_file_or_standard_input(capper, household, monkeypatch):
    """The first line, without its line end."""
    monkeypatch.delenv("CAPPER_BACKUP_PASSPHRASE")
    (household / "phrase").write_text("four quiet words here\r\nmore\n")
    made = capper("backup", "create", household / "b", "--passphrase-file", household / "phrase")
    checked = capper("backup", "check", household / "b", "--passphrase-file", "-", stdin="four quiet words here\n")

    assert (made.code, checked.code) == (0, 0)


def test_nobody_to_ask(capper, household, monkeypatch):
    """Without a terminal, a file or the variable it says how to give one."""
    monkeypatch.delenv("CAPPER_BACKUP_PASSPHRASE")
    result = capper("backup", "create", household / "b")

    assert result.code == 2
    assert "give --passphrase-file or CAPPER_BACKUP_PASSPHRASE" in result.err


def test_a_short_passphrase_is_refused(capper, household, monkeypatch):
    """Whoever finds the file has time."""
    monkeypatch.setenv("CAPPER_BACKUP_PASSPHRASE", "short")

    assert "the passphrase has 5 letters; 8 are the least" in capper("backup", "create", household / "b").err


@pytest.mark.parametrize("command", ["check", "restore"])
def test_what_cannot_be_opened_changes_nothing(capper, household, monkeypatch, command):
    """A wrong passphrase, a file cut short, one changed, none: exit code 2, one sentence, everything as it was."""
    file = household / "b"
    capper("backup", "create", file)
    data = file.read_bytes()
    before = {path: path.read_bytes() for path in (household / "state").rglob("*") if path.is_file()}
    told = []
    for content in (data[:-1], data[:100], data[:-40] + b"x" + data[-39:], b"hello\n"):
        file.write_bytes(content)
        told.append(capper("backup", command, file, *(["--replace"] if command == "restore" else [])))
    monkeypatch.setenv("CAPPER_BACKUP_PASSPHRASE", "five other words")
    file.write_bytes(data)
    told += [capper("backup", command, file), capper("backup", command, household / "none")]

    assert {result.code for result in told} == {2}
    assert {result.err.count("\n") for result in told} == {1}
    assert "the passphrase is wrong" in told[-2].err
    assert "there is no such file" in told[-1].err
    assert {path: path.read_bytes() for path in (household / "state").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--listen", "127.0.0.1:0"),
        ("ledger", "show", "--person", "household"),
        ("ledger", "rotate", "--yes"),
        ("sites", "add", "shop.example"),
        ("lists", "update"),
        ("backup", "create", "b"),
    ],
)
def test_a_newer_cappers_state_is_not_touched(capper, home, phrase, command):
    """Every command that would read or write it refuses, and says which capper to use."""
    (home / "state").mkdir(mode=0o700)
    (home / "state" / VERSION_FILE).write_text('{"capper_state": 99}\n')
    result = capper(*command)

    assert result.code == 2
    assert f"is of version 99, and this capper knows versions up to {CURRENT}" in result.err
    assert [path.name for path in (home / "state").iterdir()] == [VERSION_FILE]


def test_doctor_tells_of_versions(capper, home):
    """A newer state fails, an older one is told of, and what a restore left to do or kept is named."""
    state = home / "state"
    state.mkdir(mode=0o700)

    def told():
        return [
            (one["state"], one["detail"])
            for one in json.loads(capper("doctor", "--json", "--ledger", "memory").out)
            if one["what"] == "version"
        ]

    assert told() == []
    (state / "sites.txt").write_text("")
    assert told() == [("ok", f"state of version 0; the next start brings it to version {CURRENT}")]
    (state / ".ready").mkdir()
    (state / "before-restore-2026").mkdir()
    (state / VERSION_FILE).write_text(f'{{"capper_state": {CURRENT}}}\n')
    assert told() == [
        ("warn", f"a restore to {state} was cut short"),
        ("ok", f"state of version {CURRENT}, as this capper writes it"),
        ("ok", "before-restore-2026: kept by a restore; delete it when nothing is missing"),
    ]
    (state / ".ready").rename(state / ".new")
    assert told()[0] == ("warn", f"a restore broke off before it changed anything, and left {state / '.new'}")
    (state / VERSION_FILE).write_text('{"capper_state": 99}\n')
    assert told()[-1][0] == "fail"
