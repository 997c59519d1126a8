"""What a script holds of its page's state: values that begin where it assigns, returns or hands one on, and strings of them."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from capper.domain.errors import Unrewritable
from capper.jsontext import Edit, Text, decode_at, loads, splice
from capper.markup import VOID
from capper.rewrite.prompts.answer.layout import Json
from capper.rewrite.prompts.answer.strip import edits_of
from capper.rewrite.prompts.answer.strip import strip as strip_answer
from capper.rewrite.prompts.base import Found, Heat, Reader
from capper.rewrite.prompts.page.strip import in_string
from capper.rewrite.prompts.state.literal import Given, Literal, read_arguments, read_literal
from capper.rewrite.prompts.state.quoting import quoted, unquoted

MOST_STARTS = 200
_EFFORT = 2
"""How often the script's own length may be read in vain."""
_START = re.compile(r"(?:=|\(|:|^|return|push\()\s*+(?=[\[{])")
_STRICT = re.compile(r"[\[{]\s*+[\"\[{\]}\dtfn-]")
_GAP = r"(?:\s++|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
_LOOSE = re.compile(rf"\[{_GAP}[\[{{\"'`\w$]|\{{{_GAP}(?:[\w$]++|\"[^\"\n]*+\"|'[^'\n]*+'){_GAP}[:,}}]")
_NAMED = re.compile(
    r"(?:state|data|store|props|nuxt|next|apollo|initial|preload|model|context|payload|page|remix|redux|relay|urql|cache)\w*"
    r"(?:\s*\]|[\"'])*\s*=\s*\Z",
    re.IGNORECASE,
)
"""What a script calls what it only hands on."""
_SHARE = 0.4
"""A literal that is so much of its script is state; in a program it may be anything."""
_FUNCTION = re.compile(r"function\s*\(([\w$,\s]*+)\)\s*\{(?:[^{}]*+[;}\s])?return\s*\Z")
_CALLED = re.compile(r"\s*;?\s*\}\s*\)?\s*(?=\()")
_PREAMBLE = 50_000
_WRITTEN = re.compile(
    r"(?:=|\(|:|,|return|\+)\s*+(?P<written>"
    r"\"(?=\s*+(?:[\[{<]|\\u007b|\\x7b|\\u003c|\\x3c))(?:[^\"\\\n]|\\.)*+\"|"
    r"'(?=\s*+(?:[\[{<]|\\u007b|\\x7b|\\u003c|\\x3c))(?:[^'\\\n]|\\.)*+'|"
    r"`(?=\s*+[\[{<])(?:[^`\\$]|\\.|\$(?!\{))*+`)",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<(/?)([a-z][\w-]*)", re.IGNORECASE)


def strip_script(source: str, reader: Reader, found: Found, heat: Heat) -> str:
    """A script without the prompts in the state it holds; the same object where there are none."""
    edits = [*_strings(source, reader, found, heat)]
    edits += _values(source, reader, found, heat, [(edit.start, edit.end) for edit in edits])
    return splice(source, edits) if edits else source


# Strings


def _strings(source: str, reader: Reader, found: Found, heat: Heat) -> Iterator[Edit]:
    """What to write for strings that hold JSON or HTML with prompts in it."""
    for match in islice(_WRITTEN.finditer(source), MOST_STARTS):
        start, end = match.span("written")
        if not heat.near(start, end):
            continue
        inner = unquoted(source[start + 1 : end - 1])
        stripped = _stripped(inner, reader, found)
        if stripped is not None and stripped != inner:
            yield Edit(start + 1, end - 1, quoted(stripped, source[start]))


def _stripped(inner: str, reader: Reader, found: Found) -> str | None:
    if inner.lstrip()[:1] == "<":
        stripped = in_string(inner, reader) if _is_whole(inner) else None
        if stripped is not None:
            found.add(reader.read(inner))
        return stripped
    value = loads(inner)
    if not isinstance(value, (dict, list)):
        return None
    text = Text(inner, len(inner) - len(inner.lstrip()), value, "utf-8")
    try:
        return strip_answer(text, reader, found, lambda html: in_string(html, reader))
    except Unrewritable:
        return None


def _is_whole(html: str) -> bool:
    """Whether every element that begins in a piece of HTML ends in it: others are put together with what is not here."""
    depth: dict[str, int] = {}
    for closing, name in _TAG.findall(html):
        if name.lower() not in VOID:
            depth[name.lower()] = depth.get(name.lower(), 0) + (-1 if closing else 1)
    return not any(depth.values())


# Values


def _values(source: str, reader: Reader, found: Found, heat: Heat, done: Sequence[tuple[int, int]]) -> Iterator[Edit]:
    """The edits that take prompts out of the values a script holds."""
    at, tried, effort = 0, 0, len(source) * _EFFORT
    while tried < MOST_STARTS and effort > 0:
        match = _START.search(source, at)
        if match is None or not heat.near(match.end(), len(source)):
            return
        start = match.end()
        layout = _layout(source, start)
        if isinstance(layout, int):
            tried += layout > 0
            effort -= layout
            at = max(start, match.start() + 1)
            continue
        at = layout.stop
        if not heat.near(start, layout.reach) or any(first <= start < last for first, last in done):
            continue
        try:
            for edit in edits_of(layout, reader, found, lambda html: in_string(html, reader), heat):
                # No string of a script may close it: what was written anew is kept from looking like markup.
                yield edit._replace(text=edit.text.replace("</", "<\\/"))
        except Unrewritable:
            continue


def _layout(source: str, start: int) -> Json | Literal | int:
    """The value that begins at `start`; a number where there is none: how many characters were read to see that."""
    if _STRICT.match(source, start):
        read = decode_at(source, start)
        if read is not None:
            return Json(Text(source, start, read[0], "utf-8"), read[1])
    if not _LOOSE.match(source, start):
        return 0
    literal = read_literal(source, start)
    if isinstance(literal, int):
        return literal
    given = _given(source, start, literal.stop)
    if given:
        again = read_literal(source, start, given)
        return again if isinstance(again, Literal) else literal
    state = literal.stop - start >= len(source) * _SHARE or _NAMED.search(source[max(start - 100, 0) : start])
    return literal if state else 0


def _given(source: str, start: int, end: int) -> dict[str, Given]:
    """What the names in a literal stand for that a function returns which is called on the spot."""
    before = source[max(start - _PREAMBLE, 0) : start]
    function = _FUNCTION.search(before) if before.rstrip().endswith("return") else None
    called = _CALLED.match(source, end) if function else None
    arguments = read_arguments(source, called.end()) if called else None
    if function is None or not arguments:
        return {}
    names = (name.strip() for name in function[1].split(","))
    return dict(zip(names, arguments, strict=False))
