"""How large a slot is, as far as its markup tells: attributes, inline style, and the sizes ads are sold in."""

import re
from collections.abc import Iterable

from capper.markup import Element

Size = tuple[int, int]

LARGEST = 4096
_BEACON = 2
_ICON = 36
_TABLE = """
728x90 300x250 336x280 160x600 300x600 120x600 320x50 320x100 468x60 234x60 120x240 120x60 88x31 125x125 180x150 250x250
200x200 240x400 300x50 300x100 300x1050 970x90 970x250 970x66 930x180 980x120 980x240 980x90 980x300 990x250 1000x300
800x250 840x250 900x250 950x90 640x480 640x360 400x300 580x400 750x100 750x200 750x300 320x240 320x250 320x320 320x400
320x480 300x300 300x400 300x500 300x150 300x31 216x36 216x54 168x28 168x42 120x20 120x30 120x90 250x360 240x240 250x240
250x600 200x600 140x350 468x400 555x300 600x500 1200x250 1272x328
"""
SOLD = frozenset((int(width), int(height)) for width, height in re.findall(r"(\d+)x(\d+)", _TABLE))
"""The fixed sizes of the IAB and those in wide use in Europe."""

BANNERS = frozenset(
    [
        *(
            (728, 90),
            (970, 90),
            (970, 250),
            (980, 120),
            (980, 240),
            (930, 180),
            (468, 60),
            (234, 60),
            (320, 50),
            (320, 100),
        ),
        *((300, 250), (336, 280), (160, 600), (120, 600), (300, 600), (300, 1050), (125, 125)),
    ]
)
"""Of the sizes that ads are sold in those that other pictures hardly ever have."""

_PIXELS = re.compile(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*")
_STYLE = {
    side: re.compile(rf"(?:^|[;\s]){side}\s*:\s*(\d{{1,5}})(?:\.\d+)?px", re.IGNORECASE) for side in ("width", "height")
}
_SOLD = re.compile(r"(?<!\d)(\d{2,4})[xX_](\d{2,4})(?!\d)")


def own_size(element: Element) -> Size | None:
    """The size an element's own attributes or inline style give it, both sides in pixels."""
    width, height, _ = element.sides or _sides(element)
    return _whole(width, height)


def own_height(element: Element) -> int | None:
    """The height alone."""
    _, height, _ = element.sides or _sides(element)
    return height if height and height <= LARGEST else None


def named_size(texts: Iterable[str]) -> Size | None:
    """The one size ads are sold in that class names, ids or addresses name; None where they name none, or several."""
    found = {(int(width), int(height)) for text in texts for width, height in _SOLD.findall(text[:2000])} & SOLD
    return found.pop() if len(found) == 1 else None


def is_small(element: Element) -> bool:
    """Whether a picture is a beacon or an icon: no larger than a finger tip, and no ad is sold so small."""
    return (element.sides or _sides(element))[2]


def is_banner(picture: Element, files: Iterable[str]) -> bool:
    """Whether a picture has a size that banners are sold in and hardly anything else, by its attributes or its file's name."""
    return (own_size(picture) or named_size(files)) in BANNERS


def _whole(width: int | None, height: int | None) -> Size | None:
    return (width, height) if width and height and max(width, height) <= LARGEST else None


def _sides(element: Element) -> tuple[int | None, int | None, bool]:
    """Width, height, and whether that is small; kept with the element."""
    style = element.get("style")
    width, height = _side(element, "width", style), _side(element, "height", style)
    size = _whole(width, height)
    small = width == 0 or height == 0 or (size is not None and (min(size) <= _BEACON or max(size) <= _ICON))
    element.sides = width, height, small
    return element.sides


def _side(element: Element, side: str, style: str) -> int | None:
    found = (_STYLE[side].search(style) if style else None) or _PIXELS.fullmatch(element.get(side))
    return int(found[1]) if found else None
