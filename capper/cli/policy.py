"""`capper policy`: is the policy right, what does it say, and changing it; its other commands stand in files of their own."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from capper.cli.governing import Governing, change_file, of_file
from capper.cli.mutes import mute, mutes, unmute
from capper.cli.options import Config, DraftFile, Json, LedgerUrl, PolicyName, State
from capper.cli.options import Policy as PolicyOption
from capper.cli.policy_explain import explain
from capper.cli.policy_versions import apply, diff, history, named, rollback
from capper.cli.tables import print_json, print_table, print_text
from capper.cli.tls import ruling_of
from capper.domain.cap import spell_length
from capper.domain.errors import ConfigError
from capper.domain.identity import LEFT_ALONE
from capper.domain.policy import EVERYWHERE, Policy, Rule
from capper.policies.trial import Tried, failures, try_out
from capper.recognise.domains import registrable
from capper.settings import Reading, Settings, load_settings, own_file, policy_file, policy_text
from capper.settings.places import own_policy, packaged_policy
from capper.settings.policy import CONDITIONS
from capper.settings.policy_set import set_value
from capper.settings.review import review
from capper.settings.toml import Note, read_text


def check(file: DraftFile = None, *, config: Config = None, as_json: Json = False) -> None:
    """Is it right, and does every rule get to speak?

    Exits with 0 when there is nothing to say, 1 when something should be looked at again (a rule or cap that never speaks,
    a site that was understood differently), and 2 when the file cannot be used; then everything wrong is told at once.
    """
    settings = load_settings(config)
    path = file or policy_file(settings)
    try:
        reading = of_file(path).reading()
    except ConfigError as exc:
        if not as_json:
            raise
        print_json({"file": str(path), "usable": False, "errors": str(exc).split("\n"), "notes": [], "failed": []})
        raise typer.Exit(2) from exc
    notes = sorted([*review(reading), *_subdomains(reading), *_unopened(reading, settings)])
    failed = failures(asyncio.run(try_out(reading)))
    if as_json:
        found = [asdict(note) for note in notes]
        print_json({"file": str(path), "usable": True, "errors": [], "notes": found, "failed": failed})
    else:
        print_text(f"{path}: {_summary(reading)}", *(f"  {note}" for note in (*notes, *failed)))
    if notes or failed:
        raise typer.Exit(1)


def run_tests(
    policy: PolicyName = None,
    *,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Try what the policy expects of itself: its `[[tests]]`.

    Each goes through a ledger of its own in memory, at noon on a Wednesday: nothing that was counted matters. Exits with 1
    when a test fails, or when there is none. `check` and `apply` try them too.
    """
    found = named(load_settings(config, {"ledger": ledger, "state": state}), policy)
    tried = asyncio.run(try_out(found.reading()))
    if as_json:
        print_json([_tried_json(one) for one in tried])
    elif tried:
        print_table(
            ["", "test", "what became of it"],
            [["failed" if one.problem else "ok", one.expectation.name, one.problem or one.outcome] for one in tried],
            ["red" if one.problem else "" for one in tried],
        )
    else:
        print_text(f"{found.name} has no [[tests]]; docs/policy.md says how to write one")
    if not tried or any(one.problem for one in tried):
        raise typer.Exit(1)


def show(
    policy: PolicyName = None,
    *,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    toml: Annotated[bool, typer.Option("--toml", help="Print it as a policy file, in its plainest form.")] = False,
    as_json: Json = False,
) -> None:
    """Its rules in order, its people, its zone.

    The first rule that fits an ad speaks; the last line holds where none does. No cap means unlimited, `never` means never.
    """
    found = named(load_settings(config, {"ledger": ledger, "state": state}), policy)
    reading = found.reading()
    if toml:
        typer.echo(policy_text(reading.policy, reading.tests), nl=False)
    elif as_json:
        print_json(_policy_json(reading.policy))
    else:
        _print_policy(found, reading.policy)


def init(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to; left out: where capper looks for it.", show_default=False),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Begin one of your own, from the starter policy.

    An existing file is left alone, and that is an error.
    """
    path = file or own_policy()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as written:
            written.write(read_text(packaged_policy()))
    except FileExistsError as exc:
        raise ConfigError(f"{path} exists already; it is left as it is") from exc
    except OSError as exc:
        raise ConfigError(f"write {path}: {exc.strerror}") from exc
    if as_json:
        print_json({"file": str(path)})
    else:
        print_text(f"{path}: yours to edit; `capper policy check` says whether it is right")


def set_key(
    key: Annotated[str, typer.Argument(metavar="KEY", help='caps, people.anna.language, "rules[2].caps".')],
    value: Annotated[
        list[str] | None,
        typer.Argument(metavar="VALUE...", help="What it is to say; several are a list.", show_default=False),
    ] = None,
    *,
    unset: Annotated[bool, typer.Option("--unset", help="Take the key out.")] = False,
    policy: PolicyOption = None,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Change one value in your policy file.

    Comments and layout stay, and a value that the policy could not be used with is refused. Entries of a list are counted
    from 1, or called by their name: rules["no shoes"].caps. Without a policy of your own, one is begun.
    """
    if bool(value) == unset:
        raise ConfigError("say what the key is to say, or --unset")
    settings = load_settings(config, {"policy": policy, "ledger": ledger, "state": state})
    path, begun = own_file(settings)
    if begun and not as_json:
        print_text(f"{path} is begun, from the starter policy")
    told = change_file(settings, path, lambda text, name: set_value(text, name, key, value or ()), f"set {key}")
    if as_json:
        print_json({"file": str(path), "begun": begun, "key": key, "set": not unset, "note": told})
    else:
        print_text(f"{path}: {key} is {'gone' if unset else 'set'}", *filter(None, [told]))


def _subdomains(reading: Reading) -> Iterator[Note]:
    """An advertiser is known by its registrable domain alone, so a rule for one below it would never fit."""
    for place, rule in enumerate(reading.policy.rules):
        for domain in rule.advertiser:
            whole = registrable(domain)
            if whole and whole != domain:
                text = f'"{domain}" never fits: this advertiser\'s ads are known as "{whole}"'
                yield reading.document.note(("rules", place, "advertiser"), text)


def _unopened(reading: Reading, settings: Settings) -> Iterator[Note]:
    """A site is told of the ads in its own pages, and of a page that is not opened none is seen."""
    policy = reading.policy
    people = [(("people", name, "house_ads"), person.house_ads or ()) for name, person in policy.people.items()]
    for where, sites in [(("house_ads",), policy.house_ads), *people]:
        for site in sites:
            if site != EVERYWHERE and not ruling_of(settings, site).opens:
                text = f'"{site}" is not opened, so no ad in its pages is seen; `capper sites add {site}` opens it'
                yield reading.document.note(where, text)


def _tried_json(one: Tried) -> dict[str, Any]:
    return {"test": one.expectation.name, "line": one.expectation.line, "ok": not one.problem, "problem": one.problem,
            "verdict": one.decision.verdict, "rule": one.decision.rule, "cap": one.decision.cap and str(one.decision.cap)}  # fmt: skip


def _summary(reading: Reading) -> str:
    policy = reading.policy
    counts = ((len(list(policy.caps())), "cap"), (len(policy.rules), "rule"), (len(policy.people), "person"),
              (len(reading.tests), "test"))  # fmt: skip
    words = [
        f"{count} {word}" if count == 1 else f"{count} {'people' if word == 'person' else word + 's'}"
        for count, word in counts
        if count or word != "test"
    ]
    return f"can be used: {', '.join(words)}"


def _print_policy(found: Governing, policy: Policy) -> None:
    zone, gap = str(policy.zone), spell_length(policy.session_gap)
    version = found.version
    name = (
        f"{found.name}, put in force by {version.who}" + (f": {version.note}" if version.note else "")
        if version
        else found.name
    )
    print_text(
        name,
        f"time zone {zone}, a session ends after {gap}, kept for {policy.retention.days} days, muted for {spell_length(policy.mute_for)}",
        "",
    )
    rows = [[rule.name, _conditions(rule) or "every ad", _caps_text(rule)] for rule in policy.rules]
    print_table(["rule", "fits", "caps"], [*rows, ["(no rule fits)", "every other ad", _caps_text(policy.default)]])
    if policy.people:
        print_text("")
        print_table(
            ["person", "language", "credit prompts", "devices"],
            [
                [one.name, one.language or "", one.credit_prompts or "", ", ".join(one.devices)]
                for one in policy.people.values()
            ],
        )
    if policy.credit:
        print_text("")
        print_table(
            ["credit prompts", "of sites", "for"],
            [
                [one.credit_prompts, " or ".join(one.site) or "all", " or ".join(one.people) or "everybody"]
                for one in policy.credit
            ],
        )
    alone = policy.unknown_devices == LEFT_ALONE
    unknown = "are left alone" if alone else f"count as: {policy.unknown_devices}"
    print_text("", f"unknown devices {unknown}; credit prompts: {policy.credit_prompts}")
    houses = [("everybody", policy.house_ads), *((one.name, one.house_ads or ()) for one in policy.people.values())]
    print_text(*(f"house ads for {name}: {', '.join(sites)}" for name, sites in houses if sites))


def _policy_json(policy: Policy) -> dict[str, Any]:
    return {
        "time_zone": str(policy.zone),
        "session_gap_seconds": policy.session_gap.total_seconds(),
        "retention_days": policy.retention.days,
        "mute_for_seconds": policy.mute_for.total_seconds(),
        "unknown_devices": policy.unknown_devices,
        "credit_prompts": policy.credit_prompts,
        "credit_note": policy.credit_note,
        "house_ads": list(policy.house_ads),
        "caps": [str(cap) for cap in policy.default.caps],
        "rules": [
            {"name": rule.name, **{key: list(values) for key in CONDITIONS if (values := getattr(rule, key))},
             "caps": [str(cap) for cap in rule.caps]}
            for rule in policy.rules
        ],
        "people": {
            one.name: {
                "language": one.language, "credit_prompts": one.credit_prompts, "credit_note": one.credit_note,
                "house_ads": None if one.house_ads is None else list(one.house_ads),
                "journal_level": one.journal_level,
                "devices": list(one.devices),
            }
            for one in policy.people.values()
        },
        "credit": [
            {"site": list(one.site), "people": list(one.people), "credit_prompts": one.credit_prompts} for one in policy.credit
        ],
    }  # fmt: skip


def _conditions(rule: Rule) -> str:
    return "; ".join(f"{key} {' or '.join(values)}" for key in CONDITIONS if (values := getattr(rule, key)))


def _caps_text(rule: Rule) -> str:
    return ", ".join(map(str, rule.caps)) or "unlimited"


app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The policy: which caps hold for which ads and people. docs/policy.md says how to write one.",
    epilog="""\b
Examples:
  capper policy init                                        begin one of your own
  capper policy set caps "3 per day" "10 per week"          change a value; comments stay
  capper policy check                                       is it right, and does every rule get to speak?
  capper policy apply --note "fewer shoes"                  in force for every capper on the ledger
  capper policy rollback                                    ... and back again""",
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "init": init,
    "show": show,
    "check": check,
    "test": run_tests,
    "set": set_key,
    "diff": diff,
    "apply": apply,
    "history": history,
    "rollback": rollback,
    "explain": explain,
    "mute": mute,
    "unmute": unmute,
    "mutes": mutes,
}
"""In the order of a policy's life, as its help shows them."""
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
