"""What a claim costs on a real server over a unix socket, against a bare INCR that the same client sends in turn with it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from datetime import datetime, timedelta

from benchmarks.asked import NOON, STARTER, policy, served
from benchmarks.figures import Figure, quantile
from benchmarks.run import Run
from capper.domain.decision import Claim, prepare
from capper.ledger.embedded import EmbeddedLedger
from capper.testing import a_sighting, an_ad

IN_FLIGHT = 64
_POLICY = policy(*STARTER)


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """One after the other, then many at a time."""
    if "claim" in keys:
        own, bare = asyncio.run(_one_by_one(run))
        yield Figure.ratio("claim", own, bare)
    if "claims-per-second" in keys:
        own, bare = asyncio.run(_in_flight(run))
        yield Figure.ratio("claims-per-second", own, bare)


async def _one_by_one(run: Run) -> tuple[list[float], list[float]]:
    """The p50 of each round, in microseconds."""
    count, medians = run.scaled(1000, 50), ([], [])  # type: tuple[int, tuple[list[float], list[float]]]
    async with served(run.folder / "ledger") as ledger:
        await _alternately(ledger, 0, 200)
        for turn in range(run.rounds):
            for into, times in zip(medians, await _alternately(ledger, 200 + turn * count, count), strict=True):
                into.append(quantile(sorted(times), 0.5))
    return medians


async def _alternately(ledger: EmbeddedLedger, first: int, count: int) -> tuple[list[float], list[float]]:
    """Microseconds of each claim and of each INCR."""
    claimed, bare = [], []
    for number in range(first, first + count):
        claim = _claim(number)
        start = time.perf_counter()
        await _claimed(ledger, number, claim)
        between = time.perf_counter()
        await ledger.link("INCR", "bare")
        end = time.perf_counter()
        claimed.append((between - start) * 1e6)
        bare.append((end - between) * 1e6)
    return claimed, bare


async def _in_flight(run: Run) -> tuple[list[float], list[float]]:
    """How many a second, round by round."""
    count, rates = run.scaled(10_000, 500), ([], [])  # type: tuple[int, tuple[list[float], list[float]]]
    async with served(run.folder / "ledger-in-flight") as ledger:
        for turn in range(run.rounds + 1):
            claims = [(number, _claim(number)) for number in range(turn * count, (turn + 1) * count)]
            waiting = iter(claims)
            claimed = await _rate(count, lambda waiting=waiting: _claimed(ledger, *next(waiting)))  # type: ignore[misc]
            bare = await _rate(count, lambda: ledger.link("INCR", "bare"))
            if turn:  # the first one warms up
                rates[0].append(claimed)
                rates[1].append(bare)
    return rates


async def _rate(count: int, ask: Callable[[], Awaitable[object]]) -> float:
    """How many of `ask` are answered a second with `IN_FLIGHT` of them under way."""
    numbers = iter(range(count))

    async def work() -> None:
        for _ in numbers:
            await ask()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return count / (time.perf_counter() - start)


def _claim(number: int) -> Claim:
    """One of a thousand creatives of five hundred advertisers, each time on another page."""
    ad = an_ad(f"a{number % 500}.example", f"c/{number % 1000}")
    sighting = a_sighting(ad, occasion=f"o{number}", page=f"p{number}")
    return prepare(_POLICY, sighting, _at(number))[1]


async def _claimed(ledger: EmbeddedLedger, number: int, claim: Claim) -> None:
    await ledger.claim("anna", [claim], _at(number), _POLICY.gap)


def _at(number: int) -> datetime:
    return NOON + timedelta(seconds=number)
