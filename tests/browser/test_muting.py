"""What a person does about an ad, by a real browser over HTTPS: from its placeholder to her own page, and what holds after."""

from pathlib import Path

import pytest
from playwright.async_api import Page

from capper.demo.household import Household
from capper.demo.sites import CHOICES, NEWS, RECIPES, WEATHER, Site
from capper.testing import FrozenClock

pytestmark = pytest.mark.timeout(240)

CAPS = """
caps = []
[[rules]]
advertiser = "shoes.example"
caps = ["2 per advertiser per day"]
"""
BY_ITSELF = """(async () => {
    const address = document.querySelector(".i").href
    for (const [tag, how] of [["img", "src"], ["iframe", "src"], ["link", "href"]]) {
        const made = document.createElement(tag)
        made.rel = "prefetch"
        made[how] = address
        document.body.append(made)
    }
    await fetch(address, {mode: "no-cors"})
    open(address)
    await new Promise(done => setTimeout(done, 500))
})()"""
"""What an ad's script could do with the address behind its mark, when nobody clicks."""


@pytest.fixture
def sees(clock: FrozenClock):
    """The banners on a site's page, a minute after the last: `sees(page, NEWS)`."""

    async def look(page: Page, site: Site) -> list[str]:
        clock.forward(minutes=1)
        await page.goto(f"https://{site.host}/", wait_until="networkidle")
        shown = []
        for frame in page.frames:
            shown += await frame.locator("img[alt]:not([alt=''])").evaluate_all(
                "all => all.filter(one => one.complete && one.naturalWidth > 0).map(one => one.alt)"
            )
        return shown

    return look


async def opened(page: Page, link) -> Page:
    """The page that a link opens in a window of its own."""
    async with page.context.expect_page() as opening:
        await link.click()
    new = await opening.value
    await new.wait_for_load_state("networkidle")
    return new


async def test_never_again_from_a_placeholder(sit_down, sees, clock: FrozenClock, artifacts: Path):
    """Over her cap anna mutes the shoes: a day later too they are gone from every site and browser of hers, not from ben's."""
    laptop, phone, ben = [await sit_down(device) for device in ("laptop", "phone", "ben")]
    assert [await sees(laptop, NEWS), await sees(phone, WEATHER)] == [["shoes", "travel"], ["coffee", "shoes"]]
    assert await sees(laptop, WEATHER) == ["coffee"]
    frame = laptop.frame_locator("#side iframe")
    await laptop.screenshot(path=artifacts / "1-placeholder.png")

    assert "2 of 2 per 24 hours" in await frame.locator("body").inner_text()
    page = await opened(laptop, frame.get_by_role("link", name="never again"))
    assert page.url.startswith("https://capper.internal/ad?about=")
    assert "2 of 2 per 24 hours" in await page.locator("main").inner_text()
    for width in (1280, 360):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.screenshot(path=artifacts / f"2-about-{width}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.get_by_role("button", name="Never again").click()
    assert "You see no more of it" in await page.get_by_role("status").inner_text()
    await page.screenshot(path=artifacts / "3-muted.png", full_page=True)

    clock.forward(days=2)
    assert [await sees(laptop, NEWS), await sees(phone, WEATHER), await sees(ben, NEWS)] == [
        ["travel"],
        ["coffee"],
        ["shoes", "travel"],
    ]
    await laptop.bring_to_front()
    await laptop.screenshot(path=artifacts / "4-muted-in-a-page.png")
    await sees(laptop, WEATHER)
    await laptop.screenshot(path=artifacts / "5-muted-in-a-frame.png")

    undo = await opened(laptop, laptop.frame_locator("#side iframe").get_by_role("link", name="undo"))
    await undo.get_by_role("button", name="Undo").click()
    assert "It may be shown again" in await undo.get_by_role("status").inner_text()
    assert await sees(phone, WEATHER) == ["coffee", "shoes"]


async def test_show_once(sit_down, sees, artifacts: Path):
    """Over the cap one more is shown when she asks, and then no other; a placeholder in a page leads there too."""
    laptop = await sit_down("laptop")
    assert [await sees(laptop, NEWS), await sees(laptop, RECIPES)] == [["shoes", "travel"], ["shoes", "coffee"]]
    assert await sees(laptop, NEWS) == ["travel"]
    inside = await laptop.locator("#top").inner_text()
    page = await opened(laptop, laptop.locator("#top a[target=_blank]"))
    await page.get_by_role("button", name="Show it once").click()
    await page.screenshot(path=artifacts / "1-once.png")

    assert "of 2" not in inside
    assert "of 2" not in await laptop.content()
    assert [await sees(laptop, NEWS), await sees(laptop, RECIPES)] == [["shoes", "travel"], ["coffee"]]


async def test_the_mark_of_an_ad_is_a_word_that_sticks(sit_down, sees, artifacts: Path):
    """Anna clicks the "i" of the shoe ad: it is gone from other sites and her phone; undone from the placeholder; ben sees it."""
    laptop, phone, ben = [await sit_down(device) for device in ("laptop", "phone", "ben")]
    assert await sees(laptop, WEATHER) == ["coffee", "shoes"]
    choices = await opened(laptop, laptop.frame_locator("#side iframe").get_by_role("link", name="About this ad"))
    assert await choices.locator("h1").inner_text() == "Your ad choices"

    assert [await sees(laptop, NEWS), await sees(phone, WEATHER), await sees(ben, WEATHER)] == [
        ["travel"],
        ["coffee"],
        ["coffee", "shoes"],
    ]
    frame = phone.frame_locator("#side iframe")
    assert "muted by you" in await frame.locator("body").inner_text()
    await phone.screenshot(path=artifacts / "1-muted.png")
    page = await opened(phone, frame.get_by_role("link", name="undo"))
    assert "you had seen enough" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Undo").click()
    assert await sees(phone, NEWS) == ["shoes", "travel"]


async def test_a_page_that_opens_an_opt_out_by_itself_mutes_nothing(household: Household, sit_down, sees):
    """A frame or a picture of the opt-out that the page loads, or opens without a click of hers, is nobody's word."""
    laptop = await sit_down("laptop")
    await laptop.goto(f"https://{WEATHER.host}/", wait_until="networkidle")
    frame = next(one for one in laptop.frames if "adserver" in one.url)
    session = await laptop.context.new_cdp_session(frame)
    # As a page's own script: what a driver evaluates otherwise counts as a person's click, for some seconds.
    await session.send("Runtime.evaluate", {"expression": BY_ITSELF, "userGesture": False, "awaitPromise": True})
    await laptop.wait_for_load_state("networkidle")
    asked = household.world.asked(CHOICES, "/")
    assert {one.asked.headers["sec-fetch-dest"] for one in asked} >= {"image", "iframe", "empty"}
    assert not [one for one in asked if "sec-fetch-user" in one.asked.headers]
    assert await sees(laptop, RECIPES) == ["shoes", "coffee"]
