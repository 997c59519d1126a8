"""A shop on loopback, made with React, Vue, Angular and Lit from npm, and a browser that reaches it through `capper run`."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Page

from capper.proxy.authority import Authority, authority_file
from capper.proxy.testing import LOOPBACK, Origin, server_tls

from .shop import SHOP, WORDS, Shop

HERE = Path(__file__).resolve().parent
SIZES = {"phone": (360, 740), "desk": (1280, 900)}
_COMMAND = (sys.executable, "-c", "from capper.cli import main; main()", "run")
_EVER_SAID = """
window.everSaid = new Set();
const said = (node) => { for (const part of (node.textContent || '').split('\\n')) window.everSaid.add(part); };
const note = (node) => {
  if (['SCRIPT', 'STYLE'].includes(node.nodeName)) return;
  said(node);
  const inside = node.querySelectorAll ? [node, ...node.querySelectorAll('*')] : [];
  for (const { shadowRoot } of inside) if (shadowRoot) {
    watcher.observe(shadowRoot, all);
    shadowRoot.childNodes.forEach(note);
  }
};
const all = { subtree: true, childList: true, characterData: true };
const watcher = new MutationObserver((changes) => {
  for (const { target, addedNodes, type } of changes) {
    if (type === 'characterData') said(target);
    addedNodes.forEach(note);
  }
  const app = document.getElementById('app');
  if (app) note(app);
});
watcher.observe(document, all);
"""
"""Takes down every text that stands in the page at any time, from before its first byte."""

_READ = """
(() => {
  const own = [...document.querySelectorAll('*')].flatMap(({ shadowRoot }) => shadowRoot ? [...shadowRoot.children] : []);
  return [...own.filter(({ tagName }) => tagName !== 'STYLE'), document.body].map(({ innerText }) => innerText).join(' ');
})()
"""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop, its scripts and its server's pages made anew."""
    node = shutil.which("node")
    if node is None or not (HERE.parent / "clients" / "node_modules" / "@lit-labs").exists():
        pytest.skip("React, Vue, Angular and Lit are not installed (scripts/browser-clients, which needs node and npm)")
    folder = tmp_path_factory.mktemp("shop")
    subprocess.run([node, HERE / "build.mjs", folder], check=True, timeout=120)
    states = {name: words.shop for name, words in WORDS.items()}
    states |= {f"{name}-bare": words.bare() for name, words in WORDS.items()}
    states |= {f"{name}-warned": words.warned() for name, words in WORDS.items()}
    states |= {f"{name}-unwarned": words.unwarned() for name, words in WORDS.items()}

    def made(server: str) -> list[Any]:
        asked = json.dumps([*states.values()]).encode()
        answer = subprocess.run([node, folder / server], input=asked, capture_output=True, check=True, timeout=120)
        return json.loads(answer.stdout)

    scripts = {file.name: file.read_bytes() for file in folder.glob("*.js")}
    rendered = [
        each | {"angular": angular, "lit": lit}
        for each, angular, lit in zip(
            made("server.cjs"), made("angular-server.mjs"), made("lit-server.mjs"), strict=True
        )
    ]
    return Shop(scripts, dict(zip(states, rendered, strict=True)))


@dataclass
class Customer:
    """A person at her browser, in the shop."""

    page: Page
    artifacts: Path
    errors: list[str] = field(default_factory=list)
    """What the browser complained of: scripts that failed, requests that did, hydration that found something else."""

    async def opens(self, place: str, picture: str = "") -> dict[str, float]:
        """Open a page and wait until its script has taken over; for each size, where stands what follows the prompt."""
        await self.page.goto(f"https://{SHOP}/{place}")
        await self.page.wait_for_selector("html[data-hydrated]", state="attached")
        tops: dict[str, float] = {}
        for name, (width, height) in SIZES.items():
            await self.page.set_viewport_size({"width": width, "height": height})
            tops[name] = await self.page.evaluate("document.getElementById('after').getBoundingClientRect().top")
            if picture:
                await self.page.screenshot(path=self.artifacts / f"{picture}-{name}.png", full_page=True)
        return tops

    async def buys(self) -> str:
        """Press the button, wait until the page has heard of it, and read the cart."""
        await self.page.click("#add")
        cart = self.page.locator("#cart", has_text=re.compile("[1-9]$"))
        await cart.wait_for()
        return (await cart.inner_text()).rpartition(" ")[2]

    async def text(self) -> str:
        """What can be read now, blanks alike; what stands in elements' own trees first."""
        return " ".join((await self.page.evaluate(_READ)).split())

    async def ever_said(self) -> str:
        """All that could be read at any time, blanks alike."""
        said = await self.page.evaluate("[...window.everSaid]")
        return " ".join("\n".join(said).split())

    def heard(self, message: ConsoleMessage) -> None:
        """Take down an error or a warning on the console."""
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.text} {message.location.get('url', '')}")


Visiting = Callable[..., Awaitable[Customer]]


@pytest.fixture
async def visiting(tmp_path: Path, shop: Shop, browser, artifacts: Path) -> AsyncIterator[Visiting]:
    """Sits somebody down before the shop: `visiting(policy)`, with `capper run` between."""
    async with AsyncExitStack() as stack:

        async def sit_down(policy: str = "") -> Customer:
            authority = Authority.create(datetime.now(UTC), "The internet of capper's tests")
            internet = tmp_path / "internet.pem"
            internet.write_bytes(authority.pem())
            origin = await stack.enter_async_context(Origin(shop.respond, server_tls(authority, tmp_path)))
            (tmp_path / "policy.toml").write_text(f"caps = []\n{policy}")
            proxy = await stack.enter_async_context(_capper(tmp_path, internet, origin.port))
            context = await browser("laptop", proxy, authority_file(tmp_path / "state"), internet)
            await context.add_init_script(_EVER_SAID)
            customer = Customer(await context.new_page(), artifacts)
            customer.page.on("console", customer.heard)
            customer.page.on("pageerror", lambda error: customer.errors.append(str(error)))
            return customer

        yield sit_down


@asynccontextmanager
async def _capper(folder: Path, internet: Path, shop: int) -> AsyncIterator[str]:
    """A `capper run` that opens the shop, and its address."""
    (folder / "ads.txt").write_text("! Title: the ads of this test\n||ads.example^\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CAPPER_", "XDG_"))}
    options = {
        "--listen": f"{LOOPBACK}:0",
        "--state": folder / "state",
        "--policy": folder / "policy.toml",
        "--upstream-ca": internet,
        "--ledger": "memory",
        "--site": SHOP,
        "--resolve": f"{SHOP}:443={LOOPBACK}:{shop}",
    }
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        *(str(part) for option in options.items() for part in option),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=kept | {"HOME": str(folder), "CAPPER_LISTS": str(folder / "ads.txt"), "CAPPER_DEADLINE_MS": "10000"},
    )
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if line.startswith(b"ready: "):
                yield line.decode().split()[1]
                break
        else:
            raise AssertionError("capper run ended before it was ready")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
