"""Small bars, computed here so that a page needs no script: what was shown below, what was withheld on top of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from capper.domain.daily import Daily

WIDTH: Final = 560
HEIGHT: Final = 180
_GAP: Final = 0.25
"""Of a bar's place, what stays free."""
_WIDEST: Final = 64.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar; lengths in the drawing's own units, `y` from above."""

    day: int
    counts: Daily
    x: float
    width: float
    shown_y: float
    shown_height: float
    withheld_y: float
    withheld_height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of equal width on one scale, whose upper end is `top`."""

    bars: tuple[Bar, ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT


def chart(days: Sequence[tuple[int, Daily]]) -> Chart:
    """The bars of `days`, from left to right."""
    top = _round_up(max((counts.met for _, counts in days), default=0))
    place = WIDTH / max(len(days), 1)
    width = min(place * (1 - _GAP), _WIDEST)
    return Chart(
        tuple(_bar(day, counts, place * (at + 0.5) - width / 2, width, top) for at, (day, counts) in enumerate(days)),
        top,
    )


def _bar(day: int, counts: Daily, x: float, width: float, top: int) -> Bar:
    shown, withheld = (round(HEIGHT * count / top, 1) for count in (counts.shown, counts.withheld))
    above = HEIGHT - shown
    return Bar(day, counts, round(x, 1), round(width, 1), above, shown, round(above - withheld, 1), withheld)


def _round_up(most: int) -> int:
    """The next number a person would choose for a scale."""
    step = 1
    while True:
        for factor in (1, 2, 3, 4, 5, 6, 8):
            if step * factor >= most:
                return step * factor
        step *= 10
