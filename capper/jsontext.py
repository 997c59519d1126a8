"""JSON as text with places: values are read as usual, and single members and elements are cut out or put in by splicing.

What is not cut stays as it was written, to the byte: numbers, escapes, white space, duplicate keys, lone surrogates.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from json.decoder import JSONDecodeError, JSONDecoder
from json.decoder import scanstring as _scanstring  # type: ignore[attr-defined]  # not in its stub
from typing import Any, NamedTuple

from capper.domain.errors import Unrewritable

type Step = str | int
type Path = tuple[Step, ...]

_PREFIX = re.compile(
    # What servers put before JSON, so that it cannot be run as a script, or so that it can be (JSONP).
    # Possessive throughout: a long run of blanks must not be tried in every way there is.
    r"\ufeff?+\s*+(?:\)\]\}',?+|while\s{0,9}\(1\)\s{0,9};|for\s{0,9}\(;;\)\s{0,9};|(?:/\*.{0,200}?\*/\s*+){0,5}+"
    r"(?:try\s{0,9}\{\s*+)?(?:[\w$.]{1,100}\s{0,9}&&\s{0,9})?"
    r"(?:(?:var\s{1,9})?[\w$.]{1,100}(?:\[[\"'\w]{1,60}\])?\s*+[=(](?=\s*+[\[{]))?)?+\s*+",
    re.DOTALL,
)
_SUFFIX = re.compile(
    r"\s*+\)?+\s*+;?+\s*+(?:\}\s{0,9}catch\s{0,9}(?:\(\w{0,20}\))?\s{0,9}\{\s{0,9}\}\s{0,9};?\s*+)?(?:/\*.{0,200}?\*/\s*+)?",
    re.DOTALL,
)
_NEXT = re.compile(r"[ \t]*+\r?+\n\s*+(?=[\[{])")
_MOST_LINES = 1_000
_BLANK = re.compile(r"[ \t\n\r]*")


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


# Numbers stay the text they are: nobody here computes with more than a price, and no integer is too long to read.
_READ: Callable[[str, int], tuple[Any, int]] = JSONDecoder(
    parse_constant=_refuse, parse_float=Number, parse_int=Number
).scan_once  # type: ignore[attr-defined]


class Place(NamedTuple):
    """A member or element: where its key begins (an element: its value), where its value begins and where it ends."""

    key: str
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """A JSON document: `value` is what it says, `source` its text with whatever stands around the JSON at `start`.

    Of several, each on lines of its own, `value` is the list, and `lines` are where each begins and ends.
    """

    source: str
    start: int
    value: Any
    codec: str
    lines: tuple[tuple[int, int], ...] = ()

    def encode(self, source: str) -> bytes:
        """`source`, an edited copy of this document's, in the bytes it came in."""
        return source.encode(self.codec)


def read(data: bytes) -> Text:
    """The JSON in `data`, guarded by a prefix or wrapped in a call as it may be.

    Raises:
        Unrewritable: it is no JSON that a browser would take.
    """
    try:
        source, codec = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # Another superset of ASCII: what matters here is ASCII.
        source, codec = data.decode("latin-1"), "latin-1"
    prefix = _PREFIX.match(source)
    start = prefix.end() if prefix else 0
    if source[start : start + 1] not in ("{", "["):
        raise Unrewritable("the answer is no JSON object or array")
    value, end = _scan(source, start)
    if _SUFFIX.fullmatch(source, end):
        return Text(source, start, value, codec)
    values, lines = [value], [(start, end)]
    while (gap := _NEXT.match(source, end)) and len(lines) < _MOST_LINES:
        value, end = _scan(source, gap.end())
        values.append(value)
        lines.append((gap.end(), end))
    if source[end:].strip():
        raise Unrewritable("the answer does not end where its JSON does")
    return Text(source, start, values, codec, tuple(lines))


def loads(text: str) -> Any:
    """The JSON value that `text` holds inside another document; None where it holds none."""
    begin = text[:64].lstrip()[:1]
    if begin not in ("{", "["):
        return None
    start = text.index(begin)
    try:
        value, end = _scan(text, start)
    except Unrewritable:
        return None
    return value if not text[end:].strip() else None


def decode_at(source: str, start: int) -> tuple[Any, int] | None:
    """The JSON value that begins at `start`, and where it ends; None where none does."""
    try:
        return _scan(source, start)
    except Unrewritable:
        return None


def _scan(source: str, start: int) -> tuple[Any, int]:
    try:
        return _READ(source, start)
    except (StopIteration, JSONDecodeError, ValueError) as exc:
        raise Unrewritable("the answer is no JSON") from exc
    except RecursionError as exc:
        raise Unrewritable("the answer's JSON is nested too deep") from exc


class Locator:
    """Finds where values stand in a document; what is read once is remembered, so many paths cost little more than one."""

    def __init__(self, text: Text) -> None:
        self.source = text.source
        self._places: dict[int, list[Place]] = {}
        self._root = text.start
        if text.lines:
            # The list of several documents is nowhere in the text.
            self._root = -1
            self._places[-1] = [Place("", start, start, end) for start, end in text.lines]

    def at(self, path: Sequence[Step]) -> int:
        """Where the value at `path` begins; of members with one name the last counts, as it does in a browser."""
        at = self._root
        for step in path:
            found = self.child(at, step)
            if found is None:
                raise Unrewritable("a value is not where it was read")
            at = found.value
        return at

    def child(self, at: int, step: Step) -> Place | None:
        """The member or element `step` of the object or array at `at`."""
        places = self.children(at)
        if isinstance(step, int):
            return places[step] if step < len(places) else None
        return next((place for place in reversed(places) if place.key == step), None)

    def children(self, at: int) -> list[Place]:
        """The members or elements of the object or array at `at`, in order."""
        if at not in self._places:
            self._places[at] = list(self._walk(at))
        return self._places[at]

    def end(self, at: int) -> int:
        """Where the value at `at` ends."""
        return _scan(self.source, at)[1]

    def _walk(self, at: int) -> Iterator[Place]:
        source, blank = self.source, _BLANK
        keyed = source[at] == "{"
        if not keyed and source[at] != "[":
            return
        at = blank.match(source, at + 1).end()  # type: ignore[union-attr]  # it matches anywhere
        while source[at] not in "}]":
            start, key = at, ""
            if keyed:
                key, at = _scanstring(source, at + 1, True)  # noqa: FBT003  a C function
                at = blank.match(source, blank.match(source, at).end() + 1).end()  # type: ignore[union-attr]
            _, end = _scan(source, at)
            yield Place(key, start, at, end)
            at = blank.match(source, end).end()  # type: ignore[union-attr]
            if source[at] == ",":
                at = blank.match(source, at + 1).end()  # type: ignore[union-attr]


class Edit(NamedTuple):
    """`text` instead of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


def cut(places: Sequence[Place], gone: Collection[int]) -> list[Edit]:
    """The edits that take the elements or members numbered `gone` out, each with one comma; the blanks of others stay."""
    if not gone:
        return []
    if len(set(gone)) == len(places):
        return [Edit(places[0].start, places[-1].end, "")]
    edits, kept = [], False
    for number, place in enumerate(places):
        if number not in gone:
            kept = True
        elif kept:
            edits.append(Edit(places[number - 1].end, place.end, ""))
        else:
            edits.append(Edit(place.start, places[number + 1].start, ""))
    return edits


def insert(source: str, at: int, places: Sequence[Place], items: Sequence[str]) -> Edit:
    """The edit that puts `items` (`"key": value`, or values) last into the object or array at `at`, spaced as its others are."""
    if not places:
        return Edit(at + 1, at + 1, ", ".join(items))
    last = places[-1]
    before = source[places[-2].end : last.start] if len(places) > 1 else f",{source[at + 1 : last.start]}"
    return Edit(last.end, last.end, "".join(before + item for item in items))


def splice(source: str, edits: Sequence[Edit]) -> str:
    """`source` with the edits made; an edit within what another cuts out is lost with it."""
    parts: list[str] = []
    at = 0
    # What is put in goes before what is cut out at the same place.
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end > edit.start, -edit.end)):
        if edit.start < at:
            if edit.end > at:
                raise Unrewritable("two edits of an answer overlap")
            continue
        parts += (source[at : edit.start], edit.text)
        at = edit.end
    return "".join((*parts, source[at:]))
