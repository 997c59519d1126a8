"""Publishers' pages with real clients, in Chromium behind a real proxy: hosts on loopback, under the names that clients ask for."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import ConsoleMessage, Frame, Page

from capper.assembly import assemble
from capper.ledger.memory import MemoryLedger
from capper.proxy.authority import Authority, authority_file
from capper.proxy.master import CapperMaster, ProxyOptions
from capper.proxy.opening import open_all
from capper.proxy.testing import LOOPBACK, Origin, Respond, resolving, server_tls
from capper.settings import Settings
from capper.testing import FrozenClock

HERE = Path(__file__).resolve().parent
SIZES = {"phone": (360, 740), "desk": (1280, 900)}
_PICTURES = """all => all.filter(one => one.complete && one.naturalWidth > 2).map(one => one.alt)"""


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages' scripts with the clients inside, built anew."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / ".package-lock.json").exists():
        pytest.skip("the real clients are not installed (scripts/browser-clients, which needs node and npm)")
    folder = tmp_path_factory.mktemp("bundles")
    subprocess.run([node, HERE / "build.mjs", folder], check=True, timeout=120)
    return folder


@dataclass
class Reader:
    """A person at her browser, on pages whose script says when it is done."""

    page: Page
    clock: FrozenClock
    artifacts: Path
    errors: list[str] = field(default_factory=list)
    """What the browser complained of: scripts that failed, requests that did."""

    async def report(self) -> Any:
        """What the page's script says of itself."""
        return await self.page.evaluate("report()")

    async def opens(self, url: str, picture: str = "") -> None:
        """Open a page a minute after the last and wait until it is done; `picture` keeps a screenshot of each size."""
        self.clock.forward(minutes=1)
        await self.page.goto(url)
        await self.page.wait_for_selector("html[data-done]", state="attached")
        for frame in self.page.frames:
            # Not until the network is idle: a notice sent by `fetch` whose answer nobody reads is never finished.
            await frame.wait_for_load_state("load")
            await frame.wait_for_function("[...document.images].every(image => image.complete)")
        for name, (width, height) in SIZES.items() if picture else ():
            await self.page.set_viewport_size({"width": width, "height": height})
            await self.page.screenshot(path=self.artifacts / f"{picture}-{name}.png", full_page=True)

    async def sees(self) -> dict[str, list[str]]:
        """The pictures that are seen in the frames of each slot."""
        seen: dict[str, list[str]] = {}
        for frame in self.page.frames[1:]:
            if slot := await _place(frame):
                seen.setdefault(slot, []).extend(await frame.locator("img[alt]").evaluate_all(_PICTURES))
        return seen

    def heard(self, message: ConsoleMessage) -> None:
        """Take down an error on the console."""
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}")


async def _place(frame: Frame) -> str:
    """The id of the slot that holds a frame, or the frame around it; empty where none does."""
    while frame.parent_frame and frame.parent_frame.parent_frame:
        frame = frame.parent_frame
    holder = await frame.frame_element()
    return await holder.evaluate("frame => frame.closest('.slot')?.id ?? ''")


Sitting = Callable[..., Awaitable[Reader]]


@pytest.fixture
async def sitting(tmp_path: Path, browser, artifacts: Path) -> AsyncIterator[Sitting]:
    """Sits somebody down in a world of `hosts` that answer as `respond` does: `sitting(policy, respond, hosts)`.

    With `everything=False` only the ad hosts that capper's lists name are opened, as `capper run` does by itself.
    """
    async with AsyncExitStack() as stack:

        async def sit_down(policy: str, respond: Respond, hosts: Iterable[str], *, everything: bool = True) -> Reader:
            authority, clock = Authority.create(datetime.now(UTC), "The internet of capper's tests"), FrozenClock()
            files = tmp_path / "internet.pem", tmp_path / "policy.toml"
            for file, text in zip(files, (authority.pem(), policy.encode()), strict=True):
                file.write_bytes(text)
            origin = await stack.enter_async_context(Origin(respond, server_tls(authority, tmp_path)))
            state = tmp_path / "state"
            assembly = await assemble(Settings(policy=files[1], state=state), ledger=MemoryLedger(), now=clock)
            stack.push_async_callback(assembly.close)
            places = resolving({}, secure=dict.fromkeys(hosts, origin.port))
            opened = open_all if everything else assembly.recogniser.current().engines.hosts.covers
            choices = ProxyOptions(
                state, LOOPBACK, 0, opened=opened, resolve=places, upstream_ca=files[0], deadline=20.0
            )
            master = CapperMaster(choices, assembly.gate, assembly.policy, clock)
            await master.start()
            stack.push_async_callback(master.stop)
            proxy = f"http://{LOOPBACK}:{master.addresses[0][1]}"
            context = await browser("laptop", proxy, authority_file(state), files[0])
            reader = Reader(await context.new_page(), clock, artifacts)
            reader.page.on("console", reader.heard)
            reader.page.on("pageerror", lambda error: reader.errors.append(str(error)))
            return reader

        yield sit_down
