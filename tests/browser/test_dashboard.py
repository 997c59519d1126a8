"""The dashboard in a real browser over HTTPS: by its host name, through the proxy, as somebody new would use it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, Request

from capper.dashboard.house import House
from capper.dashboard.serving import OwnerPages
from capper.demo.household import Household
from capper.demo.sites import NEWS, RECIPES, WEATHER, Site
from capper.devices.strangers import Strangers, strangers_file
from capper.domain.daily import EVERYBODY, Addition, Daily, day_of
from capper.domain.identity import Level
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.ledger.secret import Secret
from capper.ledger.tickets import Ticket, Tickets
from capper.settings import Address, Settings
from capper.settings.policy import parse_policy
from capper.testing import NOON, FrozenClock

pytestmark = pytest.mark.timeout(240)

CAPS = """
caps = ["3 per advertiser per day", "10 per advertiser per week"]
"""
OWNERS = """
caps = ["3 per advertiser per day"]
[people.anna]
devices = ["127.0.0.2", "127.0.0.3"]
[people.ben]
devices = ["127.0.0.4"]
"""
AXE = Path(__file__).parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "followers?days=28",
    "followers?days=1",
    "decisions?what=all",
    "caps?day=2&week=6",
    "data",
    "device",
    "nothing-here",
)


async def visit(page: Page, clock: FrozenClock, site: Site) -> list[str]:
    """Open a site's page a minute after the last; the advertisers whose banners are seen."""
    clock.forward(minutes=1)
    await page.goto(f"https://{site.host}/", wait_until="networkidle")
    seen: list[str] = []
    for frame in page.frames:
        seen += await frame.locator("img[alt]").evaluate_all(
            "all => all.filter(one => one.complete && one.naturalWidth > 2).map(one => one.alt)"
        )
    return sorted(set(filter(None, seen)))


async def until_it_says(page: Page, url: str, text: str) -> str:
    """Load a page until it says `text`: days are written beside the traffic."""
    for _ in range(40):
        await page.goto(url, wait_until="networkidle")
        if text in (said := await page.inner_text("main")):
            return said
        await page.wait_for_timeout(100)
    raise AssertionError(f"{text!r} is not on {url}: {said}")


async def test_an_ad_that_was_seen_too_often_is_understood(sit_down, clock, artifacts):
    """After five pages the host's name leads anna to why the shoes are gone; muted there, it says so; ben's pages say nothing."""
    laptop, phone, ben = [await sit_down(device) for device in ("laptop", "phone", "ben")]
    seen = [await visit(laptop, clock, site) for site in (NEWS, RECIPES, WEATHER, NEWS, RECIPES)]
    assert [True, True, True, False, False] == ["shoes" in each for each in seen]

    await until_it_says(laptop, "http://capper.internal/", "shoes.example")
    assert "3 of 3 per 24 hours, again tomorrow at 12:01" in await laptop.inner_text("main")
    await laptop.get_by_role("link", name="What was decided").click()
    told = await laptop.locator(".events li", has_text="shoes.example").all_inner_texts()
    assert 2 == len([one for one in told if "withheld" in one and "3 of 3 per 24 hours" in one])

    await laptop.get_by_role("link", name="Who follows me").click()
    await laptop.get_by_role("button", name="Mute: shoes.example").click()
    clock.forward(days=2)
    assert [False, False, True] == [
        "shoes" in await visit(page, clock, site) for page, site in ((laptop, WEATHER), (phone, RECIPES), (ben, NEWS))
    ]
    await phone.goto("http://capper.internal/", wait_until="networkidle")
    await phone.screenshot(path=artifacts / "phone.png", full_page=True)
    await ben.goto("http://capper.internal/", wait_until="networkidle")
    assert ("muted" in await phone.inner_text("main"), "muted" in await ben.inner_text("main")) == (True, False)


async def test_who_follows_is_muted_everywhere(sit_down, clock, artifacts):
    """The page at the host's name, for a device that trusts us; a mute holds on another site and browser of hers, not for ben."""
    laptop, phone, ben = [await sit_down(device) for device in ("laptop", "phone", "ben")]
    hosts: set[str] = set()

    def note(request) -> None:
        hosts.add(request.url.split("/")[2])

    seen = [await visit(laptop, clock, site) for site in (NEWS, RECIPES)]
    laptop.on("request", note)
    await laptop.goto("http://capper.internal/", wait_until="networkidle")
    invited = await laptop.title()
    said = await until_it_says(laptop, "http://capper.internal/", "shoes.example")
    await laptop.screenshot(path=artifacts / "followers.png", full_page=True)
    await laptop.get_by_role("button", name="Mute: shoes.example").click()
    told = await laptop.get_by_role("status").inner_text()
    laptop.remove_listener("request", note)
    await laptop.screenshot(path=artifacts / "muted.png", full_page=True)
    after = [await visit(page, clock, NEWS) for page in (laptop, phone, ben)]
    await laptop.goto("https://capper.internal/followers", wait_until="networkidle")
    await laptop.get_by_role("button", name="Unmute: shoes.example").click()
    again = await visit(phone, clock, NEWS)

    assert all("shoes" in each for each in seen)
    assert ("Who follows me", "https://capper.internal/followers?days=7&done=unmuted") == (invited[:14], laptop.url)
    assert "Ads shown" in said
    assert "shoes.example is muted until" in told
    assert [False, False, True, True] == ["shoes" in each for each in (*after, again)]
    assert [] == [host for host in hosts if not host.endswith("capper.internal")]


async def test_what_is_exported_is_what_is_kept_and_what_is_forgotten_is_gone(household, sit_down, clock):
    """Anna's file says what the ledger holds of her; forgotten, it holds nothing of her any more, and of ben what it did."""
    laptop, ben, ledger = await sit_down("laptop"), await sit_down("ben"), household.assembly.ledger
    for page, site in ((laptop, NEWS), (laptop, RECIPES), (ben, NEWS)):
        await visit(page, clock, site)
    await until_it_says(laptop, "https://capper.internal/", "shoes.example")
    await until_it_says(ben, "https://capper.internal/", "shoes.example")
    await laptop.get_by_role("button", name="Mute: shoes.example").click()

    async def held(name: str) -> tuple[int, ...]:
        today = day_of(clock(), UTC)
        parts = (
            await ledger.followers(name, today),
            await ledger.entries(name, clock()),
            await ledger.mutes(name, clock()),
            await ledger.notes(name, clock()),
        )
        return tuple(map(len, parts))

    of_anna, of_ben = await held("anna"), await held("ben")
    await laptop.goto("https://capper.internal/data", wait_until="networkidle")
    async with laptop.expect_download() as downloading:
        await laptop.get_by_role("link", name="Export my data").click()
    file = Path(await (await downloading.value).path())
    exported = json.loads(await asyncio.to_thread(file.read_bytes))
    await laptop.get_by_role("button", name="Forget me").click()
    unsure, still = await laptop.get_by_role("status").inner_text(), await held("anna")
    await laptop.get_by_label("I mean it").check()
    await laptop.get_by_role("button", name="Forget me").click()
    forgotten = await laptop.get_by_role("status").inner_text()

    assert of_anna == tuple(len(exported[part]) for part in ("days", "counted", "muted", "decisions"))
    assert min(of_anna) > 0
    assert ("Nothing was forgotten", of_anna) == (unsure[:21], still)
    assert "You are forgotten" in forgotten
    assert ((0, 0, 0, 0), of_ben) == (await held("anna"), await held("ben"))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "nl", "de", "sv"])
async def test_nobody_is_kept_out(household, sit_down, clock, tmp_path, artifacts, language):
    """Without script, at both widths, light and dark: axe finds nothing, and nothing is cut off."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (scripts/browser-clients, which needs node and npm)")
    await four_weeks(household, clock)
    page = await sit_down("laptop")
    for site in (NEWS, RECIPES, WEATHER, NEWS, RECIPES, WEATHER):
        await visit(page, clock, site)
    await page.set_extra_http_headers({"Accept-Language": language})
    shoes = Ticket(((Level.ADVERTISER, "shoes.example"),), clock(), "caps", "3 per advertiser per day", 3)
    about = Tickets(Secret.load_or_create(tmp_path / "state" / "secret")).seal("anna", shoes)
    pages = (*PAGES, f"ad?about={about}", "ad?about=another's")
    found = await examined(page, [f"https://capper.internal/{path}" for path in pages], artifacts)

    assert ([], [], 0) == found


async def examined(page: Page, urls: list[str], artifacts: Path) -> tuple[list, list, int]:
    """What axe finds on each page and what is asked of another host, which are cut off, and how many scripts there are.

    At both widths and in both schemes.
    """
    found, cut_off, scripts = [], [], 0
    here = urls[0].split("/")[2]

    def note(asked: Request) -> None:
        # Below our own name is the picture by which a device proves its trust.
        if asked.url.startswith("http") and not asked.url.split("/")[2].endswith(here):
            found.append(asked.url)

    page.on("request", note)
    # What the browser complains of: something its page may not do.
    page.on(
        "console",
        lambda said: found.append(said.text) if said.type == "error" and "status of 4" not in said.text else None,
    )
    for width, scheme in ((1280, "light"), (360, "dark"), (360, "light"), (1280, "dark")):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme)
        for place, url in enumerate(urls):
            await page.goto(url, wait_until="networkidle")
            name = f"{place}-{url.rpartition('/')[2].partition('?')[0]}-{width}-{scheme}"
            await page.screenshot(path=artifacts / f"{name}.png", full_page=True)
            scripts += await page.locator("script").count()
            wider = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => [one.outerHTML.slice(0, 99), one.scrollWidth])"
            cut_off += [(name, each) for each in await page.locator("html, .wide").evaluate_all(wider)]
            await page.evaluate(AXE.read_text())
            result = await page.evaluate("axe.run()")
            found += [(name, each["id"], each["nodes"][0]["html"]) for each in result["violations"]]
    return found, cut_off, scripts


async def four_weeks(household: Household, clock: FrozenClock) -> None:
    """Four weeks of anna's, with a name that is long and one that is strange."""
    today, ledger = day_of(clock(), UTC), household.assembly.ledger
    for ago in range(28):
        counts = {"shoes.example": Daily(ago % 6, ago % 4), "<b>x</b>\u202eevil.example": Daily(1)}
        counts["a-very-long-name-of-an-advertiser-that-goes-on.shop.example.co.uk"] = Daily(1, ago % 2)
        counts[EVERYBODY] = sum(counts.values(), Daily(prompts=ago % 3))
        sites = frozenset(f"site{ago % 5}.example" for _ in range(2))
        await ledger.tally("anna", [Addition(name, today - ago, each, sites) for name, each in counts.items()], today)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de"])
async def test_nobody_is_kept_out_of_the_owners_pages(browser, tmp_path, artifacts, language):
    """The same of the owner's pages, on a port of their own; nothing is asked of another host."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (scripts/browser-clients, which needs node and npm)")
    async with owner_pages(tmp_path) as url:
        context = await browser("owner", "direct://")
        page, asked = await context.new_page(), set()
        page.on("request", lambda request: asked.add(request.url.split("/")[2]))
        await page.set_extra_http_headers({"Accept-Language": language})
        found = await examined(
            page, [f"{url}{path}" for path in ("", "people", "lists", "policy", "signin")], artifacts
        )
        await page.goto(f"{url}policy")
        await page.locator("#text").fill('caps = ["3 per advertisr per day"]')
        await page.locator("button[value=check]").click()
        await page.screenshot(path=artifacts / "checked.png", full_page=True)
        told = await page.get_by_role("alert").inner_text()

    assert ([], [], 0) == found
    assert "did you mean 'advertiser'" in told
    assert {url.split("/")[2]} == asked


@asynccontextmanager
async def owner_pages(folder: Path) -> AsyncIterator[str]:
    """The owner's pages of a house of anna's, with a device that is nobody's."""
    file = folder / "policy.toml"
    file.write_text(OWNERS)
    strangers = Strangers(strangers_file(folder), NOON)
    strangers.note("d8:3a:dd:00:00:01", NOON)
    strangers.write(strangers.due(NOON + timedelta(minutes=1), lambda _: False))
    settings = Settings(state=folder, policy=file, dashboard=Address("127.0.0.1", 0))
    policy = parse_policy(OWNERS, "p")
    house = House(settings, MemoryLedger(), lambda: policy, Journal(), Secret(), FrozenClock(), NOON)
    pages = OwnerPages.open(settings)
    serving = asyncio.create_task(pages.serve(house))
    try:
        yield pages.url
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
