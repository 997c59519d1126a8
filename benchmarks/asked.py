"""What the parts ask of a ledger: the starter policy's caps, and claims of made-up ads."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from capper.domain.cap import Cap
from capper.domain.policy import Policy, Rule
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.secret import Secret

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STARTER = (
    "3 per creative per day",
    "10 per creative per week",
    "5 per advertiser per day",
    "15 per advertiser per week",
    "1 per advertiser per page",
)


def policy(*caps: str) -> Policy:
    """One in which these caps hold for everything."""
    return Policy(Rule("caps", tuple(map(Cap.parse, caps))))


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[EmbeddedLedger]:
    """A ledger on a server of its own, without the guard that would answer in its place."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    ledger = EmbeddedLedger(folder / "data", Secret.load_or_create(folder / "secret"), silence=60)
    try:
        yield ledger
    finally:
        await ledger.close()


def batches(count: int, size: int) -> Iterator[range]:
    """The numbers below `count`, so many at a time."""
    for first in range(0, count, size):
        yield range(first, min(first + size, count))
