"""Claims that come while others are under way go together, and each caller gets its own answers."""

import asyncio
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.errors import LedgerUnavailable
from capper.domain.policy import Policy, Rule
from capper.ledger.asking import Asking
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.testing import NOON, a_sighting, an_ad

POLICY = Policy(Rule("caps", (Cap.parse("2 per advertiser per day"),)))


async def claimed(ledger, viewer, number, brand="shoes.example"):
    """Whether one more sighting of a brand was shown."""
    claim = prepare(POLICY, a_sighting(an_ad(brand), occasion=f"o{number}"), NOON)[1]
    [answer] = await ledger.claim(viewer, [claim], NOON, POLICY.gap)
    return answer.shown


async def calls(ledger) -> int:
    """How many calls of the script the server has had."""
    stats = (await ledger.link("INFO", "commandstats")).decode()
    found = [line for line in stats.splitlines() if line.startswith("cmdstat_evalsha:")]
    return int(found[0].partition("calls=")[2].partition(",")[0]) if found else 0


async def test_a_hundred_at_a_time_go_in_a_few_calls(redis_ledger):
    """Two go at once, the others together; of each viewer's as many are shown as the cap says, the first ones."""
    await claimed(redis_ledger, "nobody", 0)
    before = await calls(redis_ledger)

    viewers = [f"v{n % 25}" for n in range(100)]
    shown = await asyncio.gather(*(claimed(redis_ledger, viewer, n) for n, viewer in enumerate(viewers)))

    assert [n < 50 for n in range(100)] == shown
    assert await calls(redis_ledger) - before <= 6


async def test_calls_under_way_are_alike(redis_ledger, monkeypatch):
    """Where each asks again once it is answered no call has nearly all of them, which would leave the other with next to none."""
    call, sizes = Asking._call, []

    async def noted(asking, asks):
        sizes.append(len(asks))
        return await call(asking, asks)

    async def again_and_again(viewer):
        for number in range(5):
            await claimed(redis_ledger, viewer, number)

    monkeypatch.setattr(Asking, "_call", noted)
    await asyncio.gather(*(again_and_again(f"v{n}") for n in range(64)))

    assert max(sizes) <= 32


async def test_one_who_gives_up_takes_nothing_from_the_others(redis_ledger):
    """Neither while it waits nor while its call is under way; what was given up in time is not even asked."""
    await claimed(redis_ledger, "nobody", 0)
    tasks = [asyncio.create_task(claimed(redis_ledger, f"v{n}", n)) for n in range(9)]
    await asyncio.sleep(0)
    for n in (0, 5):
        tasks[n].cancel()
    shown = await asyncio.gather(*tasks, return_exceptions=True)

    assert [n for n, answer in enumerate(shown) if answer is True] == [1, 2, 3, 4, 6, 7, 8]
    assert await claimed(redis_ledger, "v5", "again")
    assert await claimed(redis_ledger, "v5", "and again")


@pytest.mark.parametrize("number", [1, 10])
async def test_whoever_waits_is_told_that_the_server_is_gone(start_redis, secret, number):
    """One and all."""
    with start_redis() as server:
        ledger = RedisLedger(connect(server.url), secret)
        assert await claimed(ledger, "nobody", 0)
    answers = await asyncio.gather(*(claimed(ledger, "v", n) for n in range(number)), return_exceptions=True)
    await ledger.close()

    assert [LedgerUnavailable] * number == [type(answer) for answer in answers]


async def test_closing_leaves_nobody_waiting(redis_server, secret):
    """Neither for a call under way nor for the next."""
    ledger = RedisLedger(connect(redis_server.url), secret)
    await claimed(ledger, "nobody", 0)
    tasks = [asyncio.create_task(claimed(ledger, "v", n)) for n in range(10)]
    await asyncio.sleep(0)
    await ledger.close()
    done, waiting = await asyncio.wait(tasks, timeout=5)
    for task in done:
        task.cancelled() or task.exception()

    assert not waiting


async def test_a_claim_of_a_thousand_counters_is_one_claim(redis_ledger):
    """An ad that names thousands of categories goes through the server's small stack in portions."""
    policy = Policy(Rule("caps", (Cap.parse("1 per category per day"),)))
    ad = a_sighting(an_ad()).ad
    many = type(ad)(ad.advertisers, categories=tuple(f"c{n}" for n in range(2500)))
    first, second = (
        prepare(policy, a_sighting(each, occasion=occasion), NOON)[1]
        for each, occasion in ((many, "o1"), (type(ad)(ad.advertisers, categories=("c2499",)), "o2"))
    )
    [shown] = await redis_ledger.claim("anna", [first], NOON, timedelta(0))
    [withheld] = await redis_ledger.claim("anna", [second], NOON, timedelta(0))

    assert (shown.shown, len(shown.tallies), withheld.shown) == (True, 2500, False)


async def test_where_no_cap_speaks_of_sessions_none_is_kept(redis_ledger):
    """When a viewer was last seen is not the ledger's to know then."""
    await claimed(redis_ledger, "anna", 1)
    one = Policy(Rule("caps", (Cap.parse("1 per advertiser per session"),)))
    session = redis_ledger._keyring.of("anna").session
    before = await redis_ledger.link("MGET", session)
    await redis_ledger.claim("anna", [prepare(one, a_sighting(occasion="o2"), NOON)[1]], NOON, one.gap)

    assert before == [None]
    assert await redis_ledger.link("MGET", session) != [None]
