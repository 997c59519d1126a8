"""`capper demo`: a tour of a small world of its own, through the real proxy, and a table at the end."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.options import Json
from capper.cli.tables import print_json, print_table, print_text
from capper.demo.household import Household, TurnedClock, running_household
from capper.demo.sites import SITES
from capper.demo.tour import DEVICES, POLICY, Row, Stop, reason, summary, tour
from capper.domain.errors import ConfigError

app = typer.Typer(rich_markup_mode=None)


@app.command(
    help="""A tour with sites and people of its own, offline.

    Three small publishers, an ad server and its advertisers run on this machine; anna (on a laptop and a phone) and ben
    read a few pages through the real proxy, with a real ledger, in a day that passes in seconds. Nothing comes from the
    internet, and your own ledger and settings are not touched.
    """,
    epilog="""\b
Examples:
  capper demo
  capper demo --json                  the same for a program
  capper demo --serve                 then look at the same pages with your own browser
  capper demo --keep tour             keep the policy, the ledger and the certificates in ./tour""",
)
def run(
    *,
    serve: Annotated[
        bool, typer.Option("--serve", help="Leave the world and the proxy running until Ctrl-C, to look around.")
    ] = False,
    keep: Annotated[
        Path | None,
        typer.Option("--keep", metavar="FOLDER", help="Keep what the demo makes in this folder.", show_default=False),
    ] = None,
    ledger: Annotated[
        str, typer.Option("--ledger", metavar="KIND", help="embedded, memory, or the address of a Redis to try.")
    ] = "embedded",
    as_json: Json = False,
) -> None:
    """Walk through the tour, tell what happened, and perhaps stay."""
    with _folder(keep) as folder:
        asyncio.run(_run(folder, ledger, serve=serve, as_json=as_json))


async def _run(folder: Path, ledger: str, *, serve: bool, as_json: bool) -> None:
    clock = TurnedClock(datetime.now(UTC).replace(microsecond=0))
    async with running_household(folder, POLICY, DEVICES, ledger=ledger, clock=clock) as household:
        stops = []
        async for stop in tour(household, clock):
            stops.append(stop)
            if not as_json:
                print_text(_line(stop, stops[0].at))
        if as_json:
            print_json(
                {"stops": [_spelled(stop) for stop in stops], "table": [_columns(row) for row in summary(stops)]}
            )
        else:
            print_text("")
            _print_summary(summary(stops), stops[0].at, stops[-1].at)
        if serve:
            over = _interruption()
            _print_invitation(household)
            await over.wait()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="capper-demo-") as folder:
            yield Path(folder)
        return
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise ConfigError(f"--keep {keep}: the folder is not empty; name a new one")
    except OSError as exc:
        raise ConfigError(f"--keep {keep}: {exc.strerror}") from exc
    yield keep.absolute()


def _line(stop: Stop, start: datetime) -> str:
    """One stop: `+ 0:13  anna's phone   news.example     shoes.example withheld (...)`."""
    became = ", ".join(
        f"{record.label} {'withheld (' + reason(record) + ')' if record.verdict == 'withhold' else 'shown'}"
        for record in stop.records
    )
    return f"{_hour(stop.at, start)}  {stop.step.device:14} {stop.step.site:16} {became}"


def _hour(at: datetime, start: datetime) -> str:
    """How long after the first page, in hours and minutes: `+24:31`."""
    minutes = int((at - start) / timedelta(minutes=1))
    return f"+{minutes // 60:2}:{minutes % 60:02}"


def _print_summary(rows: Sequence[Row], start: datetime, now: datetime) -> None:
    print_table(
        ("Person", "Advertiser", "#Shown", "#Withheld", "Why", "Reopens"),
        [
            (row.person, row.advertiser, str(row.shown), str(row.withheld), row.why, _reopens(row, start, now))
            for row in rows
        ],
    )


def _reopens(row: Row, start: datetime, now: datetime) -> str:
    if row.reopens is None:
        return "never" if row.withheld else ""
    return f"{_hour(row.reopens, start)}{', and did' if row.reopens <= now else ''}"


def _print_invitation(household: Household) -> None:
    print_text(
        "",
        "The sites stay up. Be one of the household with a browser of your own, in a profile of its own:",
        *(
            f'  {device + ":":16}chromium --user-data-dir="$(mktemp -d)" --proxy-server={household.door(device)}'
            f" {' '.join(f'https://{host}/' for host in SITES)}"
            for device in household.doors
        ),
        f"Its certificate is {household.certificate}: import it as an authority in that profile.",
        "recipes.example may know of what was withheld: over the cap from other sites, and then opened, it shows a notice of its own.",
        "Ctrl-C ends it.",
    )


def _interruption() -> asyncio.Event:
    """Set by Ctrl-C or a TERM, which from now on are the ordinary way to end."""
    over = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, over.set)
    return over


def _spelled(stop: Stop) -> dict[str, object]:
    return {
        "time": stop.at,
        "device": stop.step.device,
        "site": stop.step.site,
        "decisions": [record.row() for record in stop.records],
    }


def _columns(row: Row) -> dict[str, object]:
    return {
        "person": row.person,
        "advertiser": row.advertiser,
        "shown": row.shown,
        "withheld": row.withheld,
        "why": row.why,
        "reopens": row.reopens,
    }
