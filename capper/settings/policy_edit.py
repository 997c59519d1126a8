"""Changes to the people of a policy file that leave everything else in it as its owner wrote it: comments, order and layout.

The text is cut into blocks at its `[headers]`. A block that is changed is changed by tomlkit, the others are not even read;
and before anything is written, what the new text says is compared with what it should say.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from capper.domain.errors import ConfigError
from capper.domain.policy import Person, Policy
from capper.settings.names import a_device
from capper.settings.policy import read_policy
from capper.settings.policy_text import of_person, quote
from capper.settings.toml import blocks, parse, read_text
from capper.settings.writing import alone, put

_BOM = b"\xef\xbb\xbf"
_OWN = re.compile(r"\[people\.[^\]\n]*\]")
_BARE = re.compile(r"[A-Za-z0-9_-]+")

Edit = Callable[[str, str], str]
"""A change of a policy's text, given its name for messages."""


def edit_file(path: Path, edit: Edit) -> None:
    """Change a policy file by `edit`; line ends and a byte order mark stay as they are.

    Raises:
        ConfigError: the file cannot be used as it is, changed or written; then it is as it was.
    """
    with alone(path):
        text = read_text(path)
        content = path.read_bytes()
        windows = content.count(b"\r\n") == content.count(b"\n") > 0
        after = edit(text.replace("\r\n", "\n"), str(path))
        mark = _BOM if content.startswith(_BOM) else b""
        put(path, mark + (after.replace("\n", "\r\n") if windows else after).encode())


def add_person(text: str, name: str, person: Person) -> str:
    """The policy with a further person, after those who are there.

    Raises:
        ConfigError: `text` (called `name` in messages) cannot be used, or there is no telling where she belongs.
    """
    policy = read_policy(text, name).policy
    wanted = replace(policy, people={**policy.people, person.name: person})
    block = _block(person)
    return _first(_added(text, block), wanted, name, f"add this to it by hand:\n{block}")


def _added(text: str, block: str) -> list[str]:
    parts = blocks(text)
    own = [place for place, part in enumerate(parts) if _OWN.match(part.lstrip())]
    if own:
        head, tail = split_tail(parts[own[-1]])
        return ["".join([*parts[: own[-1]], head, _gap(head), block, _lead(tail), *parts[own[-1] + 1 :]])]
    return [text + _gap(text) + block]


def _block(person: Person) -> str:
    return "".join(f"{line}\n" for line in (f"[people.{_key(person.name)}]", *of_person(person)))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quote(name)


def _gap(before: str) -> str:
    """What makes a blank line after `before`."""
    lines = before.splitlines(keepends=True)
    if not lines or not lines[-1].strip():
        return ""
    return "\n" if lines[-1].endswith("\n") else "\n\n"


def _lead(tail: str) -> str:
    return f"\n{tail}" if tail.strip() and not tail.startswith("\n") else tail


def split_tail(block: str) -> tuple[str, str]:
    """A block, and the blank lines and comments at its end, which speak of what follows."""
    lines = block.splitlines(keepends=True)
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return "".join(lines[:end]), "".join(lines[end:])


def _unattached(text: str) -> str:
    """`text` without the comment that stands right above what follows."""
    lines = text.splitlines(keepends=True)
    while lines and lines[-1].lstrip().startswith("#"):
        del lines[-1]
    return "".join(lines)


def change_person(text: str, name: str, person: str, change: Callable[[Person], Person]) -> str:
    """The policy with a person it knows as `change` makes her; devices that stay keep their places and comments.

    Raises:
        ConfigError: as `add_person`.
    """
    policy = read_policy(text, name).policy
    after = change(policy.people[person])
    wanted = replace(policy, people={**policy.people, person: after})

    def write(table: Any) -> None:
        _write_devices(table, after.devices)
        for key, value in (("language", after.language), ("credit_prompts", after.credit_prompts)):
            if value is not None and value != getattr(policy.people[person], key):
                table[key] = str(value)
        if after.house_ads is not None:
            table["house_ads"] = list(after.house_ads)
        if after.journal_level is not None:
            table["journal_level"] = after.journal_level

    return _first(_changed(text, person, write), wanted, name, f"let it say by hand:\n{_block(after)}")


def _write_devices(table: Any, devices: Sequence[str]) -> None:
    held = table.get("devices", [])
    there = [a_device(item) for item in (held if isinstance(held, list) else [held])]
    if there == list(devices):
        return
    if not isinstance(held, Array):
        table["devices"] = list(devices)
        return
    for place in reversed(range(len(there))):
        if there[place] not in devices:
            del held[place]
    for device in devices:
        if device not in there:
            held.append(device)


def remove_person(text: str, name: str, person: str) -> str:
    """The policy without a person it knows; the comment right above her goes with her.

    Raises:
        ConfigError: as `add_person`; or something else in the policy speaks of her.
    """
    policy = read_policy(text, name).policy
    if speaking := list(_speaking(policy, person)):
        raise ConfigError(f"{name} still speaks of {person}: {', '.join(speaking)}; change that first")
    wanted = replace(policy, people={each: one for each, one in policy.people.items() if each != person})
    return _first(_without(text, person), wanted, name, f"take [people.{quote(person)}] out by hand")


def _speaking(policy: Policy, person: str) -> Iterator[str]:
    if policy.unknown_devices == person:
        yield "unknown_devices"
    yield from (f'"{rule.name}"' for rule in policy.rules if person in rule.people)
    yield from (f"credit[{place}]" for place, rule in enumerate(policy.credit, 1) if person in rule.people)


def _without(text: str, person: str) -> list[str]:
    found: list[str] = []
    parts = blocks(text)
    for place, part in enumerate(parts):
        if _OWN.match(part.lstrip()) and person in _people_in(part):
            above, tail = _unattached("".join(parts[:place])), split_tail(part)[1]
            found.append(
                "".join(
                    [
                        above,
                        tail.lstrip("\n") if not above.strip() or above.endswith("\n\n") else tail,
                        *parts[place + 1 :],
                    ]
                )
            )
    return found + _changed(text, person, None)


def _people_in(block: str) -> Any:
    try:
        people = tomlkit.parse(block).get("people")
    except TOMLKitError:
        return {}
    return people if isinstance(people, dict) else {}


def _changed(text: str, person: str, change: Callable[[Any], None] | None) -> list[str]:
    """The text with the person's table changed, or gone, in each block that has a part of it."""
    found: list[str] = []
    parts = blocks(text)
    for place, part in enumerate(parts):
        head, tail = split_tail(part)
        if person not in _people_in(head):
            continue
        document = tomlkit.parse(head)
        people: Any = document["people"]
        try:
            if change is None:
                del people[person]
            else:
                change(people[person])
        except (TOMLKitError, TypeError, ValueError, KeyError, IndexError):
            continue
        after = tomlkit.dumps(document)
        found.append("".join([*parts[:place], after, tail, *parts[place + 1 :]]))
    return found


def _first(texts: Sequence[str], wanted: Policy, name: str, by_hand: str) -> str:
    """The first text that says what is wanted."""
    for text in texts:
        try:
            parse(text, name)
        except ConfigError:
            continue
        if read_policy(text, name).policy == wanted:
            return text
    raise ConfigError(f"{name} is written in a way that `capper people` does not change; {by_hand}")
