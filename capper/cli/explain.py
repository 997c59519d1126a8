"""`capper explain`: what became of ads and credit prompts (a journal, a person's last day), or would of one (an address)."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from capper.assembly import RecogniserSource
from capper.cli.finding import Asking, Finding, Held, judge
from capper.cli.governing import policy_for, with_ledger
from capper.cli.options import Config, Json, LedgerUrl, Policy, State
from capper.cli.reasons import BASES, facts, rule_name, sentence
from capper.cli.record import known_person
from capper.cli.tables import moment, print_json, print_table, print_text
from capper.domain import policy as policies
from capper.domain.decision import Answer, Claim
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.journal import Record, parse, read
from capper.ledger import open_ledger
from capper.ledger.secret import Secret
from capper.recognise.engine import Label, Recognised
from capper.recognise.kind import UNKNOWN_SOURCE, Kind
from capper.settings import Settings, load_settings

app = typer.Typer(rich_markup_mode=None)


@app.command(
    help="""Say why an ad was shown or withheld, or why a credit prompt was taken out.

    Of nothing in particular: what was decided for a person within the last day, ads and credit prompts alike.
    Of a journal's line, or of every line in a journal file (- reads lines from standard input): what was decided, by which
    rule and cap, how often the ad had been counted, and when it opens again. Of an address: which filter rule names it,
    whose ad it is read as, which policy rule and caps hold, and what would become of it now. Nothing is counted.
    """,
    epilog="""\b
Examples:
  capper explain --person anna
  capper explain journal.jsonl
  capper explain '{"time": "2026-11-22T12:00:00Z", "viewer": "anna", ...}'
  capper explain https://ads.example/banner.png?click=https://shoes.example --page https://news.example/ --person anna""",
)
def run(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="LINE|FILE|URL",
            help="A journal line, a journal file or an address; left out: the person's last day.",
            show_default=False,
        ),
    ] = None,
    *,
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="Who would see it, or saw it.")] = HOUSEHOLD,
    page: Annotated[
        str | None, typer.Option(metavar="URL", help="The page that asks for the address.", show_default=False)
    ] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(
            metavar="KIND", help="What it is asked for as: image, subdocument, script ...", show_default=False
        ),
    ] = None,
    policy: Policy = None,
    lists: Annotated[list[Path] | None, typer.Option(help="Another filter list to use; may be repeated.")] = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell a line from a file from an address, and explain it."""
    settings = load_settings(config, {"policy": policy, "lists": lists or None, "ledger": ledger, "state": state})
    caps = policy_for(settings, policy)
    now = datetime.now(UTC)
    if what is not None and what.strip().lower().startswith(("http://", "https://")):
        asking = Asking(address(what), address(page) if page else UNKNOWN_SOURCE, kind)
        found = asyncio.run(_finding(asking, settings, caps, known_person(caps, person), now))
        print_json(_finding_json(found, now, caps.zone)) if as_json else _print_finding(found, now, caps.zone)
        return
    if what is None:
        _tell_day(_kept(settings, known_person(caps, person), now), person, now, caps.zone, as_json=as_json)
        return
    records = list(_records(what))
    if as_json:
        print_json(_rows(records, now, caps.zone))
        return
    for record in records:
        print_text(sentence(record, now, caps.zone))
    if len(records) == 1:
        _print_record(records[0], caps, now)


def _rows(records: Iterable[Record], now: datetime, zone: tzinfo) -> list[dict[str, Any]]:
    return [{"sentence": sentence(one, now, zone), **one.row()} for one in records]


def _print_facts(rows: Iterable[tuple[str, str]]) -> None:
    print_text(*(f"{name:<15}{value}" for name, value in rows if value))


# A journal


def _records(what: str) -> Iterator[Record]:
    if what.lstrip().startswith("{"):
        try:
            yield parse(what)
        except ValueError as exc:
            raise ConfigError(f"the journal line cannot be read: {exc}") from exc
        return
    path = Path("/dev/stdin" if what == "-" else what)
    try:
        if what != "-" and not path.is_file():
            raise ConfigError(f"{what} is no journal line, no file and no http(s) address")
        yield from read(path)
    except ValueError as exc:
        raise ConfigError(f"{'standard input' if what == '-' else what} is not a journal: {exc}") from exc
    except OSError as exc:
        raise ConfigError(f"{what} cannot be read: {exc.strerror}") from exc


def _print_record(record: Record, caps: policies.Policy, now: datetime) -> None:
    print_text("")
    _print_facts(facts(record, now, caps.zone))
    if record.verdict is None:
        return
    rule = next((rule for rule in (*caps.rules, caps.default) if rule.name == record.rule), None)
    print_text("")
    if rule is None:
        print_text(f"The policy in force has no rule {rule_name(record.rule)} any more.")
    else:
        print_text(f"Now {rule_name(rule.name)} of the policy: {', '.join(map(str, rule.caps)) or 'unlimited'}.")


# A person's last day


def _tell_day(records: Sequence[Record], person: str, now: datetime, zone: tzinfo, *, as_json: bool) -> None:
    """Each record with its time; exit code 1 where there is none."""
    if as_json:
        print_json(_rows(records, now, zone))
    elif records:
        print_text(*(f"{moment(record.time, now, zone)}  {sentence(record, now, zone)}" for record in records))
    else:
        print_text(f"nothing is kept of what was decided for {person} within the last day")
    if not records:
        raise typer.Exit(1)


def _kept(settings: Settings, person: str, now: datetime) -> list[Record]:
    """What the ledger keeps of what was decided for `person`, the oldest first."""
    return list(_readable(with_ledger(settings, lambda ledger: ledger.notes(person, now))))


def _readable(notes: Iterable[bytes]) -> Iterator[Record]:
    for note in notes:
        # Another version's notes may be among them.
        with contextlib.suppress(ValueError):
            yield parse(note)


# An address


def address(text: str) -> str:
    """`text` if it is an http(s) address with a host; raises ConfigError."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{text} is no http(s) address with a host")
    return text.strip()


async def _finding(asking: Asking, settings: Settings, caps: policies.Policy, person: str, now: datetime) -> Finding:
    recogniser = await asyncio.to_thread(RecogniserSource, settings, now)

    async def peek(claim: Claim) -> Answer:
        secret = Secret.load_or_create(settings.secret_file)
        # Without a guard: what is not known is told as such, rather than guessed from what this process remembers.
        ledger = open_ledger(settings.ledger, secret, folder=settings.ledger_folder, deadline=None)
        try:
            return (await ledger.peek(person, [claim], now, caps.gap))[0]
        finally:
            await ledger.close()

    return await judge(asking, recogniser.current(), caps, caps.viewer(person), now, peek=peek)


def _verdict(found: Finding, now: datetime, zone: tzinfo) -> str:
    match found.recognised:
        case Recognised(Label.TRACKER):
            return "Not an ad: tracker lists name it, and trackers are neither counted nor capped."
        case Recognised(Label.NONE, match) if match:
            return "Not an ad: a rule names it, and an exception takes that back."
        case Recognised(Label.NONE):
            return "Not an ad: no list names it."
    record = Record.of(found.decision, now, found.sighting)
    if found.silent:
        return f"An ad of {record.label}; whether it would be shown is not known, for the ledger is silent: {found.silent}."
    return sentence(record, now, zone, supposed=True)


def _print_finding(found: Finding, now: datetime, zone: tzinfo) -> None:
    ad, match = found.decision.ad, found.recognised.match
    rows = [
        ("asked for as", f"{found.kind}, by {'a page not named' if found.asking.page == UNKNOWN_SOURCE else found.asking.page}"),
        ("filter rule", match.rule if match else "none"),
        ("exception", match.exception or "" if match else ""),
        ("advertiser", ", ".join(ad.advertisers) or "not known"),
        ("campaign", ad.campaign or "not known"),
        ("creative", ad.creative or "not known"),
        ("known because", BASES[ad.basis]),
        ("policy rule", rule_name(found.decision.rule)),
    ]  # fmt: skip
    print_text(_verdict(found, now, zone), "")
    _print_facts(rows)
    if found.held:
        print_text("")
        print_table(["cap", "counts", "#so far", "opens again"], list(_cells(found.held, now, zone)))


def _cells(held: Sequence[Held], now: datetime, zone: tzinfo) -> Iterator[tuple[str, ...]]:
    for one in held:
        count = "?" if one.count is None else f"{one.count} of {one.check.cap.count}"
        yield str(one.check.cap), one.name, count, moment(one.reopens, now, zone)


def _finding_json(found: Finding, now: datetime, zone: tzinfo) -> dict[str, Any]:
    match, ad = found.recognised.match, found.decision.ad
    is_ad = found.recognised.is_ad
    return {
        "sentence": _verdict(found, now, zone),
        "url": found.asking.url,
        "page": None if found.asking.page == UNKNOWN_SOURCE else found.asking.page,
        "kind": found.kind,
        "label": found.recognised.label,
        "filter_rule": match.rule if match else None,
        "filter_exception": match.exception if match else None,
        "person": found.decision.viewer.name,
        "advertiser": ad.advertisers[0] if ad.advertisers else None,
        "advertisers": list(ad.advertisers),
        "campaign": ad.campaign,
        "creative": ad.creative,
        "basis": ad.basis,
        "rule": found.decision.rule,
        "verdict": found.decision.verdict if is_ad and not found.silent else None,
        "cap": str(found.decision.cap) if found.decision.cap else None,
        "count": found.decision.count,
        "reopens": found.decision.reopens,
        "caps": [
            {"cap": str(one.check.cap), "counts": one.name, "count": one.count, "reopens": one.reopens}
            for one in found.held
        ],
        "ledger": found.silent or "ok",
    }
