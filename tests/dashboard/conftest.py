"""A house with a memory ledger, and browsers of its people without a proxy between."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from capper.dashboard.house import VIEWER, House
from capper.dashboard.person import create_app
from capper.gateway.ours import HOST
from capper.journal import Journal
from capper.ledger.memory import MemoryLedger
from capper.ledger.secret import Secret
from capper.settings import Settings
from capper.settings.policy import parse_policy
from capper.testing import NOON, FrozenClock

POLICY = """
caps = ["3 per advertiser per day", "10 per advertiser per week", "1 per creative per page"]
[people.anna]
devices = ["127.0.0.2"]
[people.ben]
devices = ["127.0.0.3"]
language = "nl"
"""
HERE = f"https://{HOST}"

Browser = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def house(tmp_path: Path, clock: FrozenClock) -> House:
    """Anna and ben, and a ledger that has seen nothing yet."""
    policy = parse_policy(POLICY, "policy")
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    settings = Settings(state=tmp_path, policy=file)
    return House(settings, MemoryLedger(), lambda: policy, Journal(), Secret(), clock, NOON)


@pytest.fixture
async def browser(house: House) -> AsyncIterator[Browser]:
    """Opens a browser of somebody's: what it asks comes with her name, as the proxy would say it."""
    app = create_app(house)
    async with AsyncExitStack() as stack:

        async def open_browser(name: str, **headers: str) -> httpx.AsyncClient:
            async def known(scope, receive, send):
                await app({**scope, VIEWER: house.policy().viewer(name)}, receive, send)

            transport = httpx.ASGITransport(known)
            return await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url=HERE, headers={"Accept-Language": "en", **headers})
            )

        yield open_browser
