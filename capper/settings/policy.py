"""The policy file: TOML in, a `Policy` out, and back. Several caps hold together; the first rule that fits speaks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from capper.domain.cap import Cap, spell_length
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD, LEFT_ALONE
from capper.domain.policy import EVERYWHERE, CreditPrompts, CreditRule, Person, Policy, Rule
from capper.domain.sighting import Format
from capper.domain.window import SESSION_LIMIT, lifespan
from capper.settings.expectations import Expectation, read_expectations
from capper.settings.names import a_device, a_domain, a_language, a_name, an_advertiser
from capper.settings.options import a_flag
from capper.settings.reader import (
    Reader,
    Table,
    a_choice,
    a_length,
    a_text,
    a_version,
    an_integer,
    near,
    spell_value,
)
from capper.settings.toml import Document, Note, Where, parse, read_text

VERSION = 1
TOP = (
    "version",
    "time_zone",
    "session_gap",
    "retention",
    "mute_for",
    "stop_when_bought",
    "unknown_devices",
    "credit_prompts",
    "credit_note",
    "house_ads",
    "caps",
    "people",
    "rules",
    "credit",
    "tests",
)
"""Every key a policy file may have at its top."""
PERSON = ("devices", "language", "credit_prompts", "credit_note", "house_ads", "journal_level")
CONDITIONS: dict[str, Callable[[object], str]] = {
    "advertiser": an_advertiser,
    "creative": a_text,
    "campaign": a_text,
    "category": a_text,
    "site": a_domain,
    "network": a_domain,
    "format": a_choice(Format),
    "people": a_text,
}
"""What a rule may ask of a sighting, and how each is read."""
LONGEST_RETENTION = timedelta(days=400)
LONGEST_MUTE = timedelta(days=3650)
_A_MODE = a_choice(CreditPrompts)
CREDIT_CONDITIONS = ("site", "people")
"""What an entry of `[[credit]]` may ask."""
A_CAP = 'a cap like "3 per advertiser per day"'
_A_SITE = f'a site like "mypaper.example", or "{EVERYWHERE}"'
_NOT_SAID = "credit_prompts is missing; write " + " or ".join(f'credit_prompts = "{each}"' for each in CreditPrompts)
_LEFT_OUT = 'caps are missing; write caps = [] for unlimited, or caps = ["never"] for never'


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy as it was read, the document it stands in, what was understood differently from what is written, and its tests."""

    policy: Policy
    document: Document
    notes: tuple[Note, ...] = ()
    tests: tuple[Expectation, ...] = ()


def load_policy(path: Path) -> Policy:
    """Read the policy file at `path`.

    Raises:
        ConfigError: everything that is wrong with it, a line each.
    """
    return read_policy(read_text(path), str(path)).policy


def parse_policy(text: str, name: str) -> Policy:
    """Read a policy; `name` is what messages call it.

    Raises:
        ConfigError: everything that is wrong with it, a line each.
    """
    return read_policy(text, name).policy


def read_policy(text: str, name: str) -> Reading:
    """Read a policy, with the lines its rules stand on and notes on what was normalised."""
    if not text.strip():
        # What a save that failed leaves behind must not be taken for "unlimited".
        raise ConfigError(f"{name} is empty; to cap nothing write caps = []")
    document = parse(text, name)
    reader = Reader(document)
    top = reader.top()
    utc: tzinfo = UTC
    top.take("version", a_version(VERSION), VERSION)
    retention = top.take("retention", a_length(timedelta(days=1), LONGEST_RETENTION, "35 days"), Policy().retention)
    a_cap = _cap_within(retention)
    caps = top.take_list("caps", a_cap, A_CAP)
    people = {person.name: person for person in _people(top)}
    rules = tuple(_rules(top, people, a_cap))
    policy = Policy(
        default=Rule("caps", caps or ()),
        rules=rules,
        people=people,
        zone=top.take("time_zone", a_zone, utc),
        session_gap=top.take(
            "session_gap", a_length(timedelta(seconds=1), SESSION_LIMIT, "30 minutes"), Policy().session_gap
        ),
        retention=retention,
        stop_when_bought=top.take("stop_when_bought", a_flag, False),  # noqa: FBT003  what holds where nothing is said
        mute_for=top.take("mute_for", a_length(timedelta(minutes=1), LONGEST_MUTE, "90 days"), Policy().mute_for),
        credit_prompts=top.take("credit_prompts", _A_MODE, CreditPrompts.STRIP),
        credit_note=top.take("credit_note", a_flag, False),  # noqa: FBT003  what holds where nothing is said
        house_ads=_house_ads(top) or (),
        unknown_devices=top.take("unknown_devices", lambda value: _unknown(value, people), HOUSEHOLD),
        credit=tuple(_credit(top, people)),
    )
    tests = tuple(read_expectations(top, people, [rule.name for rule in rules]))
    top.close()
    if caps is None:
        reader.notes.append(document.note(("caps",), "no caps at the top: where no rule fits, ads are unlimited"))
    reader.finish()
    return Reading(policy, document, tuple(reader.notes), tests)


def _cap_within(retention: timedelta) -> Callable[[object], Cap]:
    """A reader of caps that refuses a window the ledger would have forgotten before it ends."""

    def read(value: object) -> Cap:
        cap = Cap.parse(a_text(value, A_CAP))
        if lifespan(cap.window, retention) > retention:
            raise ValueError(
                f'"{cap}" looks back longer than the ledger keeps ({spell_length(retention)});'
                " lengthen retention or shorten the window"
            )
        return cap

    return read


def a_zone(value: object) -> tzinfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: there is no such zone; says which was perhaps meant.
    """
    name = a_text(value, 'a time zone like "Europe/Amsterdam"')
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        zones = available_timezones()
        # People write the city alone.
        city = next((zone for zone in sorted(zones) if zone.rpartition("/")[2].casefold() == name.casefold()), "")
        hint = f'; did you mean "{city}"?' if city else near(name, zones)
        raise ValueError(
            f'expected an IANA time zone like "Europe/Amsterdam", found {spell_value(value)}{hint}'
        ) from exc


def _a_viewer(value: object, people: dict[str, Person]) -> str:
    name = a_text(value, f'"{HOUSEHOLD}" or the name of a person')
    if name != HOUSEHOLD and name not in people:
        known = [HOUSEHOLD, *people]
        raise ValueError(f"expected one of {', '.join(known)}, found {spell_value(value)}{near(name, known)}")
    return name


def _unknown(value: object, people: dict[str, Person]) -> str:
    """Whose count a device is that is nobody's; LEFT_ALONE where it is nobody's."""
    if value == LEFT_ALONE:
        return LEFT_ALONE
    name = a_text(value, f'"{HOUSEHOLD}", "{LEFT_ALONE}" or the name of a person')
    if name != HOUSEHOLD and name not in people:
        known = [HOUSEHOLD, LEFT_ALONE, *people]
        raise ValueError(f"expected one of {', '.join(known)}, found {spell_value(value)}{near(name, known)}")
    return name


def _people(top: Table) -> Iterator[Person]:
    owners: dict[str, str] = {}
    for name, table in top.tables("people"):
        try:
            a_name(name)
        except ValueError as exc:
            top.reader.wrong(table.where, str(exc))
        if name == LEFT_ALONE:
            top.reader.wrong(table.where, f'nobody can be called "{LEFT_ALONE}": it is what unknown_devices may say')
        devices = table.take_list("devices", a_device, 'a device like "192.168.1.20"') or ()
        for device in devices:
            owner = owners.setdefault(device, name)
            if owner != name:
                top.reader.wrong(
                    _item(table, "devices", device), f"\"{device}\" is {owner}'s already; a device is one person's"
                )
        language = table.take("language", a_language, None)
        prompts = table.take("credit_prompts", _A_MODE, None)
        note = table.take("credit_note", a_flag, None)
        house_ads = _house_ads(table)
        level = table.take("journal_level", an_integer(0, 3), None)
        yield Person(name, tuple(dict.fromkeys(devices)), language, prompts, note, house_ads, level)
        table.close(TOP)


def _house_ads(table: Table) -> tuple[str, ...] | None:
    sites = table.take_list("house_ads", _a_site_or_all, _A_SITE)
    return None if sites is None else tuple(dict.fromkeys(sites))


def _a_site_or_all(value: object) -> str:
    text = a_text(value, _A_SITE)
    if text.casefold() == EVERYWHERE:
        return EVERYWHERE
    if text == "*":
        raise ValueError(f'expected {_A_SITE}, found "*"; did you mean "{EVERYWHERE}"?')
    return a_domain(value)


def _item(table: Table, key: str, wanted: str) -> Where:
    """Where in the list under `key` the value that reads as `wanted` stands."""
    value = table.data[key]
    for place, item in enumerate(value if isinstance(value, list) else []):
        try:
            if a_device(item) == wanted:
                return (*table.where, key, place)
        except ValueError:
            continue
    return (*table.where, key)


def _rules(top: Table, people: dict[str, Person], a_cap: Callable[[object], Cap]) -> Iterator[Rule]:
    names: dict[str, int] = {}
    for number, table in enumerate(top.listed_tables("rules"), 1):
        name = table.take("name", a_name, f"rule {number}")
        if names.setdefault(name, number) != number:
            top.reader.wrong(
                (*table.where, "name"), f'rule {names[name]} is called "{name}" already; explanations name the rule'
            )
        caps = table.take_list("caps", a_cap, A_CAP)
        if caps is None:
            top.reader.wrong(table.where, _LEFT_OUT)
        conditions = {key: _condition(table, key, people) for key in CONDITIONS}
        table.close(TOP)
        yield Rule(name, caps or (), **conditions)


def _credit(top: Table, people: dict[str, Person]) -> Iterator[CreditRule]:
    for table in top.listed_tables("credit"):
        mode = table.take("credit_prompts", _A_MODE, None)
        if "credit_prompts" not in table.data:
            top.reader.wrong(table.where, _NOT_SAID)
        conditions = {key: _condition(table, key, people) for key in CREDIT_CONDITIONS}
        table.close(TOP)
        yield CreditRule(mode or CreditPrompts.LEAVE, **conditions)


def _condition(table: Table, key: str, people: dict[str, Person]) -> tuple[str, ...]:
    read = CONDITIONS[key] if key != "people" else lambda value: _a_viewer(value, people)
    values = table.take_list(key, read, "text")
    where = (*table.where, key)
    if table.data.get(key) == []:
        table.reader.wrong(where, f"an empty list fits nothing; leave {key!r} out to fit everything")
    if values and read in (a_domain, an_advertiser):
        raw = table.data[key]
        for text, value in zip(raw if isinstance(raw, list) else [raw], values, strict=False):
            if isinstance(text, str) and text.strip().lower() != value:
                table.reader.notes.append(table.reader.document.note(where, f'"{text}" is understood as "{value}"'))
    return tuple(dict.fromkeys(values or ()))
