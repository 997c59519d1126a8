"""`capper policy mute`, `unmute` and `mutes`: whom a person has muted, on whatever site and device."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from capper.cli.governing import with_ledger
from capper.cli.options import Config, Json, LedgerUrl, Person, Policy, State, length_of
from capper.cli.record import known_person, settings_and_policy
from capper.cli.tables import moment, print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.ledger.base import Ledger
from capper.recognise.domains import registrable
from capper.settings.names import an_advertiser

WHYS = {Why.ASKED: "said so to capper", Why.CLICKED: 'the "i" of an ad', Why.BOUGHT: "bought there"}
"""What made a mute, in words."""

Advertiser = Annotated[str, typer.Argument(metavar="ADVERTISER", help="Whose ads: shoes.example.", show_default=False)]


def mute(
    advertiser: Advertiser,
    *,
    person: Person,
    length: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="LENGTH",
            help="How long: 30d, 2 weeks; else as the policy's mute_for says.",
            show_default=False,
        ),
    ] = None,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show somebody no more of an advertiser, on any site and device of hers."""
    settings, caps = settings_and_policy(config, state, ledger, policy)
    now = datetime.now(UTC)
    lasts = length_of(length) if length else caps.mute_for
    made = Mute(Level.ADVERTISER, _name(advertiser), Why.ASKED, now, now + lasts)
    with_ledger(settings, lambda opened: opened.mute(known_person(caps, person), made, now))
    if as_json:
        print_json(_json(made))
    else:
        print_text(f"{person} is not shown {made.name} until {moment(made.until, now, caps.zone)}")


def unmute(
    advertiser: Advertiser,
    *,
    person: Person,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take a mute back: the caps hold for the advertiser again.

    Also for a creative's id as `capper policy mutes` shows it. Exits with 1 when it was not muted.
    """
    settings, caps = settings_and_policy(config, state, ledger, policy)
    who = known_person(caps, person)
    now = datetime.now(UTC)

    async def take_back(ledger: Ledger) -> list[Mute]:
        muted = await ledger.mutes(who, now)
        found = [one for one in muted if one.name == advertiser] or [
            one for one in muted if one.level is Level.ADVERTISER and one.name == _name(advertiser)
        ]
        for one in found:
            await ledger.unmute(who, (one.level, one.name), now)
        return found

    found = with_ledger(settings, take_back)
    if as_json:
        print_json([_json(one) for one in found])
    elif found:
        print_text(*(f"{one.name} may be shown to {person} again, as the caps allow" for one in found))
    else:
        print_text(f"{advertiser} is not muted for {person}")
    if not found:
        raise typer.Exit(1)


def mutes(
    *,
    person: Person,
    policy: Policy = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Whom somebody has muted, since when, why, and until when.

    Exits with 1 when it is nobody.
    """
    settings, caps = settings_and_policy(config, state, ledger, policy)
    now = datetime.now(UTC)
    muted = with_ledger(settings, lambda opened: opened.mutes(known_person(caps, person), now))
    if as_json:
        print_json([_json(one) for one in muted])
    elif muted:
        print_table(
            ["muted", "what", "why", "since", "until"],
            [
                [
                    one.name,
                    one.level,
                    WHYS[one.why],
                    moment(one.since, now, caps.zone),
                    moment(one.until, now, caps.zone),
                ]
                for one in muted
            ],
        )
    else:
        print_text(f"{person} has muted nobody.")
    if not muted:
        raise typer.Exit(1)


def _name(text: str) -> str:
    """An advertiser as ads are known by: its registrable domain, or a name of its own kind."""
    try:
        name = an_advertiser(text)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    return name if "/" in name else registrable(name) or name


def _json(mute: Mute) -> dict[str, object]:
    return {"name": mute.name, "level": mute.level, "why": mute.why, "since": mute.since, "until": mute.until}
