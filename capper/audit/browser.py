"""A reader's Chromium, driven over a proxy: the only place that knows Playwright."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capper.audit.looking import Box
from capper.domain.errors import ConfigError

if TYPE_CHECKING:
    from playwright.async_api import Browser as Browser  # noqa: PLC0414  for those who pass it on
    from playwright.async_api import BrowserContext, Frame, Page

WIDTH, HEIGHT = 1280, 800
_PATIENCE = 30_000
_SETTLING = 8_000
_REACTION = 1_500
"""Milliseconds: for a page to load, for its ads to come, for a mark to do something once it is clicked."""
_MOST_SCREENS = 20
_FLAGS = (
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Chromium goes to loopback directly unless told otherwise.
    "--proxy-bypass-list=<-loopback>",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BOXES = """() => [...document.querySelectorAll('iframe, img, video, object, embed')].map(one => {
    const box = one.getBoundingClientRect();
    return [one.tagName.toLowerCase(), one.currentSrc || one.src || one.data || '', box.x + scrollX, box.y + scrollY, box.width, box.height];
})"""
_LINKS = "() => [...document.links].slice(0, 500).map(one => one.href)"
_TALL = "() => document.documentElement.scrollHeight"
_SHAPE = "() => document.body ? document.body.innerHTML.length + location.href : ''"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser tells of a page: boxes by kind of element and address, links, the page's height, a JPEG."""

    url: str
    boxes: tuple[tuple[str, str, Box], ...]
    links: tuple[str, ...]
    tall: int
    picture: bytes


@asynccontextmanager
async def chromium() -> AsyncIterator["Browser"]:
    """The system's Chromium, or what CAPPER_CHROMIUM names.

    Raises:
        ConfigError: it or Playwright is not there; says how to get it.
    """
    try:
        from playwright.async_api import Error, async_playwright  # noqa: PLC0415  an extra
    except ImportError as exc:
        raise ConfigError("to visit pages, capper needs Playwright: install `capper[audit]`") from exc
    found = os.environ.get("CAPPER_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise ConfigError("there is no Chromium here: install it, or name one in CAPPER_CHROMIUM")
    # In containers it runs as root, where its sandbox cannot.
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as driver:
        try:
            browser = await driver.chromium.launch(executable_path=found, args=flags)
        except Error as exc:
            raise ConfigError(f"{found} does not start: {str(exc).splitlines()[0]}") from exc
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: "Browser", proxy: str, *, har: Path | None = None, memory: Path | None = None
) -> AsyncIterator["Page"]:
    """A window over `proxy`, recorded to `har`; cookies and storage come from `memory`, where it is, and go there again."""
    context: BrowserContext = await browser.new_context(
        proxy={"server": proxy, "bypass": "<-loopback>"},
        # Its certificates are capper's own; the proxy verifies the origins'.
        ignore_https_errors=True,
        viewport={"width": WIDTH, "height": HEIGHT},
        record_har_path=har,
        record_har_content="embed",
        storage_state=memory if memory and memory.exists() else None,  # noqa: ASYNC240  one look at a local file
        service_workers="block",
    )
    try:
        context.set_default_timeout(_PATIENCE)
        yield await context.new_page()
        if memory:
            await context.storage_state(path=memory)
    finally:
        await context.close()


async def read(page: "Page", url: str) -> Seen | None:
    """Load a page, scroll to its end as a reader would, and look; None where it does not load."""
    from playwright.async_api import Error  # noqa: PLC0415  an extra

    try:
        await page.goto(url, wait_until="load")
        tall = int(await page.evaluate(_TALL))
        for _ in range(min(tall // HEIGHT, _MOST_SCREENS)):
            await page.mouse.wheel(0, HEIGHT)
        await _quiet(page)
        await page.evaluate("() => scrollTo(0, 0)")
        boxes = await page.evaluate(_BOXES)
        picture = await page.screenshot(type="jpeg", quality=60)
        links = await page.evaluate(_LINKS)
    except Error:
        return None
    return Seen(page.url, tuple(map(_boxed, boxes)), tuple(map(str, links)), tall, picture)


def _boxed(row: Sequence[Any]) -> tuple[str, str, Box]:
    return str(row[0]), str(row[1]), Box(*map(float, row[2:]))


async def _quiet(page: "Page") -> None:
    """Until nothing is asked for any more; a page that never rests is looked at as it is."""
    from playwright.async_api import TimeoutError as Late  # noqa: PLC0415  an extra

    try:
        await page.wait_for_load_state("networkidle", timeout=_SETTLING)
    except Late:
        return


async def marks(page: "Page", selectors: Sequence[str], most: int) -> list[tuple[str, bool, str]]:
    """Click the "i" marks of the ads on the page: of each, the address of its document, whether anything came of it, and what."""
    from playwright.async_api import Error  # noqa: PLC0415  an extra

    found: list[tuple[str, bool, str]] = []
    home = page.url
    for number in range(len(page.frames)):
        if number >= len(page.frames) or len(found) >= most:
            break
        frame = page.frames[number]
        try:
            mark = frame.locator(", ".join(selectors)).first
            if not await mark.count() or not await mark.is_visible():
                continue
            where = frame.url
            found.append((where, *await _tried(page, frame)(mark)))
            if page.url != home:
                await read(page, home)
        except Error:
            continue
    return found


def _tried(page: "Page", frame: "Frame") -> Any:
    """Clicks a mark; whether a window, another document or another look of the ad came of it."""

    async def click(mark: Any) -> tuple[bool, str]:
        windows: list[Page] = []

        def opened(other: "Page") -> None:
            windows.append(other)

        page.context.on("page", opened)
        before = await frame.evaluate(_SHAPE), page.url
        await mark.click(force=True, timeout=_REACTION)
        await page.wait_for_timeout(_REACTION)
        page.context.remove_listener("page", opened)
        if windows:
            came = windows[0].url
            for each in windows:
                await each.close()
            return True, came
        if page.url != before[1]:
            return True, page.url
        return (await frame.evaluate(_SHAPE) != before[0]), "the ad changed"

    return click
