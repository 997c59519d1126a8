"""`capper people`: who there is, which devices are whose, and leaving somebody alone for a while."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.governing import change_file, policy_for
from capper.cli.options import Config, Json, Policy, State
from capper.cli.record import known_person
from capper.cli.tables import moment, print_json, print_table, print_text
from capper.devices.leasefiles import LeaseFiles, usual_places
from capper.devices.macs import Macs
from capper.devices.matching import mismatches
from capper.devices.neighbours import Neighbour, default_routers, neighbours
from capper.devices.present import Device, present
from capper.devices.strangers import read_strangers, strangers_file
from capper.domain.cap import spell_length
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD, LEFT_ALONE
from capper.domain.policy import CreditPrompts, Person
from capper.domain.policy import Policy as Caps
from capper.proxy.viewer import Caller, household, parse_address
from capper.settings import Settings, load_policy, load_settings, own_file
from capper.settings.load import policy_file
from capper.settings.names import a_device, a_language, a_name
from capper.settings.pauses import a_pause, in_force, pause, pauses_file, read_pauses
from capper.settings.policy_edit import add_person, change_person, remove_person
from capper.settings.reader import near

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""The people of the household, and the devices by which each is known.

    Counts are a person's, not a device's. What you change is written into your policy file, which keeps its comments, and
    a running capper takes it up within two seconds.
    """,
    epilog="""\b
Examples:
  capper people devices                                      what is on the network and nobody's?
  capper people add anna --device de:ad:be:ef:00:01          her laptop, whatever addresses it has
  capper people add anna --device wireguard:anna             her phone too, by its tunnel
  capper people pause anna 20                                leave her alone for twenty minutes
  capper people resume anna                                  ... or no longer
  capper people remove anna --device wireguard:anna          the phone is nobody's again""",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="By the policy's name: anna.")]
Devices = Annotated[
    list[str] | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="A MAC, an address, a network, user:NAME, wireguard:NAME, or the name a device gave the router; repeatable.",
        show_default=False,
    ),
]


@app.command()
def add(
    name: Name,
    *,
    device: Devices = None,
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="Of the placeholders she sees: nl.", show_default=False)
    ] = None,
    credit_prompts: Annotated[
        CreditPrompts | None, typer.Option(help="What becomes of credit nobody asked for.", show_default=False)
    ] = None,
    policy: Policy = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Add a person; or to one who is there devices, a language, a choice.

    A MAC is best for what is on the network: it stays when addresses change. Without a policy of your own, one is begun.
    """
    settings = _settings(config, state, policy)
    person = _name(name)
    caps = load_policy(policy_file(settings))
    wanted = tuple(dict.fromkeys(_device(each, settings) for each in device or ()))
    for each in wanted:
        _check_free(caps, each, person)
    tongue = _language(language)
    path, begun = own_file(settings)

    def changed(known: Person) -> Person:
        devices = tuple(dict.fromkeys((*known.devices, *wanted)))
        prompts = credit_prompts or known.credit_prompts
        return replace(known, devices=devices, language=tongue or known.language, credit_prompts=prompts)

    def edit(text: str, file: str) -> str:
        if person in caps.people:
            return change_person(text, file, person, changed)
        return add_person(text, file, changed(Person(person)))

    told = change_file(settings, path, edit, f"people add {person}")
    after = load_policy(path).people[person]
    if as_json:
        print_json(_person_json(after, None))
        return
    if begun:
        print_text(f"{path} is begun, from the starter policy")
    print_text(
        f"{person}: {', '.join(after.devices) or 'no devices yet; `capper people devices` shows which there are'}"
    )
    print_text(*filter(None, [told]))
    _hint(after, wanted, settings)


@app.command("list")
def show(*, policy: Policy = None, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Who there is, by which devices each is known, and whom capper leaves alone just now."""
    settings = _settings(config, state, policy)
    caps, now = policy_for(settings, policy), datetime.now(UTC)
    paused = in_force(read_pauses(pauses_file(settings.state)), now)
    if as_json:
        print_json(
            {
                "people": [_person_json(one, paused.get(one.name)) for one in caps.people.values()],
                "unknown_devices": caps.unknown_devices,
                "household_paused_until": paused.get(HOUSEHOLD),
            }
        )
        return
    rows = [
        [one.name, ", ".join(one.devices) or "none", one.language or "", moment(paused.get(one.name), now, caps.zone)]
        for one in caps.people.values()
    ]
    rest = "all others" if caps.people else "all"
    if caps.unknown_devices == HOUSEHOLD:
        rows.append([HOUSEHOLD, rest, "", moment(paused.get(HOUSEHOLD), now, caps.zone)])
    print_table(["person", "devices", "language", "left alone until"], rows)
    if caps.unknown_devices != HOUSEHOLD:
        print_text("", f"Devices that are nobody's {_rest(caps)}.")


@app.command()
def devices(
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Also those that are somebody's.")] = False,
    policy: Policy = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show the devices that are nobody's: what came to capper in the last day, and what is on the network now.

    Of such a device its name here and the minute it last came are remembered, for a day; nothing at journal level 0. The rest
    is the system's neighbour table and the DHCP leases as they are now. Exits with 1 when there are none.
    """
    settings = _settings(config, state, policy)
    caps, now = policy_for(settings, policy), datetime.now(UTC)
    found, problem = _neighbours()
    leases = _leases(settings)
    strangers = read_strangers(strangers_file(settings.state), now)
    rows = [(one, _whose(caps, one)) for one in present(found, leases.now, strangers, settings.lan, default_routers())]
    shown = [(one, whose) for one, whose in rows if everybody or whose is None]
    if as_json:
        print_json([_device_json(one, whose) for one, whose in shown])
    elif shown:
        print_table(
            ["device", "calls itself", "addresses", "came to capper", *(["whose"] if everybody else [])],
            [
                [
                    one.name,
                    one.label,
                    ", ".join(one.addresses),
                    moment(one.seen, now, caps.zone),
                    *([whose or ""] if everybody else []),
                ]
                for one, whose in shown
            ],
        )
        _explain([one for one, whose in shown if whose is None])
    else:
        print_text("None that is nobody's." if rows else "None to be seen.")
    if not as_json:
        if problem:
            print_text(f"The system's neighbour table cannot be read: {problem}.", style="yellow")
        for path in sorted(leases.unreadable):
            print_text(f"{path} cannot be read by this account: it would say what devices call themselves.")
    if not shown:
        raise typer.Exit(1)


@app.command("pause")
def stop(
    name: Name,
    length: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MINUTES]", help="How long: 20, or a length like 2 hours.", show_default=False),
    ] = None,
    *,
    policy: Policy = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Leave a person alone for a while: nothing of hers is opened, counted or changed.

    Half an hour if nothing is said, a day at most. A running capper heeds it within two seconds; it ends by itself, also
    when capper was started again meanwhile. `household` means the devices that are nobody's.
    """
    settings = _settings(config, state, policy)
    caps, now = policy_for(settings, policy), datetime.now(UTC)
    person = known_person(caps, name)
    try:
        long = a_pause(" ".join(length or ["30"]))
    except ValueError as exc:
        raise ConfigError(f"pause {person}: {exc}") from exc
    until = now + long
    pause(pauses_file(settings.state), person, until, now)
    if as_json:
        print_json({"person": person, "paused_until": until})
    else:
        print_text(f"{person} is left alone until {moment(until, now, caps.zone)} ({spell_length(long)})")


@app.command()
def resume(name: Name, *, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """End a person's pause now."""
    settings = _settings(config, state, None)
    file, now = pauses_file(settings.state), datetime.now(UTC)
    paused = in_force(read_pauses(file), now)
    if name not in paused:
        raise ConfigError(f"{name} is not left alone just now{near(name, paused)}")
    pause(file, name, None, now)
    if as_json:
        print_json({"person": name, "paused_until": None})
    else:
        print_text(f"{name} is counted for again")


@app.command()
def remove(
    name: Name,
    *,
    device: Devices = None,
    policy: Policy = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Take devices away from a person, or the person out of the policy.

    What was counted for her stays until it expires; `capper ledger forget` ends it.
    """
    settings = _settings(config, state, policy)
    path = policy_file(settings)
    caps = load_policy(path)
    known = caps.people.get(name)
    if known is None:
        raise ConfigError(f'the policy knows no "{name}"{near(name, caps.people)}')
    if device:
        gone = {_device(each, settings) for each in device}
        if strange := sorted(gone - set(known.devices)):
            raise ConfigError(f"{strange[0]} is none of {name}'s devices: {', '.join(known.devices) or 'she has none'}")

        def without(person: Person) -> Person:
            return replace(person, devices=tuple(each for each in person.devices if each not in gone))

        told = change_file(
            settings,
            path,
            lambda text, file: change_person(text, file, name, without),
            f"people remove {name} --device",
        )
        after = load_policy(path).people[name]
        if as_json:
            print_json(_person_json(after, None))
        else:
            left = ", ".join(after.devices) or "no devices left, so nobody on the network is recognised as her"
            print_text(f"{name}: {left}", *filter(None, [told]))
        return
    told = change_file(settings, path, lambda text, file: remove_person(text, file, name), f"people remove {name}")
    file, now = pauses_file(settings.state), datetime.now(UTC)
    if name in read_pauses(file):
        pause(file, name, None, now)
    if as_json:
        print_json({"person": name, "removed": True})
        return
    print_text(f"{name} is out of the policy; her devices {_rest(caps)} from now on", *filter(None, [told]))
    print_text(f"`capper ledger forget --person {name}` forgets what was counted for her.")
    if any(one.startswith("wireguard:") for one in known.devices):
        print_text("Whoever has her WireGuard profile can still come in: take its listener out of `mode` too.")


def _settings(config: Path | None, state: Path | None, policy: Path | None) -> Settings:
    return load_settings(config, {"state": state, "policy": policy})


def _name(text: str) -> str:
    try:
        name = a_name(text)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc
    if name == HOUSEHOLD:
        raise ConfigError(f"{HOUSEHOLD} is what devices are that are nobody's; name a person")
    return name


def _language(text: str | None) -> str | None:
    try:
        return a_language(text) if text else None
    except ValueError as exc:
        raise ConfigError(f"--language: {exc}") from exc


def _device(text: str, settings: Settings) -> str:
    """A device as the policy names it; the name it gave the router stands for its MAC."""
    try:
        return a_device(text)
    except ValueError as exc:
        called = {mac for mac, name in _leases(settings).now.names.items() if name.casefold() == text.casefold()}
        if len(called) == 1:
            return called.pop()
        hint = (
            f"; {len(called)} devices call themselves so"
            if called
            else "; `capper people devices` shows which there are"
        )
        raise ConfigError(f"--device: {exc}{hint}") from exc


def _check_free(caps: Caps, device: str, person: str) -> None:
    owner = next((one.name for one in caps.people.values() if device in one.devices), person)
    if owner != person:
        raise ConfigError(f"{device} is {owner}'s; `capper people remove {owner} --device {device}` first")


def _hint(person: Person, wanted: Sequence[str], settings: Settings) -> None:
    """What keeps a device from being hers: an address may be another's tomorrow, a tunnel may have no listener."""
    macs = Macs(lambda: _leases(settings).now)
    for device in wanted:
        address = parse_address(device)
        if address and not address.is_loopback and (mac := macs.mac(address.packed)):
            print_text(
                f"{device} is the device {mac} now: `capper people add {person.name} --device {mac}` keeps it hers"
                " when its address changes"
            )
    new = replace(person, devices=tuple(wanted))
    for one in mismatches(Caps(people={person.name: new}), settings.mode, settings.proxy_auth, macs.problem):
        if one.device in wanted:
            print_text(f"{one.what}; {one.advice}", style="yellow")


def _leases(settings: Settings) -> LeaseFiles:
    files = LeaseFiles((*usual_places(), *map(str, settings.leases)))
    files.refresh()
    return files


def _neighbours() -> tuple[list[Neighbour], str]:
    try:
        return neighbours(), ""
    except OSError as exc:
        return [], exc.strerror or str(exc)


def _rest(caps: Caps) -> str:
    """What becomes of the devices that are nobody's."""
    if caps.unknown_devices == LEFT_ALONE:
        return "are left alone"
    return "count as the household's" if caps.unknown_devices == HOUSEHOLD else f"count as {caps.unknown_devices}'s"


def _whose(caps: Caps, device: Device) -> str | None:
    people = household(caps)
    if device.name in people.names:
        return people.names[device.name]
    return next((who for one in (device.name, *device.addresses) if (who := people.person(Caller(one)))), None)


def _explain(shown: Sequence[Device]) -> None:
    if shown:
        print_text("", f"To give one to somebody: capper people add NAME --device {shown[0].name}")
    if any(one.random for one in shown):
        print_text(
            "A MAC whose second digit is 2, 6, a or e was made up by the device. Phones keep it for your network, if"
            " their private address is set to fixed there."
        )


def _person_json(person: Person, until: datetime | None) -> dict[str, object]:
    return {
        "person": person.name,
        "devices": list(person.devices),
        "language": person.language,
        "credit_prompts": person.credit_prompts,
        "credit_note": person.credit_note,
        "house_ads": None if person.house_ads is None else list(person.house_ads),
        "journal_level": person.journal_level,
        "paused_until": until,
    }


def _device_json(device: Device, whose: str | None) -> dict[str, object]:
    return {
        "device": device.name,
        "name": device.label or None,
        "addresses": list(device.addresses),
        "came_to_capper": device.seen,
        "random_mac": device.random,
        "whose": whose,
    }
