"""The policy as it is changed in a browser: what is in force is read, checked, and changed where nobody else has meanwhile.

What is in force is a version that was put in force for every capper on the ledger, else the policy file.
"""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from functools import partial

from capper.dashboard.house import House
from capper.domain.errors import ConfigError
from capper.domain.identity import HOUSEHOLD
from capper.domain.policy import Person
from capper.policies.enacting import Overtaken, enact, newest_usable
from capper.policies.trial import failures, try_out
from capper.settings import Settings, own_file, policy_file, read_policy
from capper.settings.places import own_policy
from capper.settings.policy_edit import Edit, add_person, change_person, edit_file
from capper.settings.review import review
from capper.settings.toml import read_text
from capper.settings.watch import same_text


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy's text, what is wrong with it, and what its owner should look at again; `base` names what it began from."""

    text: str
    base: str
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def in_force(house: House) -> Draft:
    """The text in force.

    Raises:
        ConfigError: it cannot be read.
        LedgerUnavailable: the ledger does not answer.
    """
    version = newest_usable(await house.ledger.versions.all())
    if version and version.text is not None:
        return Draft(version.text, _digest(version.text))
    text = await asyncio.to_thread(_text, house.settings)
    return Draft(text, _digest(text))


async def checked(text: str, base: str) -> Draft:
    """The draft with all that can be said of it; tests of its own that fail are errors."""
    text = text.replace("\r\n", "\n")
    try:
        reading = read_policy(text, "policy.toml")
    except ConfigError as exc:
        return Draft(text, base, errors=tuple(str(exc).split("\n")))
    return Draft(text, base, tuple(failures(await try_out(reading))), tuple(map(str, review(reading))))


async def save(house: House, draft: Draft, who: str) -> None:
    """Put a draft in force in the place of what it began from.

    Raises:
        Overtaken: another policy is in force now.
        ConfigError: the draft cannot be used, or not be written.
        LedgerUnavailable: the ledger does not answer.
    """

    def instead(text: str, _: str) -> str:
        if _digest(text) != draft.base:
            raise Overtaken("the policy was changed meanwhile")
        return draft.text

    read_policy(draft.text, "policy.toml")
    await change(house, instead, who, "edited in the dashboard")


async def change(house: House, edit: Edit, who: str, note: str) -> None:
    """Change what is in force by `edit`; a policy file that said the same is changed with it.

    Raises:
        ConfigError: it cannot be changed so; then it is as it was.
        LedgerUnavailable: the ledger does not answer.
    """
    kept = await house.ledger.versions.all()
    version = newest_usable(kept)
    if version is None or version.text is None:
        await asyncio.to_thread(_change_file, house.settings, edit)
        return
    before, after = version.text, edit(version.text, f"version {version.number}")
    await enact(house.ledger.versions, after, who, note, house.clock(), seen=kept[-1].number)
    await asyncio.to_thread(_follow, house.settings, before, after)


def giving(device: str, name: str) -> Edit:
    """The change that makes a device `name`'s, who is added if the policy does not know her.

    Raises:
        ConfigError: nobody can be called so.
    """
    if name == HOUSEHOLD:
        raise ConfigError(f"{HOUSEHOLD} is what devices are that are nobody's; name a person")

    def edit(text: str, file: str) -> str:
        if name not in read_policy(text, file).policy.people:
            return add_person(text, file, Person(name, (device,)))
        return change_person(text, file, name, lambda one: replace(one, devices=(*one.devices, device)))

    return edit


def _change_file(settings: Settings, edit: Edit) -> None:
    edit_file(own_file(settings)[0], edit)


def _follow(settings: Settings, before: str, after: str) -> None:
    if same_text(_text(settings), before):
        _change_file(settings, partial(_as, after))


def _as(after: str, _: str, __: str) -> str:
    return after


def _text(settings: Settings) -> str:
    own = own_policy()
    return read_text(own if settings.policy is None and own.exists() else policy_file(settings))


def _digest(text: str) -> str:
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:32]
