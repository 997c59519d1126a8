"""`capper policy apply`, `diff`, `history` and `rollback`: the versions of the policy that all cappers on one ledger go by."""

import asyncio
import difflib
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from capper.cli.governing import Governing, governing, kept_versions, of_file, shared, whoami, with_ledger
from capper.cli.options import Config, DraftFile, Json, LedgerUrl, State
from capper.cli.tables import moment, print_json, print_table, print_text
from capper.domain.errors import ConfigError
from capper.ledger.base import STRANGERS
from capper.ledger.versions import Version
from capper.policies.enacting import enact, newest_usable
from capper.policies.trial import failures, try_out
from capper.settings import Settings, load_settings, policy_file
from capper.settings.options import redacted
from capper.settings.watch import same_text

THE_FILE = 0
"""The number under which the file of each host stands where a version's is expected."""
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

Note = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="Why, for whoever reads the history.", show_default=False)
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who, where your account does not say.", show_default=False),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]
Force = Annotated[bool, typer.Option("--force", help="Although tests of the policy fail.")]


def apply(
    file: DraftFile = None,
    *,
    note: Note = "",
    by: By = None,
    dry_run: DryRun = False,
    force: Force = False,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Put a policy in force for every capper on the ledger, at once.

    It becomes the next version; the last 15 are kept, and `rollback` brings one back. From then on that version is the
    policy, and a change to the file holds once it is applied. Refused (exit 2) is a policy that cannot be used, and one
    whose own tests fail, unless forced.
    """
    settings = _settings(config, state, ledger)
    given = of_file(file or policy_file(settings))
    _try(given, force=force)
    kept = kept_versions(settings)
    now = newest_usable(kept)
    if now and now.text is not None and now == kept[-1] and same_text(given.text, now.text):
        _tell(now, f"Version {now.number} says the same, and is in force.", as_json=as_json)
        return
    before = _of_version(settings, kept, now.number if now else THE_FILE) if kept else None
    _put(settings, kept, given.text, note, by, before, given, dry_run=dry_run, force=force, as_json=as_json)


def rollback(
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="N",
            min=0,
            help="Which version; 0 is the file of each host, left out the one before.",
            show_default=False,
        ),
    ] = None,
    *,
    note: Note = "",
    by: By = None,
    dry_run: DryRun = False,
    force: Force = False,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Bring an earlier version back, as a new one.

    Nothing is lost: what was in force until now can be brought back in the same way. With 0, or when the first version is
    rolled back, each host goes by its own file again. The file itself is left as it is.
    """
    settings = _settings(config, state, ledger)
    kept = kept_versions(settings)
    if not kept:
        raise ConfigError(
            f"no policy was applied, so there is nothing to go back from; {policy_file(settings)} is the policy"
        )
    wanted = _before(kept) if number is None else number
    old = next((one for one in kept if one.number == wanted), None)
    if old is None and wanted != THE_FILE:
        raise ConfigError(_unknown(wanted, kept))
    text = old.text if old else None
    before = _of_version(settings, kept, kept[-1].number)
    after = Governing(f"version {wanted}", text) if text is not None else of_file(policy_file(settings))
    if text is not None:
        _try(after, force=force)
    why = note or (f"back to version {wanted}" if text is not None else "back to the file of each host")
    _put(settings, kept, text, why, by, before, after, dry_run=dry_run, force=force, as_json=as_json)


def diff(
    one: Annotated[
        str | None,
        typer.Argument(metavar="A", help="A version's number, or a file; left out: your file.", show_default=False),
    ] = None,
    other: Annotated[
        str | None,
        typer.Argument(metavar="B", help="Another; left out: A against what is in force.", show_default=False),
    ] = None,
    *,
    ledger: LedgerUrl = None,
    state: State = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """What is different between what is in force and your file, a version, or between two of them.

    Lines with - are only in the first, or in force; those with + only in the second. Exits with 0 when there is no
    difference, 1 when there is.
    """
    settings = _settings(config, state, ledger)
    kept = kept_versions(settings)
    if other is not None and one is not None:
        left, right = _named(settings, one, kept), _named(settings, other, kept)
    else:
        left = _of_version(settings, kept, kept[-1].number if kept else THE_FILE)
        right = _named(settings, one, kept) if one is not None else of_file(policy_file(settings))
    lines = _diff(left, right)
    if as_json:
        print_json({"from": left.name, "to": right.name, "diff": lines})
    elif lines:
        _print_diff(lines)
    elif left.name == right.name:
        print_text(f"{left.name} is the policy, and no other was applied.")
    else:
        print_text(f"No difference between {left.name} and {right.name}.")
    if lines:
        raise typer.Exit(1)


def history(*, ledger: LedgerUrl = None, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """The versions that are kept: which, when, by whom, why.

    The last 15 are kept, for 400 days at most; the one in force as long as a capper runs. Exits with 1 when no policy was
    applied.
    """
    settings = _settings(config, state, ledger)
    kept, now = kept_versions(settings), datetime.now(UTC)
    in_force = newest_usable(kept)
    if as_json:
        print_json([asdict(one) | {"in_force": one is in_force} for one in reversed(kept)])
    elif kept:
        zone = governing(settings).reading().policy.zone
        print_table(
            ["#version", "when", "by", "note", ""],
            [
                [str(one.number), moment(one.at, now, zone), one.who, one.note, _standing(one, in_force, kept)]
                for one in reversed(kept)
            ],
            ["bold" if one is in_force or (in_force is None and one is kept[-1]) else "" for one in reversed(kept)],
        )
    else:
        print_text(f"No policy was applied; {policy_file(settings)} is the policy.")
    if not kept:
        raise typer.Exit(1)


def _settings(config: Path | None, state: Path | None, ledger: str | None) -> Settings:
    settings = load_settings(config, {"state": state, "ledger": ledger})
    if not shared(settings):
        raise ConfigError(
            "the ledger is memory, which each capper has for itself: nothing can be applied, and the policy file is the policy."
            ' Name one that several share: ledger = "embedded", or redis://HOST:PORT'
        )
    if "://" in settings.ledger and with_ledger(settings, lambda ledger: ledger.versions.strangers()):
        logging.getLogger("capper").warning("%s: %s", redacted(settings.ledger), STRANGERS)
    return settings


def _put(
    settings: Settings,
    kept: list[Version],
    text: str | None,
    note: str,
    by: str | None,
    before: Governing | None,
    after: Governing,
    *,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> None:
    seen = kept[-1].number if kept else 0
    if dry_run:
        _rehearse(seen + 1, before, after, as_json=as_json)
        return
    at = datetime.now(UTC)
    put = with_ledger(
        settings,
        lambda ledger: enact(ledger.versions, text, by or whoami(), note, at, seen=seen, despite_tests=force),
    )
    where = (
        "is in force for every capper on this ledger"
        if text is not None
        else "leaves the policy to the file of each host"
    )
    _tell(put, f"Version {put.number} {where}.", as_json=as_json)


def _try(given: Governing, *, force: bool) -> None:
    """Refuse a policy that cannot be used, or that fails its own tests."""
    failed = failures(asyncio.run(try_out(given.reading())))
    if failed and not force:
        told = "\n".join(f"{given.name} {each}" for each in failed)
        raise ConfigError(f"{told}\nit is not put in force; mend the policy or its tests, or add --force")


def _before(kept: Sequence[Version]) -> int:
    """The number of the version before the one in force."""
    if len(kept) > 1:
        return kept[-2].number
    if kept[-1].number > 1:
        raise ConfigError(
            f"no version before {kept[-1].number} is kept; `capper policy rollback 0` goes back to the file"
        )
    return THE_FILE


def _rehearse(number: int, before: Governing | None, after: Governing, *, as_json: bool) -> None:
    lines = _diff(before, after) if before else []
    if as_json:
        print_json({"number": number, "dry_run": True, "diff": lines})
    elif before is None:
        print_text(f"{after.name} would be the first version. Nothing was changed.")
    elif lines:
        _print_diff(lines)
        print_text("", f"This would be version {number}. Nothing was changed.")
    else:
        print_text("Nothing would be different.")


def _tell(version: Version, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(version))
    else:
        print_text(sentence)


def _standing(one: Version, in_force: Version | None, kept: list[Version]) -> str:
    if one.text is None:
        return "the file of each host" + (", in force" if one is kept[-1] else "")
    if one is in_force:
        return "in force"
    if one.number > (in_force.number if in_force else 0) and one is kept[-1]:
        return "cannot be used by this capper"
    return ""


def named(settings: Settings, name: str | None) -> Governing:
    """A version by its number, or a file by its path; for None what is in force.

    Raises:
        ConfigError: there is none.
    """
    return governing(settings) if name is None else _named(settings, name)


def _named(settings: Settings, name: str, kept: list[Version] | None = None) -> Governing:
    if name.isascii() and name.isdigit():
        return _of_version(settings, kept_versions(settings) if kept is None else kept, int(name))
    return of_file(Path(name))


def _of_version(settings: Settings, kept: list[Version], number: int) -> Governing:
    version = next((one for one in kept if one.number == number), None)
    if version is None and number != THE_FILE:
        raise ConfigError(_unknown(number, kept))
    if version is None or version.text is None:
        return of_file(policy_file(settings))
    return Governing(f"version {number}", version.text, version)


def _unknown(number: int, kept: list[Version]) -> str:
    if not kept:
        return f"there is no version {number}: no policy was applied"
    return f"version {number} is not kept, only {kept[0].number} to {kept[-1].number}, and 0 for the file"


def _print_diff(lines: Sequence[str]) -> None:
    for line in lines:
        print_text(line, style=_COLOURS.get(line[:1], ""))


def _diff(left: Governing, right: Governing) -> list[str]:
    """What is different, line by line; nothing where nothing is."""
    texts = left.text.splitlines(), right.text.splitlines()
    return list(difflib.unified_diff(*texts, left.name, right.name, lineterm=""))
