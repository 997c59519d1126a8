"""The guard: a page never waits longer than the deadline, and counts go on here while the ledger is away."""

import asyncio
from datetime import timedelta

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import Answer, Tally, prepare
from capper.domain.errors import ConfigError, LedgerUnavailable
from capper.domain.mute import Mute, Why
from capper.domain.policy import Policy, Rule
from capper.ledger.base import Health
from capper.ledger.guard import Breaker, GuardedLedger
from capper.ledger.link import Line, connect
from capper.ledger.memory import MemoryLedger
from capper.ledger.redis import RedisLedger
from capper.testing import NOON, a_sighting

GAP = timedelta(minutes=30)
POLICY = Policy(Rule("caps", (Cap.parse("3 per advertiser per day"),)))


class Ticks:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Wayward(MemoryLedger):
    """A ledger that answers, raises, or says nothing, as told; it counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.mood: Exception | str | None = None
        self.asked = 0

    async def behave(self) -> None:
        self.asked += 1
        if isinstance(self.mood, Exception):
            raise self.mood
        if self.mood == "silent":
            await asyncio.Event().wait()

    async def claim(self, *args):
        await self.behave()
        return await super().claim(*args)

    async def peek(self, *args):
        await self.behave()
        return await super().peek(*args)

    async def note(self, *args):
        await self.behave()
        await super().note(*args)

    async def health(self):
        return Health(ok=self.mood is None, server="wayward", detail="" if self.mood is None else "away")


@pytest.fixture
def ticks() -> Ticks:
    """The breaker's clock."""
    return Ticks()


@pytest.fixture
def away() -> Wayward:
    """The ledger that is guarded."""
    return Wayward()


@pytest.fixture
def guard(away, ticks) -> GuardedLedger:
    """A guard that opens after three failures and tries again after one, two and four seconds."""
    return GuardedLedger(away, timedelta(milliseconds=5), Breaker(ticks, failures=3, pause=1, longest=4))


def a_claim(n: int):
    """The n-th ad of the shoe shop."""
    return prepare(POLICY, a_sighting(occasion=f"o{n}"), NOON)[1]


async def claim(guard, n: int, viewer: str = "anna") -> Answer:
    """Claim it."""
    [answer] = await guard.claim(viewer, [a_claim(n)], NOON, GAP)
    return answer


async def test_a_ledger_that_is_well_answers_for_itself(guard):
    """While all is well the guard is not to be noticed."""
    assert [await claim(guard, n) for n in range(2)] == [
        Answer(shown=True, tallies=(Tally(0),)),
        Answer(shown=True, tallies=(Tally(1),)),
    ]
    assert await guard.health() == Health(ok=True, server="wayward")


@pytest.mark.parametrize("mood", [LedgerUnavailable("gone"), ConfigError("bad folder"), "silent"])
async def test_counts_go_on_where_they_were(guard, away, mood):
    """When the ledger goes away caps hold on: by what it said before and what was shown since, marked as not counted there."""
    first = await claim(guard, 0)
    away.mood = mood
    others = [await claim(guard, n) for n in range(1, 5)]
    again = await claim(guard, 0)

    assert first.counted
    assert [(answer.shown, answer.tallies[0].count, answer.counted) for answer in others] == [
        (True, 1, False),
        (True, 2, False),
        (False, 3, False),
        (False, 3, False),
    ]
    assert again == Answer(shown=True, tallies=(Tally(0),), repeated=True, counted=False)


async def test_mutes_hold_on(guard, away):
    """Muted here, or elsewhere and met here, an ad stays withheld while the ledger is away; unmuted it is shown."""
    names = a_claim(0).names
    asked, met = (Mute(*name, Why.ASKED, NOON, NOON + timedelta(days=1)) for name in names)
    await away.mute("ben", met, NOON)
    await claim(guard, 0, "ben")
    await guard.mute("anna", asked, NOON)
    await guard.mute("carl", asked, NOON)
    await guard.unmute("carl", names[0], NOON)
    away.mood = "silent"
    answers = [await claim(guard, 1, viewer) for viewer in ("anna", "ben", "carl")]

    assert [answer.muted and answer.muted.name for answer in answers] == [0, 1, None]
    assert [answer.shown for answer in answers] == [False, False, True]
    assert await guard.mutes("anna", NOON) == [asked]


async def test_what_is_unmuted_elsewhere_is_not_muted_here(guard, away):
    """The ledger's latest word on a name is what holds while it is away; leave to be shown once is the ledger's alone."""
    [name, _] = a_claim(0).names
    await guard.mute("anna", Mute(*name, Why.ASKED, NOON, NOON + timedelta(days=1)), NOON)
    await guard.once("anna", name, NOON)
    once = await claim(guard, 0)
    muted = await claim(guard, 1)
    await away.unmute("anna", name, NOON)
    shown = await claim(guard, 2)
    away.mood = "silent"

    assert [once.shown, muted.shown, shown.shown, (await claim(guard, 3)).shown] == [True, False, True, True]


async def test_peeks_go_on_too(guard, away):
    """A peek of a ledger that is away is answered here, and counts nothing."""
    away.mood = "silent"
    peeks = [await guard.peek("anna", [a_claim(n)], NOON, GAP) for n in range(4)]

    assert peeks == [[Answer(shown=True, tallies=(Tally(0),), counted=False)]] * 4


async def test_after_some_failures_it_is_not_asked(guard, away, ticks):
    """Three failures in a row open the breaker: then nobody waits, until one may try again."""
    away.mood = "silent"
    for n in range(10):
        await claim(guard, n)
    asked = away.asked
    ticks.now = 1
    for n in range(10, 20):
        await claim(guard, n)

    assert (asked, away.asked) == (3, 4)


async def test_the_pause_doubles_up_to_the_longest(guard, away, ticks):
    """Tries are 1, 2, 4, 4 seconds apart."""
    away.mood = LedgerUnavailable("gone")
    tries = []
    for quarter in range(80):
        ticks.now = quarter / 4
        before = away.asked
        await claim(guard, quarter)
        if away.asked > before:
            tries.append(ticks.now)

    assert tries == [0, 0.25, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5]


async def test_only_one_tries_at_a_time(guard, away, ticks):
    """When the pause is over, one of many callers asks; the others are answered here meanwhile."""
    away.mood = "silent"
    for n in range(3):
        await claim(guard, n)
    ticks.now = 1
    await asyncio.gather(*(claim(guard, n) for n in range(10, 60)))

    assert away.asked == 4


async def test_it_is_asked_again_when_it_is_back(guard, away, ticks):
    """A try that succeeds closes the breaker; the ledger counts on from what it acknowledged."""
    await claim(guard, 0)
    away.mood = LedgerUnavailable("gone")
    for n in range(1, 6):
        await claim(guard, n)
    away.mood = None
    ticks.now = 1
    back = await claim(guard, 9)

    assert back == Answer(shown=True, tallies=(Tally(1),))
    assert (await guard.health()).ok


async def test_one_failure_among_successes_opens_nothing(guard, away):
    """Only failures in a row count."""
    for n in range(12):
        away.mood = None if n % 3 == 0 else LedgerUnavailable("hiccup")
        await claim(guard, n)

    assert (away.asked, guard.breaker.closed) == (12, True)


async def test_health_tells_who_counts(guard, away, ticks):
    """While the breaker is open, health is not well and says why and who counts meanwhile."""
    away.mood = LedgerUnavailable("the server has left")
    for n in range(3):
        await claim(guard, n)
    health = await guard.health()

    assert not health.ok
    assert health.detail == "away; counts are kept in this process meanwhile (the server has left)"


async def test_a_deadline_is_told(guard, away):
    """A ledger too slow is described as such."""
    away.mood = "silent"
    await claim(guard, 0)

    assert guard.breaker.trouble == "the ledger did not answer within 5 ms"


async def test_nobody_is_late_because_this_process_was_busy(ticks):
    """A reply that is there when the deadline is noticed still reaches whoever asked, a few turns of the event loop later."""

    class Prompt(MemoryLedger):
        async def claim(self, *args):
            for _ in range(8):
                await asyncio.sleep(0)
            return await super().claim(*args)

    guard = GuardedLedger(Prompt(), timedelta(0), Breaker(ticks))

    assert (await claim(guard, 0)).counted


async def test_local_counts_reach_back_a_day(away, ticks):
    """What this process remembers for an outage it remembers for a day, however long the caps are."""
    guard = GuardedLedger(away, breaker=Breaker(ticks, failures=1))
    week = Policy(Rule("caps", (Cap.parse("1 per advertiser per week"),)))

    async def at(days: float, occasion: str) -> bool:
        now = NOON + timedelta(days=days)
        [answer] = await guard.claim("anna", [prepare(week, a_sighting(occasion=occasion), now)[1]], now, GAP)
        return answer.shown

    await at(0, "o1")
    away.mood = LedgerUnavailable("gone")

    assert [await at(0.9, "o2"), await at(1, "o3")] == [False, True]


async def test_forgetting_reaches_both(guard, away):
    """Forgotten is forgotten here and there; where the ledger is away, forgetting says so."""
    for n in range(3):
        await claim(guard, n)
    await guard.forget("anna")
    away.mood = LedgerUnavailable("gone")

    assert (await claim(guard, 9)).tallies == (Tally(0),)


async def test_what_another_process_forgot_is_not_remembered_here(away, ticks):
    """Once the ledger's keys are others, nothing is left of what was told under those of before."""
    changes = [1]
    guard = GuardedLedger(away, breaker=Breaker(ticks, failures=1), changes=lambda: changes[0])
    for n in range(3):
        await claim(guard, n)
    away.mood = LedgerUnavailable("gone")
    before = await claim(guard, 9)
    changes[0] += 1
    after = await claim(guard, 10)

    assert ((Tally(0),), before.tallies == after.tallies) == (after.tallies, False)


async def test_a_person_reading_her_record_is_told_that_it_is_away(guard, away, monkeypatch):
    """Entries and notes are the ledger's own or none: no half record is passed off as hers."""

    async def gone(*_):
        raise LedgerUnavailable("gone")

    monkeypatch.setattr(away, "entries", gone)
    monkeypatch.setattr(away, "notes", gone)
    for ask in (guard.entries, guard.notes):
        with pytest.raises(LedgerUnavailable, match="gone"):
            await ask("anna", NOON)


async def test_records_pass_or_are_refused_in_time(guard, away):
    """A journal record is kept, or refused before the deadline, or at once while the breaker is open."""
    await guard.note("anna", [b"kept"], NOON, GAP)
    away.mood = "silent"
    with pytest.raises(LedgerUnavailable, match="did not answer"):
        await guard.note("anna", [b"late"], NOON, GAP)
    for n in range(3):
        await claim(guard, n)
    asked = away.asked
    with pytest.raises(LedgerUnavailable):
        await guard.note("anna", [b"not tried"], NOON, GAP)

    assert away.asked == asked
    assert await away.notes("anna", NOON) == [b"kept"]


async def test_a_real_server_that_stops_and_goes_on(start_redis, secret, ticks):
    """A server stopped in mid-sentence: pages are answered here, its connection survives, and it counts on afterwards."""
    with start_redis() as server:
        guard = GuardedLedger(
            RedisLedger(connect(server.url), secret), timedelta(milliseconds=100), Breaker(ticks, failures=2)
        )
        await guard.claim("anna", [a_claim(0)], NOON, GAP)
        server.process.send_signal(19)
        stopped = [await claim(guard, n) for n in (1, 2, 3)]
        server.process.send_signal(18)
        while not (await guard.ledger.health()).ok:
            pass
        ticks.now = 1
        back = await claim(guard, 4)
        await guard.close()

    assert [(answer.shown, answer.counted) for answer in stopped] == [(True, False), (True, False), (False, False)]
    assert back.counted


async def test_a_server_that_is_not_there_is_no_hindrance(tmp_path, secret):
    """With no server at all every page is answered here at once."""
    guard = GuardedLedger(RedisLedger(connect(f"unix://{tmp_path}/none"), secret))
    answers = [await claim(guard, n) for n in range(5)]
    health = await guard.health()
    await guard.close()

    assert [answer.shown for answer in answers] == [True, True, True, False, False]
    assert not health.ok
    assert "No such file" in health.detail
    assert isinstance(guard.ledger.link, Line)
