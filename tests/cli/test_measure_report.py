"""`capper measure report` and `treat` as researchers meet them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Arm, Exposure, Kind, Visit
from capper.study.register import StudyKeys as Keys
from capper.study.register import change_study, data_file, key_file, read_key, read_studies, register_file
from capper.study.store import Store

HOSTILE = "<script>alert(1)</script>\u202e.example"


@pytest.fixture
def state(home, monkeypatch):
    """A household of anna and ben at the level of research."""
    (home / "config").mkdir()
    (home / "config" / "policy.toml").write_text("caps = []\n[people.anna]\n[people.ben]\n")
    monkeypatch.setenv("CAPPER_JOURNAL_LEVEL", "3")
    return home / "state"


@pytest.fixture
def autumn(capper, state):
    """A study that began ten days ago, in which anna and ben met shoes on ten days each, every other one without caps."""
    capper("measure", "start", "autumn", "--names")
    capper("measure", "join", "autumn", "--person", "anna", "--yes", "--names")
    capper("measure", "join", "autumn", "--person", "ben", "--yes", "--names")
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
    change_study(register_file(state), "autumn", lambda there: replace(there, begun=begun))
    keys = Keys(read_key(key_file(state, "autumn")))
    rows, visits = [], []
    for person in ("anna", "ben"):
        who, shoes = keys.of("person", person), keys.of("advertiser", HOSTILE)
        visits.append(Visit(begun, who, shoes, Kind.PRODUCT))
        for step in range(40):
            at, control = begun + timedelta(hours=6 * step), step // 4 % 2 == 0
            shown = control or step % 4 == 0
            rows.append(
                Exposure(
                    at,
                    who,
                    f"load {step}",
                    keys.of("site", f"s{step % 5}.example"),
                    Format.BANNER,
                    "net.example",
                    Basis.CLICK,
                    keys.of("creative", f"c{step % 3}"),
                    "",
                    shoes,
                    Verdict.SHOW if shown else Verdict.WITHHOLD,
                    arm=Arm.CONTROL if control else Arm.CAPPED,
                    name=HOSTILE,
                )
            )
    store = Store.open(data_file(state, "autumn"))
    store.add(rows, visits)
    store.close()
    return begun


def test_every_figure_with_its_key_and_coverage(capper, autumn):
    """The arms beside each other, what capping does, thresholds beside verdicts."""
    told = capper("measure", "report", "autumn", "--key", "advertiser", "--cap", "4").out

    assert "2 of 2 participants met ads" in told
    assert "fewer than 20 people" in told
    for words in ("Coverage", "How often, by advertiser", "What capping does, by advertiser", "Retargeting"):
        assert words in told
    assert "How often, by creative" not in told
    assert "exposures over a cap of 4 in all" in told
    assert "Threshold of people" in told


def test_as_json(capper, autumn):
    """Every key, the seed, and no number that JSON does not know."""
    told = json.loads(capper("measure", "report", "autumn", "--json").out, parse_constant=pytest.fail)

    assert ["creative", "campaign", "advertiser"] == [each["key"] for each in told["by_key"]]
    assert 80 == told["coverage"]["exposures"]
    assert 2 == told["by_key"][2]["effects"][0]["paired"]
    assert 2 == told["retargeting"]["viewed"]


def test_as_a_page(capper, autumn, tmp_path):
    """One file without script, in which no advertiser's name is anything but text."""
    page = tmp_path / "autumn.html"
    said = capper("measure", "report", "autumn", "--html", str(page))
    text = page.read_text("utf-8")

    assert "has the figures of autumn" in said.out
    assert 0o600 == page.stat().st_mode & 0o777
    assert "<script" not in text
    assert "\u202e" not in text
    assert "default-src 'none'" in text
    assert 3 == text.count("<svg")


def test_a_window(capper, autumn):
    """Only what was met in it is told; what lies outside of the study is refused."""
    day = f"{autumn + timedelta(days=3):%Y-%m-%dT%H:%M}"
    later = f"{autumn + timedelta(days=5):%Y-%m-%dT%H:%M}"
    told = json.loads(capper("measure", "report", "autumn", "--from", day, "--to", later, "--json").out)
    refused = capper("measure", "report", "autumn", "--to", "2020-01-01")

    assert 16 == told["coverage"]["exposures"]
    assert 2 == refused.code
    assert "nothing of that lies between" in refused.err


def test_a_treatment_is_told_in_the_report(capper, autumn, state):
    """Who was treated is compared with who was not."""
    when = f"{autumn + timedelta(days=4):%Y-%m-%dT%H:%M}"
    said = capper("measure", "treat", "autumn", "--person", "anna", "--treatment", "adchoices", "--at", when)
    capper("measure", "treat", "autumn", "--person", "ben", "--treatment", "none", "--at", when)
    [told] = json.loads(capper("measure", "report", "autumn", "--json").out)["opt_outs"]

    assert "anna is treated with adchoices in block all of autumn" in said.out
    assert ("adchoices", 1, 2) == (told["treatment"], told["all"]["effect"]["blocks"], told["all"]["effect"]["units"])
    assert None is told["all"]["effect"]["interval"]["low"]

    capper("measure", "withdraw", "autumn", "--person", "anna")
    [left] = read_studies(register_file(state))["autumn"].treatments

    assert "" == left.name


def test_who_takes_no_part_cannot_be_treated(capper, state):
    """Nor can anybody of a study that is not there."""
    capper("measure", "start", "autumn")
    stranger = capper("measure", "treat", "autumn", "--person", "anna", "--treatment", "gpc")
    nowhere = capper("measure", "report", "autum")

    assert "anna takes no part in autumn" in stranger.err
    assert "autumn" in nowhere.err
    assert (2, 2) == (stranger.code, nowhere.code)


def test_a_study_in_which_nothing_was_met(capper, state):
    """Says so."""
    capper("measure", "start", "autumn")
    told = capper("measure", "report", "autumn")

    assert 0 == told.code
    assert "0 exposures" in told.out
    assert "There was nothing to tell it from." in told.out
