"""`capper tail`: what is decided for a person, as it is decided."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, tzinfo
from typing import Annotated

import typer

from capper.cli.governing import with_ledger
from capper.cli.options import Config, Json, LedgerUrl, Policy, State
from capper.cli.reasons import sentence
from capper.cli.record import known_person, settings_and_policy
from capper.cli.tables import moment, print_text
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.journal import Level, Record, parse

app = typer.Typer(rich_markup_mode=None)

EVERY = 1.0
"""Seconds between two looks at the ledger."""

Ask = Callable[[], Awaitable[list[bytes]]]


@app.command(
    help="""Watch what is decided for a person: each ad that is shown or withheld, each credit prompt cut, and why.

    Ends with Ctrl-C. What was decided before is told by `capper explain --person NAME`. Only what the journal keeps can be seen:
    nothing below journal_level 2.
    """,
    epilog="""\b
Examples:
  capper tail                        the devices that are nobody's
  capper tail --person anna
  capper tail --person anna --json   an object a line""",
)
def run(
    *,
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="Whose decisions.")] = HOUSEHOLD,
    last: Annotated[int, typer.Option("--last", min=0, metavar="N", help="Of those before, so many first.")] = 0,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Follow the ledger until interrupted."""
    settings, caps = settings_and_policy(config, state, ledger, policy)
    name = known_person(caps, person)
    if settings.journal_level < Level.OWN:
        raise ConfigError(
            f"journal_level = {settings.journal_level} keeps no decisions; 2 keeps each person's for a day"
        )
    if settings.ledger == "memory":
        raise ConfigError("ledger = memory can be seen only by the process that counts; name one that several share")

    def show(record: Record) -> None:
        _show(record, caps.zone, as_json=as_json)

    if sys.stderr.isatty():
        typer.echo(f"capper: what is decided for {name} from now on; Ctrl-C ends", err=True)
    with_ledger(settings, lambda opened: follow(lambda: opened.notes(name, datetime.now(UTC)), last, show))


async def follow(ask: Ask, last: int, show: Callable[[Record], None], every: float = EVERY) -> None:
    """Show each record once, those that `ask` comes to have after its first answer and `last` of those before, until cancelled."""
    first = await ask()
    for note in first[-last:] if last else []:
        _tell(note, show)
    seen = set(first)
    while True:
        await asyncio.sleep(every)
        notes = await ask()
        for note in notes:
            if note not in seen:
                _tell(note, show)
        # What has expired need not be remembered.
        seen = set(notes)


def _tell(note: bytes, show: Callable[[Record], None]) -> None:
    try:
        record = parse(note)
    except ValueError:
        return  # another version's
    show(record)


def _show(record: Record, zone: tzinfo, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(record.line().decode())
    else:
        now = datetime.now(UTC)
        print_text(f"{moment(record.time, now, zone)}  {sentence(record, now, zone)}")
    sys.stdout.flush()
