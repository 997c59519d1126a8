"""Takes asks to lua/claim.lua: one by itself goes at once, and what comes while calls are under way goes together in the next.

So nobody waits for company, and where many ask at a time the cost of a call is shared by all of them.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from capper.domain.errors import LedgerUnavailable
from capper.ledger.entries import Script
from capper.ledger.link import Link
from capper.ledger.wire import Ask, together

_CALLS: Final = 2
"""Under way at a time: while the server works on one, the other is read or written here."""
_KEYS: Final = 400
"""Of one call, unless a single ask has more: the server answers nobody else meanwhile."""
_CLAIM: Final = Script("claim")


class _Waiting(NamedTuple):
    ask: Ask
    reply: asyncio.Future[list[bytes]]


@dataclass(slots=True)
class _Lane:
    """What goes to one place: how many calls are under way with how many asks, and who waits for the next."""

    under_way: int = 0
    asks: int = 0
    waiting: deque[_Waiting] = field(default_factory=deque)

    def take(self) -> list[_Waiting]:
        """Those that go together, the first first; who has given up is left out.

        No more than make the calls under way alike: with one of nearly all the server and this process would wait in turns.
        """
        taken: list[_Waiting] = []
        most, keys = math.ceil((self.asks + len(self.waiting)) / _CALLS), 0
        while self.waiting and (not taken or (len(taken) < most and keys + len(self.waiting[0].ask.keys) <= _KEYS)):
            first = self.waiting.popleft()
            if not first.reply.done():
                taken.append(first)
                keys += len(first.ask.keys)
        self.asks += len(taken)
        return taken


class Asking:
    """The way of all claims and peeks to the server that `link` leads to. Where there are several nodes each viewer has a lane."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lanes: dict[bytes, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, ask: Ask) -> list[bytes]:
        """The reply to each claim.

        Raises:
            LedgerUnavailable: the server does not answer, or what it says is an error.
        """
        place = ask.keys[0].partition(b"}")[0] if self._link.sharded else b""
        lane = self._lanes.get(place)
        if lane is None:
            lane = self._lanes[place] = _Lane()
        if lane.under_way >= _CALLS:
            reply: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
            lane.waiting.append(_Waiting(ask, reply))
            return await reply
        lane.under_way += 1
        lane.asks += 1
        try:
            return await self._call([ask])
        finally:
            lane.asks -= 1
            self._next(place, lane)

    async def close(self) -> None:
        """Wait for no reply any more."""
        for lane in self._lanes.values():
            while lane.waiting:
                lane.waiting.popleft().reply.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _next(self, place: bytes, lane: _Lane) -> None:
        """A call is over: another begins with those who wait, else the lane has room."""
        taken = lane.take()
        if taken:
            task = asyncio.create_task(self._carry(taken, place, lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        lane.under_way -= 1
        if place and not lane.under_way:  # one of many
            del self._lanes[place]

    async def _carry(self, taken: Sequence[_Waiting], place: bytes, lane: _Lane) -> None:
        """Ask for several, and give each the replies to its own claims."""
        try:
            replies = iter(await self._call([each.ask for each in taken]))
        except LedgerUnavailable as exc:
            for each in taken:
                if not each.reply.done():
                    each.reply.set_exception(exc)
        else:
            for each in taken:
                own = list(islice(replies, each.ask.claims))
                if not each.reply.done():
                    each.reply.set_result(own)
        finally:
            lane.asks -= len(taken)
            for each in taken:
                each.reply.cancel()
            if lane.waiting:
                self._next(place, lane)
            else:  # those who were answered may ask again at once, and then go together
                asyncio.get_running_loop().call_soon(self._next, place, lane)

    async def _call(self, asks: Sequence[Ask]) -> list[bytes]:
        keys, args = together(asks)
        replies: bytes | list[bytes] = await _CLAIM.run(self._link, keys, args)
        return [replies] if isinstance(replies, bytes) else replies
