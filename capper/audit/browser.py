"""A reader's Chromium, driven over a proxy: the only place that knows Playwright."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capper.audit.looking import Box
from capper.domain.errors import ConfigError

if TYPE_CHECKING:
    # For those who pass them on.
    from playwright.async_api import Browser as Browser  # noqa: PLC0414
    from playwright.async_api import BrowserContext
    from playwright.async_api import Frame as Frame  # noqa: PLC0414
    from playwright.async_api import Locator as Locator  # noqa: PLC0414
    from playwright.async_api import Page as Page  # noqa: PLC0414
    from playwright.async_api import Response as Response  # noqa: PLC0414

WIDTH, HEIGHT = 1280, 800
_PATIENCE = 30_000
_SETTLING = 8_000
"""Milliseconds: for a page to load, for its ads to come."""
_MOST_SCREENS = 20
FLAGS = (
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Chromium goes to loopback directly unless told otherwise.
    "--proxy-bypass-list=<-loopback>",
)
"""What Chromium is not to do by itself when it is looked at behind a proxy."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BOXES = """() => [...document.querySelectorAll('iframe, img, video, object, embed')].map(one => {
    const box = one.getBoundingClientRect();
    return [one.tagName.toLowerCase(), one.currentSrc || one.src || one.data || '', box.x + scrollX, box.y + scrollY, box.width, box.height];
})"""
_LINKS = "() => [...document.links].slice(0, 500).map(one => one.href)"
_TALL = "() => document.documentElement.scrollHeight"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser tells of a page: boxes by kind of element and address, links, the page's height, a JPEG."""

    url: str
    boxes: tuple[tuple[str, str, Box], ...]
    links: tuple[str, ...]
    tall: int
    picture: bytes


@dataclass(frozen=True, slots=True)
class Missed:
    """A page that could not be read, and why."""

    url: str
    why: str


def faults() -> type[Exception]:
    """What a browser raises where a page does not do as it is asked."""
    from playwright.async_api import Error  # noqa: PLC0415  an extra

    return Error


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator["Browser"]:
    """The system's Chromium, or what CAPPER_CHROMIUM names.

    Raises:
        ConfigError: it or Playwright is not there; says how to get it.
    """
    try:
        from playwright.async_api import async_playwright  # noqa: PLC0415  an extra
    except ImportError as exc:
        raise ConfigError("to visit pages, capper needs Playwright: install `capper[audit]`") from exc
    found = os.environ.get("CAPPER_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise ConfigError("there is no Chromium here: install it, or name one in CAPPER_CHROMIUM")
    # In containers it runs as root, where its sandbox cannot.
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as driver:
        try:
            browser = await driver.chromium.launch(executable_path=found, args=flags)
        except faults() as exc:
            raise ConfigError(f"{found} does not start: {str(exc).splitlines()[0]}") from exc
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def window(
    browser: "Browser", proxy: str, har: Path, *, memory: Path | None = None, remember: Path | None = None
) -> AsyncIterator["Page"]:
    """A window over `proxy`, recorded to `har`; cookies and storage come from `memory`, where it is, and go to `remember`."""
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
        if remember:
            await context.storage_state(path=remember)
    finally:
        await context.close()


async def read(page: "Page", url: str) -> Seen | Missed:
    """Load a page, scroll to its end as a reader would, and look."""
    try:
        answer = await page.goto(url, wait_until="load")
        if answer and not answer.ok:
            return Missed(url, f"the answer is {answer.status}")
        tall = int(await page.evaluate(_TALL))
        for _ in range(min(tall // HEIGHT, _MOST_SCREENS)):
            await page.mouse.wheel(0, HEIGHT)
        await _quiet(page)
        await page.evaluate("() => scrollTo(0, 0)")
        boxes = await page.evaluate(_BOXES)
        picture = await _pictured(page)
        links = await page.evaluate(_LINKS)
    except faults() as exc:
        return Missed(url, str(exc).splitlines()[0])
    return Seen(page.url, tuple(map(_boxed, boxes)), tuple(map(str, links)), tall, picture)


def _boxed(row: Sequence[Any]) -> tuple[str, str, Box]:
    return str(row[0]), str(row[1]), Box(*map(float, row[2:]))


async def _pictured(page: "Page") -> bytes:
    """A JPEG of what is in the window; Chromium refuses it now and then, and takes it when asked again."""
    with contextlib.suppress(faults()):
        return await page.screenshot(type="jpeg", quality=60)
    return await page.screenshot(type="jpeg", quality=60)


async def _quiet(page: "Page") -> None:
    """Until nothing is asked for any more; a page that never rests is looked at as it is."""
    from playwright.async_api import TimeoutError as Late  # noqa: PLC0415  an extra

    try:
        await page.wait_for_load_state("networkidle", timeout=_SETTLING)
    except Late:
        return
