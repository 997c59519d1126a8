"""`capper audit`: what a publisher's pages do to their readers, from recordings or by a real browser."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.assembly import RecogniserSource
from capper.audit.gathering import Trial, gather
from capper.audit.met import Run
from capper.audit.plan import Plan, way_to
from capper.audit.result import Result, as_json, as_junit, judge, read_baseline, sentence
from capper.audit.sheet import revenue, sheet, summary
from capper.audit.sitemap import Pages, is_sitemap, pages_of
from capper.audit.visiting import pictures, visit, visited
from capper.audit.yardstick import read_budget, yardstick
from capper.cli.governing import governing
from capper.cli.options import Config, Json, State
from capper.cli.options import Policy as PolicyFile
from capper.cli.plain import plain
from capper.cli.replay import progress_of
from capper.cli.tables import json_text, print_table, print_text
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Policy
from capper.measure.har import Har, load
from capper.measure.output import whole_file
from capper.recognise.download import Fetcher
from capper.settings import Settings, load_settings
from capper.settings.version import ready_state

app = typer.Typer(rich_markup_mode=None)

_MOST = 30
"""Findings that are printed; the files have all of them."""


@app.command(
    help="""What do pages do to their readers?

    Pages are visited by several readers over several days, each with a Chromium of her own (the extra `capper[audit]`), or recordings
    (HAR) are replayed as their readers met them: repeats, crowding, weight, followed readers, credit nobody asked
    for; what a policy would have withheld, and what the runners-up would have paid. A score of 0-100, and how to mend what
    was found.
    """,
    epilog="""\b
Examples:
  capper audit https://paper.example/ --out report --people 3 --visits 5
  capper audit week.har --out report   report/audit.html, .json and .xml
  capper audit mon.har tue.har --budget budget.toml     exits with 1 where a limit is broken
  capper audit mon.har --fail-under 80 --baseline report/audit.json

\b
A recording says whose each entry is by `_viewer`, and by which device by `_device`; left out, it is all one reader's.
Exits with 0 when all is well, with 1 below --fail-under or over the budget, with 2 when something cannot be read.""",
)
def run(
    targets: Annotated[
        list[str],
        typer.Argument(metavar="URL|SITEMAP|HAR...", help="Pages to visit, or recordings.", show_default=False),
    ],
    *,
    visits: Annotated[int, typer.Option(min=1, max=100, help="Of each reader, a virtual day apart.")] = 3,
    people: Annotated[int, typer.Option(min=1, max=50, help="Readers, each with cookies of her own.")] = 2,
    depth: Annotated[int, typer.Option(min=0, max=20, help="Links within the site that are followed from a page.")] = 1,
    seed: Annotated[int, typer.Option(help="Which links are followed, and which pages of a sitemap.")] = 0,
    pages: Annotated[
        int, typer.Option(min=1, max=1000, help="Of those that sitemaps name, at most; --seed draws.")
    ] = 25,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the visits in --out that an interruption left.")
    ] = False,
    policy: PolicyFile = None,
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
    how = {"people": people, "visits": visits, "depth": depth, "seed": seed}
    plan = _plan(targets, _pages(targets, pages, seed), out, how, resume=resume)
    with ExitStack() as files:
        folder = _folder(out)
        opened = {name: files.enter_context(whole_file(path, 0o600)) for name, path in _paths(folder, junit).items()}
        found = _gathered(settings, plan, targets, asked.reading().policy, viewer)
        result = judge(found, yardstick(), datetime.now(UTC), policy=asked.name, budget=limits, baseline=before)
        text = json_text(as_json(result))
        made = {
            "html": sheet(result, pictures(found, plan.folder) if plan else {}),
            "json": text.encode(),
            "xml": as_junit(result, fail_under),
        }
        for name, file in opened.items():
            file.write(made[name.partition(" ")[0]])
    if as_json_:
        typer.echo(text, nl=False)
    else:
        _print(result, folder)
    if result.over or (fail_under is not None and result.score < fail_under):
        raise typer.Exit(1)


def _plan(
    targets: Sequence[str], pages: Pages, out: Path | None, how: Mapping[str, int], *, resume: bool
) -> Plan | None:
    """What is to be visited; None where recordings are to be replayed."""
    if not pages.urls:
        if resume:
            raise ConfigError("--resume is about visits: name the pages that were to be visited")
        return None
    if any(not is_sitemap(each) and "://" not in each for each in targets):
        raise ConfigError("name pages or recordings, not both: a recording is of other readers and other days")
    if out is None:
        raise ConfigError(
            "name a folder with --out: each visit is kept there, so that an interruption loses one at most"
        )
    begin = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    plan = Plan(pages.urls, out, begin, **how)
    if resume and plan.begun():
        return plan.resumed()
    if plan.begun():
        raise ConfigError(
            f"{out} holds visits of an earlier audit: --resume goes on with them, another --out begins anew"
        )
    return plan


def _pages(targets: Sequence[str], most: int, seed: int) -> Pages:
    """The pages that the targets name, of sitemaps at most so many in all; none where all are recordings."""
    named = [each for each in targets if each.startswith(("http://", "https://")) and not is_sitemap(each)]
    listed = [pages_of(each, lambda url: Fetcher()(url).body or b"") for each in targets if is_sitemap(each)]
    urls = dict.fromkeys(url for each in listed for url in each.urls)
    all_ = Pages(tuple(urls), sum(each.elsewhere for each in listed))
    drawn = all_.drawn(most, seed)
    if all_.elsewhere:
        _aside(f"Left out: {all_.elsewhere:,} pages of other sites, for which a sitemap does not speak.")
    if len(drawn.urls) < len(urls):
        _aside(f"{most:,} of the {len(urls):,} pages are visited, drawn by --seed; --pages says how many.")
    return Pages(tuple(dict.fromkeys((*named, *drawn.urls))), all_.elsewhere)


def _gathered(settings: Settings, plan: Plan | None, targets: Sequence[str], policy: Policy, viewer: str) -> Run:
    recordings = _visited(settings, plan) if plan else [load(Path(each)) for each in targets]
    seen = visited(plan) if plan else None
    trials = [Trial(load(path), said) for path, said in seen.refusals.items()] if seen else []
    with progress_of(2 * sum(map(len, recordings)), "Auditing") as step:
        run = asyncio.run(gather(settings, recordings, policy, trials=trials, viewer=viewer, progress=step))
    return seen.beside(run) if seen else run


def _visited(settings: Settings, plan: Plan) -> list[Har]:
    ready_state(settings.state)
    recogniser = RecogniserSource(settings, datetime.now(UTC)).current()
    net, marks = way_to(plan.pages), yardstick().marks
    try:
        with progress_of(plan.loads, "Visiting", least=0) as step:
            return [load(path) for path in asyncio.run(visit(plan, settings.state, recogniser, net, marks, step))]
    except KeyboardInterrupt:
        _aside(f"Interrupted: --resume goes on with the visits in {plan.visited}.")
        raise


def _aside(text: str) -> None:
    typer.echo(plain(text), err=True)


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
