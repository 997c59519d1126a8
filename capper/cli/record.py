"""The way of commands to a person's record: who she is by the policy."""

from pathlib import Path

from capper.cli.governing import policy_for
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Policy
from capper.settings import Settings, load_settings
from capper.settings.reader import near


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
    return settings, policy_for(settings, policy)
