"""T4: whether a picture is known again after it was changed, and no other one is taken for it."""

import random
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import combinations
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from capper.recognise.likeness import Likeness, fingerprint, same
from tables.row import Row, at_most, exactly, told

MADE = 60
_WORDS = [
    "fresh",
    "bright",
    "quick",
    "calm",
    "summer",
    "winter",
    "travel",
    "garden",
    "kitchen",
    "running",
    "savings",
    "music",
    "coffee",
    "island",
    "mountain",
    "sale",
]
_SIZES = ((728, 90), (300, 250), (336, 280), (970, 250), (300, 600), (320, 100))


def t4(data: Path | None) -> list[Row]:
    """On ads painted here, and on real ones where they are to be had."""
    rows = _judged("painted", painted(MADE))
    folder = data / "images" / "ads-chi2021" if data else None
    if folder is None or not folder.is_dir():
        return [*rows, told("real ads", "not computed: no ../shared/data/images here")]
    real = [Image.open(file).convert("RGB") for file in sorted(folder.iterdir())]
    return rows + _judged("real", real)


def _judged(which: str, pictures: Sequence[Image.Image]) -> list[Row]:
    known = [_print(each) for each in pictures]
    usable = [(picture, each) for picture, each in zip(pictures, known, strict=True) if each]
    alike = sum(same(one, other) for (_, one), (_, other) in combinations(usable, 2))
    number = len(usable)
    rows = [exactly(f"{number} {which} ads, {number * (number - 1) // 2} pairs: taken for one another", alike, 0)]
    for name, change in CHANGES.items():
        missed = sum((again := _print(change(picture))) is None or not same(each, again) for picture, each in usable)
        rows.append(at_most(f"{which}: missed after {name}, %", 100 * missed / number, 0.5, "{:.1f}"))
    return rows


def _print(picture: Image.Image) -> Likeness | None:
    out = BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return fingerprint(out.getvalue())


def _recoded(picture: Image.Image) -> Image.Image:
    out = BytesIO()
    picture.save(out, "JPEG", quality=40)
    return Image.open(out).convert("RGB")


def _scaled(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: picture.resize((int(picture.width * factor), int(picture.height * factor)))


def _cropped(picture: Image.Image) -> Image.Image:
    left, top = round(picture.width / 100), round(picture.height / 100)
    return picture.crop((left, top, picture.width - left, picture.height - top))


def _badged(picture: Image.Image) -> Image.Image:
    """The mark of AdChoices in its corner."""
    changed = picture.copy()
    draw = ImageDraw.Draw(changed)
    draw.rectangle((picture.width - 19, 0, picture.width, 15), fill="white")
    draw.polygon([(picture.width - 15, 3), (picture.width - 4, 8), (picture.width - 15, 13)], fill="#00aecd")
    return changed


def _overlaid(picture: Image.Image) -> Image.Image:
    """A button on a twentieth of it."""
    changed = picture.copy()
    area = picture.width * picture.height * 0.05
    width, height = int((area * 3) ** 0.5), int((area / 3) ** 0.5)
    place = (picture.width - width - 4, picture.height - height - 4, picture.width - 4, picture.height - 4)
    ImageDraw.Draw(changed).rectangle(place, fill=(0, 120, 220))
    return changed


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG at 40": _recoded,
    "half the size": _scaled(0.5),
    "twice the size": _scaled(2),
    "a crop of 1 %": _cropped,
    "a badge": _badged,
    "brightness of 1.2": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "a button on 5 %": _overlaid,
}


def painted(number: int, seed: int = 1) -> list[Image.Image]:
    """Ads as they are often made: a ground, shapes, a line or three of text, a button; all different."""
    rng = random.Random(seed)  # noqa: S311  nothing is secret here
    return [_ad(rng) for _ in range(number)]


def _ad(rng: random.Random) -> Image.Image:
    width, height = rng.choice(_SIZES)
    ground = _colour(rng)
    picture = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(3, 7)):
        left, top = rng.randint(-20, width), rng.randint(-20, height)
        box = (left, top, left + rng.randint(20, width // 2), top + rng.randint(20, max(height // 2, 40)))
        rng.choice((draw.ellipse, draw.rectangle))(box, fill=_colour(rng))
    # Ads are made to be read.
    ink = "black" if sum(ground) > 3 * 127 else "white"
    size = max(12, min(width, height) // 6)
    for line in range(rng.randint(1, 3)):
        words = " ".join(rng.sample(_WORDS, 2))
        place = (rng.randint(4, width // 3), rng.randint(2, 8) + line * size * 1.2)
        draw.text(place, words, fill=ink, font=ImageFont.load_default(size))
    return picture


def _colour(rng: random.Random) -> tuple[int, int, int]:
    return rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255)
