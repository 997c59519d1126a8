"""Video ads in JSON: an answer to a player (VAST, VMAP) that stands as a string in another answer.

    text = capper.jsontext.read(data)               # if may_hold(data)
    held = find(text, url, page)
    data = apply(text, [(held[0], withheld)])       # or `cuts`, for `capper.jsontext.splice` beside other edits

Ads are cut out of the string as it is written: what is left keeps its escapes, and every other byte its place.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from capper.domain.errors import Unrewritable
from capper.jsontext import Edit, Locator, Path, Step, Text, splice
from capper.rewrite.video import vast
from capper.rewrite.video.answer import Video, Videos

type _Way = tuple[_Way, Step] | None
"""A path from its end, so that all the ways into a deep document cost no more than it does."""

MOST = 50
_MOST_VALUES = 100_000
_MARKS = (b"vast", b"vmap", b"videoadservingtemplate", b"daast")
_HINTS = (b"<vast", b"003cvast", b":vast", b"<vmap", b"003cvmap", b":vmap", b"videoadservingtemplate", b"daast")
"""How a root element stands in JSON, in lower case."""
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Held:
    """A player's answer at `path` of a JSON document; the spans of its ads count characters of that string."""

    path: Path
    videos: Videos


def may_hold(source: bytes | str) -> bool:
    """Whether JSON might hold a player's answer: so that what does not is not even parsed."""
    data = source if isinstance(source, bytes) else source.encode("ascii", "replace")
    # The sign that every answer begins with is found, or not, before any word is.
    if b"<" not in data and not (b"\\" in data and b"u003" in data):
        return False
    data = data.lower()
    return any(mark in data for mark in _MARKS) and any(hint in data for hint in _HINTS)


def find(text: Text, url: str = "", page: str = "") -> tuple[Held, ...]:
    """The players' answers in a JSON document; what cannot be edited there is passed over."""
    if not may_hold(text.source):
        return ()
    held: list[Held] = []
    for way, value in _strings(text.value):
        if len(held) == MOST:
            break
        if vast.looks(value):
            try:
                videos = vast.find(value, url, page)
            except Unrewritable:
                continue
            if videos.ads or videos.tags:
                held.append(Held(_path(way), videos))
    return tuple(held)


def cuts(locator: Locator, held: Held, withheld: Collection[Video]) -> list[Edit]:
    """The edits that take these ads out of the string that holds them."""
    if not withheld:
        return []
    at = locator.at(held.path)
    literal = locator.source[at + 1 : locator.end(at) - 1]
    spans = sorted(video.span for video in withheld)
    written = _written(literal, [place for span in spans for place in span])
    return [Edit(at + 1 + start, at + 1 + end, "") for start, end in zip(written[::2], written[1::2], strict=True)]


def apply(text: Text, withheld: Sequence[tuple[Held, Collection[Video]]]) -> bytes:
    """The document without these ads of each string; every other byte stays."""
    locator = Locator(text)
    return text.encode(splice(text.source, [edit for held, ads in withheld for edit in cuts(locator, held, ads)]))


def _strings(value: Any) -> Iterator[tuple[_Way, str]]:
    """The strings of a JSON value with the ways to them, in document order."""
    waiting: list[tuple[_Way, Any]] = [(None, value)]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        way, each = waiting.pop()
        if type(each) is str:
            if len(each) > len("<VAST/>"):
                yield way, each
        elif isinstance(each, dict):
            waiting += [((way, key), inner) for key, inner in reversed(each.items())]
        elif isinstance(each, list):
            waiting += [((way, len(each) - number), inner) for number, inner in enumerate(reversed(each), 1)]


def _path(way: _Way) -> Path:
    steps: list[Step] = []
    while way is not None:
        way, step = way
        steps.append(step)
    return tuple(reversed(steps))


def _written(literal: str, places: Sequence[int]) -> list[int]:
    """Where the characters of a string stand in its JSON literal; `places` in ascending order."""
    found: list[int] = []
    longer = 0
    for escape in _ESCAPE.finditer(literal):
        while len(found) < len(places) and places[len(found)] <= escape.start() - longer:
            found.append(places[len(found)] + longer)
        if len(found) == len(places):
            return found
        longer += len(escape[0]) - 1
    return [*found, *(place + longer for place in places[len(found) :])]
