"""The same picture in another file."""

import io
import random
import subprocess
import sys
from itertools import combinations

import imagehash
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from capper.recognise.likeness import DHASH_NEAR, PHASH_NEAR, Likeness, LikenessIndex, fingerprint, same
from capper.recognise.picture import open_for_hash


def _png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _prints(folder):
    found = {file.name: fingerprint(file.read_bytes()) for file in sorted(folder.iterdir())}
    return {name: likeness for name, likeness in found.items() if likeness}


def _as_imagehash(number):
    return imagehash.hex_to_hash(f"{number:064x}")


def test_hashes_are_imagehash_s(shared_data):
    """The hashes are those of imagehash, bit for bit but for ties at the median."""
    files = sorted((shared_data / "images" / "ads-chi2021").iterdir())[:25]
    for file in files:
        picture = open_for_hash(file.read_bytes())
        mine = fingerprint(file.read_bytes())

        assert _as_imagehash(mine.phash) - imagehash.phash(picture, 16) <= 2
        assert _as_imagehash(mine.dhash) == imagehash.dhash(picture, 16)


@pytest.mark.parametrize(
    "folder", ["variants-pdq-bridge", "variants-pdq-modes", "variants-forest", "variants-forest-colour"]
)
def test_variants_match(shared_data, folder):
    """Files that show one picture changed are one picture."""
    # Two files of the modes are other pictures: a low-contrast one, and a tiny one of something else.
    prints = {name: it for name, it in _prints(shared_data / "images" / folder).items() if name != "wee.jpg"}

    assert len(prints) > 3
    assert [pair for pair in combinations(prints, 2) if not same(prints[pair[0]], prints[pair[1]])] == []


@pytest.mark.parametrize(
    "folder", ["distinct-office", "distinct-pdq-labelme", "distinct-perception", "ads-chi2021", "adchoices-icons"]
)
def test_different_pictures_do_not_match(shared_data, folder):
    """Pictures of different things, 200 real ads among them, are different."""
    prints = _prints(shared_data / "images" / folder)

    assert [pair for pair in combinations(prints, 2) if same(prints[pair[0]], prints[pair[1]])] == []


def _rendered(image):
    width, height = image.size
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=40)
    yield jpeg.getvalue()
    yield _png(image.resize((width // 2, height // 2)))
    yield _png(image.resize((width * 2, height * 2)))
    yield _png(image.crop((width // 100 + 1, height // 100 + 1, width - width // 100 - 1, height - height // 100 - 1)))
    yield _png(ImageEnhance.Brightness(image).enhance(1.2))
    overlaid = image.copy()
    side = (int((width * height * 0.15) ** 0.5), int((width * height * 0.05 / 3) ** 0.5))
    place = (width - side[0] - 4, height - side[1] - 4, width - 4, height - 4)
    ImageDraw.Draw(overlaid).rectangle(place, fill=(0, 120, 220))
    yield _png(overlaid)


def test_re_renderings_match(shared_data):
    """A real ad compressed, scaled, trimmed, brightened or with a button on it is the same ad."""
    missed = []
    for file in sorted((shared_data / "images" / "ads-chi2021").iterdir())[::16]:
        image = Image.open(file).convert("RGB")
        original = fingerprint(_png(image))
        missed += (file.name for data in _rendered(image) if not same(original, fingerprint(data)))

    assert missed == []


def test_blanks_have_no_likeness():
    """What is blank, nearly blank or tiny looks like everything else of the kind, so it has no likeness."""
    nearly = Image.new("L", (300, 250), 250)
    nearly.putpixel((5, 5), 0)

    assert fingerprint(_png(Image.new("RGB", (300, 250), "white"))) is None
    assert fingerprint(_png(nearly)) is None
    assert fingerprint(_png(Image.linear_gradient("L").resize((16, 16)))) is None
    assert fingerprint(b"GIF89a nothing") is None


def test_lines_of_text_on_white_do_not_all_match():
    """Pictures that are mostly white are told apart by what little is on them."""
    chance = random.Random(3)
    prints = []
    for _ in range(30):
        image = Image.new("RGB", (300, 250), "white")
        left, top = chance.randrange(20, 200), chance.randrange(20, 180)
        ImageDraw.Draw(image).text((left, top), "SALE", fill="black", font=ImageFont.load_default(40))
        prints.append((left, top, fingerprint(_png(image))))
    pairs = [(a, b) for a, b in combinations(prints, 2) if abs(a[0] - b[0]) + abs(a[1] - b[1]) > 20]

    assert [pair for pair in pairs if same(pair[0][2], pair[1][2])] == []


def _flip(number, bits):
    for bit in random.Random(bits).sample(range(256), bits):
        number ^= 1 << bit
    return number


_CHANCE = random.Random(5)
SHOES = Likeness(_CHANCE.getrandbits(256), _CHANCE.getrandbits(256))
FAR = _flip(SHOES.phash, 128), _flip(SHOES.dhash, 128)


def test_thresholds():
    """Near by either hash is the same; far by both is another."""

    assert same(SHOES, Likeness(_flip(SHOES.phash, PHASH_NEAR), FAR[1]))
    assert same(SHOES, Likeness(FAR[0], _flip(SHOES.dhash, DHASH_NEAR)))
    assert not same(SHOES, Likeness(_flip(SHOES.phash, PHASH_NEAR + 1), _flip(SHOES.dhash, DHASH_NEAR + 1)))


def test_index_finds_the_nearest():
    """Of several that are near, the nearest is found; of none, nothing."""
    index = LikenessIndex(10)

    assert index.nearest(SHOES) is None

    index.add(Likeness(*FAR), "far")
    index.add(Likeness(_flip(SHOES.phash, 30), SHOES.dhash), "near")
    index.add(Likeness(_flip(SHOES.phash, 3), SHOES.dhash), "nearest")

    assert index.nearest(SHOES) == "nearest"
    assert index.nearest(Likeness(_CHANCE.getrandbits(256), _CHANCE.getrandbits(256))) is None


def test_texts_veto():
    """Alike pictures whose texts have nothing in common are a template's; an unknown text contradicts nothing."""
    index = LikenessIndex(10)
    index.add(SHOES, "shoes", "Winter shoes now half price")

    assert index.nearest(SHOES, "Summer hotels from 50 euros a night") is None
    assert index.nearest(SHOES, "winter SHOES now half price today") == "shoes"
    assert index.nearest(SHOES) == "shoes"


def test_index_forgets_the_oldest():
    """At its limit the index forgets the oldest first."""
    index = LikenessIndex(3)
    chance = random.Random(7)
    seen = [Likeness(chance.getrandbits(256), chance.getrandbits(256)) for _ in range(5)]
    for at, likeness in enumerate(seen):
        index.add(likeness, str(at))

    assert [index.nearest(likeness) for likeness in seen] == [None, None, "2", "3", "4"]
    assert len(index) == 3


def test_index_agrees_with_same():
    """The index finds what comparing one by one finds, across its growth."""
    chance = random.Random(9)
    index = LikenessIndex(1_000)
    known = []
    for at in range(600):
        sparse = sum(1 << chance.randrange(256) for _ in range(20)) % (1 << 256)
        known.append(Likeness(chance.getrandbits(256), sparse if at % 2 else chance.getrandbits(256)))
        index.add(known[-1], str(at))
    for likeness in known[::7]:
        asked = Likeness(_flip(likeness.phash, 100), _flip(likeness.dhash, chance.randrange(0, 40)))

        assert (index.nearest(asked) is not None) == any(same(asked, other) for other in known)


def test_an_index_of_nothing():
    """An index that may hold nothing is refused."""
    with pytest.raises(ValueError, match="at least 1"):
        LikenessIndex(0)


def test_scipy_stays_out(shared_data):
    """Hashing a picture loads no scipy: it would cost 35 MB and half a second of silence."""
    file = next((shared_data / "images" / "ads-chi2021").iterdir())
    script = (
        "import sys; from capper.recognise.likeness import fingerprint;"
        f"assert fingerprint(open({str(file)!r}, 'rb').read());"
        "sys.exit('scipy' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
