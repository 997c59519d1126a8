"""A ledger that never keeps a page waiting: a deadline per call, a circuit breaker, and counts of our own meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol

from capper.domain.daily import Addition, Follower
from capper.domain.decision import Answer, Claim
from capper.domain.errors import CapperError, LedgerUnavailable
from capper.domain.mute import Mute, Name
from capper.ledger import DEADLINE
from capper.ledger.base import Entry, Health, Ledger
from capper.ledger.memory import MemoryLedger
from capper.ledger.versions import Versions

PATIENCE = timedelta(seconds=10)
"""How long a person who asks for her own record, or to be forgotten, may be kept waiting."""
SHADOW_LIFE = timedelta(days=1)
"""How far back the local counts reach; longer would hold a month of everyone's ads in this process for the rare outage."""
SHADOW_MOST = 5_000
"""Of each viewer's local counters, and of the occasions known locally: more than a day and ten minutes bring, some 4 MB."""

_STEPS = 10
"""Of a deadline: a reply takes three or four turns of the event loop from the socket to whoever asked, and may have to wait for another's."""


class Breaker:
    """Whether it is worth asking: closed (ask), open (do not), and half open (let one caller try) after a pause.

    It opens after `failures` in a row. The pause doubles each time the one try fails, from `pause` to `longest` seconds.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, failures: int = 5, pause: float = 1.0, longest: float = 30.0
    ) -> None:
        self.trouble = ""
        """What went wrong last, while anything is wrong."""
        self._clock = clock
        self._failures = failures
        self._shortest = self._pause = pause
        self._longest = longest
        self._failed = 0
        self._try_at = 0.0

    @property
    def closed(self) -> bool:
        """Whether everyone may ask."""
        return self._failed < self._failures

    def admits(self) -> bool:
        """Whether this caller may ask; one who may while the breaker is not closed is the one who tries."""
        if self.closed:
            return True
        now = self._clock()
        if now < self._try_at:
            return False
        self._try_at = now + self._pause
        return True

    def succeeded(self) -> None:
        """An answer came: closed again."""
        self._failed = 0
        self._pause = self._shortest
        self.trouble = ""

    def failed(self, exc: Exception) -> None:
        """No answer came."""
        was_closed = self.closed
        self._failed += 1
        self.trouble = str(exc) or type(exc).__name__
        if not self.closed:
            self._pause = self._shortest if was_closed else min(2 * self._pause, self._longest)
            self._try_at = self._clock() + self._pause


class _Deadline:
    """As `asyncio.timeout`, but time in which this process did not listen hardly counts.

    The time runs in steps, and one step is over however long the event loop was busy meanwhile: a reply that came, or a request
    that could not go out, is seen to before the ledger is called late.
    """

    __slots__ = ("_limit", "_loop", "_step", "_timer")

    def __init__(self, seconds: float) -> None:
        self._step, self._loop = seconds / _STEPS, asyncio.get_running_loop()

    async def __aenter__(self) -> None:
        self._limit = await asyncio.timeout(None).__aenter__()
        self._wait(_STEPS)

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._limit.__aexit__(kind, raised, trace)

    def _wait(self, steps: int) -> None:
        if steps:
            self._timer = self._loop.call_later(self._step, self._wait, steps - 1)
        else:
            self._limit.reschedule(self._loop.time())


class _Ask(Protocol):
    """`claim` or `peek`."""

    def __call__(
        self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta, /
    ) -> Awaitable[list[Answer]]: ...


class GuardedLedger:
    """The ledger as the gate uses it: `claim` and `peek` always answer, within the deadline.

    Where the ledger does not answer in time, this process answers by what it remembers of the last day: what the ledger
    told it, and what it has shown since. Such an answer says `counted=False`.

    What is kept and what is lost: a count is kept if the ledger acknowledged it, that is, if `counted` is true. What was
    shown during an outage counts in this process until it ends, or a day later, and is not brought to the ledger
    afterwards, because the clock and the caps it was shown under are past. Where a deadline passed, the ledger may have
    counted nevertheless: claimed again, the same occasion gets the ledger's own answer and is not counted twice.
    """

    def __init__(
        self,
        ledger: Ledger,
        deadline: timedelta = DEADLINE,
        breaker: Breaker | None = None,
        changes: Callable[[], int] = lambda: 0,
    ) -> None:
        """`changes`: how often the ledger's keys became others, of somebody who was forgotten or of all: nothing of before is remembered then."""
        self.ledger = ledger
        self.breaker = breaker or Breaker()
        self._deadline = deadline.total_seconds()
        self._changes, self._changed = changes, changes()
        self._remembered = MemoryLedger(SHADOW_LIFE, SHADOW_MOST)

    @property
    def _shadow(self) -> MemoryLedger:
        """What this process remembers."""
        changed = self._changes()
        if changed != self._changed:
            self._changed, self._remembered = changed, MemoryLedger(SHADOW_LIFE, SHADOW_MOST)
        return self._remembered

    @property
    def versions(self) -> Versions:
        """The ledger's own: there is no hurry about them, and nothing to go by meanwhile but the policy in force."""
        return self.ledger.versions

    async def claim(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """Check and count, there or else here; never raises."""
        told = self._shadow  # what was asked with keys of before does not go where nothing of before is
        answers = await self._answers(self.ledger.claim, viewer, claims, now, gap)
        if answers is None:
            return _uncounted(await self._shadow.claim(viewer, claims, now, gap))
        told.learn(viewer, claims, answers, now, gap)
        return answers

    async def peek(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """What `claim` would answer; never raises."""
        answers = await self._answers(self.ledger.peek, viewer, claims, now, gap)
        return _uncounted(await self._shadow.peek(viewer, claims, now, gap)) if answers is None else answers

    async def entries(self, viewer: str, now: datetime) -> list[Entry]:
        """The viewer's advertisers as the ledger knows them."""
        return await self._patiently(self.ledger.entries(viewer, now))

    async def mute(self, viewer: str, mute: Mute, now: datetime) -> None:
        """Mute a name there, and here for when the ledger does not answer."""
        await self._patiently(self.ledger.mute(viewer, mute, now))
        await self._shadow.mute(viewer, mute, now)

    async def unmute(self, viewer: str, name: Name, now: datetime) -> None:
        """Take back a mute there and here."""
        await self._patiently(self.ledger.unmute(viewer, name, now))
        await self._shadow.unmute(viewer, name, now)

    async def once(self, viewer: str, name: Name, now: datetime) -> None:
        """Let a name be shown once, by the ledger's word."""
        await self._patiently(self.ledger.once(viewer, name, now))

    async def mutes(self, viewer: str, now: datetime) -> list[Mute]:
        """The viewer's mutes as the ledger knows them."""
        return await self._patiently(self.ledger.mutes(viewer, now))

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep journal records, unless the ledger is known not to answer."""
        await self._beside(self.ledger.note, viewer, records, now, life)

    async def notes(self, viewer: str, now: datetime) -> list[bytes]:
        """The viewer's journal records as the ledger knows them."""
        return await self._patiently(self.ledger.notes(viewer, now))

    async def tally(self, viewer: str, additions: Sequence[Addition], today: int) -> None:
        """Add to the viewer's days, unless the ledger is known not to answer."""
        await self._beside(self.ledger.tally, viewer, additions, today)

    async def followers(self, viewer: str, today: int) -> list[Follower]:
        """The viewer's days as the ledger knows them."""
        return await self._patiently(self.ledger.followers(viewer, today))

    async def forget(self, viewer: str) -> int:
        """Forget the viewer here and there."""
        await self._shadow.forget(viewer)
        return await self._patiently(self.ledger.forget(viewer))

    async def health(self) -> Health:
        """The ledger's health, and whether counts are kept here instead of there."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                health = await self.ledger.health()
        except TimeoutError:
            return Health(ok=False, server="", detail=f"no answer in {PATIENCE.total_seconds():g} s")
        if self.breaker.closed:
            return health
        meanwhile = f"counts are kept in this process meanwhile ({self.breaker.trouble})"
        return replace(health, ok=False, detail="; ".join(filter(None, (health.detail, meanwhile))))

    async def close(self) -> None:
        """Close the ledger."""
        await self.ledger.close()

    async def _answers(
        self, ask: _Ask, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta
    ) -> list[Answer] | None:
        """The ledger's own answers, or None where there are none in time."""
        if not self.breaker.admits():
            return None
        try:
            async with _Deadline(self._deadline):
                answers = await ask(viewer, claims, now, gap)
        except TimeoutError:
            self.breaker.failed(LedgerUnavailable(self._late()))
            return None
        except CapperError as exc:
            self.breaker.failed(exc)
            return None
        self.breaker.succeeded()
        return answers

    async def _beside[**P](self, write: Callable[P, Awaitable[None]], *args: P.args, **named: P.kwargs) -> None:
        """Write what no page waits for; says at once that it cannot be while the ledger is known not to answer."""
        if not self.breaker.closed:
            raise LedgerUnavailable(self.breaker.trouble)
        try:
            async with _Deadline(self._deadline):
                await write(*args, **named)
        except TimeoutError as exc:
            raise LedgerUnavailable(self._late()) from exc

    def _late(self) -> str:
        return f"the ledger did not answer within {self._deadline * 1000:g} ms"

    async def _patiently[T](self, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await asked
        except TimeoutError as exc:
            raise LedgerUnavailable(f"the ledger did not answer within {PATIENCE.total_seconds():g} s") from exc


def _uncounted(answers: list[Answer]) -> list[Answer]:
    return [answer._replace(counted=False) for answer in answers]
