"""What Next.js streams to its client: rows of a number and a value, cut into strings wherever a buffer was full.

`self.__next_f.push([1,"5:[\\"$\\",\\"h2\\",null,{\\"chil"])` is half a row: the strings of a page's scripts are read as one text, and each
keeps what of it stays.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from capper.domain.errors import Unrewritable
from capper.jsontext import Edit, Text, decode_at
from capper.rewrite.prompts.answer.layout import Json
from capper.rewrite.prompts.answer.strip import edits_of
from capper.rewrite.prompts.base import Found, Heat, Reader

_PUSH = re.compile(
    rb"\s*(?:\(?self\.__next_f\s*=\s*self\.__next_f\s*\|\|\s*\[\]\)?|self\.__next_f)\.push\(\[1,\s*(\"(?:[^\"\\]|\\.)*+\")\s*\]\)\s*;?\s*"
)
_ROW = re.compile(r"[0-9a-f]{1,8}:")
_LONG = re.compile(r"[TAOoUSsLlGgMmV]([0-9a-f]{1,8}),")
"""A row that says how many bytes long it is, and ends without a line's end."""


class Piece(NamedTuple):
    """A string of a page's scripts: where it stands between its marks and what it says."""

    start: int
    end: int
    text: str


def piece_of(data: bytes, start: int, end: int) -> Piece | None:
    """The string that the script from `start` to `end` pushes; None where it does something else."""
    match = _PUSH.fullmatch(data, start, end)
    if match is None:
        return None
    try:
        return Piece(*match.span(1), json.loads(match[1]))
    except ValueError:
        return None


def strip_flight(
    pieces: Sequence[Piece], reader: Reader, found: Found, heat: Heat, markup: Callable[[str], str | None]
) -> Iterator[tuple[int, int, bytes]]:
    """The edits of a page that take prompts out of the rows its pieces make together."""
    stream = "".join(piece.text for piece in pieces)
    ends: list[int] = []
    for piece in pieces:
        ends.append((ends[-1] if ends else 0) + len(piece.text))
    edits: list[Edit] = []
    for start, end in _rows(stream):
        touched = [
            piece for piece, stop in zip(pieces, ends, strict=True) if stop > start and stop - len(piece.text) < end
        ]
        if not found.said and not any(heat.near(piece.start, piece.end) for piece in touched):
            continue
        read = decode_at(stream, start)
        if read is None or stream[read[1] : end].strip():
            continue
        try:
            edits += edits_of(Json(Text(stream, start, read[0], "utf-8"), read[1]), reader, found, markup)
        except Unrewritable:
            continue
    for piece, stop in zip(pieces, ends, strict=True):
        left = _left(piece.text, stop - len(piece.text), edits)
        if left != piece.text:
            yield piece.start, piece.end, json.dumps(left).replace("<", "\\u003c").encode("ascii")


def _rows(stream: str) -> Iterator[tuple[int, int]]:
    """From where to where each row's JSON stands, of those that have any."""
    at = 0
    while match := _ROW.match(stream, at):
        start = match.end()
        long = _LONG.match(stream, start)
        if long:
            # Bytes, not characters: what is beyond ASCII is longer than it looks.
            size, at = int(long[1], 16), long.end()
            said = stream[at : at + size].encode("utf-8", "surrogatepass")[:size]
            at += len(said.decode("utf-8", "ignore"))
            continue
        end = stream.find("\n", start)
        end = len(stream) if end < 0 else end
        if stream[start : start + 1] in ("[", "{"):
            yield start, end
        at = end + 1


def _left(text: str, offset: int, edits: Sequence[Edit]) -> str:
    """What is left of a piece that begins at `offset`; what is written anew stands in the piece where that begins."""
    parts: list[str] = []
    at, end = offset, offset + len(text)
    for edit in sorted(edits):
        if edit.end <= at and not (edit.start == edit.end == at):
            continue
        if edit.start >= end:
            break
        begins = edit.start >= offset
        if begins:
            parts += (text[at - offset : max(edit.start - offset, at - offset)], edit.text)
        at = max(at, min(edit.end, end))
    return "".join((*parts, text[at - offset :]))
