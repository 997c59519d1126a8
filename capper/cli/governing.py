"""Which policy a command goes by: the file it was given, else the version in force, else the file in force."""

import asyncio
import getpass
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.policy import Policy
from capper.ledger import open_ledger
from capper.ledger.base import Ledger
from capper.ledger.secret import Secret
from capper.ledger.versions import Version
from capper.policies.enacting import enact, newest_usable
from capper.settings import Reading, Settings, policy_file, read_policy
from capper.settings.policy_edit import Edit, edit_file
from capper.settings.toml import read_text
from capper.settings.version import check_state
from capper.settings.watch import same_text


@dataclass(frozen=True, slots=True)
class Governing:
    """A policy's text, and what messages call it."""

    name: str
    text: str
    version: Version | None = None
    """The version it is; None for a file."""

    def reading(self) -> Reading:
        """What it says.

        Raises:
            ConfigError: it cannot be used.
        """
        return read_policy(self.text, self.name)


def policy_for(settings: Settings, given: Path | None = None) -> Policy:
    """The policy to go by; `given` is the file that the command was given.

    Raises:
        ConfigError: it cannot be used.
    """
    return governing(settings, given).reading().policy


def governing(settings: Settings, given: Path | None = None) -> Governing:
    """The text to go by: that of the file given, else of the version in force, else of the file in force.

    Raises:
        ConfigError: the file cannot be read.
    """
    version = None if given else _version_in_force(settings)
    if version is None or version.text is None:
        return of_file(given or policy_file(settings))
    return Governing(f"version {version.number}", version.text, version)


def of_file(path: Path) -> Governing:
    """A file's text."""
    return Governing(str(path), read_text(path))


def _version_in_force(settings: Settings) -> Version | None:
    try:
        return newest_usable(kept_versions(settings))
    except LedgerUnavailable as exc:
        logging.getLogger("capper").warning(
            "%s; whether a policy was applied is not known, so this goes by %s", exc, policy_file(settings)
        )
        return None


def kept_versions(settings: Settings) -> list[Version]:
    """The versions in the ledger, the oldest first; none where nothing can have been applied yet.

    Raises:
        LedgerUnavailable: the ledger does not answer.
    """
    return with_ledger(settings, lambda ledger: ledger.versions.all()) if begun(settings) else []


def begun(settings: Settings) -> bool:
    """Whether the ledger can hold anything of this household that this process could see."""
    server = settings.ledger.rstrip(":") != "embedded" or (settings.ledger_folder / "server.conf").exists()
    return server and settings.secret_file.exists() and shared(settings)


def shared(settings: Settings) -> bool:
    """Whether the ledger keeps anything that another process could see."""
    return settings.ledger.rstrip(":") != "memory"


def with_ledger[T](settings: Settings, ask: Callable[[Ledger], Awaitable[T]]) -> T:
    """What the ledger answers.

    Raises:
        LedgerUnavailable: nothing; the guard is left out, so that a person is told that it is gone, rather than shown what this
            process remembers.
    """
    check_state(settings.state)

    async def asked() -> T:
        secret = Secret.load_or_create(settings.secret_file)
        opened = open_ledger(settings.ledger, secret, folder=settings.ledger_folder, deadline=None)
        try:
            return await ask(opened)
        finally:
            await opened.close()

    return asyncio.run(asked())


def whoami() -> str:
    """Who is at the keyboard, and on which host."""
    user = os.environ.get("SUDO_USER")
    if not user:
        try:
            user = getpass.getuser()
        except (OSError, KeyError):  # an account without a name, as in some containers
            user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def change_file(settings: Settings, path: Path, edit: Edit, note: str) -> str:
    """Change the policy file by `edit`. Where it said what is in force, what it says now is put in force, with `note`.

    Returns:
        Which version that is, or that it is not in force and how to make it so; nothing where no policy was applied.

    Raises:
        ConfigError: the file cannot be used as it is, changed or written; then it is as it was.
    """
    before = read_text(path)
    edit_file(path, edit)
    try:
        kept = kept_versions(settings)
        version = newest_usable(kept)
        if version is None or version.text is None:
            return ""
        if not same_text(before, version.text) or version != kept[-1]:
            return f"Version {version.number} stays in force, from which {path} differs: capper policy diff, capper policy apply"
        after, at = read_text(path), datetime.now(UTC)
        made = with_ledger(
            settings, lambda ledger: enact(ledger.versions, after, whoami(), note, at, seen=version.number)
        )
    except (LedgerUnavailable, ConfigError) as exc:
        return f"The file is changed and not in force ({exc}): capper policy apply"
    return f"In force as version {made.number}."
