"""Takes decisions from the gate and hands their records on; never delays a flow: records wait in a bounded queue."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from capper.domain.decision import Decision
from capper.domain.identity import Level as AdLevel
from capper.domain.identity import Viewer
from capper.domain.mute import Name, Why
from capper.domain.prompt import Place, Prompt
from capper.domain.sighting import Sighting
from capper.journal.record import Level, Record
from capper.journal.sinks import Sink

logger = logging.getLogger(__name__)

BATCH = 256

_PLACES = {Place.PAGE: "a page", Place.STATE: "a page's state", Place.ANSWER: "an answer", Place.TEXT: "a text"}


class Tallier(Protocol):
    """Whoever keeps count of a person's days, at every level but NOTHING; see `capper.ledger.tallying`."""

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`; returns at once."""
        ...

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Take note of credit prompts that were cut; returns at once."""
        ...

    async def close(self) -> None:
        """Write what waits."""
        ...


@dataclass
class Totals:
    """What happened since the start, about nobody in particular."""

    shown: int = 0
    withheld: int = 0
    repeated: int = 0
    """Sightings that were part of one already decided; they count once."""
    uncounted: int = 0
    untouched: int = 0
    prompts: int = 0
    """Credit prompts taken out or marked."""
    dropped: int = 0
    """Records lost because the sink was too slow or gone."""


class Journal:
    """Takes decisions from the gate at once and hands their records to the sink in batches, in the background.

    1. `decided` and `untouched` count and queue, and return; a full queue drops the record and counts that.
    2. A task writes batches while there are any; it starts by itself in a running event loop.
    3. `drain` waits until all is written, `close` drains and closes the sink.
    """

    def __init__(
        self,
        level: Level = Level.OWN,
        sink: Sink | None = None,
        most: int = 10_000,
        tallier: Tallier | None = None,
        chosen: Callable[[str], int | None] = lambda _: None,
        totals: Totals | None = None,
    ) -> None:
        """A journal at `level` at most; `chosen` says of a person by name what she chose, which may be less."""
        self.level = level if sink else min(level, Level.COUNTS)
        self.totals = totals or Totals()
        self.entry: int | None = None
        """The HAR entry being replayed; each record carries it."""
        self._sink, self._tallier, self._chosen = sink, tallier, chosen
        self._most = most
        self._queue: deque[Record] = deque()
        self._writer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._queue)

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Note what became of `sightings`, which were claimed together for one viewer."""
        if self.level is Level.NOTHING or not decisions:
            return
        level = self.level_of(decisions[0].viewer.name)
        if self._tallier and level > Level.NOTHING:
            self._tallier.decided(at, sightings, decisions)
        for sighting, decision in zip(sightings, decisions, strict=True):
            self._count(decision)
            if level >= Level.OWN:
                self._put(Record.of(decision, at, sighting, site=level >= Level.RESEARCH))

    def cut(self, at: datetime, viewer: Viewer, prompts: Sequence[Prompt], *, marked: bool = False) -> None:
        """Note the credit prompts that were taken out of one body, or marked: what kind, by which words, never how much."""
        if self.level is Level.NOTHING:
            return
        self.totals.prompts += len(prompts)
        level = self.level_of(viewer.name)
        if self._tallier and level > Level.NOTHING:
            self._tallier.cut(at, viewer, len(prompts))
        done = "marked in" if marked else "taken out of"
        if level >= Level.OWN:
            for prompt in prompts:
                self._put(
                    Record(
                        at.astimezone(UTC),
                        viewer.name,
                        note=f"credit prompt {done} {_PLACES[prompt.place]}",
                        prompt=prompt.kind,
                        pack=prompt.pack or None,
                        signals=prompt.signals,
                    )
                )

    def muted(self, at: datetime, viewer: Viewer, names: Sequence[Name], why: Why | None, note: str) -> None:
        """Note that she muted these names other than through capper's own pages, or (why None) took that back."""
        if self.level_of(viewer.name) >= Level.OWN:
            advertisers = tuple(name for level, name in names if level is AdLevel.ADVERTISER)
            creative = next((name for level, name in names if level is AdLevel.CREATIVE), None)
            self._put(
                Record(at.astimezone(UTC), viewer.name, advertisers=advertisers, creative=creative, note=note, mute=why)
            )

    def unsure(self, at: datetime, viewer: Viewer, ads: int, note: str) -> None:
        """Note an opt-out of hers of which it could not be told which of `ads` it meant."""
        if self.level_of(viewer.name) >= Level.OWN:
            self._put(Record(at.astimezone(UTC), viewer.name, note=note, unsure=ads))

    def untouched(self, at: datetime, viewer: Viewer, reason: str) -> None:
        """Note that an exchange was left as it was although there may have been an ad in it.

        `reason` says no site and no URL.
        """
        if self.level is Level.NOTHING:
            return
        self.totals.untouched += 1
        if self.level_of(viewer.name) >= Level.OWN:
            self._put(Record(at.astimezone(UTC), viewer.name, note=reason))

    def level_of(self, viewer: str) -> int:
        """How much is written down of a viewer, by name."""
        chosen = self._chosen(viewer)
        return self.level if chosen is None else min(self.level, chosen)

    async def drain(self) -> None:
        """Wait until everything noted so far is written."""
        while self._queue or (self._writer and not self._writer.done()):
            self._start()
            if self._writer:
                await asyncio.wait([self._writer])

    async def close(self) -> None:
        """Write what is waiting, then close the sink."""
        await self.drain()
        if self._tallier:
            await self._tallier.close()
        if self._sink:
            await self._sink.close()

    def _count(self, decision: Decision) -> None:
        totals = self.totals
        if decision.repeated:
            totals.repeated += 1
        elif decision.withheld:
            totals.withheld += 1
        else:
            totals.shown += 1
        totals.uncounted += not decision.counted

    def _put(self, record: Record) -> None:
        if len(self._queue) >= self._most:
            self.totals.dropped += 1
            return
        self._queue.append(record if self.entry is None else replace(record, entry=self.entry))
        try:
            self._start()
        except RuntimeError:
            # No event loop runs: the records wait for `drain`.
            return

    def _start(self) -> None:
        if self._writer is None or self._writer.done():
            loop = asyncio.get_running_loop()
            self._writer = loop.create_task(self._write(), name="capper journal")

    async def _write(self) -> None:
        assert self._sink is not None
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            try:
                kept = await self._sink.keep(batch)
            except Exception:
                # A full disk or a fault in a sink must not end the journal: the next batch may do better.
                logger.exception("keep %d journal records", len(batch))
                kept = 0
            self.totals.dropped += len(batch) - kept
