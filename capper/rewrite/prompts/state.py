"""Prompts in the state that a page carries for its scripts, so that hydration does not bring back what was cut."""

import json
import re
from collections.abc import Callable, Iterator
from html import escape, unescape
from itertools import islice

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Place, Prompt
from capper.jsontext import Text, decode_at, loads
from capper.rewrite.prompts.answer.strip import strip as strip_answer
from capper.rewrite.prompts.base import Found, Reader
from capper.rewrite.prompts.page.strip import in_string

_NAME = re.compile(rb"[\s\"'](?:data-|:|v-bind:|props|state|model|initial)[\w:.-]{0,60}\Z", re.IGNORECASE)
_OPENING = re.compile(rb"<script\b[^>]*>", re.IGNORECASE)
_CLOSING = re.compile(rb"</script", re.IGNORECASE)
_HOLDING = re.compile(rb"=(?:\"\s*(?:[\[{]|&#123;|&lbrace;)|'\s*[\[{])")
_LITERAL = re.compile(
    r"(?:=|\(|:|,|return)\s*(?P<literal>\"(?=\s*(?:[\[{]|\\u007b|\\x7b))(?:[^\"\\\n]|\\.)*+\"|'(?=\s*(?:[\[{]|\\u007b|\\x7b))(?:[^'\\\n]|\\.)*+')",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTER = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_START = re.compile(r"(?:=|\(|:|^|return|push\()\s*(?=[\[{])")
MOST = 5_000_000
MOST_STARTS = 200


def strip(
    data: bytes, reader: Reader, charset: str = "", hot: Callable[[int, int], bool] | None = None
) -> tuple[bytes, tuple[Prompt, ...]]:
    """A page without the prompts in its scripts' state; the very same object where there are none."""
    found = Found(Place.STATE)
    edits: list[tuple[int, int, bytes]] = []
    tried = 0
    for start, end, read in _held(data):
        if hot is not None and not hot(start, end):
            continue
        tried += 1
        stripped = read(data[start:end], reader, found, charset) if tried <= MOST_STARTS else None
        if stripped is not None:
            edits.append((start, end, stripped))
    if not edits:
        return data, ()
    parts: list[bytes] = []
    at = 0
    for start, end, stripped in edits:
        parts += (data[at:start], stripped)
        at = end
    return b"".join((*parts, data[at:])), tuple(found.prompts)


type _Read = Callable[[bytes, Reader, Found, str], bytes | None]


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


def _attribute(body: bytes, reader: Reader, found: Found, charset: str) -> bytes | None:
    """The JSON an attribute holds for a component, without its prompts."""
    try:
        source = unescape(body[1:-1].decode(charset or "utf-8"))
    except (UnicodeDecodeError, LookupError):
        return None
    value = loads(source)
    if len(body) > MOST or not isinstance(value, (dict, list)):
        return None
    begin = len(source) - len(source.lstrip())
    try:
        text = Text(source, begin, value, "utf-8")
        stripped = strip_answer(text, reader, found, lambda html: in_string(html, reader))
    except Unrewritable:
        return None
    if stripped == source:
        return None
    return b'"%s"' % escape(stripped).encode("ascii", "xmlcharrefreplace")


def _script(body: bytes, reader: Reader, found: Found, charset: str) -> bytes | None:
    if not body.strip() or len(body) > MOST:
        return None
    codec = charset or "utf-8"
    try:
        source = body.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None
    new = "".join(_pieces("".join(_literals(source, reader, found)), reader, found))
    return new.encode(codec) if new != source else None


def _literals(source: str, reader: Reader, found: Found) -> Iterator[str]:
    """The script, each JSON value that is written as a string in it without its prompts."""
    at = 0
    for match in islice(_LITERAL.finditer(source), MOST_STARTS):
        start, end = match.span("literal")
        written = source[start + 1 : end - 1]
        if "\\" not in written:
            # What is read where it stands needs no second reading.
            continue
        inner = _ESCAPE.sub(_unescaped, written)
        value = loads(inner)
        if not isinstance(value, (dict, list)):
            continue
        begin = len(inner) - len(inner.lstrip())
        try:
            stripped = strip_answer(
                Text(inner, begin, value, "utf-8"), reader, found, lambda html: in_string(html, reader)
            )
        except Unrewritable:
            continue
        if stripped == inner:
            continue
        quoted = json.dumps(stripped)[1:-1].replace("</", "<\\/")
        if source[start] == "'":
            quoted = quoted.replace('\\"', '"').replace("'", "\\'")
        yield source[at : start + 1]
        yield quoted
        at = end - 1
    yield source[at:]


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _LETTER.get(match[3], match[3])


def _pieces(source: str, reader: Reader, found: Found) -> Iterator[str]:
    """The script, each JSON value in it without its prompts."""
    at = 0
    tried = 0
    while tried < MOST_STARTS:
        match = _START.search(source, at)
        if match is None:
            break
        tried += 1
        start = match.end()
        read = decode_at(source, start)
        if read is None:
            yield source[at:start]
            at = start
            if start == match.start():
                yield source[start : start + 1]
                at = start + 1
            continue
        value, end = read
        text = Text(source[start:end], 0, value, "utf-8")
        try:
            stripped = strip_answer(text, reader, found, lambda html: in_string(html, reader))
        except Unrewritable:
            stripped = text.source
        yield source[at:start]
        # No string of a script may close it: what was written anew is kept from looking like markup.
        yield stripped if stripped is text.source else stripped.replace("</", "<\\/")
        at = end
    yield source[at:]
