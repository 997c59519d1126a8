"""Pictures' headers and pixels, within limits."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from capper.recognise.picture import Picture, measure, open_for_hash


def _encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP"])
def test_measure(form):
    """Every format the web shows is measured."""

    assert measure(_encoded(Image.new("RGB", (300, 250), "red"), form)) == Picture(300, 250, form, 1)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_moving_pictures(form):
    """Two frames or two hundred: it moves."""
    frames = [Image.new("RGB", (30, 20), color) for color in ("red", "blue", "green")]
    data = _encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)

    assert measure(data) == Picture(30, 20, form, 2)


def _png(width, height, pixels=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def test_incredible_sizes():
    """A header that claims more than any ad has is not believed; one that claims much is not decoded."""

    assert measure(_png(2_000_000_000, 2_000_000_000)) is None
    assert measure(_png(20_001, 1)) is None
    assert measure(_png(15_000, 15_000)) == Picture(15_000, 15_000, "PNG")
    assert open_for_hash(_png(15_000, 15_000)) is None


def test_a_header_that_lies():
    """A file whose pixels are not what its header says is measured and not decoded."""
    data = _png(300, 250, b"\0" * 10)

    assert measure(data) == Picture(300, 250, "PNG")
    assert open_for_hash(data) is None


def test_a_bomb_inflates_no_further_than_its_header():
    """A hundred megabytes behind a small header are not inflated."""
    picture = open_for_hash(_png(4, 4, bytes(100_000_000)))

    assert picture is None or picture.size == (4, 4)


def test_huge_canvas_of_a_small_film():
    """A WebP film with a canvas of a gigabyte is no picture."""
    side = (16_383 - 1).to_bytes(3, "little")
    inner = _encoded(Image.new("RGB", (8, 8)), "WEBP")[12:]
    frame = bytes(6) + (7).to_bytes(3, "little") * 2 + (100).to_bytes(3, "little") + b"\0" + inner
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + side + side
    body += b"ANIM" + struct.pack("<I", 6) + bytes(6) + b"ANMF" + struct.pack("<I", len(frame)) + frame

    assert measure(b"RIFF" + struct.pack("<I", len(body)) + body) is None


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_modes(mode):
    """Every colour mode becomes grey."""
    picture = open_for_hash(_encoded(Image.new("RGB", (30, 20), "red").convert("L").convert(mode), "PNG"))

    assert (picture.mode, picture.size) == ("L", (30, 20))


def test_transparent_is_white():
    """What shows the page behind it is taken as white, whatever colour hides there."""
    picture = open_for_hash(_encoded(Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "PNG"))

    assert picture.getextrema() == (255, 255)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF", "BMP"])
@given(data=st.data())
def test_damage_never_raises(form, data):
    """A truncated or altered file is measured or not, and nothing worse."""
    whole = bytearray(_encoded(Image.linear_gradient("L").resize((40, 30)), form))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[at] = data.draw(st.integers(0, 255))
    part = bytes(whole[: data.draw(st.integers(0, len(whole)))])

    assert isinstance(measure(part), Picture | None)
    assert isinstance(open_for_hash(part), Image.Image | None)


@given(st.binary(max_size=200))
def test_garbage_is_no_picture(data):
    """Bytes that are no picture have no size."""

    assert measure(data) is None or isinstance(measure(data), Picture)
