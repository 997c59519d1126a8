"""Documents as a flat list of values that refer to each other by number, as Nuxt, SvelteKit and React Router write their state.

`[{"hero": 1}, {"title": 2}, "Hello"]` says `{"hero": {"title": "Hello"}}`. Nothing may be taken out of such a list, or every
number behind it would name another value: a member is taken out of the object it is in, and what it named is emptied.
"""

import re
from typing import TypeGuard

from capper.jsontext import Number
from capper.rewrite.prompts.answer.layout import Layout, Spot

_NUMBER = re.compile(r"-?\d{1,7}")
_NAMED = re.compile(r"_(\d{1,7})")
"""How React Router writes the name of a member that is itself a value of the list."""
_PLAIN = frozenset(["Date", "BigInt", "RegExp", "URL", "null", "D", "B", "R", "U", "N", "E", "Y", "Z", "P"])
"""What begins a list that holds a value in words of its own rather than the numbers of others."""


def is_flat(value: object) -> TypeGuard[list[object]]:
    """Whether a value is such a list: whatever its objects say is the number of a value, and the first is an object or list."""
    if not isinstance(value, list) or len(value) < 3 or not isinstance(value[0], (dict, list)) or not value[0]:
        return False
    size, numbers, words = len(value), 0, 0
    for each in value:
        if isinstance(each, dict):
            if not all(_is_number(number, size) for number in each.values()):
                return False
            numbers += len(each)
        elif isinstance(each, list):
            named = bool(each) and isinstance(each[0], str) and not isinstance(each[0], Number)
            if not named and not all(_is_number(number, size) for number in each):
                return False
            numbers += len(each)
        words += isinstance(each, str) and not isinstance(each, Number)
    return numbers >= 2 and words > 0


def _is_number(value: object, size: int) -> bool:
    return isinstance(value, Number) and bool(_NUMBER.fullmatch(value)) and int(value) < size


class Flat:
    """The layout of such a list: the value it says, and where each part of that stands."""

    shared = True

    def __init__(self, under: Layout, at: int, values: list[object]) -> None:
        self.source = under.source
        self._under, self._values = under, values
        self._elements = under.spots(at)
        self._number = {spot.at: number for number, spot in enumerate(self._elements)}
        self._made: dict[int, object] = {}
        self.value = self._said(0)

    @property
    def at(self) -> int:
        """Where the first value of the list begins."""
        return self._elements[self._home(0)].at

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self._elements[self._home(0)].stop

    def spots(self, at: int) -> list[Spot]:
        """The members or elements of the object or array at `at`, in order, each with where what it refers to stands."""
        number = self._number.get(at)
        if number is None:
            return []
        value = self._values[number]
        if self._is_words(value):
            return []
        numbers = [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        spots: list[Spot] = []
        for place, named in zip(self._under.spots(at), numbers, strict=False):
            target = self._home(int(str(named)))
            home = self._elements[target] if target >= 0 else place
            own = place.place._replace(key=self._name(place.place.key))
            spots.append(Spot(own, home.at, home.stop))
        return spots

    def _home(self, number: int) -> int:
        """The number of the value itself, where what stands there only wraps it."""
        for _ in range(8):
            value = self._values[number] if number >= 0 else None
            if not (isinstance(value, list) and len(value) == 2 and self._is_words(value)):
                break
            if str(value[0]) in _PLAIN or not _is_number(value[1], len(self._values)):
                break
            number = int(str(value[1]))
        return number

    @staticmethod
    def _is_words(value: object) -> bool:
        """Whether a list begins with the name of what it is, not with a number."""
        return (
            isinstance(value, list) and bool(value) and isinstance(value[0], str) and not isinstance(value[0], Number)
        )

    def _name(self, key: str) -> str:
        named = _NAMED.fullmatch(key)
        name = self._values[int(named[1])] if named and int(named[1]) < len(self._values) else None
        return name if isinstance(name, str) else key

    def _said(self, number: int) -> object:
        """What the value of a number says; nothing where it is one of those around it, or deeper than anybody writes."""
        number = self._home(number)
        if number < 0:
            return None
        if number in self._made:
            return self._made[number]
        self._made[number] = None
        value = self._values[number]
        try:
            if isinstance(value, dict):
                self._made[number] = {self._name(key): self._said(int(str(named))) for key, named in value.items()}
            elif isinstance(value, list) and not self._is_words(value):
                self._made[number] = [self._said(int(str(named))) for named in value]
            elif not isinstance(value, list):
                self._made[number] = value
        except RecursionError:
            self._made[number] = None
        return self._made[number]
