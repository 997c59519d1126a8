"""`capper audit`: what a publisher's pages do to their readers, from recordings or by a real browser."""

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.audit.gathering import gather
from capper.audit.result import Result, as_json, as_junit, judge, read_baseline, sentence
from capper.audit.sheet import revenue, sheet, summary
from capper.audit.yardstick import read_budget, yardstick
from capper.cli.governing import governing
from capper.cli.options import Config, Json, Policy, State
from capper.cli.replay import progress_of
from capper.cli.tables import json_text, print_table, print_text
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.measure.har import load
from capper.measure.output import whole_file
from capper.settings import load_settings

app = typer.Typer(rich_markup_mode=None)

_MOST = 30
"""Findings that are printed; the files have all of them."""


@app.command(
    help="""What do pages do to their readers?

    Recordings (HAR) are replayed as their readers met them: repeats, crowding, weight, followed readers, credit nobody asked
    for; what a policy would have withheld, and what the runners-up would have paid. A score of 0-100, and how to mend what
    was found.
    """,
    epilog="""\b
Examples:
  capper audit week.har --out report                    report/audit.html, .json and .xml
  capper audit mon.har tue.har --budget budget.toml     exits with 1 where a limit is broken
  capper audit mon.har --fail-under 80 --baseline report/audit.json

\b
A recording says whose each entry is by `_viewer`, and by which device by `_device`; left out, it is all one reader's.
Exits with 0 when all is well, with 1 below --fail-under or over the budget, with 2 when something cannot be read.""",
)
def run(
    targets: Annotated[list[str], typer.Argument(metavar="HAR...", help="Recordings.", show_default=False)],
    *,
    policy: Policy = None,
    viewer: Annotated[str, typer.Option(help="Whose recordings these are, where an entry does not say.")] = HOUSEHOLD,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Write audit.html, audit.json and audit.xml.", show_default=False),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML there.", show_default=False)
    ] = None,
    fail_under: Annotated[
        int | None,
        typer.Option(min=0, max=100, metavar="SCORE", help="Exit with 1 below this.", show_default=False),
    ] = None,
    budget: Annotated[
        Path | None,
        typer.Option("--budget", metavar="FILE", help="Limits of your own; exit with 1 beyond.", show_default=False),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", metavar="FILE", help="An earlier audit.json to compare with.", show_default=False),
    ] = None,
    lists: Annotated[list[Path] | None, typer.Option(help="Another filter list to use; may be repeated.")] = None,
    config: Config = None,
    state: State = None,
    as_json_: Json = False,
) -> None:
    """Gather, judge, write, tell."""
    settings = load_settings(config, {"lists": lists or None, "state": state, "ledger": "memory"})
    asked = governing(load_settings(config, {"state": state}), policy)
    limits = read_budget(budget) if budget else None
    before = read_baseline(baseline) if baseline else None
    recordings = [load(Path(each)) for each in targets]
    with ExitStack() as files:
        folder = _folder(out)
        opened = {name: files.enter_context(whole_file(path, 0o600)) for name, path in _paths(folder, junit).items()}
        with progress_of(2 * sum(map(len, recordings)), "Auditing") as step:
            found = asyncio.run(gather(settings, recordings, asked.reading().policy, viewer=viewer, progress=step))
        result = judge(found, yardstick(), datetime.now(UTC), policy=asked.name, budget=limits, baseline=before)
        text = json_text(as_json(result))
        made = {"html": sheet(result), "json": text.encode(), "xml": as_junit(result, fail_under)}
        for name, file in opened.items():
            file.write(made[name.partition(" ")[0]])
    if as_json_:
        typer.echo(text, nl=False)
    else:
        _print(result, folder)
    if result.over or (fail_under is not None and result.score < fail_under):
        raise typer.Exit(1)


def _folder(out: Path | None) -> Path | None:
    if out is None:
        return None
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigError(f"--out {out}: {exc.strerror}") from exc
    return out


def _paths(folder: Path | None, junit: Path | None) -> dict[str, Path]:
    paths = {kind: folder / f"audit.{kind}" for kind in ("html", "json", "xml")} if folder else {}
    return paths | ({"xml asked": junit} if junit else {})


def _print(result: Result, folder: Path | None) -> None:
    print_text(*summary(result))
    if result.findings:
        print_text("")
        faults = result.yardstick.faults
        print_table(
            ["finding", "what"], [(faults[each.code].title, sentence(each)) for each in result.findings[:_MOST]]
        )
        if (more := len(result.findings) - _MOST) > 0:
            print_text(f"... and {more:,} more; --out and --json have all.")
    capped = result.run.capped
    if capped.withheld:
        print_text("", f"With {result.policy}, {capped.withheld:,} of {capped.met:,} ads would have been withheld.")
    print_text(*revenue(capped))
    for each in result.over:
        print_text(f"Over budget, {each.rule}: {sentence(each)}", style="bold")
    if (change := result.difference) is not None:
        told = f"{change.score:+d}" if change.comparable else "not to be compared"
        print_text(
            f"Since the audit before: score {told}, {len(change.new):,} findings new, {len(change.gone):,} gone."
        )
    if folder:
        print_text("", f"{folder / 'audit.html'} has it all, with how to mend it.")
