"""`capper replay`: saved traffic through a policy, with a ledger of its own and the recording's own clock."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from capper.assembly import Knowledge, assemble
from capper.cli.governing import policy_for
from capper.cli.options import Config, Json, Policy, State
from capper.cli.tables import console, print_json, print_table, print_text
from capper.domain import policy as policies
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.gate.observing import Observer
from capper.journal import FileSink, Journal, Level
from capper.ledger.memory import MemoryLedger
from capper.measure.har import Har, load, save
from capper.measure.output import whole_file, written
from capper.measure.replay import Count, Replayed, Summary, replay
from capper.settings import Settings, load_settings

app = typer.Typer(rich_markup_mode=None)

LONG = 200
"""A recording with more entries than this shows a progress bar."""
MOST_REASONS = 5


@app.command(
    help="""Run saved traffic (HAR) through a policy and see what would have been delivered.

    The counts are kept in memory for this run only, by the times in the recording: your own ledger is never touched.
    """,
    epilog="""\b
Examples:
  capper replay page.har                                       what does the policy in force make of it?
  capper replay page.har --policy strict.toml --out capped.har
  capper replay week.har.gz --viewer anna --journal week.jsonl --json

\b
Entries keep their order; those that changed carry `_capper` with the reason. An entry's `_viewer` says whose it is,
else --viewer, else household. Exits with 2 when a file is damaged or cannot be written.""",
)
def run(
    har: Annotated[Path, typer.Argument(metavar="IN.har", help="The recording: HAR 1.2, also gzipped or .zhar.")],
    *,
    policy: Policy = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the traffic as delivered to this HAR (.gz and .zhar are compressed).")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="Write one JSON line per decision to this file.")] = None,
    viewer: Annotated[str, typer.Option(help="Whose traffic it is, where an entry does not say.")] = HOUSEHOLD,
    lists: Annotated[list[Path] | None, typer.Option(help="Another filter list to use; may be repeated.")] = None,
    config: Config = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Replay, write, and tell."""
    _refuse_overlap(har, policy, out, journal)
    settings = load_settings(config, {"policy": policy, "lists": lists or None, "state": state, "ledger": "memory"})
    asked = policy_for(load_settings(config, {"state": state}), policy)
    recording = load(har)
    # Opened first: a long replay must not find at its end that it cannot write.
    with ExitStack() as files:
        out_file = files.enter_context(whole_file(out)) if out else None
        journal_file = files.enter_context(whole_file(journal, 0o600)) if journal else None
        records = Journal(Level.OWN, FileSink(journal_file) if journal_file else None)
        replayed = asyncio.run(_replay(recording, settings, asked, records, viewer))
        if lost := records.totals.dropped:
            raise ConfigError(f"{journal} cannot be written: {_many(lost, 'record')} lost")
        if out and out_file:
            with written(out):
                save(recording, replayed.changes, out.name, out_file)
    _print(replayed.summary, har, asked.zone, as_json=as_json)


async def _replay(
    recording: Har, settings: Settings, policy: policies.Policy, journal: Journal, viewer: str
) -> Replayed:
    [replayed] = [each async for each in through([recording], settings, policy, journal, viewer)]
    return replayed


async def through(
    recordings: Sequence[Har],
    settings: Settings,
    policy: policies.Policy,
    journal: Journal,
    viewer: str,
    *,
    observer: Observer | None = None,
    knowledge: Knowledge | None = None,
) -> AsyncIterator[Replayed]:
    """Recordings through a policy, one after the other, with one memory for all of them; a progress bar where somebody looks.

    Args:
        viewer: whose they are, where an entry does not say.
        knowledge, observer: as `assemble` has them.
    """
    parts = await assemble(
        settings,
        ledger=MemoryLedger(),
        policy=lambda: policy,
        journal=journal,
        knowledge=knowledge,
        observer=observer,
    )
    try:
        with progress_of(sum(map(len, recordings))) as step:
            for recording in recordings:
                yield await replay(recording, parts.gate, journal, viewer=policy.viewer, unnamed=viewer, progress=step)
    finally:
        await parts.close()


def _refuse_overlap(har: Path, policy: Path | None, out: Path | None, journal: Path | None) -> None:
    read = {path.resolve(): path for path in (har, policy) if path}
    for path in (out, journal):
        if path and path.resolve() in read:
            raise ConfigError(f"{path} is read by this replay: name another file to write to")
    if out and journal and out.resolve() == journal.resolve() and not _special(out):
        raise ConfigError(f"--out and --journal are both {out}: name two files")


def _special(path: Path) -> bool:
    return path.exists() and not path.is_file()


@contextmanager
def progress_of(entries: int, doing: str = "Replaying", least: int = LONG) -> Iterator[Callable[[], object]]:
    """A progress bar for a long replay, where somebody looks; what is to be called after each entry."""
    if entries <= least or not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        yield partial(progress.advance, progress.add_task(doing, total=entries))


# What is told


def _print(summary: Summary, har: Path, zone: tzinfo, *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(summary))
        return
    if summary.viewers:
        print_table(["person", "advertiser", "#shown", "#withheld", "reopens"], _cells(summary, zone))
        print_text("")
    print_text(*_sentences(summary, har))


def _cells(summary: Summary, zone: tzinfo) -> Iterator[tuple[str, ...]]:
    for row in _rows(summary):
        opens = row.count.reopens.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.count.reopens else ""
        yield row.viewer, row.advertiser, f"{row.count.shown:,}", f"{row.count.withheld:,}", opens


def _sentences(summary: Summary, har: Path) -> Iterator[str]:
    if not summary.entries:
        yield f"{har} holds no entries."
        return
    changed = summary.answered + summary.rewritten
    yield (
        f"{_many(summary.entries, 'entry', 'entries')}: {_many(summary.shown, 'ad')} shown, {summary.withheld:,} withheld;"
        f" {_many(changed, 'entry', 'entries')} changed."
    )
    if summary.forwarded:
        yield f"{_many(summary.forwarded, 'request')} to auctions told whom not to ask; the recording holds the answers to the old ones."
    if summary.lost:
        amounts = ", ".join(
            f"{amount:.6f} {currency or 'of an unnamed currency'}" for currency, amount in summary.lost.items()
        )
        yield f"The publishers' winning bids in these auctions would have paid {amounts} more than those who won instead."
    if summary.bodiless:
        yield (
            f"The recording lacks {_many(summary.bodiless, 'body', 'bodies')}; an ad in a missing body cannot be seen."
            " Save it with content."
        )
    if summary.unreadable:
        told = "; ".join(f"entry {index}: {reason}" for index, reason in summary.unreadable[:MOST_REASONS])
        more = len(summary.unreadable) - MOST_REASONS
        yield f"Damaged, left as they were: {told}" + (f"; and {more:,} more." if more > 0 else ".")
    for reason, count in sorted(summary.untouched.items(), key=lambda item: -item[1])[:MOST_REASONS]:
        yield f"Left as it was, {_many(count, 'time')}: {reason}."


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True)
class _Row:
    viewer: str
    advertiser: str
    count: Count


def _rows(summary: Summary) -> list[_Row]:
    """The most withheld first, of those alike the most shown."""
    rows = [
        _Row(viewer, advertiser, count)
        for viewer, counts in summary.viewers.items()
        for advertiser, count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row.count.withheld, -row.count.shown, row.viewer, row.advertiser))


def _as_json(summary: Summary) -> dict[str, object]:
    return {
        "entries": summary.entries,
        "first": summary.first,
        "last": summary.last,
        "shown": summary.shown,
        "withheld": summary.withheld,
        "repeated": summary.repeated,
        "changed": summary.answered + summary.rewritten,
        "answered": summary.answered,
        "rewritten": summary.rewritten,
        "forwarded": summary.forwarded,
        "cost_to_publishers": summary.lost,
        "bodies_missing": summary.bodiless,
        "damaged": [{"entry": index, "reason": reason} for index, reason in summary.unreadable],
        "untouched": summary.untouched,
        "advertisers": [
            {
                "viewer": row.viewer,
                "advertiser": row.advertiser,
                "shown": row.count.shown,
                "withheld": row.count.withheld,
                "reopens": row.count.reopens,
            }
            for row in _rows(summary)
        ],
    }
