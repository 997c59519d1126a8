"""Reads a literal of JavaScript as the value it says, with the place of each part: what JSON is not strict enough for.

Unquoted names, single quotes, template strings, trailing commas, comments, `void 0`, `!0`. What is no literal (a call, a sum, a
name) says nothing, but for names that are given. A function among the values makes it code, and none of our business.
"""

import re
from collections.abc import Mapping

from capper.jsontext import Number, Place
from capper.rewrite.prompts.answer.layout import Spot
from capper.rewrite.prompts.answer.walk import DEEPEST, MOST
from capper.rewrite.prompts.state.quoting import unquoted

LONGEST = 1_000_000
"""Characters: a longer literal is left alone, for reading it costs a hundred times what JSON does."""
_EXPRESSION = 2_000
"""Characters: nothing longer that is no literal stands in state."""
_SPACE = re.compile(r"(?:\s++|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/|//[^\n]*+)*+")
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'|`(?:[^`\\$]|\\.|\$(?!\{))*+`", re.DOTALL)
_FILLED = re.compile(r"`(?:[^`\\$]|\\.|\$(?!\{)|\$\{[^{}`\"']*+\})*+`", re.DOTALL)
_FILLING = re.compile(r"\$\{[^}]*\}")
_NUMBER = re.compile(r"-?(?:\d[\d_]*+(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?n?(?![\w$.])")
_WORD = re.compile(r"[^\W\d]\w*+(?:\$\w*+)*+|\$[\w$]*+")
_CONSTANT = re.compile(r"(?:true|!0|false|!1|null|undefined|void 0|NaN|-?Infinity)(?![\w$.(])")
_TRUE, _FALSE = ("true", "!0"), ("false", "!1")
_CODE = re.compile(r"(?:function|async|class|await|yield)(?![\w$])|=>")
_OTHER = re.compile(r"[^\s\"'`/()\[\]{},;\w$=]++|[\w$]++|=")
_PATTERN = re.compile(r"/(?![*/])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/[a-z]*+")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class _Otherwise(Exception):
    """It is no literal, or not one that can be read; `at` is how far it was."""

    def __init__(self, at: int) -> None:
        self.at = at


class Filled(str):
    """A text with gaps that a script fills: it can be taken out, and not be written anew."""

    __slots__ = ()


class Literal:
    """A literal and where each part of it stands."""

    def __init__(
        self, source: str, at: int, stop: int, value: object, spots: Mapping[int, list[Spot]], *, shared: bool
    ) -> None:
        self.source, self.at, self.stop, self.value, self.shared = source, at, stop, value, shared
        self.reach = max([stop, *(spot.stop for row in spots.values() for spot in row)]) if shared else stop
        """Where the last of what it says ends."""
        self._spots = spots

    def spots(self, at: int) -> list[Spot]:
        """The members or elements of the object or array at `at`, in order."""
        return self._spots.get(at, [])


type Given = tuple[object, int, int]
"""What a name stands for, and from where to where that is written."""


def read_literal(source: str, at: int, given: Mapping[str, Given] | None = None) -> Literal | int:
    """The object or array that begins at `at`; a number where it is none: how many characters were read to see that."""
    reader = _Reader(source, given or {})
    try:
        value, stop = reader.value(at, 0)
    except _Otherwise as otherwise:
        return max(otherwise.at - at, 1)
    if not isinstance(value, (dict, list)):
        return stop - at
    return Literal(source, at, stop, value, reader.spots, shared=bool(given))


def read_arguments(source: str, at: int) -> list[Given] | None:
    """The arguments of a call whose parenthesis is at `at`; None where it is none, or not one that can be read."""
    reader = _Reader(source, {})
    try:
        reader.row(at, ")", 0)
    except _Otherwise:
        return None
    return [(reader.said[spot.at], spot.at, spot.stop) for spot in reader.spots[at]]


class _Reader:
    """One pass over a literal."""

    def __init__(self, source: str, given: Mapping[str, Given]) -> None:
        self.source, self.given = source, given
        self.spots: dict[int, list[Spot]] = {}
        self.said: dict[int, object] = {}
        """What each element of a row says, by where it stands."""
        self._count = 0
        self._stop = 0

    def value(self, at: int, depth: int) -> tuple[object, int]:
        """The value at `at`, and where it ends."""
        self._count += 1
        self._stop = self._stop or at + LONGEST
        if depth > DEEPEST or self._count > MOST or at > self._stop:
            raise _Otherwise(at)
        source = self.source
        first = source[at : at + 1]
        value: object
        if first == "{":
            value, end = self._object(at, depth)
        elif first == "[":
            value, end = self.row(at, "]", depth)
        elif first in "\"'`" and first and (match := _STRING.match(source, at)):
            value, end = unquoted(match[0][1:-1]), match.end()
        elif match := _NUMBER.match(source, at):
            value, end = Number(match[0]), match.end()
        elif match := _CONSTANT.match(source, at):
            value, end = True if match[0] in _TRUE else False if match[0] in _FALSE else None, match.end()
        else:
            return self._expression(at)
        behind = self._space(end)
        if source[behind : behind + 1] in (",", "}", "]", ")", ";", "") or depth == 0:
            return value, end
        return self._expression(at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, object], int]:
        source = self.source
        members: dict[str, object] = {}
        spots: list[Spot] = []
        here = self._space(at + 1)
        while source[here : here + 1] != "}":
            start = here
            key, here = self._key(here)
            here = self._space(here)
            if source[here : here + 1] == ":":
                here = self._space(here + 1)
                value, spot_at, spot_end, end = self._given(here, depth)
            elif source[here : here + 1] in (",", "}"):
                # `{name}` is `{name: name}`.
                value, spot_at, spot_end = self.given.get(key, (None, start, here))
                end = here
            else:
                raise _Otherwise(here)
            members[key] = value
            spots.append(Spot(Place(key, start, here, end), spot_at, spot_end))
            here = self._comma(end, "}")
        self.spots[at] = spots
        return members, here + 1

    def row(self, at: int, closing: str, depth: int) -> tuple[list[object], int]:
        """The values between the bracket at `at` and `closing`, and where that ends."""
        source = self.source
        values: list[object] = []
        spots: list[Spot] = []
        here = self._space(at + 1)
        while source[here : here + 1] != closing:
            value, spot_at, spot_end, end = self._given(here, depth)
            values.append(value)
            self.said[spot_at] = value
            spots.append(Spot(Place("", here, here, end), spot_at, spot_end))
            here = self._comma(end, closing)
        self.spots[at] = spots
        return values, here + 1

    def _given(self, at: int, depth: int) -> tuple[object, int, int, int]:
        """A value, from where to where what it says is written, and where it ends."""
        word = _WORD.match(self.source, at) if self.given else None
        if word and word[0] in self.given and self.source[self._space(word.end())] in ",}])":
            value, start, stop = self.given[word[0]]
            return value, start, stop, word.end()
        value, end = self.value(at, depth + 1)
        return value, at, end, end

    def _key(self, at: int) -> tuple[str, int]:
        if match := _STRING.match(self.source, at):
            return unquoted(match[0][1:-1]), match.end()
        match = _WORD.match(self.source, at) or _NUMBER.match(self.source, at)
        if match is None:
            raise _Otherwise(at)
        return match[0], match.end()

    def _comma(self, at: int, closing: str) -> int:
        """Where the next part begins, or what closes the whole stands."""
        at = self._space(at)
        if self.source[at : at + 1] == ",":
            return self._space(at + 1)
        if self.source[at : at + 1] != closing:
            raise _Otherwise(at)
        return at

    def _space(self, at: int) -> int:
        return _SPACE.match(self.source, at).end()  # type: ignore[union-attr]  # it matches anywhere

    def _expression(self, at: int) -> tuple[object, int]:
        """What is no literal, up to where it ends: a text with gaps if it is nothing but texts put together, else nothing."""
        source, here, joined = self.source, at, True
        open_: list[str] = []
        texts: list[str] = []
        while True:
            here = self._space(here)
            first = source[here : here + 1]
            if not first or here - at > _EXPRESSION or _CODE.match(source, here):
                raise _Otherwise(here)
            if first in ")]}" and open_:
                if open_.pop() != first:
                    raise _Otherwise(here)
                here += 1
            elif first in ",)]};" and not open_:
                break
            elif first in _CLOSING:
                open_.append(_CLOSING[first])
                here += 1
            elif first in "\"'`":
                match = _STRING.match(source, here) or _FILLED.match(source, here)
                if match is None:
                    raise _Otherwise(here)
                if not open_:
                    texts.append(unquoted(_FILLING.sub(" ", match[0][1:-1])))
                here = match.end()
            elif first == "/" and (match := _PATTERN.match(source, here)):
                here = match.end()
            elif match := _OTHER.match(source, here):
                joined = joined and (
                    bool(open_) or match[0] in ("+", ".") or match[0][0].isalnum() or match[0][0] in "_$"
                )
                here = match.end()
            else:
                here += 1
        if here == at:
            raise _Otherwise(here)
        return (Filled(" ".join(texts)) if texts and joined else None), here
