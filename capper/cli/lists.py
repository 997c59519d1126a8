"""`capper lists`: subscribe to filter lists, bring them up to date, see what is in use."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.options import Json, State
from capper.cli.tables import print_json, print_table, print_text
from capper.recognise.filterlist import ListKind
from capper.recognise.lists import ListStore
from capper.recognise.subscription import Outcome, Report, Status
from capper.settings import load_settings
from capper.settings.version import check_state

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Lists: which requests and elements are ads, and which hosts are never opened.

    Those that travel with capper need no network.
    """,
)

Force = Annotated[bool, typer.Option("--force", help="Also those not due, or suspiciously smaller than before.")]


@app.command()
def add(
    source: Annotated[str, typer.Argument(help="https:// address, file:// address or path of a list.")],
    kind: Annotated[ListKind, typer.Option(help="What the list names.")] = ListKind.ADS,
    name: Annotated[str | None, typer.Option(help="What to call it; otherwise its file's name.")] = None,
    state: State = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Subscribe to a list and fetch it at once.

    With `--kind closed` it is a list of hosts that are never opened, a host a line, as AdGuard's HttpsExclusions are.
    The only connections that capper makes by itself are those to the lists you add here.
    """
    report = _store(state).add(source, kind, _now(), name)
    _print_reports([report], as_json=as_json)


@app.command()
def update(
    names: Annotated[list[str] | None, typer.Argument(help="Only these; otherwise every list that is due.")] = None,
    force: Force = False,  # noqa: FBT002  an option
    state: State = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Fetch the lists whose `! Expires` is over; one that fails keeps its last good copy.

    Exits with 1 when one failed.
    """
    reports = _store(state).update(_now(), force=force, names=names or ())
    _print_reports(reports, as_json=as_json)
    if any(report.outcome is Outcome.FAILED for report in reports):
        raise typer.Exit(1)


@app.command()
def show(
    state: State = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Show the lists in use, their age and their rules."""
    now = _now()
    found = _store(state).show(now)
    if as_json:
        print_json([status.as_json() for status in found])
        return
    print_table(["name", "kind", "#rules", "fetched", "source"], [_cells(status, now) for status in found])
    for status in found:
        if status.subscription.failure:
            name, failure = status.subscription.name, status.subscription.failure
            print_text(f"{name}: the last update failed: {failure}", style="yellow")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name or source of the list.")],
    state: State = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """End a subscription and delete its copy."""
    gone = _store(state).remove(name)
    if as_json:
        print_json(gone.as_json())
    else:
        print_text(f"{gone.name} removed ({gone.rules:,} rules, {gone.source})")


def _store(state: Path | None) -> ListStore:
    folder = load_settings(overrides={"state": None if state is None else str(state)}).state
    assert folder is not None, "load_settings fills it in"
    check_state(folder)
    return ListStore(folder)


def _print_reports(reports: Sequence[Report], *, as_json: bool) -> None:
    if as_json:
        print_json([report.as_json() for report in reports])
        return
    if not reports:
        print_text("No list is subscribed; `capper lists add` does that.")
        return
    print_table(["name", "outcome", "#rules", "#change", "detail"], [_outcome(report) for report in reports])


def _outcome(report: Report) -> Sequence[str]:
    change = report.rules - report.before
    return report.name, report.outcome, f"{report.rules:,}", f"{change:+,}" if change else "", report.detail


def _cells(status: Status, now: datetime) -> Sequence[str]:
    known = status.subscription
    return known.name, known.kind, f"{known.rules:,}", _age(status, now), known.source


def _age(status: Status, now: datetime) -> str:
    if status.packaged:
        return "with capper"
    fetched = status.subscription.fetched_at
    if fetched is None:
        return "never"
    hours = max(0, int((now - fetched).total_seconds() // 3600))
    age = f"{hours // 24} days ago" if hours >= 48 else f"{hours} hours ago" if hours >= 2 else "lately"
    return f"{age}, due" if status.due else age


def _now() -> datetime:
    return datetime.now(UTC)
