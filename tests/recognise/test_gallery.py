"""The same picture in another file is the same creative, and names an advertiser that nothing else names."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from capper.domain.identity import Ad, Basis
from capper.recognise.gallery import Gallery


def picture(seed: int, form: str = "PNG", width: int = 300) -> bytes:
    """A picture of rectangles that `seed` places, in a file of its own."""
    image = Image.new("RGB", (300, 250), "white")
    draw = ImageDraw.Draw(image)
    for n in range(12):
        x, y = (seed * 37 + n * 71) % 220, (seed * 53 + n * 43) % 180
        draw.rectangle((x, y, x + 60, y + 40 + n), fill=((n * 40) % 256, (seed * 90) % 256, (n * seed * 20) % 256))
    file = BytesIO()
    image.resize((width, width * 250 // 300)).save(file, form)
    return file.getvalue()


SIZE = (300, 250)
SHOES = Ad(("shoes.example",), None, "ads.example/1.png", basis=Basis.CLICK)


@pytest.fixture
def gallery() -> Gallery:
    """A gallery that has met one picture, of a shoe shop."""
    gallery = Gallery(most=50)
    assert gallery.identify(picture(1), SIZE, SHOES).ad == SHOES
    return gallery


def test_another_file_of_a_known_picture_is_the_known_creative(gallery):
    """Smaller, and a JPEG, at another address: the advertiser is known by the picture."""
    stranger = Ad(creative="cdn.example/9.jpg", basis=Basis.URL)

    found = gallery.identify(picture(1, "JPEG", 200), SIZE, stranger).ad

    assert Ad(("shoes.example",), None, "ads.example/1.png", basis=Basis.LIKENESS) == found


def test_another_picture_is_another_ad(gallery):
    """A picture that looks different keeps what its address says."""
    stranger = Ad(creative="cdn.example/9.jpg", basis=Basis.URL)

    assert stranger == gallery.identify(picture(5), SIZE, stranger).ad


def test_a_named_advertiser_is_never_overruled_by_a_picture(gallery):
    """Two shops that use one template stay two."""
    boots = Ad(("boots.example",), None, "ads.example/2.png", basis=Basis.CLICK)

    assert boots == gallery.identify(picture(1, "JPEG"), SIZE, boots).ad
    assert SHOES.advertisers == gallery.identify(picture(1), SIZE, Ad()).ad.advertisers


def test_the_advertiser_learnt_later_names_the_picture(gallery):
    """A picture first met without its advertiser is named by a later sighting that has one."""
    first = Ad(creative="cdn.example/7.png", basis=Basis.URL)
    gallery.identify(picture(7), SIZE, first)

    named = gallery.identify(picture(7), SIZE, Ad(("travel.example",), None, "x.example/7.png", basis=Basis.CLICK)).ad
    again = gallery.identify(picture(7, "JPEG"), SIZE, Ad()).ad

    assert ("cdn.example/7.png", ("travel.example",)) == (named.creative, again.advertisers)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_what_is_no_picture_teaches_nothing(gallery, data):
    """Damaged files keep what their address says."""
    stranger = Ad(creative="cdn.example/9.jpg", basis=Basis.URL)

    assert stranger == gallery.identify(data, SIZE, stranger).ad


def test_the_gallery_is_bounded():
    """No more pictures are remembered than it may hold."""
    gallery = Gallery(most=3)

    for seed in range(12):
        gallery.identify(picture(seed), SIZE, Ad((f"a{seed}.example",), basis=Basis.CLICK))

    assert len(gallery._ads) <= 3
    assert len(gallery._files) <= 3


@pytest.mark.parametrize("width", [300, 16])
def test_a_file_is_looked_at_once(gallery, monkeypatch, width):
    """The same bytes again, also of a picture too small to be told from others, are known without a look."""
    data = picture(2, width=width)
    first = gallery.identify(data, SIZE, SHOES)
    monkeypatch.setattr("capper.recognise.likeness.fingerprint", None)

    assert gallery.identify(data, SIZE, SHOES) == first


def test_a_file_met_before_is_recalled_at_once(gallery):
    """The same bytes need no second look; others do, and so does everybody while one is looking."""
    stranger = Ad(creative="cdn.example/9.png", basis=Basis.URL)

    recalled = gallery.recall(picture(1), lambda: stranger)
    with gallery._lock:
        waiting = gallery.recall(picture(1), lambda: stranger)

    assert (SIZE, ("shoes.example",)) == (recalled.size, recalled.ad.advertisers)
    assert (None, None) == (gallery.recall(picture(5), lambda: stranger), waiting)
