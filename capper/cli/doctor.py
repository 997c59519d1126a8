"""`capper doctor`: is everything in order, and what to do where it is not."""

import asyncio
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from capper import __version__
from capper.backup.swap import ASIDE, NEW, interrupted
from capper.cli.governing import Governing, governing, of_file
from capper.cli.options import Config, Json, LedgerUrl, State
from capper.cli.tables import print_json, print_table
from capper.devices.leasefiles import LeaseFiles, usual_places
from capper.devices.matching import mismatches
from capper.devices.neighbours import neighbours
from capper.domain.errors import CapperError, ConfigError
from capper.domain.policy import Policy
from capper.ledger import open_ledger
from capper.ledger.base import Health
from capper.ledger.secret import Secret
from capper.recognise.lists import ListStore
from capper.settings import Settings, first_words, load_settings, policy_file
from capper.settings.load import PREFIX
from capper.settings.names import is_mac
from capper.settings.options import OPTIONS, redacted
from capper.settings.pauses import in_force, pauses_file, read_pauses
from capper.settings.places import config_file
from capper.settings.reader import near
from capper.settings.review import review
from capper.settings.version import CURRENT, check_state
from capper.settings.watch import same_text

OLDEST_PYTHON = (3, 12)
_RENEWING = "capper ca renew, start capper again, install the new one on each device"
_MENDING = "mend what it says, then look again"
_OTHER_VARIABLES = ("CAPPER_CONFIG", "CAPPER_BACKUP_PASSPHRASE", "CAPPER_DEBUG", "CAPPER_SHARED_DATA")

app = typer.Typer(rich_markup_mode=None)


class State_(StrEnum):  # noqa: N801  `State` is the option's name
    """How one check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do."""

    what: str
    state: State_
    detail: str
    advice: str = ""


def ok(what: str, detail: str) -> Finding:
    """In order."""
    return Finding(what, State_.OK, detail)


def warn(what: str, detail: str, advice: str) -> Finding:
    """Works, but should be looked at."""
    return Finding(what, State_.WARN, detail, advice)


def fail(what: str, detail: str, advice: str) -> Finding:
    """Does not work."""
    return Finding(what, State_.FAIL, detail, advice)


@app.command()
def doctor(*, ledger: LedgerUrl = None, state: State = None, config: Config = None, as_json: Json = False) -> None:
    """Is everything in order, and what to do if not.

    Looks at Python, the settings, the state folder and its secrets, the policy and its people, the ledger, the certificate authority, the
    filter lists, the workers, the port and the clock. Nothing is changed, and nothing but the ledger and the port is connected to. Exits
    with 1 when something fails; a warning alone is no failure.
    """
    now = datetime.now(UTC)
    settings = load_settings(config, {"ledger": ledger, "state": state})
    findings = list(examine(settings, config, now))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        styles = {State_.OK: "", State_.WARN: "yellow", State_.FAIL: "red"}
        print_table(
            ["", "what", "how it is", "what to do"],
            [[one.state, one.what, one.detail, one.advice] for one in findings],
            [styles[one.state] for one in findings],
        )
    if any(finding.state is State_.FAIL for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings, config: Path | None, now: datetime) -> Iterator[Finding]:
    """Every finding, in the order of the help; a check that breaks is a finding too. What keeps several from looking is told once."""
    governed = cache(lambda: governing(settings))
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("python", lambda: python(sys.version_info[:3])),
        ("settings", lambda: configuration(config, os.environ)),
        ("state", lambda: state_folder(settings.state)),
        ("version", lambda: versions(settings.state)),
        ("policy", lambda: policy(settings, governed())),
        ("people", lambda: people(settings, governed().reading().policy, now)),
        ("ledger", lambda: ledger_answers(settings)),
        ("certificate", lambda: certificate(settings.state, now)),
        ("lists", lambda: filter_lists(settings.state, now)),
        ("workers", lambda: workers(settings)),
        ("port", lambda: port(settings)),
        ("clock", lambda: clock(settings.state, now)),
    )
    failures: set[str] = set()
    for finding in chain.from_iterable(guarded(what, check) for what, check in checks):
        if finding.detail not in failures:
            yield finding
        if finding.state is State_.FAIL:
            failures.add(finding.detail)


def guarded(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of a check; one that cannot look is a finding too."""
    try:
        yield from check()
    except (CapperError, OSError, ValueError) as exc:
        yield fail(what, str(exc), _MENDING)


def python(running: tuple[int, int, int]) -> Iterator[Finding]:
    """Python and the packages that matter."""
    found = ".".join(map(str, running))
    if running < OLDEST_PYTHON:
        yield fail("python", f"Python {found}", f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")
        return
    yield ok("python", f"Python {found}, capper {__version__}, mitmproxy {_version('mitmproxy')}")


def configuration(config: Path | None, environ: os._Environ[str] | dict[str, str]) -> Iterator[Finding]:
    """The configuration file in use, and CAPPER_ variables that mean nothing."""
    file = config_file(config, dict(environ))
    yield ok("settings", str(file) if file else "the defaults")
    known = [*_OTHER_VARIABLES, *(PREFIX + key.upper() for key in OPTIONS)]
    for name in sorted(set(environ) - set(known)):
        if name.startswith(PREFIX):
            yield warn("settings", f"{name} means nothing to capper{near(name, known)}", "unset it, or mend its name")


def policy(settings: Settings, found: Governing) -> Iterator[Finding]:
    """Whether the policy can be used, and whether all of it gets to speak."""
    path = policy_file(settings)
    reading = found.reading()
    if found.version and not same_text(found.text, of_file(path).text):
        yield warn("policy", f"{found.name} is in force, and {path} differs from it", "capper policy diff")
    if notes := review(reading):
        yield warn("policy", f"{found.name}: {len(notes)} to look at, the first: {notes[0]}", "capper policy check")
        return
    words = "" if found.version else first_words(settings)
    yield ok("policy", words or f"{found.name}: {len(list(reading.policy.caps()))} caps")


def people(settings: Settings, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Whether each person can be recognised by her devices, and who is left alone."""
    problem = ""
    try:
        neighbours()
    except OSError as exc:
        problem = exc.strerror or str(exc)
    found = list(mismatches(policy, settings.mode, settings.proxy_auth, problem))
    yield from (warn("people", one.what, one.advice) for one in found)
    if any(is_mac(device) for person in policy.people.values() for device in person.devices):
        leases = LeaseFiles((*usual_places(), *map(str, settings.leases)))
        leases.refresh()
        for path in sorted(leases.unreadable):
            yield warn(
                "people",
                f"{path} cannot be read",
                "let capper's account read it: it says which device has which address",
            )
    if paused := in_force(read_pauses(pauses_file(settings.state)), now):
        until = ", ".join(f"{name} until {end:%H:%M} UTC" for name, end in sorted(paused.items()))
        yield ok("people", f"left alone: {until}")
    if policy.people and not found:
        devices = sum(len(person.devices) for person in policy.people.values())
        yield ok("people", f"{', '.join(policy.people)}; devices: {devices}")


def state_folder(folder: Path) -> Iterator[Finding]:
    """Whether the state can be written, and by its owner alone."""
    if not folder.exists():
        yield _will_be_made(folder)
        return
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield fail(
            "state", f"{folder} cannot be written", "chown it to the user that runs capper, or name another: state"
        )
        return
    found = list(_secrets(folder))
    yield from found
    if _open_to_others(folder):
        yield warn("state", f"{folder} can be looked into by others", f"chmod 700 {folder}")
    elif not found:
        yield ok("state", f"{folder}, private")


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def versions(folder: Path) -> Iterator[Finding]:
    """Whether what lies in the state folder is of this capper's version, and whether a restore was left half done."""
    if interrupted(folder):
        yield warn("version", f"a restore to {folder} was cut short", "capper run completes it at its next start")
    if (folder / NEW).is_dir():
        yield warn(
            "version",
            f"a restore broke off before it changed anything, and left {folder / NEW}",
            f"rm -r {folder / NEW}",
        )
    version = check_state(folder)
    if version is None:
        return
    if version < CURRENT:
        yield ok("version", f"state of version {version}; the next start brings it to version {CURRENT}")
    else:
        yield ok("version", f"state of version {version}, as this capper writes it")
    if kept := sorted(path.name for path in folder.glob(f"{ASIDE}*")):
        yield ok("version", f"{', '.join(kept)}: kept by a restore; delete it when nothing is missing")


def _will_be_made(folder: Path) -> Finding:
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if os.access(above, os.W_OK | os.X_OK):
        return ok("state", f"{folder} will be made at the first start")
    return fail("state", f"{folder} cannot be made in {above}", "name a folder that can be written: state")


def _secrets(folder: Path) -> Iterator[Finding]:
    """What is wrong with the files that are nobody else's business, where they exist."""
    secret, key = folder / "secret", folder / "ca" / "authority.pem"
    if secret.exists():
        try:
            Secret.load_or_create(secret)
        except ConfigError as exc:  # in the words in which whatever needs it fails, so that it is told once
            yield fail("state", str(exc), f"chmod 600 {secret}" if _open_to_others(secret) else _MENDING)
    if key.exists() and _open_to_others(key):
        yield fail("state", f"{key} can be read by others", f"chmod 600 {key}")


def ledger_answers(settings: Settings) -> Iterator[Finding]:
    """Whether the ledger starts, answers, and may lose counts."""
    health = asyncio.run(_health(settings))
    where = redacted(settings.ledger)
    if not health.ok:
        yield fail(
            "ledger", f"{where}: {health.detail or 'does not answer'}", "start it, or mend `ledger` in the settings"
        )
    elif health.detail:
        yield warn("ledger", f"{health.server}: {health.detail}", "docs/deploy.md")
    elif settings.ledger == "memory":
        yield warn("ledger", "counts are forgotten when capper ends", 'ledger = "embedded" keeps them')
    else:
        yield ok("ledger", health.server)


async def _health(settings: Settings) -> Health:
    with TemporaryDirectory(prefix="capper-") as scratch:
        # Before the first start there is nothing to look at: then whether one could start is tried elsewhere.
        begun = settings.secret_file.exists()
        secret = Secret.load_or_create(settings.secret_file) if begun else Secret()
        folder = settings.ledger_folder if begun else Path(scratch)
        opened = open_ledger(settings.ledger, secret, folder=folder, deadline=None)
        try:
            return await opened.health()
        finally:
            await opened.close()


def certificate(folder: Path, now: datetime) -> Iterator[Finding]:
    """Whether there is a certificate authority, and how long it lasts."""
    if not (folder / "ca" / "authority.pem").exists():
        yield ok("certificate", "will be made at the first start, for you to install on each device")
        return
    from capper.proxy.authority import SOON, read_authority  # noqa: PLC0415  imports mitmproxy, which takes a while

    ends = read_authority(folder).expires()
    left = f"{folder / 'ca' / 'capper-ca.pem'} holds until {ends:%Y-%m-%d}, {(ends - now).days} days"
    if ends <= now:
        yield fail("certificate", f"it expired on {ends:%Y-%m-%d}: no device takes it", _RENEWING)
    elif ends - now < SOON:
        yield warn("certificate", left, _RENEWING)
    else:
        yield ok("certificate", left)


def filter_lists(folder: Path, now: datetime) -> Iterator[Finding]:
    """How old the filter lists are."""
    found = ListStore(folder).show(now)
    for status in found:
        if status.subscription.failure:
            yield warn("lists", f"{status.subscription.name}: {status.subscription.failure}", "capper lists update")
    due = [status.subscription.name for status in found if status.due and not status.packaged]
    if due:
        yield warn("lists", f"out of date: {', '.join(due)}", "capper lists update")
    rules = sum(status.subscription.rules for status in found)
    if all(status.packaged for status in found):
        yield warn(
            "lists", f"only the starter lists, {rules:,} rules", "capper lists add https://... adds a fuller one"
        )
    elif not due:
        yield ok("lists", f"{len(found)} lists, {rules:,} rules, up to date")


def workers(settings: Settings) -> Iterator[Finding]:
    """Several workers: whether this system can have them, and has processors for them. One is nothing to speak of."""
    if settings.workers == 1:
        return
    from capper.proxy.steering import can_steer  # noqa: PLC0415  imports mitmproxy, which takes a while

    processors, here = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        can_steer(),
    )
    if not here:
        yield warn(
            "workers", f"{settings.workers}, but only Linux 4.6 or newer can keep a device at one", "workers = 1"
        )
    elif settings.workers > processors:
        detail = f"{settings.workers} on {processors} processor{'s' * (processors > 1)}"
        yield warn("workers", detail, f"workers = {processors}: more only cost memory")
    else:
        yield ok("workers", f"{settings.workers} on {processors} processors")


def port(settings: Settings) -> Iterator[Finding]:
    """Whether the port is free."""
    listen = settings.listen
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((listen.host, listen.port))
        except PermissionError:
            yield fail("port", f"{listen} needs more rights than you have", "choose a port from 1024 up: listen")
        except OSError as exc:
            advice = "if that is capper itself, all is well; otherwise choose another: listen"
            yield warn("port", f"{listen}: {exc.strerror}", advice)
        else:
            yield ok("port", f"{listen} is free")


def clock(folder: Path, now: datetime) -> Iterator[Finding]:
    """Whether the clock can be right: counts are kept by it."""
    newest = max((path.stat().st_mtime for path in folder.glob("**/*") if path.is_file()), default=0.0)
    ahead = timedelta(seconds=newest - now.timestamp())
    here = datetime.now().astimezone()
    if ahead > timedelta(minutes=2):
        yield warn(
            "clock",
            f"it is {here:%Y-%m-%d %H:%M %Z}, yet files are {ahead} newer",
            "set the clock: windows count by it",
        )
    elif now.year < 2026:
        yield fail("clock", f"it cannot be {here:%Y-%m-%d %H:%M}", "set the clock: windows and certificates go by it")
    else:
        yield ok("clock", f"{here:%Y-%m-%d %H:%M %Z}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
