"""One ad is counted once for each time it is delivered, however many requests deliver it."""

import pytest

NEWS = "https://www.news.example/story"
OTHER = "https://www.weekly.example/column"
IMAGE = "https://ads.example/shoes.png"
FRAME = "https://ads.example/frame?slot=1"
CREATIVE = (
    '<html><body><a href="https://adclick.g.doubleclick.net/pcs/click?adurl=https://www.shoes.example/">'
    '<img src="https://cdn.files.example/shoes-300.png"></a></body></html>'
)


async def test_an_element_and_its_picture(person, a_banner):
    """The element in the page and the picture it loads are one sighting."""
    anna = person("3 per advertiser per day")

    for _ in range(4):
        await anna.page(NEWS, a_banner())
        await anna.picture(IMAGE, "https://www.news.example/")

    assert (3, 1) == anna.counts


async def test_a_frame_its_nested_frame_and_its_picture(person):
    """A frame without an ad of its own, the creative in it and the creative's picture are one sighting."""
    anna = person("2 per advertiser per day")
    inner = "https://adserver.example/creative?id=1"

    for _ in range(3):
        await anna.page(NEWS)
        await anna.frame(
            FRAME, f'<html><body><iframe src="{inner}"></iframe></body></html>', "https://www.news.example/"
        )
        outcome = await anna.frame(inner, CREATIVE, FRAME)
        if not any(decision.withheld for decision in outcome.decisions):
            await anna.picture("https://cdn.files.example/shoes-300.png", inner)

    assert (2, 1) == anna.counts


@pytest.mark.parametrize("hops", [1, 3])
async def test_a_picture_that_an_ad_server_redirects(person, a_banner, hops):
    """The file at the end of a chain of redirects is the ad whose element named its beginning."""
    anna = person("2 per advertiser per day")
    chain = ["https://adserver.example/img?1", "https://adserver.example/img?2", "https://hop.example/3"][:hops]
    last = "https://cdn.files.example/a/shoes.png"

    for _ in range(3):
        await anna.page(NEWS, a_banner(picture=chain[0]))
        for at, to in zip(chain, [*chain[1:], last], strict=True):
            await anna.redirect(at, to, "https://www.news.example/")
        await anna.picture(last, "https://www.news.example/")

    assert (2, 1) == anna.counts


async def test_a_redirected_picture_that_no_element_named(person, a_picture):
    """A script's picture is the ad it was asked for as, though no list knows the host that keeps the file."""
    anna = person("2 per creative per day")
    last = "https://cdn.files.example/a/shoes.png"

    for _ in range(4):
        await anna.page(NEWS)
        await anna.redirect("https://adserver.example/serve?slot=1", last, "https://www.news.example/")
        await anna.picture(last, "https://www.news.example/", a_picture(3))

    assert (2, 2) == anna.counts


async def test_a_redirected_pixel_is_none(person, a_picture):
    """A chain of redirects that ends in a pixel was no ad."""
    anna = person("1 per creative per day")

    for _ in range(2):
        await anna.page(NEWS)
        await anna.redirect("https://adserver.example/sync?1", "https://sync.example/p", "https://www.news.example/")
        await anna.picture("https://sync.example/p", "https://www.news.example/", a_picture(1, (1, 1)))

    assert (0, 0) == anna.counts


async def test_a_redirect_without_a_target_passes(person):
    """A redirect that names no place, or an odd one, is left alone."""
    anna = person("1 per creative per day")

    for to in ("", "http://[::1", "//", "javascript:1"):
        outcome = await anna.redirect("https://adserver.example/1", to, NEWS)

        assert "" == outcome.note


async def test_the_same_picture_twice_in_a_page(person, a_banner):
    """Two elements are two ads to be seen, though the browser fetches their picture once or twice."""
    anna = person("4 per advertiser per day")

    for _ in range(3):
        await anna.page(NEWS, a_banner(), a_banner())
        await anna.picture(IMAGE, "https://www.news.example/")
        await anna.picture(IMAGE, "https://www.news.example/")

    assert (4, 2) == anna.counts


async def test_a_picture_in_several_sizes(person, a_banner):
    """Whichever of a srcset the browser takes is the element's."""
    anna = person("2 per advertiser per day")
    sizes = ["https://ads.example/shoes-300.png", "https://ads.example/shoes-600.png"]

    for size in (0, 1, 0):
        await anna.page(NEWS, a_banner(attributes=f'srcset="{sizes[0]} 1x, {sizes[1]} 2x"'))
        await anna.picture(sizes[size], "https://www.news.example/")

    assert (2, 1) == anna.counts


async def test_two_tabs_of_one_site(person, a_banner):
    """Two loads side by side are two, though neither's picture says to which it belongs."""
    anna = person("3 per advertiser per day")

    await anna.page(NEWS, a_banner())
    await anna.page("https://www.news.example/other", a_banner())
    for _ in range(2):
        await anna.picture(IMAGE, "https://www.news.example/")

    assert (2, 0) == anna.counts


async def test_a_reload_and_a_way_back(person, a_banner):
    """A page loaded anew shows its ads anew."""
    anna = person("2 per advertiser per day")

    for url in (NEWS, NEWS, OTHER, NEWS):
        await anna.page(url, a_banner())
        await anna.picture(IMAGE, url)

    assert (2, 2) == anna.counts


async def test_two_devices_at_once(person, a_banner):
    """The same page at the same moment on two devices of one person is two sightings."""
    anna = person("3 per advertiser per day")

    for device in ("phone", "laptop"):
        await anna.page(NEWS, a_banner(), device=device)
    for device in ("laptop", "phone"):
        await anna.picture(IMAGE, "https://www.news.example/", device=device)

    assert (2, 0) == anna.counts


async def test_a_page_that_tells_no_referrer(person, a_banner):
    """Under `no-referrer` a picture still leads back to its element."""
    anna = person("2 per advertiser per day")

    for _ in range(3):
        await anna.page(NEWS, a_banner())
        await anna.picture(IMAGE)

    assert (2, 1) == anna.counts


async def test_a_page_that_moves_to_https(person, a_banner):
    """The redirect from http to https is no load of its own, and a picture asked for as http is the one loaded as https."""
    anna = person("2 per advertiser per day")

    for _ in range(3):
        await anna.ask("http://www.news.example/story", "document", b"", "text/html", status=301, Location=NEWS)
        await anna.page(NEWS, a_banner(picture="http://ads.example/shoes.png"))
        await anna.redirect("http://ads.example/shoes.png", IMAGE, "https://www.news.example/")
        await anna.picture(IMAGE, "https://www.news.example/")

    assert (2, 1) == anna.counts


# Where pages are not decrypted, only what they ask of ad hosts is seen.


async def test_a_page_not_opened_is_known_by_its_pauses(person):
    """All that a site's page asks for in one go is one load: a cap per page holds in it, and opens with the next."""
    anna = person("1 per advertiser per page")
    frames = [f"https://ads.example/frame?slot={slot}" for slot in (1, 2)]

    for _ in range(2):
        for frame in frames:
            await anna.frame(frame, CREATIVE, "https://www.news.example/")
            anna.wait(seconds=2)
        anna.wait(minutes=3)

    assert (2, 2) == anna.counts


async def test_a_frame_on_a_page_not_opened_and_its_picture(person):
    """They are one sighting there too, and another frame is another."""
    anna = person("3 per advertiser per day")
    for _ in range(4):
        outcome = await anna.frame(FRAME, CREATIVE, "https://www.news.example/")
        if not outcome.decisions[0].withheld:
            await anna.picture("https://cdn.files.example/shoes-300.png", FRAME)
        anna.wait(seconds=5)

    assert (3, 1) == anna.counts


async def test_two_sites_not_opened_are_two_pages(person):
    """What one site's page shows does not fill the cap of another's, at the same moment."""
    anna = person("1 per advertiser per page")

    for site in ("https://www.news.example/", "https://www.weekly.example/"):
        await anna.frame(FRAME, CREATIVE, site)

    assert (2, 0) == anna.counts


async def test_the_parts_of_a_banner_are_one(person, a_picture):
    """A banner made of several files, which only its script names, is one sighting."""
    anna = person("2 per creative per day")
    frame = "https://ads.example/html5/banner?id=1"

    for _ in range(3):
        await anna.page(NEWS)
        await anna.frame(
            frame, "<html><body><script src=banner.js></script></body></html>", "https://www.news.example/"
        )
        for part in range(3):
            await anna.picture(f"https://ads.example/html5/part{part}.png", frame, a_picture(part + 2))

    assert (2, 1) == anna.counts


async def test_the_script_named_parts_of_a_counted_frame(person, a_picture):
    """What a counted creative's script asks for belongs to it too."""
    anna = person("2 per advertiser per day", "2 per creative per day")

    for _ in range(2):
        await anna.page(NEWS)
        await anna.frame(FRAME, CREATIVE, "https://www.news.example/")
        for part in range(3):
            await anna.picture(f"https://ads.example/html5/part{part}.png", FRAME, a_picture(part + 2))

    assert (2, 0) == anna.counts
