"""Real ad pictures through the gate: the same one in another file is capped as one, and two are never taken for one."""

import io
from zlib import crc32

import pytest
from PIL import Image

SITES = [f"https://www.{name}.example/story" for name in ("news", "weekly", "daily", "hourly")]
HOST = "https://tpc.googlesyndication.com/simgad"


def again(data, size=1.0, form="JPEG", **options):
    """The picture in another file."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = (max(3, round(side * size)) for side in image.size)
    out = io.BytesIO()
    image.resize((width, height), Image.Resampling.LANCZOS).save(out, form, **options)
    return out.getvalue()


@pytest.fixture(scope="module")
def real_pictures(shared_data):
    """Screenshots of ads, by name."""
    files = sorted((shared_data / "images" / "ads-chi2021").glob("*.webp"))
    return {file.stem: file.read_bytes() for file in files}


async def test_one_picture_at_four_addresses(person, real_pictures):
    """Re-encoded and resized, from addresses of their own on four sites, a picture is one creative."""
    for name in list(real_pictures)[::20]:
        data = real_pictures[name]
        anna = person("2 per creative per day")
        files = [data, again(data, quality=60), again(data, 0.5, "PNG"), again(data, 1.5, "WEBP", quality=80)]
        for number, (site, file) in enumerate(zip(SITES, files, strict=True)):
            await anna.page(site)
            await anna.picture(f"{HOST}/{name}{number:05}", site, file)

        assert (2, 2) == anna.counts, name


async def test_without_a_telling_address(person, real_pictures):
    """Where an address tells nothing of the creative, the picture alone does."""
    name, data = next(iter(real_pictures.items()))
    anna = person("2 per creative per day")
    for number, site in enumerate(SITES):
        await anna.page(site)
        await anna.picture(f"https://adserver.example/serve?slot={number}", site, data)

    assert (2, 2) == anna.counts, name


@pytest.mark.slow
async def test_different_ads_are_never_merged(person, real_pictures):
    """Of two hundred different ads none is withheld for another's sake."""
    anna = person("1 per creative per day")
    merged = []
    for name, data in real_pictures.items():
        await anna.page(SITES[0])
        outcome = await anna.picture(f"{HOST}/{len(name):02}{crc32(name.encode()):012}", SITES[0], data)
        merged += [name for decision in outcome.decisions if decision.withheld]

    assert [] == merged
