"""`capper ledger`: what was counted for a person, when it opens again, and how to forget it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from capper.cli.governing import begun, kept_versions, of_file, with_ledger
from capper.cli.options import Config, Json, LedgerUrl, Person, Policy, State, Yes
from capper.cli.record import known_person, settings_and_policy
from capper.cli.tables import moment, print_json, print_table, print_text
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Policy as Caps
from capper.ledger.base import Entry
from capper.ledger.secret import Secret
from capper.ledger.standing import Standing, standings
from capper.ledger.versions import Version
from capper.policies.enacting import carry
from capper.policies.forgetting import Forgotten, mentions
from capper.policies.forgetting import forget as forget_person
from capper.settings import Settings, load_settings, policy_file
from capper.settings.version import check_state

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What was counted. Without the household's secret file nothing in the ledger can be read, by these commands or others.",
)


@app.command()
def show(
    person: Person,
    *,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """What one person was shown, by advertiser.

    With each: when it was last shown, how many count against each cap, and when it opens again. Exits with 1 when nothing
    is kept.
    """
    settings, caps = settings_and_policy(config, state, ledger, policy)
    now = datetime.now(UTC)
    entries = _entries(settings, known_person(caps, person), now)
    rows = [(entry, standings(caps, person, entry, now)) for entry in entries]
    if as_json:
        print_json([_entry_json(entry, rule.name, found) for entry, (rule, found) in rows])
    elif rows:
        print_table(
            ["advertiser", "last shown", "counts", "opens again"],
            [
                [entry.name, moment(_last(entry), now, caps.zone), ", ".join(map(str, found)) or "unlimited", _opens(found, now, caps)]
                for entry, (_, found) in rows
            ],
        )  # fmt: skip
    _end(rows, person, as_json=as_json)


@app.command()
def top(
    person: Annotated[str, typer.Option("--person", metavar="NAME", help="Whose record.")] = HOUSEHOLD,
    *,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="How many lines.")] = 10,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """The advertisers shown most often.

    Of one person, or of the household: the devices that are nobody's in particular. Members of the household are not added
    up, so that a sum cannot tell what another was shown. Exits with 1 when nothing is kept.
    """
    settings, caps = settings_and_policy(config, state, ledger, policy)
    now = datetime.now(UTC)
    entries = _entries(settings, known_person(caps, person), now)[:most]
    if as_json:
        print_json([{"advertiser": one.name, "times": len(one.times), "last": _last(one)} for one in entries])
    elif entries:
        print_table(
            ["advertiser", "#times kept", "last shown"],
            [[one.name, str(len(one.times)), moment(_last(one), now, caps.zone)] for one in entries],
        )
    _end(entries, person, as_json=as_json)


@app.command()
def forget(
    person: Person,
    *,
    yes: Yes = False,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Forget everything kept of one person.

    It becomes unreadable at once, in copies of the data too, and is deleted. So are old versions of the policy that name
    somebody whom the policy in force names no more. The name need not be in the policy. Cannot be undone. Exits with 1 when
    nothing was kept under that name.
    """
    settings = settings_and_policy(config, state, ledger, None)[0]
    _ask(f'Forget everything kept of "{person}"? This cannot be undone.', yes=yes)
    gone = with_ledger(settings, lambda opened: forget_person(opened, person, datetime.now(UTC)))
    named = list(_naming(gone, person, settings))
    if as_json:
        print_json({"person": person, "deleted": gone.records, "versions": gone.versions, "named_in": named})
    else:
        print_text(*_forgotten(gone, person, named, settings))
    if not (gone.records or gone.versions):
        raise typer.Exit(1)


@app.command()
def rotate(*, yes: Yes = False, state: State = None, config: Config = None) -> None:
    """Begin anew for everyone, with a new secret.

    Everything kept of everyone becomes unreadable, in copies of the data too, and expires. Cannot be undone. The versions of
    the policy are kept on, under the new secret.
    """
    settings = load_settings(config, {"state": state})
    check_state(settings.state)
    _ask("Make everything that was counted, for everyone, unreadable? This cannot be undone.", yes=yes)
    kept, lost = _versions(settings)
    Secret.load_or_create(settings.secret_file).rotate()
    print_text("A new secret is in force: all counting begins anew.", *lost)
    if kept:
        with_ledger(settings, lambda opened: carry(opened.versions, kept))


def _naming(gone: Forgotten, person: str, settings: Settings) -> Iterator[str]:
    """Where her name still stands."""
    if gone.still:
        yield f"version {gone.still} of the policy"
    with suppress(ConfigError):  # a file that cannot be read is told by whatever needs it
        file = of_file(policy_file(settings))
        if person != HOUSEHOLD and mentions(file.text, person):
            yield file.name


def _forgotten(gone: Forgotten, person: str, named: Sequence[str], settings: Settings) -> Iterator[str]:
    yield f"{person} is forgotten ({gone.records} records deleted)" if gone.records else f"Nothing is kept of {person}."
    if gone.versions:
        yield f"Versions of the policy that named her are deleted: {', '.join(map(str, gone.versions))}"
    if named:
        yield f"Her name still stands in {' and in '.join(named)}: `capper people remove {person}`, and this again, takes it out."
    if gone.records and "://" in settings.ledger:
        yield f"Other hosts that count on this ledger know her by her old key until {settings.secret_file} is copied to them."


def _versions(settings: Settings) -> tuple[list[Version], list[str]]:
    """The versions of the policy; where the ledger does not answer, what becomes of them."""
    try:
        kept = kept_versions(settings)
        if begun(settings):
            # Under its old secret this household is not another one, of which the new one would have to be warned.
            with_ledger(settings, lambda opened: opened.versions.attend(datetime.now(UTC), present=False))
    except LedgerUnavailable as exc:
        words = "versions of the policy that were applied can be read no more, unless a capper runs that goes by one"
        return [], [f"{exc}: {words}. `capper policy history` shows what is left."]
    return kept, []


def _entries(settings: Settings, person: str, now: datetime) -> list[Entry]:
    return with_ledger(settings, lambda opened: opened.entries(person, now))


def _last(entry: Entry) -> datetime | None:
    return max(entry.times, default=None)


def _opens(found: Sequence[Standing], now: datetime, caps: Caps) -> str:
    full = [standing for standing in found if standing.full]
    if not full:
        return ""
    if any(standing.reopens is None for standing in full):
        return "never"
    return moment(max(standing.reopens for standing in full if standing.reopens), now, caps.zone)


def _entry_json(entry: Entry, rule: str, found: Sequence[Standing]) -> dict[str, Any]:
    return {
        "advertiser": entry.name,
        "last": _last(entry),
        "times": sorted(entry.times, reverse=True),
        "rule": rule,
        "caps": [{"cap": str(one.cap), "count": one.count, "full": one.full, "reopens": one.reopens} for one in found],
    }


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("nobody is there to be asked; add --yes if you mean it")
    typer.confirm(question, abort=True)


def _end(found: Sequence[object], person: str, *, as_json: bool) -> None:
    if found:
        return
    if not as_json:
        print_text(f"Nothing is kept of {person}.")
    raise typer.Exit(1)
