"""Pictures as they come over the wire: what their header says, and their pixels, within limits that a hostile file cannot pass."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    IcoImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.ImageFile import ImageFile

LANCZOS = Image.Resampling.LANCZOS
"""The filter that hashes are made with."""

_SIDE = 20_000
"""No ad is longer in pixels; a header that says so lies."""
_DECODED = 16_000_000
"""How many pixels are decoded at most: 64 MB."""
_DRAFT = (256, 256)
"""A JPEG may be decoded at a fraction of its size, no smaller than this."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture's header says. `frames` is 2 where there are two or more, so that a long film need not be read."""

    width: int
    height: int
    format: str
    frames: int = 1


def measure(data: bytes) -> Picture | None:
    """Read the header only, whatever it claims; None for what is no picture we know, or one of incredible size."""
    image = _open(data)
    if image is None:
        return None
    try:
        moving = getattr(image, "is_animated", False)
    except Exception:  # noqa: BLE001  as in _open
        moving = False
    return Picture(*image.size, image.format or "", 2 if moving else 1)


def open_for_hash(data: bytes) -> Image.Image | None:
    """The first frame in grey, transparent parts white; None for what cannot be decoded or is too large to be worth it."""
    image = _open(data)
    if image is None or image.width * image.height > _DECODED:
        return None
    try:
        image.draft("L", _DRAFT)
        image.load()
        if image.mode in {"L", "RGB", "CMYK", "YCbCr"} and "transparency" not in image.info:
            return image.convert("L")
        if image.mode in {"I", "I;16", "F"}:
            return image.convert("L")
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("L")
    except Exception:  # noqa: BLE001  as in _open
        return None


def _open(data: bytes) -> "ImageFile | None":
    """The picture with its header read, by the format its first bytes tell."""
    reader = next((reader for magic, at, reader in _FORMATS if data.startswith(magic, at)), None)
    if reader is None:
        return None
    try:
        image = reader(BytesIO(data))
    except Exception:  # noqa: BLE001  damaged files raise two dozen kinds of exceptions in Pillow
        return None
    return image if 0 < image.width <= _SIDE and 0 < image.height <= _SIDE else None


# By hand and not by Image.open, which asks every plugin in turn and warns of what is only measured here.
_FORMATS: "tuple[tuple[bytes, int, Callable[[BytesIO], ImageFile]], ...]" = (
    (b"\x89PNG\r\n\x1a\n", 0, PngImagePlugin.PngImageFile),
    (b"\xff\xd8\xff", 0, JpegImagePlugin.JpegImageFile),
    (b"GIF8", 0, GifImagePlugin.GifImageFile),
    (b"WEBP", 8, WebPImagePlugin.WebPImageFile),
    (b"ftypavif", 4, AvifImagePlugin.AvifImageFile),
    (b"ftypavis", 4, AvifImagePlugin.AvifImageFile),
    (b"BM", 0, BmpImagePlugin.BmpImageFile),
    (b"\x00\x00\x01\x00", 0, IcoImagePlugin.IcoImageFile),
)
