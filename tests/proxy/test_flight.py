"""When traffic pauses."""

import asyncio

from mitmproxy.test import tflow

from capper.proxy.flight import Flight


async def turns() -> None:
    """Let all that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_pause():
    """There is one after the start, and then one whenever something was answered and nothing more followed, not before."""
    flight, found = Flight(), []
    await flight.pause(0)
    waiting = asyncio.create_task(flight.pause(0))
    await turns()
    found.append(waiting.done())
    flow = tflow.tflow()
    flight.requestheaders(flow)
    await turns()
    found.append(waiting.done())
    flight.response(flow)
    await waiting

    assert [False, False] == found


async def test_what_follows_at_once_is_no_pause():
    """As long as answers follow one another there is none."""
    flight = Flight()
    waiting = asyncio.create_task(flight.pause(0))
    for _ in range(20):
        flight.error(tflow.tflow())
        await asyncio.sleep(0)
    found = waiting.done()
    await waiting

    assert not found


async def test_landed():
    """What was begun has landed once each of it was answered or has failed."""
    flight, one, other = Flight(), tflow.tflow(), tflow.tflow()
    flight.requestheaders(one)
    flight.requestheaders(other)
    flight.response(one)
    found = flight.landed.is_set()
    flight.error(other)

    assert (False, True) == (found, flight.landed.is_set())
