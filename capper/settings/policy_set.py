"""One value of a policy file changed by its key, with everything else as its owner wrote it: comments, order and layout.

As in `policy_edit`, the text is cut into blocks, tomlkit changes one of them, and the new text must say what it should.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from capper.domain.errors import ConfigError
from capper.settings.policy import TOP, read_policy
from capper.settings.policy_edit import split_tail
from capper.settings.reader import near
from capper.settings.toml import Where, blocks, parse, spell

_STEP = re.compile(r'\.?([A-Za-z0-9_-]+)|\[(\d{1,4})\]|\.?\[?"([^"]+)"\]?')
_LISTS = frozenset({"caps", "devices", "house_ads"})
"""Keys whose value is written as a list though there be one thing in it."""


def set_value(text: str, name: str, key: str, words: Sequence[str]) -> str:
    """The policy with `key` (`time_zone`, `people.anna.language`, `rules[2].caps`, `rules["no shoes"].caps`) saying `words`.

    Several words are a list, one is a TOML value or else a text, none takes the key out.

    Raises:
        ConfigError: there is no such place, the policy would not be usable, or `text` (called `name`) cannot be changed.
    """
    document = parse(text, name)
    where = _place(document.data, key, name)
    wanted = copy.deepcopy(dict(document.data))
    table, last = _table(wanted, where[:-1]), where[-1]
    was = table.get(last)
    if words:
        table[last] = _value(words, listed=last in _LISTS or isinstance(was, list))
    elif table.pop(last, None) is None:
        raise ConfigError(f"{name} says nothing of {spell(where)}")
    for after in _changed(text, where, table.get(last)):
        try:
            said = parse(after, name).data
        except ConfigError:
            continue
        if said == wanted:
            read_policy(after, name)
            return after
    raise ConfigError(
        f"{name} is written in a way that `capper policy set` does not change; change {spell(where)} by hand"
    )


def _place(data: Any, key: str, name: str) -> Where:
    """Where `key` leads in a document; the last step need not be there."""
    steps = list(_steps(key)) or [key]
    where: Where = ()
    for place, step in enumerate(steps):
        if isinstance(data, list):
            step = _entry(data, step, where, name)  # noqa: PLW2901
        elif place == 0 and step not in TOP:
            raise ConfigError(f"{key}: a policy knows no key {step!r}{near(str(step), TOP)}")
        where = (*where, step)
        if place < len(steps) - 1:
            try:
                data = data[step]
            except (KeyError, TypeError):
                known = f"; there is {', '.join(map(str, data))}" if isinstance(data, dict) and data else ""
                raise ConfigError(f"{name} has no {spell(where)}{known}") from None
    if not isinstance(data, dict) or _holds_tables(data.get(str(where[-1]))):
        raise ConfigError(f'{key} names no single value; name one like "rules[1].caps" or "people.anna.language"')
    return where


def _holds_tables(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def _steps(key: str) -> Iterator[str | int]:
    at = 0
    while at < len(key):
        found = _STEP.match(key, at)
        if not found:
            raise ConfigError(
                f"{key!r} is no key of a policy; write one like caps, people.anna.language or rules[2].caps"
            )
        bare, number, quoted = found.groups()
        yield int(number) if number is not None else bare or quoted
        at = found.end()


def _entry(data: list[Any], step: str | int, where: Where, name: str) -> int:
    """The place of a list's entry by its number, counted from 1, or by its `name`."""
    if isinstance(step, int):
        if not 1 <= step <= len(data):
            raise ConfigError(f"{name} has {len(data)} {spell(where)}, counted from 1; there is no {step}")
        return step - 1
    names = [each.get("name") if isinstance(each, dict) else None for each in data]
    if step not in names:
        known = [each for each in names if isinstance(each, str)]
        raise ConfigError(f"{name} has none of {spell(where)} called {step!r}{near(step, known)}")
    return names.index(step)


def _table(data: Any, where: Where) -> Any:
    for step in where:
        data = data[step]
    return data


def _value(words: Sequence[str], *, listed: bool) -> Any:
    if len(words) > 1:
        return list(words)
    try:
        value = parse(f"x = {words[0]}", "").data["x"]
    except ConfigError:
        value = words[0]
    if not isinstance(value, str | bool | int | list):  # a date, or a number that was meant as a text
        value = words[0]
    return [value] if listed and not isinstance(value, list) else value


def _changed(text: str, where: Where, value: Any) -> Iterator[str]:
    """The text with the value changed, in each block where it may stand; what the text then says tells which is the right one."""
    parts = blocks(text)
    for place, part in enumerate(parts):
        head, tail = split_tail(part)
        for inside in _inside(where):
            try:
                document = tomlkit.parse(head)
                _write(_table(document, inside[:-1]), str(inside[-1]), value)
            except (TOMLKitError, KeyError, IndexError, TypeError, ValueError, AttributeError):
                continue
            yield "".join([*parts[:place], tomlkit.dumps(document), tail, *parts[place + 1 :]])


def _inside(where: Where) -> Iterator[Where]:
    """What `where` may be called within one block: an entry of `[[rules]]` is the only one there, whichever it is."""
    yield where
    if len(where) > 1 and isinstance(where[1], int):
        yield (where[0], 0, *where[2:])


def _write(table: Any, key: str, value: Any) -> None:
    if value is None:
        del table[key]
        return
    was = table.get(key)
    table[key] = value
    if isinstance(was, Array) and "\n" in was.as_string() and isinstance(table[key], Array):
        table[key].multiline(multiline=True)
