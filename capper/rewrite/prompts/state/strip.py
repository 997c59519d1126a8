"""Prompts in the state that a page carries for its scripts, so that hydration does not bring back what was cut."""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Place
from capper.jsontext import Text, loads
from capper.rewrite.charset import bytes_of, text_of
from capper.rewrite.prompts.answer.strip import strip as strip_answer
from capper.rewrite.prompts.base import Found, Heat, Reader
from capper.rewrite.prompts.page.strip import Edit, in_string
from capper.rewrite.prompts.state.flight import Piece, piece_of, strip_flight
from capper.rewrite.prompts.state.script import strip_script

_NAME = re.compile(rb"[\s\"'](?:data-|:|v-bind:|props|state|model|initial)[\w:.-]{0,60}\Z", re.IGNORECASE)
_OPENING = re.compile(rb"<script\b[^>]*>", re.IGNORECASE)
_CLOSING = re.compile(rb"</script", re.IGNORECASE)
_HOLDING = re.compile(rb"=(?:\"\s*(?:[\[{]|&#123;|&lbrace;)|'\s*[\[{])")
MOST = 5_000_000
"""Bytes: a longer script is left alone."""
MOST_HELD = 200


type _Read = Callable[[bytes, Reader, Found, str, Heat], bytes | None]


def find(
    data: bytes, reader: Reader, charset: str, heat: Heat, said: frozenset[str] = frozenset()
) -> tuple[list[Edit], Found]:
    """The edits that take prompts out of the state in a page's scripts and attributes, and what was found.

    `said` is what the page says in its prompts. A warning in what goes is to be put elsewhere in the page.
    """
    found = Found(Place.STATE, movable=True, said=said)
    edits: list[Edit] = []
    pieces: list[Piece] = []
    tried = 0
    for start, end, read in _held(data):
        piece = piece_of(data, start, end) if read is _script else None
        if piece is not None:
            pieces.append(piece)
            continue
        if tried >= MOST_HELD or not heat.near(start, end):
            continue
        tried += 1
        body = data[start:end]
        stripped = read(body, reader, found, charset, heat.inside(start, body, body.decode("latin-1"), "latin-1"))
        if stripped is not None:
            edits.append((start, end, stripped))
    if pieces and heat.near(pieces[0].start, pieces[-1].end):
        edits += strip_flight(pieces, reader, found, heat, lambda html: in_string(html, reader))
    return edits, found


def _held(data: bytes) -> Iterator[tuple[int, int, _Read]]:
    """What a page holds for its scripts, in order: their own text, and JSON in attributes."""
    at = 0
    while True:
        opening = _OPENING.search(data, at)
        stop = opening.start() if opening else len(data)
        for match in _HOLDING.finditer(data, at, stop):
            start = match.start() + 1
            if start < at:
                continue
            end = data.find(data[start : start + 1], start + 1, stop) + 1
            if end and _NAME.search(data[max(start - 80, 0) : start - 1]):
                yield start, end, _attribute
                at = end
        if opening is None:
            return
        closing = _CLOSING.search(data, opening.end())
        at = closing.start() if closing else len(data)
        yield opening.end(), at, _script


def _attribute(body: bytes, reader: Reader, found: Found, charset: str, _heat: Heat) -> bytes | None:
    """The JSON an attribute holds for a component, without its prompts."""
    written = text_of(body[1:-1], charset)
    source = unescape(written) if written is not None else ""
    stripped = _json(source, reader, found) if len(body) <= MOST else None
    if stripped is None:
        return None
    return b'"%s"' % escape(stripped).encode("ascii", "xmlcharrefreplace")


def _script(body: bytes, reader: Reader, found: Found, charset: str, heat: Heat) -> bytes | None:
    if not body.strip() or len(body) > MOST:
        return None
    source = text_of(body, charset)
    if source is None:
        return None
    if source.lstrip().startswith("{&q;"):
        return _angular(source, reader, found, charset)
    new = strip_script(source, reader, found, heat.inside(0, body, source, charset or "utf-8"))
    return bytes_of(new, charset) if new is not source else None


_NAMES = (("&q;", '"'), ("&s;", "'"), ("&l;", "<"), ("&g;", ">"), ("&a;", "&"))


def _angular(source: str, reader: Reader, found: Found, charset: str) -> bytes | None:
    """JSON with names of its own for quotes and brackets, as Angular wrote it up to its version 15."""
    said = source
    for name, letter in _NAMES:
        said = said.replace(name, letter)
    stripped = _json(said, reader, found)
    if stripped is None:
        return None
    for name, letter in _NAMES[::-1]:
        stripped = stripped.replace(letter, name)
    return bytes_of(stripped, charset)


def _json(source: str, reader: Reader, found: Found) -> str | None:
    """JSON and nothing else without its prompts; None where it is none, or has none."""
    value = loads(source)
    if not isinstance(value, (dict, list)):
        return None
    text = Text(source, len(source) - len(source.lstrip()), value, "utf-8")
    try:
        stripped = strip_answer(text, reader, found, lambda html: in_string(html, reader))
    except Unrewritable:
        return None
    return stripped if stripped != source else None
