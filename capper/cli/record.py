"""The way of commands to a person's record: who she is by the policy, and the ledger it is kept in."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Policy
from capper.ledger import open_ledger
from capper.ledger.base import Ledger
from capper.ledger.secret import Secret
from capper.settings import Settings, load_policy, load_settings, policy_file
from capper.settings.reader import near
from capper.settings.version import check_state


def known_person(policy: Policy, name: str) -> str:
    """`name`, if the policy knows such a person.

    Raises:
        ConfigError: it does not; says who was perhaps meant.
    """
    known = [HOUSEHOLD, *policy.people]
    if name not in known:
        hint = f"; [people.{name}] in the policy, with her devices, makes her known"
        raise ConfigError(f'the policy knows no "{name}", only {", ".join(known)}{near(name, known) or hint}')
    return name


def settings_and_policy(
    config: Path | None, state: Path | None, ledger: str | None, policy: Path | None
) -> tuple[Settings, Policy]:
    """What a command was told, over what the files say."""
    settings = load_settings(config, {"state": state, "ledger": ledger, "policy": policy})
    return settings, load_policy(policy_file(settings))


def with_ledger[T](settings: Settings, ask: Callable[[Ledger], Awaitable[T]]) -> T:
    """Open the household's ledger, ask it, and close it again."""
    check_state(settings.state)

    async def asked() -> T:
        secret = Secret.load_or_create(settings.secret_file)
        # Without a guard: a person is told that the ledger is gone, rather than shown what this process remembers.
        opened = open_ledger(settings.ledger, secret, folder=settings.ledger_folder, deadline=None)
        try:
            return await ask(opened)
        finally:
            await opened.close()

    return asyncio.run(asked())
