"""A real Chromium that trusts a certificate as a person would make it: in its profile's own store."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Error, Page, async_playwright

from capper.audit.browser import FLAGS as QUIET
from capper.demo.household import Household, running_household
from capper.testing import FrozenClock

CHECKOUT = Path(__file__).resolve().parents[2]
FLAGS = ("--no-sandbox", *QUIET)  # tests may run as root, in containers
PEOPLE = """
[people.anna]
devices = ["127.0.0.2", "127.0.0.3"]
[people.ben]
devices = ["127.0.0.4"]
"""
DEVICES = {"laptop": "127.0.0.2", "phone": "127.0.0.3", "ben": "127.0.0.4"}


@pytest.fixture(scope="session")
def chromium() -> str:
    """The distribution's Chromium, or the one CAPPER_CHROMIUM names."""
    named = os.environ.get("CAPPER_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found or not shutil.which("certutil"):
        pytest.skip("no Chromium or certutil here (apt-get install chromium libnss3-tools)")
    return found


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """Where this test leaves its screenshots, to be looked at; not part of the repository."""
    folder = CHECKOUT / "artifacts" / request.node.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def screenshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chromium refuses a screenshot now and then, and takes it when asked again."""
    take = Page.screenshot

    async def screenshot(page: Page, **options: Any) -> bytes:
        with contextlib.suppress(Error):
            return await take(page, **options)
        return await take(page, **options)

    monkeypatch.setattr(Page, "screenshot", screenshot)


@pytest.fixture
async def browser(chromium: str, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[BrowserContext]]]:
    """Opens a browser by `browser(name, proxy, *certificates)`: a profile of its own, so a device of its own."""
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(async_playwright())

        async def open_browser(name: str, proxy: str, *certificates: Path) -> BrowserContext:
            home = tmp_path / name
            trust(home, *certificates)
            context = await driver.chromium.launch_persistent_context(
                home / "profile",
                executable_path=chromium,
                env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "en_GB.UTF-8"},
                args=[*FLAGS, f"--proxy-server={proxy}"],
                user_agent=f"Mozilla/5.0 (X11; Linux x86_64; {name}) Chrome/156.0.0.0",
                viewport={"width": 1100, "height": 860},
            )
            stack.push_async_callback(context.close)
            return context

        yield open_browser


@pytest.fixture
def windows(chromium: str, tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[dict[str, Page]]]:
    """Opens one browser with a window for each of many people: `async with windows(household) as pages`, by device.

    Each has cookies and a cache of her own, goes through her own door, and her browser's name for itself ends with hers.
    """

    @asynccontextmanager
    async def opened(household: Household) -> AsyncIterator[dict[str, Page]]:
        home = tmp_path / "windows"
        trust(home, household.certificate)
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=chromium, env={"HOME": str(home), "PATH": os.environ["PATH"]}, args=[*FLAGS]
            )
            pages = {}
            for device in household.doors:
                context = await browser.new_context(
                    proxy={"server": household.door(device)}, user_agent=f"Mozilla/5.0 (X11) Chrome/156.0.0.0 {device}"
                )
                pages[device] = await context.new_page()
            yield pages
            await browser.close()

    return opened


@pytest.fixture
def clock() -> FrozenClock:
    """The household's clock."""
    return FrozenClock()


@pytest.fixture
async def household(request: pytest.FixtureRequest, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Household]:
    """The demo's world behind the real proxy, with the embedded ledger: anna's two devices, ben's, and the module's `CAPS`."""
    async with running_household(tmp_path, request.module.CAPS + PEOPLE, DEVICES, clock=clock) as running:
        yield running


@pytest.fixture
def sit_down(
    household: Household, browser: Callable[..., Awaitable[BrowserContext]]
) -> Callable[[str], Awaitable[Page]]:
    """Sits somebody down at a device of the household, by its name, and opens a window."""

    async def at(device: str) -> Page:
        context = await browser(device, household.door(device), household.certificate)
        return await context.new_page()

    return at


def trust(home: Path, *certificates: Path) -> None:
    """Make `certificates` authorities for websites in the NSS store that Chromium reads under `home`."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for command in (
        ["-N", "--empty-password"],
        *(["-A", "-n", file.stem, "-t", "C,,", "-i", str(file)] for file in certificates),
    ):
        subprocess.run(["certutil", "-d", f"sql:{store}", *command], check=True, capture_output=True)
