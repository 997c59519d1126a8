"""`capper measure export` and `dpia` as researchers meet them."""

import json
from datetime import UTC, datetime

import pytest

from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Exposure
from capper.study.register import StudyKeys, data_file, key_file, read_key, register_file
from capper.study.store import Store


@pytest.fixture
def autumn(capper, home, monkeypatch):
    """A study that has two exposures of anna's."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text("caps = []\n[people.anna]\n")
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    state = home / "state"
    capper("measure", "start", "autumn")
    capper("measure", "join", "autumn", "--person", "anna", "--yes")
    keys = StudyKeys(read_key(key_file(state, "autumn")))
    store = Store.open(data_file(state, "autumn"))
    row = Exposure(datetime.now(UTC), keys.of("person", "anna"), "", "s", Format.BANNER, "", Basis.CLICK)
    store.add([row, row])
    store.close()
    assert register_file(state).exists()
    return state


def test_it_says_what_it_writes_and_asks(capper, autumn, tmp_path):
    """No is no."""
    out = tmp_path / "rows"
    no = capper("measure", "export", "autumn", "--format", "csv", "--out", str(out), stdin="n\n")
    there = out.exists()
    yes = capper("measure", "export", "autumn", "--format", "csv", "--out", str(out), stdin="y\n")
    told = json.loads((out / "manifest.json").read_text())

    assert (1, False) == (no.code, there)
    assert "rows about single people" in no.out
    assert "2 exposures and 0 visits" in yes.out
    assert {"starter-ads", "starter-trackers"} <= set(told["lists"])
    assert all(told[name] for name in ("policy", "configuration", "identity_rules", "public_suffix_list"))


def test_rows_leave_at_the_level_of_research_only(capper, autumn, tmp_path, monkeypatch):
    """Whatever was recorded before."""
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "2")
    said = capper("measure", "export", "autumn", "--format", "csv", "--out", str(tmp_path / "rows"), "--yes")

    assert 2 == said.code
    assert "journal_level = 3" in said.err


def test_the_assessment(capper, autumn, tmp_path):
    """Printed, or written."""
    printed = capper("measure", "dpia", "autumn").out
    said = capper("measure", "dpia", "autumn", "--out", str(tmp_path / "dpia.md")).out

    assert printed.startswith('# Data protection impact assessment: the study "autumn"\n')
    assert printed == (tmp_path / "dpia.md").read_text("utf-8")
    assert "brackets" in said
