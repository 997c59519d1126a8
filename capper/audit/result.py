"""An audit's result: its figures as JSON, compared with those of an earlier one, and as JUnit XML for builds."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capper import __version__
from capper.audit.findings import Finding, find
from capper.audit.met import Run
from capper.audit.scoring import Loss, losses, metrics, over_budget, score
from capper.audit.yardstick import Yardstick
from capper.domain.errors import ConfigError
from capper.rewrite.wording import presentable
from capper.settings.toml import read_text

FORMAT = 1
"""Of the JSON; a number that a reader can go by."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Between an earlier audit and this one; findings are told apart by kind, subject and place."""

    score: int
    comparable: bool
    """Whether both are of the same version of the score."""
    new: tuple[tuple[str, str, str], ...]
    gone: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What an audit says."""

    run: Run
    yardstick: Yardstick
    policy: str
    made: datetime
    findings: tuple[Finding, ...]
    losses: tuple[Loss, ...]
    score: int
    metrics: Mapping[str, float]
    over: tuple[Finding, ...] = ()
    """Those that break the budget."""
    difference: Difference | None = None


def judge(
    run: Run,
    yardstick: Yardstick,
    made: datetime,
    *,
    policy: str = "the policy in force",
    budget: Mapping[str, float] | None = None,
    baseline: Mapping[str, Any] | None = None,
) -> Result:
    """Find, score, compare. With a `budget`, its limits take the place of the usual ones."""
    measure = yardstick.with_budget(budget or {})
    findings = find(run, measure.limits)
    lost = losses(run, findings, measure)
    total = score(lost)
    return Result(
        run,
        measure,
        policy,
        made,
        tuple(findings),
        tuple(lost),
        total,
        metrics(run),
        tuple(over_budget(findings, budget or {})),
        _difference(baseline, findings, total, measure.version) if baseline else None,
    )


def _name(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.subject, finding.where


def _difference(baseline: Mapping[str, Any], findings: Sequence[Finding], total: int, version: int) -> Difference:
    before = {(row["code"], row["subject"], row["where"]) for row in baseline["findings"]}
    now = {_name(each) for each in findings}
    return Difference(
        total - baseline["score"],
        baseline["score_version"] == version,
        tuple(sorted(now - before)),
        tuple(sorted(before - now)),
    )


def read_baseline(path: Path) -> dict[str, Any]:
    """An earlier audit's JSON.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        found = json.loads(read_text(path))
        rows = [(row["code"], row["subject"], row["where"]) for row in found["findings"]]
        whole = all(isinstance(text, str) for row in rows for text in row)
        if whole and found["format"] == FORMAT and isinstance(found["score"], int) and "score_version" in found:
            return dict(found)
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ConfigError(f"{path} is not what `capper audit --json` wrote ({type(exc).__name__}: {exc})") from exc
    raise ConfigError(f"{path} is not what `capper audit --json` of this version wrote")


def as_json(result: Result) -> dict[str, Any]:
    """The whole result; docs/audit.md names each field."""
    faults, run = result.yardstick.faults, result.run
    return {
        "format": FORMAT,
        "capper": __version__,
        "made": result.made,
        "sources": list(run.sources),
        "live": run.live,
        "policy": result.policy,
        "score": result.score,
        "score_version": result.yardstick.version,
        "lost": [asdict(each) | {"share": each.share} for each in result.losses],
        "metrics": dict(result.metrics),
        "limits": dict(result.yardstick.limits),
        "findings": [_row(each, faults[each.code].title, faults[each.code].mend) for each in result.findings],
        "over_budget": [list(_name(each)) for each in result.over],
        "capped": {
            "met": run.capped.met,
            "withheld": run.capped.withheld,
            "by_cap": dict(run.capped.rules),
            "paid": dict(run.capped.paid),
            "lost": dict(run.capped.lost),
        },
        "house_ads": {
            "usable": sum(load.housed for load in run.loads),
            "unusable": [{"page": page, "why": reason} for page, reason in run.unhoused],
        },
        "refusals": [asdict(each) for each in run.choices],
        "refusals_untold": run.untold,
        "missed": list(run.missed),
        "bodies_missing": run.bodiless,
        "entries": run.entries,
        "difference": result.difference and asdict(result.difference),
    }


def _row(finding: Finding, title: str, mend: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "title": title,
        "subject": finding.subject,
        "where": finding.where,
        "value": finding.value,
        "limit": finding.limit,
        "rule": finding.rule,
        "unit": finding.unit,
        "affected": len(finding.affected),
        "evidence": list(finding.evidence),
        "mend": mend,
    }


def sentence(finding: Finding) -> str:
    """What was found, in a line: `shoes.example: 6 times, at most 4 (anna, session 1)`."""
    return f"{finding.subject}: {amount(finding.value, finding.unit)}, at most {amount(finding.limit, finding.unit)} ({finding.where})"


def amount(value: float, unit: str) -> str:
    """A value with its unit, as people write it."""
    if unit == "share":
        return f"{value:.0%}"
    if unit == "times" and value == 1:
        return "once"
    number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{number} {unit}".rstrip()


def as_junit(result: Result, fail_under: int | None = None) -> bytes:
    """A test case for each kind of fault, which fails if it was found, and one for the score and for each broken limit."""
    cases: list[tuple[str, list[str]]] = []
    for fault in result.yardstick.faults.values():
        mine = [sentence(each) for each in result.findings if each.code == fault.code]
        cases.append((f"{fault.code}: {fault.title}", mine))
    if fail_under is not None:
        wrong = [f"the score is {result.score}, below {fail_under}"] if result.score < fail_under else []
        cases.append(("score", wrong))
    broken = [f"{each.rule}: {sentence(each)}" for each in result.over]
    cases.append(("budget", broken))
    suite = ET.Element(
        "testsuite",
        name="capper audit",
        tests=str(len(cases)),
        failures=str(sum(bool(wrong) for _, wrong in cases)),
        errors="0",
        skipped="0",
        time="0",
        # The usual schema takes neither an offset nor fractions.
        timestamp=result.made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
    )
    for name, wrong in cases:
        case = ET.SubElement(suite, "testcase", classname="capper.audit", name=name, time="0")
        if wrong:
            told = [" ".join(map(presentable, line.split())) for line in wrong]
            ET.SubElement(case, "failure", message=told[0], type="finding").text = "\n".join(told)
    text: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text
