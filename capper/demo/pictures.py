"""The demo's pictures, painted at start: a banner per advertiser and size, and a photograph per site."""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont


@dataclass(frozen=True, slots=True)
class Look:
    """How an advertiser's banners look: `motif` is what stands in them."""

    motif: str
    back: str
    front: str
    slogan: str
    call: str


@lru_cache(maxsize=64)
def banner(look: Look, width: int, height: int) -> bytes:
    """A PNG banner; the same arguments give the same bytes."""
    image = Image.new("RGB", (width, height), look.back)
    draw = ImageDraw.Draw(image)
    size = min(width, height)
    wide = width > 2 * height
    box = (height // 5, height // 8, height, height) if wide else (width // 2 - 60, 24, width // 2 + 60, 144)
    _MOTIFS[look.motif](draw, box, look.front)
    left = height + height // 3 if wide else 18
    top = height // 6 if wide else 156
    draw.text((left, top), look.slogan, fill="white", font=ImageFont.load_default(size // 4 if wide else 22))
    button = (width - 150, height - 36, width - 14, height - 12) if wide else (18, height - 48, width - 18, height - 16)
    draw.rounded_rectangle(button, radius=6, fill=look.front)
    middle = ((button[0] + button[2]) / 2, (button[1] + button[3]) / 2)
    draw.text(middle, look.call, fill=look.back, anchor="mm", font=ImageFont.load_default(14))
    return _png(image)


@lru_cache(maxsize=16)
def photograph(sky: str, land: str, width: int = 640, height: int = 220) -> bytes:
    """A PNG landscape: what a page is about, as against its ads."""
    image = Image.new("RGB", (width, height), sky)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width - 150, 26, width - 90, 86), fill="#fff3c4")
    ridge = [(0, 150), (90, 96), (190, 158), (320, 70), (430, 152), (520, 112), (width, 166)]
    draw.polygon([*ridge, (width, height), (0, height)], fill=land)
    draw.rectangle((0, height - 40, width, height), fill="#4c6b58")
    return _png(image)


Box = tuple[int, int, int, int]


def _shoe(draw: ImageDraw.ImageDraw, box: Box, colour: str) -> None:
    x, y, right, bottom = box
    w, h = right - x, bottom - y
    upper = [(x, y + h * 0.3), (x + w * 0.35, y + h * 0.25), (x + w * 0.6, y + h * 0.5), (x + w, y + h * 0.62)]
    draw.polygon([*upper, (x + w, y + h * 0.74), (x, y + h * 0.74)], fill=colour)
    draw.rectangle((x, y + h * 0.76, x + w, y + h * 0.84), fill="white")
    for step in range(3):
        at = x + w * (0.36 + 0.09 * step)
        draw.line((at, y + h * (0.36 + 0.08 * step), at + w * 0.1, y + h * (0.30 + 0.08 * step)), fill="white", width=3)


def _sun(draw: ImageDraw.ImageDraw, box: Box, colour: str) -> None:
    x, y, right, bottom = box
    w, h = right - x, bottom - y
    draw.ellipse((x + w * 0.3, y + h * 0.1, x + w * 0.75, y + h * 0.55), fill=colour)
    for step in range(3):
        top = y + h * (0.6 + 0.1 * step)
        draw.arc((x, top, x + w * 0.5, top + h * 0.2), 180, 360, fill="white", width=4)
        draw.arc((x + w * 0.5, top, x + w, top + h * 0.2), 180, 360, fill="white", width=4)


def _cup(draw: ImageDraw.ImageDraw, box: Box, colour: str) -> None:
    x, y, right, bottom = box
    w, h = right - x, bottom - y
    draw.ellipse((x + w * 0.62, y + h * 0.42, x + w * 0.92, y + h * 0.68), outline=colour, width=6)
    draw.rounded_rectangle((x + w * 0.15, y + h * 0.35, x + w * 0.75, y + h * 0.8), radius=14, fill=colour)
    for step in range(3):
        at = x + w * (0.27 + 0.16 * step)
        draw.line((at, y + h * 0.1, at + w * 0.05, y + h * 0.2, at, y + h * 0.3), fill="white", width=4)


def _page(draw: ImageDraw.ImageDraw, box: Box, colour: str) -> None:
    x, y, right, bottom = box
    w, h = right - x, bottom - y
    draw.rounded_rectangle((x + w * 0.2, y + h * 0.1, x + w * 0.8, y + h * 0.85), radius=4, fill=colour)
    draw.rectangle((x + w * 0.28, y + h * 0.2, x + w * 0.72, y + h * 0.3), fill="#555")
    for step in range(4):
        top = y + h * (0.4 + 0.1 * step)
        draw.line((x + w * 0.28, top, x + w * (0.72 - 0.08 * (step % 2)), top), fill="#999", width=3)


_MOTIFS = {"page": _page, "shoe": _shoe, "sun": _sun, "cup": _cup}


def _png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
