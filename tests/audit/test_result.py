"""What an audit's result is told as: a page, JSON, JUnit, exit codes, and the difference from an earlier one."""

import json
import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from capper.audit.met import Load, Meeting, Run
from capper.audit.result import as_json, as_junit, judge
from capper.audit.sheet import sheet
from capper.audit.yardstick import yardstick
from capper.cli import app
from capper.testing import NOON, an_ad

HOSTILE = "<script>alert(1)</script>\u202e"


def a_run(times: int, name: str = "shoes.example") -> Run:
    """One reader who met one advertiser's different creatives on as many pages."""
    loads = tuple(Load(f"https://news.example/{number}?mail=anna", "anna", "", NOON) for number in range(times))
    return Run(("a.har",), loads, tuple(Meeting(n, 1, an_ad(name, f"c{n}"), site="news.example") for n in range(times)))


@pytest.mark.parametrize(
    ("times", "score"),
    [(0, 100), (4, 100), (5, 89), (8, 88)],
    ids=["nothing", "at the limit", "a fifth beyond it", "half beyond it"],
)
def test_the_score_is_that_of_the_documented_formula(times, score):
    """Of the 12 points of repeats by advertiser half are lost at once, all once a quarter of the ads are beyond the limit."""
    assert score == judge(a_run(times), yardstick(), NOON).score


def test_the_points_of_all_findings_are_a_hundred():
    """So that the score is 0 where all is wrong."""
    assert 100 == sum(fault.points for fault in yardstick().faults.values())


def test_a_hostile_name_is_text_only():
    """Nothing of a name becomes an element of the page, nor turns the line around."""
    page = sheet(judge(a_run(6, HOSTILE), yardstick(), NOON)).decode()

    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


def test_no_query_of_a_page_is_told():
    """What stands after `?` may be private."""
    result = judge(a_run(6), yardstick(), NOON)

    assert "mail=anna" not in sheet(result).decode() + json.dumps(as_json(result), default=str)


def test_an_audit_is_compared_with_an_earlier_one():
    """The score's change, and which findings came and went."""
    before = json.loads(json.dumps(as_json(judge(a_run(6), yardstick(), NOON)), default=str))

    found = judge(a_run(2), yardstick(), NOON, baseline=before).difference
    assert found is not None
    assert (100 - before["score"], (), 1) == (found.score, found.new, len(found.gone))


def test_junit_has_a_case_for_each_kind_and_fails_those_found():
    """A build's server shows them as tests."""
    suite = ET.fromstring(as_junit(judge(a_run(6), yardstick(), NOON), fail_under=95))
    failed = [case.get("name", "").partition(":")[0] for case in suite if case.find("failure") is not None]

    assert ["repeat-advertiser", "score"] == failed
    assert (str(len(suite)), "2") == (suite.get("tests"), suite.get("failures"))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ([], 0),
        (["--fail-under", "90"], 1),
        (["--fail-under", "10"], 0),
        (["--budget", "tight.toml"], 1),
        (["--budget", "wide.toml"], 0),
        (["--budget", "wrong.toml"], 2),
        (["--baseline", "wrong.toml"], 2),
        (["--resume"], 2),
    ],
)
def test_exit_codes_are_for_builds(more, code, publishers, settings, tmp_path, monkeypatch):
    """0 when all is well, 1 below the score or over the budget, 2 for what cannot be used."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.har").write_bytes(publishers.disrespectful().bytes())
    (tmp_path / "tight.toml").write_text("retargeted_ads = 0\n")
    (tmp_path / "wide.toml").write_text("retargeted_ads = 5\n")
    (tmp_path / "wrong.toml").write_text("retargeted_adds = 0\n")
    lists = ["--lists", str(settings.lists[0]), "--state", str(settings.state)]

    assert code == CliRunner().invoke(app, ["audit", "bad.har", *lists, *more]).exit_code
