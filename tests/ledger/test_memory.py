"""What a ledger in this process holds in memory, which the contract of all ledgers cannot see."""

from datetime import timedelta

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.identity import Ad
from capper.domain.policy import Policy, Rule
from capper.ledger.memory import MemoryLedger
from capper.testing import NOON, a_sighting

GAP = timedelta(minutes=30)
POLICY = Policy(Rule("caps", (Cap.parse("1 per advertiser per day"),)))


async def shown(ledger, n: int, now=NOON, occasion: str = "") -> bool:
    """Claim an ad of the n-th shop; whether it may be shown."""
    sighting = a_sighting(ad=Ad(advertisers=(f"shop{n}.example",)), occasion=occasion or f"o{n}")
    [answer] = await ledger.claim("anna", [prepare(POLICY, sighting, now)[1]], now, GAP)
    return answer.shown


def held(ledger, viewer: str = "anna") -> int:
    """How many counters and occasions are held, a session aside."""
    record = ledger._records[viewer]
    return len(record.rows) + len(record.occasions)


async def test_a_bounded_ledger_stays_small_and_knows_the_latest():
    """However many ads come, at most so many are held, and those are the latest."""
    ledger = MemoryLedger(most=100)
    for n in range(5_000):
        await shown(ledger, n, NOON + timedelta(milliseconds=n))
    later = NOON + timedelta(minutes=1)

    assert held(ledger) < 2 * 100 + 1_100
    assert not await shown(ledger, 4_999, later, "again")
    assert await shown(ledger, 0, later, "again, the first")


async def test_an_unbounded_ledger_forgets_nothing_before_its_time():
    """Without bounds, as in a replay, every counter is held as long as it counts."""
    ledger = MemoryLedger()
    for n in range(3_000):
        await shown(ledger, n)

    assert not await shown(ledger, 0, occasion="again")


async def test_what_has_expired_is_dropped():
    """Counters and occasions that are over leave the memory as others come."""
    ledger = MemoryLedger(longest=timedelta(hours=1))
    for n in range(3_000):
        await shown(ledger, n)
    for n in range(3_000, 5_000):
        await shown(ledger, n, NOON + timedelta(hours=3))

    assert held(ledger) <= 2 * 2_000
