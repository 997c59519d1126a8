"""A real cluster whose slots move, and whose masters change, while people are counted: nothing is lost, nothing counted twice."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import Answer, prepare
from capper.domain.errors import LedgerUnavailable
from capper.domain.policy import Policy, Rule
from capper.ledger import cluster as capper_cluster
from capper.ledger.cluster import slot_of
from capper.ledger.guard import GuardedLedger
from capper.ledger.link import connect
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.testing import a_sighting, an_ad

NOW = datetime.now(UTC)
GAP = timedelta(minutes=30)
CAP = 5
MOST = 1000
POLICY = Policy(Rule("caps", (Cap.parse(f"{CAP} per advertiser per day"), Cap.parse(f"{MOST} per campaign per day"))))
VIEWERS = [f"person {number}" for number in range(40)]

pytestmark = pytest.mark.slow


def claim(viewer: str, number: int, advertiser: str = "shoes.example"):
    """The claim of one sighting; the same number is the same occasion."""
    ad = an_ad(advertiser, f"ads.example/{number}", "spring")
    return prepare(POLICY, a_sighting(ad, viewer=viewer, occasion=f"{number}", page=None), NOW)[1]


class Household:
    """Three cappers of one household that claim without a pause, each occasion twice and by two of them, and what they were told."""

    def __init__(self, address: str) -> None:
        secret = Secret()
        self.cappers = [RedisLedger(connect(address), secret) for _ in range(3)]
        self.told: dict[tuple[str, int], set[bool]] = {}
        """Whether an occasion was shown, by every acknowledged answer."""
        self.trouble: list[str] = []
        self.rounds = 0

    async def live(self, until: Callable[[], bool], rounds: int = 20) -> None:
        """Go on for so many rounds at least, and as long as it takes or the campaign's cap allows."""
        while self.rounds < rounds or (self.rounds < MOST and not until()):
            self.rounds += 1
            await asyncio.gather(*(self._meet(viewer, self.rounds) for viewer in VIEWERS))

    async def counts(self) -> dict[str, int]:
        """How many sightings the ledger says it has counted of each person, whatever of."""
        found = {}
        for viewer in VIEWERS:
            # Advertisers have reached their cap long since: only what has another is shown and says the campaign's count.
            [answer] = await self.cappers[0].peek(viewer, [claim(viewer, 0, "new.example")], NOW, GAP)
            found[viewer] = answer.tallies[1].count
        return found

    def tag(self, viewer: str) -> bytes:
        """A key of hers."""
        return self.cappers[0]._keyring.of(viewer).session

    async def close(self) -> None:
        for capper in self.cappers:
            await capper.close()

    async def _meet(self, viewer: str, number: int) -> None:
        first, second = self.cappers[number % 3], self.cappers[(number + 1) % 3]
        # Five of the first advertiser, five of the next, and two of each beyond its cap.
        asked = claim(viewer, number, f"a{number // (CAP + 2)}.example")
        answers = await asyncio.gather(self._insist(first, viewer, asked), self._insist(second, viewer, asked))
        self.told[viewer, number] = {answer.shown for answer in answers}

    async def _insist(self, capper: RedisLedger, viewer: str, asked) -> Answer:
        for _ in range(2000):
            try:
                [answer] = await capper.claim(viewer, [asked], NOW, GAP)
            except LedgerUnavailable as exc:
                self.trouble.append(str(exc))
                await asyncio.sleep(0.01)
            else:
                return answer
        pytest.fail(f"no answer for long: {self.trouble[-1]}")


@pytest.fixture
async def household():
    """Cappers before the cluster at an address."""
    async with contextlib.AsyncExitStack() as stack:

        def move_in(address: str) -> Household:
            found = Household(address)
            stack.push_async_callback(found.close)
            return found

        yield move_in


async def during(work: Awaitable[None], household: Household) -> None:
    """Have the household go on until the work is done."""
    task = asyncio.ensure_future(work)
    await household.live(task.done)
    await task


def shown(household: Household) -> dict[str, int]:
    """How many sightings of each person were acknowledged as shown."""
    return {
        viewer: sum(told == {True} for (who, _), told in household.told.items() if who == viewer) for viewer in VIEWERS
    }


def expected(rounds: int) -> int:
    """How many of a person's sightings the cap allows: the first five of every seven of an advertiser."""
    return sum(min(sum(number // (CAP + 2) == each for number in range(1, rounds + 1)), CAP) for each in range(rounds))


async def test_nothing_is_lost_or_counted_twice_while_slots_move(cluster, household):
    """Everyone's slot goes to another node, a few keys at a time, while three cappers claim for everyone."""
    home = household(cluster.address)
    await home.live(lambda: True, rounds=3)
    before = await cluster.owners()

    async def move() -> None:
        for viewer in VIEWERS:
            async for _ in cluster.moving(home.tag(viewer), at_once=10):
                pass

    await during(move(), home)
    after, met = await cluster.owners(), await cluster.met()
    moved = [viewer for viewer in VIEWERS if before[slot_of(home.tag(viewer))] != after[slot_of(home.tag(viewer))]]

    assert len(VIEWERS) == len(moved)
    assert met["MOVED"] > 0
    assert met["TRYAGAIN"] > 0
    assert {1} == {len(told) for told in home.told.values()}, "two answers to one occasion"
    assert dict.fromkeys(VIEWERS, expected(home.rounds)) == shown(home) == await home.counts()


async def test_a_claim_waits_for_keys_that_are_on_their_way(cluster, monkeypatch):
    """With some of a person's keys moved and some not, no node can answer; the claim is answered once the last has followed."""
    monkeypatch.setattr(capper_cluster, "_PAUSES", (0.01,) * 2000)  # however slowly this machine moves them
    capper = RedisLedger(connect(cluster.address), Secret())
    await capper.claim("anna", [claim("anna", number) for number in range(3)], NOW, GAP)
    steps = cluster.moving(capper._keyring.of("anna").session)
    assert await anext(steps) > 4
    await anext(steps)
    asked = asyncio.create_task(capper.claim("anna", [claim("anna", 3)], NOW, GAP))
    while not (await cluster.met()).get("TRYAGAIN"):
        assert not asked.done()
    async for _ in steps:
        pass
    [answer] = await asked
    await capper.close()

    assert (answer.shown, answer.repeated, answer.tallies[0].count) == (True, False, 3)


async def test_a_page_does_not_wait_for_a_slot_that_is_stuck(cluster):
    """Answered here within the deadline, and not counted; when the slot has moved, the same occasion is counted, once."""
    capper = RedisLedger(connect(cluster.address), Secret())
    guarded = GuardedLedger(capper, timedelta(milliseconds=50))
    [first] = await capper.claim("anna", [claim("anna", 1)], NOW, GAP)
    steps = cluster.moving(capper._keyring.of("anna").session)
    await anext(steps)
    await anext(steps)
    [stuck] = await guarded.claim("anna", [claim("anna", 2)], NOW, GAP)
    async for _ in steps:
        pass
    again = [await capper.claim("anna", [claim("anna", 2)], NOW, GAP) for _ in range(2)]
    await guarded.close()

    assert (first.shown, first.counted) == (True, True)
    assert (stuck.shown, stuck.counted) == (True, False)
    assert [(answer.repeated, answer.tallies[0].count) for [answer] in again] == [(False, 1), (True, 1)]


async def test_nothing_is_lost_when_a_master_hands_over(start_cluster, household):
    """A replica takes its master's place as for an upgrade (CLUSTER FAILOVER), and the old master takes it back, amid claims."""
    cluster = await start_cluster(copied=True)
    home = household(cluster.address)
    await home.live(lambda: True, rounds=3)

    async def over_and_back() -> None:
        for successor in (3, 0):
            await cluster.copies(successor)
            await cluster.links[successor]("CLUSTER", "FAILOVER")
            await leads(cluster, successor)

    await during(over_and_back(), home)

    assert {1} == {len(told) for told in home.told.values()}, "two answers to one occasion"
    assert dict.fromkeys(VIEWERS, expected(home.rounds)) == shown(home) == await home.counts()


async def test_a_master_that_dies_is_followed_by_its_replica(start_cluster, household):
    """Its people are counted again by themselves; of theirs at most what had not reached the replica is lost, of others' nothing."""
    cluster = await start_cluster(copied=True)
    home = household(cluster.address)
    await home.live(lambda: True, rounds=3)
    before = await cluster.owners()

    async def die() -> None:
        with contextlib.suppress(LedgerUnavailable):
            await cluster.links[0]("SHUTDOWN", "NOSAVE", "NOW", "FORCE")
        await leads(cluster, 3)

    await during(die(), home)
    counted, told = await home.counts(), shown(home)
    theirs = [viewer for viewer in VIEWERS if before[slot_of(home.tag(viewer))] == 0]

    assert theirs
    assert home.trouble
    assert {viewer: told[viewer] for viewer in VIEWERS if viewer not in theirs} == {
        viewer: count for viewer, count in counted.items() if viewer not in theirs
    }


async def leads(cluster, node: int) -> None:
    """Return once all that are left know this node as a master with slots."""
    name = (await cluster.links[node]("CLUSTER", "MYID")).decode()
    for _ in range(2000):
        known = 0
        for link in cluster.links:
            with contextlib.suppress(LedgerUnavailable):
                rows = await link("CLUSTER", "SLOTS")
                known += name in {row[2][2].decode() for row in rows} or -10
        if known >= 3:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody took over")
