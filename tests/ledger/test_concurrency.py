"""Many callers, connections and processes on one counter: exactly as many are shown as the cap says."""

import asyncio
import multiprocessing
from datetime import UTC, datetime, timedelta

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.policy import Policy, Rule
from capper.ledger.embedded import EmbeddedLedger
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.testing import NOON, a_sighting

POLICY = Policy(
    Rule(
        "caps",
        tuple(map(Cap.parse, ("5 per advertiser per day", "5 per advertiser per session", "9 per creative for life"))),
    )
)


async def shown(ledger, occasions, now=NOON) -> int:
    """How many of these occasions were shown, all claimed at once."""

    async def one(occasion: str) -> bool:
        claim = prepare(POLICY, a_sighting(occasion=occasion), now)[1]
        [answer] = await ledger.claim("anna", [claim], now, timedelta(minutes=30))
        return answer.shown

    return sum(await asyncio.gather(*map(one, occasions)))


async def test_200_claims_on_eight_connections(redis_server, secret):
    """200 claims on eight connections at once, cap 5: exactly 5 are shown."""
    ledgers = [RedisLedger(connect(redis_server.url), secret) for _ in range(8)]
    counts = await asyncio.gather(*(shown(ledger, [f"{n}-{m}" for m in range(25)]) for n, ledger in enumerate(ledgers)))
    for ledger in ledgers:
        await ledger.close()

    assert sum(counts) == 5


def _process(folder, path, number) -> int:
    """One capper process, by its own clock: 50 claims."""

    async def run() -> int:
        ledger = EmbeddedLedger(folder, Secret.load_or_create(path))
        count = await shown(ledger, [f"{number}-{m}" for m in range(50)], datetime.now(UTC))
        await ledger.close()
        return count

    return asyncio.run(run())


def test_200_claims_of_four_processes(embedded_folder, tmp_path):
    """Four processes with a clock each claim 50 at once on one embedded server, cap 5: exactly 5 are shown."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        counts = pool.starmap(_process, [(embedded_folder, tmp_path / "secret", n) for n in range(4)], chunksize=1)

    assert sum(counts) == 5


async def test_one_occasion_from_many_connections_counts_once(redis_server, secret):
    """A retried auction, claimed by eight connections at once, is one sighting with one answer."""
    ledgers = [RedisLedger(connect(redis_server.url), secret) for _ in range(8)]
    claim = prepare(POLICY, a_sighting(occasion="auction 7"), NOON)[1]
    answers = await asyncio.gather(
        *(ledger.claim("anna", [claim] * 3, NOON, timedelta(minutes=30)) for ledger in ledgers)
    )
    times = [entry.times for entry in await ledgers[0].entries("anna", NOON)]
    for ledger in ledgers:
        await ledger.close()

    assert sum(answer.repeated for three in answers for answer in three) == 23
    assert len({answer.tallies for three in answers for answer in three}) == 1
    assert times == [(NOON,)]
