"""Prompts in plain text: a line of a message goes, the others stay."""

import re
from itertools import pairwise

from capper.domain.prompt import Place, Reading
from capper.rewrite.prompts.base import Found, Reader

_SENTENCE = re.compile(r"(?<=[.!?…])[\"”»']?\s+(?=[\"“«¿¡]?[^\W\d_a-zà-ÿ])|(?<=\s[•·|–—])\s+")
_ASIDE = re.compile(r"[•·|–—-]\s*$")
LONGEST = 100_000
PROSE = 420
"""A longer piece of text is somebody's prose: none of its sentences is looked at alone."""


def strip(text: str, reader: Reader, found: Found | None = None) -> str:
    """`text` without the lines, or sentences of a line, that are prompts; the same object where there are none."""
    if len(text) > LONGEST:
        return text
    found = found if found is not None else Found(Place.TEXT)
    lines = text.splitlines(keepends=True)
    kept = [line for line in (_line(line, reader, found) for line in lines) if line is not None]
    return "".join(kept) if found.prompts else text


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
    hailed = readings[0].greeting and not readings[0].support and _ASIDE.search(parts[0])
    if hailed and whole.prompt:
        rest = without("".join(parts[1:]), reader, found)
        return None if rest is None else parts[0] + rest
    if whole.prompt and not any(map(_stays, readings)):
        found.add(whole, text.strip())
        return ""
    gone = [reading.prompt for reading in readings]
    if not any(gone) and whole.prompt:
        # Said over several sentences: those that speak of it make it together.
        gone = [reading.support or reading.bare or reading.prompt for reading in readings]
        together = reader.read(" ".join(part for part, away in zip(parts, gone, strict=True) if away))
        gone = gone if together.prompt else [False] * len(parts)
    if not any(gone):
        return None
    gone = _spread(gone, readings)
    found.add(next(reading for reading, away in zip(readings, gone, strict=True) if away))
    return "".join(part for part, away in zip(parts, gone, strict=True) if not away)


def _stays(reading: Reading) -> bool:
    return reading.against or reading.warning or "business" in reading.signals


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
