"""The placeholder as SVG: a calm box of a given size whose text fits it, drawn with attributes alone.

Presentation attributes need no style sheet and no script, so no Content-Security-Policy can refuse them. The output is
ASCII, so it fits every charset that keeps ASCII; the greys are readable on white and on black (contrast above 4).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from capper.remembered import remembered
from capper.rewrite.wording import Words

GREY = "#767676"
PAD = 5
LINE = 1.3
_SIZES = (14, 13, 12, 11, 10, 9)
_COMFORTABLE = 12
_FLUID_WIDTH = 180
_LONGEST_SIDE = 8192

# Widths in em of the widest sans-serif in common use (DejaVu Sans), rounded up.
_BREAK = re.compile(r"(?<=[\w][-.])(?=\w)")
_NARROW = frozenset("iljtfI.,:;'|!()[] /\\")
_WIDE = frozenset("mwMW@%\N{EN DASH}\N{EM DASH}\N{HORIZONTAL ELLIPSIS}")
_GLYPHS = (("narrow", 0.42), ("plain", 0.64), ("capital", 0.80), ("wide", 1.0), ("full", 1.1))
_EM = dict(_GLYPHS)


@dataclass(frozen=True, slots=True)
class Layout:
    """Lines of text and the font size (px) in which they fit a box."""

    lines: tuple[str, ...]
    font: int


def draw(size: tuple[int, int], words: Words | None, dress: str = "") -> str:
    """A placeholder of `size` CSS pixels; no `words`, or no room for any, then an empty box.

    Args:
        dress: attributes of the picture it stands for (class, id, style), ready to be written.
    """
    width, height = (min(max(side, 0), _LONGEST_SIDE) for side in size)
    head = f'<svg{dress} xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    if min(width, height) < 12 or words is None:
        return f'{head} role="presentation"/>'
    layout = fit(width, height, words)
    middle = f"{width / 2:g}"
    return (
        f'{head} viewBox="0 0 {width} {height}" {_names(words)}'
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" {_BOX}/>'
        f"{_text(layout, middle, height, _gap(words))}{_END[bool(words.link)]}"
    )


def draw_fluid(height: int | None, words: Words, dress: str = "") -> str:
    """A placeholder as wide as its container, for a slot whose size only a browser knows."""
    layout = Layout(tuple(_wrapped(words, 12, _FLUID_WIDTH)), 12)
    height = max(height or 0, round(len(layout.lines) * 12 * LINE) + 2 * PAD)
    return (
        f'<svg{dress} xmlns="http://www.w3.org/2000/svg" width="100%" height="{height}" {_names(words)}'
        f'<rect width="100%" height="100%" {_BOX}/>{_text(layout, "50%", height, _gap(words))}{_END[bool(words.link)]}'
    )


@remembered(1024)
def fit(width: int, height: int, words: Words) -> Layout:
    """As much of `words` as fits the box, in the largest comfortable type; less text goes before small type."""
    for least in (_COMFORTABLE, _SIZES[-1]):
        for candidate in _candidates(words):
            for font in (size for size in _SIZES if size >= least):
                parts = [_wrap(part, font, width - 2 * PAD) for part in candidate]
                lines = [line for part in parts for line in part]
                if all(parts) and _fits(len(lines), font, height):
                    return Layout(tuple(lines), font)
    return Layout((), 0)


def ascii_text(text: str) -> str:
    """Text as markup: escaped, and every character beyond ASCII as a reference."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")


_END = {False: "</svg>", True: "</a></svg>"}
_BOX = f'fill="{GREY}" fill-opacity=".07" stroke="{GREY}" stroke-opacity=".55"'


def _candidates(words: Words) -> Iterator[tuple[str, ...]]:
    """What to say, the fullest first."""
    reason = ", ".join(part for part in (words.why, words.when) if part)
    labels = tuple(label for _, label in words.deeds)
    if labels:
        yield tuple(part for part in (words.who, words.why, words.when, *labels) if part)
    yield tuple(part for part in (words.who, words.why, words.when) if part)
    yield tuple(part for part in (words.who, reason) if part)
    yield (words.sentence,)
    yield tuple(part for part in (words.who, words.why) if part)
    yield (reason,)
    yield (words.why,)
    yield (words.short,)


def _wrapped(words: Words, font: int, width: int) -> Iterator[str]:
    for part in (words.who, words.why, words.when, *(label for _, label in words.deeds)):
        yield from _wrap(part, font, width) or ([_elide(part, font, width)] if part else [])


def _wrap(text: str, font: int, width: float) -> list[str]:
    """`text` in lines of at most `width`; none where a piece that cannot be broken is longer."""
    lines: list[str] = []
    for word in text.split():
        if lines and _width(f"{lines[-1]} {word}", font) <= width:
            lines[-1] += f" {word}"
            continue
        for number, piece in enumerate(_BREAK.split(word)):
            if number and _width(lines[-1] + piece, font) <= width:
                lines[-1] += piece
            elif _width(piece, font) <= width:
                lines.append(piece)
            else:
                return []
    return lines


def _fits(lines: int, font: int, height: float) -> bool:
    return lines * font * LINE <= height - PAD


def _elide(text: str, font: int, width: float) -> str:
    while text and _width(text + "\N{HORIZONTAL ELLIPSIS}", font) > width:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"


def _width(text: str, font: int) -> float:
    return font * sum(map(_em, text))


@lru_cache(4096)
def _em(char: str) -> float:
    return _EM[_glyph(char)]


def _glyph(char: str) -> str:
    if char in _NARROW:
        return "narrow"
    if char in _WIDE:
        return "wide"
    if ord(char) > 0x2E7F:
        return "full"
    return "capital" if char.isupper() else "plain"


def _names(words: Words) -> str:
    """What it is called; where it leads somewhere, all of it is the link, which HTML allows inside another."""
    label, language = ascii_text(words.label or words.sentence), ascii_text(words.language)
    if not words.link:
        return f'role="img" lang="{language}" aria-label="{label}"><title>{label}</title>'
    link = f'href="{ascii_text(words.link)}" target="_blank" rel="noopener noreferrer"'
    return f'lang="{language}"><title>{label}</title><a {link}>'


def _gap(words: Words) -> str:
    """Between lines: a link is called by its text, which is read out as words rather than as one."""
    return " " if words.link else ""


def _text(layout: Layout, x: str, height: int, gap: str) -> str:
    if not layout.lines:
        return ""
    step = layout.font * LINE
    # The first baseline: the block is centred, and a line's ink sits about 0.35 em around its middle.
    top = height / 2 - (len(layout.lines) - 1) * step / 2 + layout.font * 0.35
    lines = gap.join(
        f'<tspan x="{x}" y="{top + step * number:.1f}">{ascii_text(line)}</tspan>'
        for number, line in enumerate(layout.lines)
    )
    face = f'font-family="system-ui,sans-serif" font-size="{layout.font}" font-weight="400" letter-spacing="0"'
    return f'<text fill="{GREY}" stroke="none" text-anchor="middle" {face}>{lines}</text>'
