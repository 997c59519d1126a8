"""A real Chromium behind a transparent gateway: it trusts whom its owner told it to, and asks the gateway's resolver."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("namespaces")]


@pytest.fixture
def names(street):
    """What is in the client's namespace, and there only, asks the gateway's resolver."""
    folder = Path("/etc/netns") / street.name("client")
    folder.mkdir(parents=True)
    (folder / "resolv.conf").write_text("nameserver 192.168.77.1\n")
    yield
    shutil.rmtree(folder)


@pytest.fixture
async def phone(street, tmp_path, names):
    """Opens a browser in the client's namespace: `await phone("anna", certificate, ...)` gives its page."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium or not shutil.which("certutil"):
        pytest.skip("no Chromium or certutil here (apt-get install chromium libnss3-tools)")
    inside = tmp_path / "chromium"
    inside.write_text(f'#!/bin/sh\nexec ip netns exec {street.name("client")} {chromium} "$@"\n')
    inside.chmod(0o755)
    opened = []
    async with async_playwright() as driver:

        async def open_browser(name: str, *certificates: Path):
            home = tmp_path / name
            trust(home, *certificates)
            context = await driver.chromium.launch_persistent_context(
                home / "profile",
                executable_path=inside,
                env={"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "en_GB.UTF-8"},
                args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
            )
            opened.append(context)
            return context.pages[0]

        yield open_browser
        for context in opened:
            await context.close()


def trust(home: Path, *certificates: Path) -> None:
    """Make the certificates authorities for websites in the store that Chromium reads under `home`."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for number, command in enumerate(
        (["-N", "--empty-password"], *(["-A", "-t", "C,,", "-i", str(file)] for file in certificates))
    ):
        named = ["-n", f"authority {number}"] if number else []
        subprocess.run(["certutil", "-d", f"sql:{store}", *command, *named], check=True, capture_output=True)


async def read(page) -> tuple[str, bool]:
    """Reads the story: its headline, and whether the frame beside it shows the ad."""
    await page.goto("https://news.test/story", wait_until="load")
    frame = page.frames[1]
    return await page.inner_text("h1"), await frame.locator("img[src*='shoes.png']").count() == 1


async def proof(page) -> bool:
    """Whether the picture on capper's own page loads."""
    await page.goto("http://capper.internal/", wait_until="load")
    return await page.evaluate("document.images[0].complete && document.images[0].naturalWidth > 0")


async def test_a_browser_behind_the_gateway(street, phone, wait_for, tmp_path):
    """A guest reads the page with its ad, from the first time on; who trusts capper and has shown it sees the ad once.

    Nothing is set in the browsers but whom they trust.
    """
    street.capper("tls", "forget", "--all")
    # A running capper looks every other second.
    wait_for(lambda: "/proof.svg" in street.ask("capper.internal")["body"])
    guest = await phone("guest", street.authority("web"))
    read_by_guest = [await read(guest) for _ in range(2)]
    refused = await proof(guest)
    # Both are at one address and of one kind: to capper they are the same browser.
    await guest.context.close()
    owner = await phone("owner", street.authority("web"), street.authority("capper"))
    proven = await proof(owner)
    read_by_owner = [await read(owner) for _ in range(2)]
    await owner.goto("http://capper.internal/")
    await owner.screenshot(path=tmp_path / "proven.png")

    assert [("News", True)] * 2 == read_by_guest
    assert (False, True) == (refused, proven)
    assert [("News", True), ("News", False)] == read_by_owner
