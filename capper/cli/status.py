"""`capper status`: whether capper runs, since when, where, and how it is doing today."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import typer

from capper.backup.swap import is_held
from capper.cli.governing import Governing, governing, with_ledger
from capper.cli.options import Config, Json, LedgerUrl, Policy, State
from capper.cli.tables import moment, print_json, print_text
from capper.domain.daily import EVERYBODY, Daily, day_of
from capper.domain.errors import CapperError
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Policy as Caps
from capper.ledger.base import Health, Ledger
from capper.recognise.lists import ListStore
from capper.settings import Settings, load_settings
from capper.settings.options import redacted
from capper.settings.running import Running, Worker, read_running

app = typer.Typer(rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Status:
    """How capper is at one moment; `today` is of everybody together, None where it cannot be known."""

    running: Running | None
    policy: str
    ledger: Health
    today: Daily | None
    lists: int
    rules: int


@app.command(
    help="""Is capper running, since when, and how is it doing?

    Tells where it listens, the policy it goes by, the ledger, the filter lists, and how many ads were shown and withheld today, of
    everybody together. Exits with 1 when it does not run.
    """,
)
def run(
    *,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Look, and tell."""
    settings, now = load_settings(config, {"policy": policy, "ledger": ledger, "state": state}), datetime.now(UTC)
    governed = governing(settings, policy)
    caps = governed.reading().policy
    found = look(settings, governed, caps, now)
    if as_json:
        print_json(_json(found))
    else:
        print_text(*(f"{name:<12} {what}" for name, what in _rows(found, caps, settings, now)))
    if found.running is None:
        raise typer.Exit(1)


def look(settings: Settings, governed: Governing, policy: Caps, now: datetime) -> Status:
    """How capper is. A ledger of its own is not started for this."""
    running = read_running(settings.state) if is_held(settings.state) else None
    health, today = _ledger(settings, policy, now, running)
    try:
        lists = [status.subscription for status in ListStore(settings.state).show(now)]
    except CapperError:
        lists = []
    return Status(running, governed.name, health, today, len(lists), sum(each.rules for each in lists))


def _ledger(settings: Settings, policy: Caps, now: datetime, running: Running | None) -> tuple[Health, Daily | None]:
    if settings.ledger == "memory":
        return Health(ok=True, server="memory", detail="only the process that counts can see it"), None
    if running is None and settings.ledger.startswith("embedded"):
        return Health(ok=False, server="embedded", detail="it runs while capper does"), None
    day = day_of(now, policy.zone)

    async def ask(opened: Ledger) -> tuple[Health, Daily]:
        total = Daily()
        for person in (HOUSEHOLD, *policy.people):
            for each in await opened.followers(person, day):
                total += each.within(day, 1) if each.name == EVERYBODY else Daily()
        return await opened.health(), total

    try:
        return with_ledger(settings, ask)
    except CapperError as exc:
        return Health(ok=False, server=redacted(settings.ledger), detail=str(exc)), None


def _rows(found: Status, policy: Caps, settings: Settings, now: datetime) -> list[tuple[str, str]]:
    running, health = found.running, found.ledger
    rows = [("running", "no; `capper run` starts it")]
    if running:
        since = moment(running.started, now, policy.zone)
        rows = [
            ("running", f"since {since}, capper {running.version}, process {running.pid}"),
            ("listens at", ", ".join(running.listens)),
            *(("worker", _worker(number, one, now, policy)) for number, one in enumerate(running.workers, 1)),
            (
                "dashboard",
                running.dashboard or "http://capper.internal/ for each person; `dashboard` opens the owner's",
            ),
        ]
    rows += [
        ("policy", found.policy),
        ("ledger", health.server if health.ok and not health.detail else f"{health.server}: {health.detail}"),
        ("lists", f"{found.lists}, {found.rules:,} rules"),
    ]
    if found.today is not None:
        one = found.today
        rows.append(
            ("today", f"{one.shown:,} ads shown, {one.withheld:,} withheld, {one.prompts:,} credit prompts cut")
        )
    elif settings.journal_level == 0:
        rows.append(("today", "journal_level = 0 keeps no counts of days"))
    return rows


def _worker(number: int, worker: Worker, now: datetime, policy: Caps) -> str:
    often = "once" if worker.restarts == 1 else f"{worker.restarts} times"
    again = f", started anew {often}" if worker.restarts else ""
    return f"{number}, process {worker.pid}, since {moment(worker.started, now, policy.zone)}{again}"


def _json(found: Status) -> dict[str, Any]:
    return {
        "running": asdict(found.running) if found.running else None,
        "policy": found.policy,
        "ledger": asdict(found.ledger),
        "today": asdict(found.today) if found.today else None,
        "lists": {"number": found.lists, "rules": found.rules},
    }
