"""A publisher's own notice in a withheld ad's place, in a real browser over HTTPS, and what a page can tell of its reader."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from capper.demo.household import Household, running_household
from capper.demo.sites import (
    AD_SERVER,
    HOSTS,
    NEWS,
    RECIPES,
    SHOES,
    WEATHER,
    Asked,
    Placement,
    Reply,
    answer,
    html,
    markup,
)
from capper.demo.world import running_world
from capper.domain.identity import Level
from capper.domain.mute import Mute, Why
from capper.testing import FrozenClock

pytestmark = pytest.mark.timeout(240)

CAPS = """
caps = []
house_ads = ["recipes.example"]
[[rules]]
advertiser = "shoes.example"
caps = ["2 per advertiser per day"]
"""
MOVED = """new Promise(done => {
    let sum = 0
    new PerformanceObserver(list => { for (const one of list.getEntries()) sum += one.value })
        .observe({type: "layout-shift", buffered: true})
    setTimeout(() => done(sum), 200)
})"""


@pytest.mark.slow
async def test_a_house_ad_takes_the_place(household: Household, sit_down, clock: FrozenClock, artifacts: Path):
    """Capped by what she saw elsewhere, she sees the paper's own notice in the ad's very place; nothing moves, nobody else hears of it."""
    page = await sit_down("laptop")

    async def opens(site) -> None:
        clock.forward(minutes=1)
        await page.goto(f"https://{site.host}/", wait_until="networkidle")

    await opens(RECIPES)
    plain = await page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    box = await page.locator("#top img").bounding_box()
    await page.screenshot(path=artifacts / "1-before.png")
    await opens(WEATHER)
    clock.forward(minutes=31)
    asked = len(household.world.asked(AD_SERVER, "/banner/shoes"))
    await opens(RECIPES)
    await page.screenshot(path=artifacts / "2-house-ad.png")

    assert "Read Recipes for Two on paper" == await page.locator("#top img").get_attribute("alt")
    assert box == await page.locator("#top img").bounding_box()
    assert plain == await page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert 0 == await page.evaluate(MOVED)
    assert '<div data-capper="withheld" class="ad">' in await page.locator("#top").inner_html()
    assert 1 == await page.locator("[data-capper=withheld]").count()
    assert not [
        word for word in ("shoes", "capper.internal", "not shown") if word in await page.locator("#top").inner_html()
    ]
    assert asked == len(household.world.asked(AD_SERVER, "/banner/shoes"))
    assert household.world.asked(RECIPES.host, "/house-728x90.png")
    assert not household.world.asked(RECIPES.host, "/house-300x250.png")

    await page.set_viewport_size({"width": 360, "height": 740})
    await opens(RECIPES)
    await page.screenshot(path=artifacts / "3-house-ad-360.png")
    assert 360 == await page.evaluate("document.documentElement.scrollWidth")

    await page.set_viewport_size({"width": 1280, "height": 860})
    await opens(NEWS)
    await page.screenshot(path=artifacts / "4-not-named.png")
    assert 0 == await page.locator("[data-capper]").count()
    assert "not shown for now" in await page.locator("#top").inner_text()

    await page.goto(f"https://{RECIPES.host}/")
    await page.locator("#top a").click()
    assert page.url == f"https://{RECIPES.host}/subscribe"


PROBE = "probe.example"
SLOTS = {
    "inline": markup(Placement(SHOES, False, 728, 90), NEWS),  # noqa: FBT003  as in the demo
    "frame": markup(Placement(SHOES, True, 300, 250), NEWS),  # noqa: FBT003
    "unsized": re.sub(r' (?:width|height)="\d+"', "", markup(Placement(SHOES, False, 300, 250), NEWS)),  # noqa: FBT003
}
OBSERVE = """async () => {
    const settled = async (work) => { try { return await work() } catch (fault) { return String(fault.name) } }
    const told = {}
    for (const slot of document.querySelectorAll("section")) {
        const media = slot.querySelector("iframe, img"), address = media && media.src
        const box = one => { const at = one.getBoundingClientRect(); return [at.x, at.width, at.height] }
        const frame = slot.querySelector("iframe")
        told[slot.id] = {
            html: slot.innerHTML,
            boxes: [slot, ...slot.querySelectorAll("*")].map(box),
            picture: media && [media.complete, media.naturalWidth, media.naturalHeight],
            inside: frame && [await settled(() => String(frame.contentDocument)), frame.contentWindow.length,
                await settled(() => frame.contentWindow.location.href), frame.contentWindow.closed],
            canvas: media && media.tagName == "IMG" && await settled(() => {
                const canvas = document.createElement("canvas")
                canvas.getContext("2d").drawImage(media, 0, 0)
                return canvas.toDataURL().length
            }),
            entries: performance.getEntriesByType("resource").filter(one => one.name == address).map(one =>
                [one.initiatorType, one.transferSize, one.encodedBodySize, one.decodedBodySize, one.responseStatus, one.contentType]),
            read: address && await settled(async () => (await fetch(address)).text()),
            opaque: address && await settled(async () => { const got = await fetch(address, {mode: "no-cors"}); return [got.type, got.status] }),
        }
    }
    told.page = {events: window.seen, frames: window.length, heights: document.documentElement.scrollHeight,
        links: [...document.links].map(one => [one.target, one.rel]), styles: document.styleSheets.length}
    return told
}"""
LISTEN = """window.seen = []
for (const kind of ["error", "load", "securitypolicyviolation", "message"])
    addEventListener(kind, event => { const one = event.target; seen.push([kind, one.tagName || "window", one.alt || one.title || ""]) }, true)
"""


def probing(asked: Asked) -> Reply:
    """The demo's world and a site that looks at its reader with everything a page's script can do; no policy keeps it."""
    if asked.host != PROBE:
        return answer(asked)
    slots = "".join(
        f'<section id="{name}"><div>{slot}<template data-capper-house><a href="/own">Ours</a></template></div></section>\n'
        for name, slot in SLOTS.items()
    )
    return html(f"<!doctype html><title>Probe</title><script>{LISTEN}</script><h1>News</h1>{slots}")


PEOPLE = ("fresh", "day", "week", "muted", "never")
DEVICES = {name: f"127.0.0.{number}" for number, name in enumerate(PEOPLE, 2)}
REASONS = {"day": "2 per advertiser per day", "week": "1 per advertiser per calendar week", "never": "never"}


def policy_of(*sites: str) -> str:
    """Five people: one is shown all, and four are over different limits or want no more of it."""
    rules = [
        f'[[rules]]\nname = "what a rule is called, {name}"\npeople = "{name}"\nadvertiser = "shoes.example"\ncaps = ["{cap}"]\n'
        for name, cap in REASONS.items()
    ]
    people = [f'[people.{name}]\ndevices = ["{device}"]\n' for name, device in DEVICES.items()]
    return "".join(["caps = []\n", f"house_ads = {json.dumps(sites)}\n", *people, *rules])


@pytest.fixture
def probed(tmp_path: Path, clock: FrozenClock):
    """Starts the household of five in front of the world with the probing site: `async with probed(SITE...) as household`."""

    @asynccontextmanager
    async def running(*sites: str) -> AsyncIterator[Household]:
        world = partial(running_world, answers=probing, hosts=(*HOSTS, PROBE))
        async with running_household(tmp_path, policy_of(*sites), DEVICES, clock=clock, world=world) as household:
            now = clock()
            mute = Mute(Level.ADVERTISER, "shoes.example", Why.CLICKED, now, now + timedelta(days=40))
            await household.assembly.ledger.mute("muted", mute, now)
            yield household

    return running


@pytest.mark.slow
@pytest.mark.parametrize("sites", [(), (PROBE,)])
async def test_a_page_cannot_tell_why(sites, probed, windows, clock: FrozenClock):
    """All that a page's script can find out is the same for whoever is over a cap, whichever, has muted it or never sees it.

    From somebody who is shown the ad it differs where its own markup was changed, and in nothing that it hears of a frame.
    """
    seen = {}
    async with probed(*sites) as household, windows(household) as pages:
        for name in ("day", "day", "week"):
            clock.forward(minutes=1)
            await pages[name].goto(f"https://{NEWS.host}/", wait_until="networkidle")
        for name, page in pages.items():
            await page.goto(f"https://{PROBE}/", wait_until="networkidle")
            text = json.dumps(await page.evaluate(f"({OBSERVE})()"))
            # What is sealed differs each time; how long it is must not.
            seen[name] = json.loads(re.sub(r"about=[\w-]+", lambda found: f"about={len(found[0])}", text))

    fresh, capped = seen.pop("fresh"), seen["day"]
    assert seen == dict.fromkeys(seen, capped)
    assert fresh["frame"] == capped["frame"]
    assert [fresh[name]["html"] == capped[name]["html"] for name in SLOTS] == [False, True, False]
    assert [bool(sites) and name != "frame" for name in SLOTS] == [
        "data-capper=" in capped[name]["html"] for name in SLOTS
    ]
    text = json.dumps(capped)
    assert not [word for word in ("2 of 2", "24 hours", "muted", "again", "never", "a rule is called") if word in text]


TRY = """async ([link, frame]) => {
    const form = {method: "POST", body: new URLSearchParams({do: "never"})}
    const told = []
    for (const [url, how] of [[link, {}], [link, {mode: "no-cors"}], [link, {...form, mode: "no-cors"}], [frame, {}],
        ["https://capper.internal/", {}], ["https://capper.internal/ad", {...form, mode: "no-cors"}], [link, {credentials: "include"}]])
        try { told.push(await (await fetch(url, how)).text()) } catch (fault) { told.push(fault.name) }
    for (const tag of ["iframe", "img", "script", "link", "object"]) {
        const made = document.createElement(tag)
        made.rel = "prefetch"
        made.src = made.href = made.data = link + "&do=never"
        document.body.append(made)
        await new Promise(done => { made.onload = made.onerror = done; setTimeout(done, 500) })
        try { told.push(made.contentDocument ? made.contentDocument.documentElement.outerHTML : tag) } catch (fault) { told.push(fault.name) }
    }
    return told
}"""


@pytest.mark.slow
async def test_a_page_can_do_nothing_with_a_placeholder(probed, windows, clock: FrozenClock):
    """With the address behind a placeholder, and no policy of its own in the way, a page reads nothing and acts for nobody."""
    async with probed() as household, windows(household) as pages:
        page = pages["week"]
        for host in (NEWS.host, PROBE):
            clock.forward(minutes=1)
            await page.goto(f"https://{host}/", wait_until="networkidle")
        link = await page.frame_locator("#frame iframe").locator("a").first.get_attribute("href")
        frame = await page.locator("#frame iframe").get_attribute("src")
        tries = await page.evaluate(TRY, [link, frame])
        muted = [await household.assembly.ledger.mutes(name, clock()) for name in ("week", "fresh")]

    assert link.startswith("https://capper.internal/ad?about=")
    assert not [
        told for told in tries if any(word in told for word in ("1 of 1", "calendar", "this week", "muted", "capper"))
    ]
    assert [[], []] == muted


@pytest.mark.slow
async def test_only_what_she_opens_is_told_and_only_while_she_lets_it(
    probed, windows, clock: FrozenClock, artifacts: Path
):
    """A page that loads itself again by its script is told nothing; on her own page she takes back that it may be told."""
    async with probed(PROBE) as household, windows(household) as pages:
        page = pages["never"]

        async def told() -> int:
            await page.wait_for_load_state("networkidle")
            return await page.locator("[data-capper]").count()

        await page.goto(f"https://{PROBE}/")
        first = await told()
        await page.goto(f"https://{PROBE}/?again")
        session = await page.context.new_cdp_session(page)
        async with page.expect_navigation():
            # As the page's own script: what a driver evaluates otherwise counts as a person's click.
            await session.send("Runtime.evaluate", {"expression": "location.reload()", "userGesture": False})
        by_itself = await told()
        await page.reload()
        by_her = await told()

        await page.goto("https://capper.internal/data")
        for width in (1280, 360):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.screenshot(path=artifacts / f"data-{width}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.get_by_role("button", name="Tell no site").click()
        assert "No site is told from now on." in await page.get_by_role("status").inner_text()
        for _ in range(2):
            # A changed file is taken once it has stayed the same for a second.
            clock.forward(seconds=2)
            household.assembly.policy()
        await page.goto(f"https://{PROBE}/")
        taken_back = await told()

    assert (2, 0, 2, 0) == (first, by_itself, by_her, taken_back)
