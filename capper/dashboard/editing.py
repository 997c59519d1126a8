"""The policy as its owner edits it in a browser: read, checked, and saved if nobody else has changed it meanwhile."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.settings import Settings, policy_file, read_policy
from capper.settings.places import own_policy
from capper.settings.review import review
from capper.settings.toml import read_text
from capper.settings.writing import alone, put


class Overtaken(ConfigError):
    """Somebody else has changed the policy since it was read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy's text, what is wrong with it, and what its owner should look at again; `base` names what it began from."""

    text: str
    base: str
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def in_force(settings: Settings) -> Draft:
    """The text of the policy file in force.

    Raises:
        ConfigError: it cannot be read.
    """
    text = _text(settings)
    return Draft(text, _digest(text))


def checked(text: str, base: str) -> Draft:
    """The draft with all that can be said of it."""
    text = text.replace("\r\n", "\n")
    try:
        reading = read_policy(text, "policy.toml")
    except ConfigError as exc:
        return Draft(text, base, errors=tuple(str(exc).split("\n")))
    return Draft(text, base, notes=tuple(map(str, review(reading))))


def save(settings: Settings, draft: Draft) -> Path:
    """Write a draft without errors in the place of the policy it began from; where there is only the starter policy, as the owner's own.

    Raises:
        Overtaken: the policy is another now.
        ConfigError: the draft cannot be used, or not be written.
    """
    read_policy(draft.text, "policy.toml")
    path = settings.policy or own_policy()
    with alone(path):
        if _digest(_text(settings)) != draft.base:
            raise Overtaken("the policy was changed meanwhile")
        put(path, draft.text.encode())
    return path


def _text(settings: Settings) -> str:
    own = own_policy()
    return read_text(own if settings.policy is None and own.exists() else policy_file(settings))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
