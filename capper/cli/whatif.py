"""`capper whatif`: what another policy would have done, over the days that were counted or over recordings."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from capper.assembly import Knowledge, utc_now
from capper.audit.plan import recordings_of
from capper.cli.governing import Governing, with_ledger
from capper.cli.options import Config, Json, LedgerUrl, State
from capper.cli.policy_versions import named
from capper.cli.record import known_person
from capper.cli.replay import through
from capper.cli.tables import console, print_json, print_table, print_text
from capper.domain.daily import SPAN, day_of
from capper.domain.errors import ConfigError
from capper.domain.frequency import binned, reach, shares
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Policy
from capper.journal import Journal, Level
from capper.measure.har import Har, load
from capper.measure.output import whole_file
from capper.measure.replay import Summary
from capper.measure.report import report
from capper.measure.whatif import PAID_ASSUMES, Comparison, Row, of_days, of_replays
from capper.settings import Settings, load_settings
from capper.settings.version import ready_state

app = typer.Typer(rich_markup_mode=None)

MOST_ROWS = 20
_BARS = range(10, 61)
"""How many columns the longest bar may have; as many as there is room for."""
_MARGIN = 19
"""Columns before a bar: the number of times, before or after, the share."""


@app.command(
    help="""What would another policy have done?

    Over the days that the ledger has counted for a person, or over recordings (--har), which are replayed twice, each time
    with counts in memory of their own: shown and withheld by advertiser, reach and frequency, before and after.
    """,
    epilog="""\b
Examples:
  capper whatif --policy new.toml                       the household's last four weeks
  capper whatif --policy new.toml --person anna --days 7 --html whatif.html
  capper whatif --policy new.toml --har mon.har --har tue.har.gz
  capper whatif --policy new.toml --har report          the visits that `capper audit --out report` paid
  capper whatif --policy 3                              what would version 3 have done, if it were rolled back to?

\b
Recordings tell exactly. From counts only so much can be told: a day's number of ads by advertiser. What is reckoned from
them is at most what would have been shown, for both policies alike: caps within an hour, a page or a session, or by creative,
can only have withheld more. One person at a time: members of the household are not added up.
Exits with 1 when there is nothing to compare.""",
)
def run(
    *,
    policy: Annotated[
        str,
        typer.Option(
            "--policy", metavar="FILE|N", help="The policy to try, or a version's number.", show_default=False
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="Instead of which: a version's number or a file; left out: what is in force.",
            show_default=False,
        ),
    ] = None,
    har: Annotated[
        list[Path] | None,
        typer.Option(
            "--har",
            metavar="FILE|FOLDER",
            help="A recording to replay, or an audit's folder; repeatable.",
            show_default=False,
        ),
    ] = None,
    viewer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Whose recordings these are, where an entry does not say; household.",
            show_default=False,
        ),
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", metavar="NAME", help="Whose days; household.", show_default=False)
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=SPAN, help=f"How many days, today included; {SPAN}.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with drawings too.", show_default=False)
    ] = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Compare, tell, write."""  # fmt: skip
    if har and not (person is None and days is None):
        raise ConfigError(
            "--person and --days are about what was counted; whose recordings these are is said by --viewer"
        )
    if viewer is not None and not har:
        raise ConfigError("--viewer is about recordings (--har); whose days are looked at is said by --person")
    settings = load_settings(config, {"ledger": ledger, "state": state})
    new = named(settings, policy)
    old = named(settings, against)
    policies = [each.reading().policy for each in (old, new)]
    now = datetime.now(UTC)
    with ExitStack() as files:
        file = files.enter_context(whole_file(html, 0o600)) if html else None
        if har:
            files_ = [file for path in har for file in recordings_of(path)]
            found = asyncio.run(_of_recordings(settings, [*map(load, files_)], policies, viewer or HOUSEHOLD))
            over = ", ".join(path.name or str(path) for path in har)
        else:
            whose, length = person or HOUSEHOLD, days or SPAN
            found = _of_counts(settings, policies, whose, length, now)
            over = f"{whose}'s last {length} days" if length > 1 else f"{whose}'s day"
        notes = list(_notes(found))
        if file:
            file.write(report(found, old.name, new.name, over, notes, now))
    if as_json:
        print_json(_as_json(found, notes))
    else:
        _print(found, old, new, over, notes)
    if not found.rows:
        raise typer.Exit(1)


def _of_counts(settings: Settings, policies: Sequence[Policy], person: str, days: int, now: datetime) -> Comparison:
    before, after = policies
    known_person(before, person)
    today = day_of(now, before.zone)
    followers = with_ledger(settings, lambda ledger: ledger.followers(person, today))
    return of_days(followers, person, before, after, today, days)


async def _of_recordings(
    settings: Settings, recordings: Sequence[Har], policies: Sequence[Policy], viewer: str
) -> Comparison:
    ready_state(settings.state)
    knowledge = await asyncio.to_thread(Knowledge.load, settings, utc_now())
    return of_replays(*[await _summaries(settings, knowledge, recordings, policy, viewer) for policy in policies])


async def _summaries(
    settings: Settings, knowledge: Knowledge, recordings: Sequence[Har], policy: Policy, viewer: str
) -> list[Summary]:
    journal = Journal(Level.NOTHING)
    return [each.summary async for each in through(recordings, settings, policy, journal, viewer, knowledge=knowledge)]


# What is told


def _notes(found: Comparison) -> Iterator[str]:
    if found.exact:
        yield "Replayed: every number is exact for these recordings, which hold what the policy of then let through."
        yield from _revenue(found)
        return
    if found.counted:
        yield f"In fact {found.counted.shown:,} ads were shown and {found.counted.withheld:,} withheld, all advertisers together."
    yield (
        "Reckoned from each day's number of ads: both columns are at most what would have been shown, and what was withheld is"
        " taken to come again. Mutes are left out."
    )
    if found.untold:
        yield f"Counts of days say nothing of these caps, which can only have withheld more: {', '.join(found.untold)}."
    if rules := dict.fromkeys(name for row in found.rows for name in row.perhaps):
        quoted = ", ".join(f'"{rule}"' for rule in rules)
        yield f"Nor do they say on which site or in which format; where one of these rules speaks it is otherwise: {quoted}."


def _revenue(found: Comparison) -> Iterator[str]:
    """What the two policies leave of what auctions pay, and what that assumes."""
    for each in found.money:
        name = each.currency or "of an unnamed currency"
        yield (
            f"The winning bids in the auctions seen pay {each.recorded:.6f} {name}; with the runners-up in the place of those"
            f" withheld {each.before:.6f} before, {each.after:.6f} after."
        )
    if found.money:
        yield PAID_ASSUMES


def _print(found: Comparison, old: Governing, new: Governing, over: str, notes: Sequence[str]) -> None:
    print_text(f"{new.name} instead of {old.name}, over {over}:", "")
    if not found.rows:
        print_text("There is nothing to compare: no ads of an advertiser that could be told.")
        return
    _print_rows(found)
    _print_frequency(found)
    print_text("", *notes)


def _print_rows(found: Comparison) -> None:
    shown = "shown" if found.exact else "at most"
    many = found.people > 1
    heads = ["advertiser", "#met", f"#{shown} before", f"#{shown} after", "#difference"]
    rows = [_cells(row, many=many) for row in found.rows[:MOST_ROWS]]
    totals = found.total("before"), found.total("after")
    whole = Row("all of them", sum(row.met for row in found.rows), *totals)
    print_table([*heads, *(["#people before", "#people after"] if many else [])], [*rows, _cells(whole, many=many)])
    if not many:
        print_text(f"Advertisers that were shown at all: {totals[0].reach:,} before, {totals[1].reach:,} after.")
    if (more := len(found.rows) - MOST_ROWS) > 0:
        print_text(f"... and {more:,} more advertisers, of whom less is different; --json has all.")


def _cells(row: Row, *, many: bool) -> list[str]:
    more = row.after.shown - row.before.shown
    told = [
        row.advertiser,
        f"{row.met:,}",
        f"{row.before.shown:,}",
        f"{row.after.shown:,}",
        f"{more:+,}" if more else "0",
    ]
    return [*told, *([f"{row.before.reach:,}", f"{row.after.reach:,}"] if many else [])]


def _print_frequency(found: Comparison) -> None:
    old, new = binned(shares(found.before)), binned(shares(found.after))
    most = max([*old.values(), *new.values()])
    if not most:
        return
    times = "exactly n times" if found.exact else "n times at most"
    print_text("", f"Share of advertisers that were shown {times}; before and after differ by {found.distance:.0%}:")
    drawn = [label for label in old if old[label] or new[label]]
    labels = list(old)
    room = min(max(console().width - _MARGIN, _BARS.start), _BARS.stop - 1)
    for label in labels[labels.index(drawn[0]) : labels.index(drawn[-1]) + 1]:
        for name, when, side, style in ((label, "before", old, ""), ("", "after", new, "cyan")):
            print_text(f"{name:>5}  {when:6} {side[label]:4.0%} {_bar(side[label] / most, room)}".rstrip(), style=style)
    often = [f"{name} {one:.0%} before, {other:.0%} after" for name, one, other in _reach(found) if one or other]
    print_text("", f"Reach, of all that was met, by how often it was shown at least: {'; '.join(often)}.")


def _reach(found: Comparison) -> Iterator[tuple[str, float, float]]:
    old, new = reach(found.before), reach(found.after)
    return ((name, old[name], new[name]) for name in old)


def _bar(part: float, room: int) -> str:
    """A bar of block letters, in eighths of one; `room` columns are the whole."""
    whole, eighths = divmod(round(part * room * 8), 8)
    return "\N{FULL BLOCK}" * whole + ("" if not eighths else chr(0x2590 - eighths))


def _as_json(found: Comparison, notes: Sequence[str]) -> dict[str, Any]:
    def side(name: str, times: Mapping[int, int]) -> dict[str, Any]:
        total = found.total(name)
        return {
            "shown": total.shown,
            "withheld": total.withheld,
            "reached": total.reach,
            "frequency": shares(times),
            "reach": reach(times),
        }

    return {
        "exact": found.exact,
        "people": found.people,
        "before": side("before", found.before),
        "after": side("after", found.after),
        "distance": found.distance,
        "counted": found.counted and {"shown": found.counted.shown, "withheld": found.counted.withheld},
        "money": [asdict(each) for each in found.money],
        "notes": notes,
        "advertisers": [asdict(row) for row in found.rows],
    }
