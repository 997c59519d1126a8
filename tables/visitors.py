"""Everybody with the demo's small browser."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from capper.demo.household import Household
from capper.demo.visitor import Visitor
from tables.known_truth import Go


@asynccontextmanager
async def visitors(household: Household, people: Sequence[str]) -> AsyncIterator[Go]:
    """A browser for each of them."""
    async with AsyncExitStack() as stack:
        browsers = {
            person: await stack.enter_async_context(
                Visitor(household.door(person), household.certificate, f"Mozilla/5.0 (a visitor) {person}")
            )
            for person in people
        }

        async def go(person: str, url: str) -> None:
            await browsers[person].visit(url)

        yield go
