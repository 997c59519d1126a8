"""Follows ways through an answer's JSON: to where bids stand, and from a bid to what it says."""

from collections.abc import Callable, Container, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from capper.jsontext import Path, Step

EACH: Final = "[]"
MEMBERS: Final = "{}"
ANYWHERE: Final = "**"

_DEEPEST = 10
_MOST_OBJECTS = 20_000
_NESTED = 4
_MOST_NAMES = 400
_LONGEST_NAME = 60
_DECLARED = 50
"""How many elements of an array inside a bid are read."""

type Row = tuple[Path, tuple[Any, ...]]
"""The path to a value, and the values on the way: the answer first, the value itself last."""

type Names = dict[str, list[Any]]
"""Folded names, each with what stands under it, outer ones first."""


class Where(NamedTuple):
    """One way to a value: from the bid (`climb` 0), from what holds its array (1), from the answer (-1); `names` downwards."""

    climb: int
    names: tuple[str, ...]


def follow(answer: Any, pattern: tuple[str, ...], most: int) -> Iterator[Row]:
    """What stands where `pattern` leads."""
    if pattern == (ANYWHERE,):
        yield from objects(answer, most)
        return
    stack: list[tuple[Path, tuple[Any, ...], int]] = [((), (answer,), 0)]
    while stack:
        path, way, at = stack.pop()
        if at == len(pattern):
            yield path, way
            continue
        step, value = pattern[at], way[-1]
        if step == EACH and isinstance(value, list):
            stack += [((*path, number), (*way, item), at + 1) for number, item in reversed([*enumerate(value[:most])])]
        elif step == MEMBERS and isinstance(value, dict):
            items = [*value.items()][:most]
            stack += [((*path, key), (*way, item), at + 1) for key, item in reversed(items)]
        elif isinstance(value, dict) and step in value:
            stack.append(((*path, step), (*way, value[step]), at + 1))


type _Node = tuple["_Node | None", Step, Any]
"""A value, its name or number, and what holds it: paths are made of it only where they are needed."""


def objects(answer: Any, most: int, wanted: Callable[[dict[str, Any]], object] = bool) -> Iterator[Row]:
    """The objects of the answer that are `wanted`, outer ones first; at most `most` of each array's are looked at."""
    stack: list[tuple[_Node, int]] = [((None, "", answer), 0)]
    seen = 0
    while stack and seen < _MOST_OBJECTS:
        node, depth = stack.pop()
        value = node[2]
        seen += 1
        if type(value) is dict:
            if wanted(value):
                yield _row(node)
            items: Any = value.items()
        elif type(value) is list:
            items = enumerate(value[:most])
        else:
            continue
        if depth < _DEEPEST:
            inner: list[tuple[_Node, int]] = [
                ((node, key, item), depth + 1) for key, item in items if type(item) is dict or type(item) is list
            ]
            inner.reverse()
            stack += inner


def _row(node: _Node) -> Row:
    path: list[Step] = []
    way: list[Any] = [node[2]]
    while node[0] is not None:
        path.append(node[1])
        node = node[0]
        way.append(node[2])
    return tuple(reversed(path)), tuple(reversed(way))


def values(way: tuple[Any, ...], ways: tuple[Where, ...]) -> list[Any]:
    """What a bid says at each of `ways` that is there, lists taken apart; `way` is as in a `Row`."""
    made: list[Any] = []
    for climb, names in ways:
        at: Any = way[-1] if climb == 0 else _holder(way, climb)
        for number, name in enumerate(names):
            if type(at) is dict:
                at = at.get(name)
            elif type(at) is list:
                for item in at[:_DECLARED]:
                    made += values((item,), (Where(0, names[number:]),))
                at = None
            else:
                at = None
            if at is None:
                break
        if type(at) is list:
            made += at[: 2 * _DECLARED]
        elif at is not None:
            made.append(at)
    return made


def _holder(way: tuple[Any, ...], climb: int) -> Any:
    if climb < 0:
        return way[0]
    holders = [value for value in way[:-1] if isinstance(value, dict)]
    return holders[-climb] if climb <= len(holders) else None


# Loosely: by names alone, however they are written and wherever in a bid they stand


@lru_cache(maxsize=4_096)
def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def folded(name: str) -> str:
    """A name without case and separators: `adv_domain`, `advDomain` and `AdvDomain` are one."""
    return _folded(name) if len(name) <= _LONGEST_NAME else ""


def spread(value: dict[str, Any], without: Container[str]) -> Names:
    """The members of an object and of those inside it, by folded name, and by that behind their holder's (`creative.id`).

    Not of those named in `without`.
    """
    found: Names = {}
    layer: list[tuple[str, dict[str, Any]]] = [("", value)]
    for _ in range(_NESTED):
        inner: list[tuple[str, dict[str, Any]]] = []
        for holder, each in layer:
            for key, item in each.items():
                name = folded(key)
                if name in without:
                    continue
                found.setdefault(name, []).append(item)
                if holder:
                    found.setdefault(f"{holder}.{name}", []).append(item)
                if type(item) is dict:
                    inner.append((name, item))
                elif type(item) is list and item and type(item[0]) is dict:
                    inner += [(name, part) for part in item[:3] if type(part) is dict]
            if len(found) > _MOST_NAMES:
                return found
        layer = inner
    return found


def named(found: Names, names: Sequence[str]) -> list[Any]:
    """What stands under each of `names`, in their order, lists taken apart."""
    made: list[Any] = []
    for name in names:
        for value in found.get(name, ()):
            if type(value) is list:
                made += value[:_DECLARED]
            else:
                made.append(value)
    return made
