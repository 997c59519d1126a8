"""What an audit's result is told as: a page, JSON, JUnit, exit codes, and the difference from an earlier one."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from capper.audit.findings import Finding
from capper.audit.met import Choice, Load, Look, Meeting, Notice, Run
from capper.audit.result import as_json, as_junit, judge
from capper.audit.scoring import losses
from capper.audit.sheet import sheet
from capper.audit.yardstick import Of, yardstick
from capper.cli import app
from capper.testing import NOON, an_ad

DOCS = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")
HOSTILE = "<script>alert(1)</script>\u202e"


def looked(notices: int) -> Look:
    """A page on which so many marks were clicked."""
    return Look(1280, 800, 2000, 1, 0.1, (Notice("ads.example", works=True),) * notices)


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


@pytest.mark.parametrize("code", yardstick().faults)
@given(affected=st.integers(1, 40), more=st.integers(0, 40))
def test_each_loss_is_by_the_formula_in_the_documentation(code, affected, more):
    """What docs/audit.md writes, computed as it is written."""
    fault, whole = yardstick().faults[code], affected + more
    found = [Finding(code, "x", "y", 1, 0, "rule", affected=frozenset([number])) for number in range(affected)]
    run = {
        Of.ADS: Run((), (Load("https://a.example/", "a", "", NOON),), (Meeting(0, 1, an_ad()),) * whole),
        Of.LOADS: Run((), (Load("https://a.example/", "a", "", NOON),) * whole),
        Of.NOTICES: Run((), (Load("https://a.example/", "a", "", NOON, look=looked(whole)),)),
        Of.CHOICES: Run((), choices=(Choice("a", "", "x", "Hide ad", 1, 1),) * whole),
    }[fault.of]
    (written,) = re.findall(r"sum over each kind of finding:\s+(points .*)", DOCS)
    formula = written.replace("points", "fault.points").replace("full", "fault.full")

    (lost,) = losses(run, found, yardstick())
    assert pytest.approx(eval(formula, {"fault": fault, "share": affected / whole, "min": min})) == lost.points


def test_every_finding_and_limit_stands_in_the_documentation():
    """By the names that budgets and builds know."""
    told = DOCS.replace("..campaign..", "repeats_per_campaign_per_session").replace(
        "..advertiser..", "repeats_per_advertiser_per_session"
    )

    assert [] == [name for name in (*yardstick().faults, *yardstick().limits) if f"`{name}`" not in told]
    assert f"now {yardstick().version})" in DOCS
    assert set() == {
        (name, value)
        for name, value in re.findall(r"`(\w+)` = ([\d.]+)", DOCS)
        if yardstick().limits[name] != float(value)
    }


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


def test_junit_is_as_builds_read_it():
    """The attributes and elements that the usual schema of JUnit knows, all of which it demands; names without control letters."""
    suite = ET.fromstring(as_junit(judge(a_run(6, HOSTILE + "\x01"), yardstick(), NOON), fail_under=95))
    cases = list(suite)

    assert {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"} == set(suite.attrib)
    assert "2026-11-22T12:00:00" == suite.get("timestamp")
    assert {"testcase"} == {case.tag for case in cases}
    assert {("classname", "name", "time")} == {tuple(sorted(case.attrib)) for case in cases}
    assert {("message", "type")} == {tuple(sorted(each.attrib)) for case in cases for each in case}
    assert len(cases) == len({case.get("name") for case in cases})


def test_a_mark_that_was_clicked_and_what_was_said_stand_on_the_page():
    """Also where all is well."""
    load = Load("https://a.example/", "anna", "", NOON, look=looked(1))
    run = Run((), (load,), choices=(Choice("anna", "a.example/", "tea.example", "Hide ad", 0, 3),), untold=1)
    page = sheet(judge(run, yardstick(), NOON)).decode()

    assert all(
        text in page for text in ("Marks that were clicked", "Hide ad", "tea.example", "Of 1 refusal it is not known")
    )


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
