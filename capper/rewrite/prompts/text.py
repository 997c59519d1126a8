"""Prompts in plain text: a line of a message goes, the others stay."""

import re
from itertools import pairwise

from capper.domain.prompt import Place, Reading
from capper.rewrite.prompts.base import Found, Reader

_SENTENCE = re.compile(r"(?<=[.!?…])[\"”»']?\s+(?=[\"“«¿¡]?[^\W\d_a-zà-ÿ])|(?<=\s[•·|–—])\s+")
LONGEST = 100_000
_BETTER = 1.0
_OTHERS = frozenset(["own", "statement", "business", "action"])
PROSE = 420
"""A longer piece of text is somebody's prose: none of its sentences is looked at alone."""


def strip(text: str, reader: Reader, found: Found | None = None) -> str:
    """`text` without the lines, or sentences of a line, that are prompts; the same object where there are none."""
    if len(text) > LONGEST:
        return text
    found = found if found is not None else Found(Place.TEXT)
    lines = text.splitlines(keepends=True)
    kept = [_line(line, reader, found) for line in lines]
    if not found.prompts:
        return text
    for number, line in enumerate(lines):
        beside = kept[max(number - 1, 0) : number + 2]
        if None in beside and line.strip() and kept[number] == line and _belongs(reader.read(line)):
            kept[number] = ""
    return "".join(line for line in kept if line is not None)


def _line(line: str, reader: Reader, found: Found) -> str | None:
    """A line as it stays; None where all of it goes."""
    if not line.strip():
        return line
    rest = without(line, reader, found)
    return None if rest is not None and not rest.strip() else line if rest is None else rest


def without(text: str, reader: Reader, found: Found) -> str | None:
    """`text` without its prompt: "" where all of it is one, None where none of it is; other sentences stay."""
    whole = reader.read(text)
    if len(text) > PROSE and not whole.prompt:
        return None
    parts = sentences(text)
    if len(parts) == 1:
        if not whole.prompt:
            return None
        found.add(whole, text.strip())
        return ""
    readings = [reader.read(part) for part in parts]
    if not whole.prompt and not any(reading.prompt for reading in readings):
        return None
    gone = [reading.prompt for reading in readings]
    if whole.prompt:
        gone = [away or not _stays_beside(number, parts, readings, whole, reader) for number, away in enumerate(gone)]
    else:
        gone = _spread(gone, readings)
    if not any(gone):
        return None
    found.add(whole if all(gone) else max((r for r, away in zip(readings, gone, strict=True) if away), key=_score))
    return "".join(part for part, away in zip(parts, gone, strict=True) if not away)


def _stays_beside(number: int, parts: list[str], readings: list[Reading], whole: Reading, reader: Reader) -> bool:
    """Whether a sentence of a text that reads as a prompt is about something else: the rest reads more like one."""
    reading = readings[number]
    if _stays(reading) or (reading.greeting and not reading.support):
        return True
    rest = reader.read("".join(part for at, part in enumerate(parts) if at != number))
    if reading.signals & _OTHERS:
        return rest.score >= whole.score - _BETTER
    return not reading.support and rest.prompt and rest.score >= whole.score + _BETTER


def _belongs(reading: Reading) -> bool:
    """Whether a line beside a prompt is of it."""
    return reading.support and reading.score >= 0 and not reading.signals & _OTHERS


def _score(reading: Reading) -> float:
    return reading.score


def _stays(reading: Reading) -> bool:
    return reading.against or reading.warning or reading.foreign


def _spread(gone: list[bool], readings: list[Reading]) -> list[bool]:
    """What supports a prompt goes with it, as far as it stands beside it."""
    spread = list(gone)
    order = list(range(len(spread)))
    for walk in (order, order[::-1]):
        for before, here in pairwise(walk):
            reading = readings[here]
            if spread[before] and not spread[here] and not _stays(reading):
                spread[here] = reading.support
    return spread


def sentences(text: str) -> list[str]:
    """The sentences of a text with the blanks behind each; joined they are the text."""
    cuts = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]
