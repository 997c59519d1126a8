"""Gathers what is decided into a person's days, and writes it beside the traffic: one call for each person, every second."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from capper.domain.daily import EVERYBODY, Addition, Daily, day_of
from capper.domain.decision import Decision
from capper.domain.errors import LedgerUnavailable
from capper.domain.identity import Viewer
from capper.domain.sighting import Sighting

EVERY = 1.0
"""Seconds that are written together."""
MOST = 5_000
"""Additions that wait at most; what comes while the ledger is silent is lost, as its counts are."""


class Keeper(Protocol):
    """What of a ledger this uses."""

    async def tally(self, viewer: str, additions: Sequence[Addition], today: int) -> None:
        """See `capper.ledger.base.Ledger`."""
        ...


class Tallying:
    """Takes decisions at once; a task that starts by itself writes them, and ends when nothing is left."""

    def __init__(self, ledger: Keeper, zone: Callable[[], tzinfo], every: float = EVERY) -> None:
        self._ledger, self._zone, self._every = ledger, zone, every
        self._waiting: dict[str, dict[tuple[str, int], tuple[Daily, frozenset[str]]]] = defaultdict(dict)
        self._writer: asyncio.Task[None] | None = None

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`; one that was decided on before is counted already."""
        for sighting, decision in zip(sightings, decisions, strict=True):
            if not decision.repeated:
                counts = Daily(withheld=1) if decision.withheld else Daily(shown=1)
                sites = frozenset(filter(None, (sighting.site,)))
                self._add(at, decision.viewer, EVERYBODY, counts)
                for advertiser in dict.fromkeys(decision.ad.advertisers):
                    self._add(at, decision.viewer, advertiser, counts, sites)

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Take note of credit prompts that were taken out or marked."""
        self._add(at, viewer, EVERYBODY, Daily(prompts=prompts))

    async def write(self) -> None:
        """Write what waits now; what the ledger does not take is lost."""
        waiting, self._waiting = self._waiting, defaultdict(dict)
        for viewer, found in waiting.items():
            additions = [Addition(name, day, counts, sites) for (name, day), (counts, sites) in found.items()]
            try:
                await self._ledger.tally(viewer, additions, max(each.day for each in additions))
            except LedgerUnavailable:
                return

    async def close(self) -> None:
        """Write what waits, and wait for nothing more."""
        if self._writer:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.write()

    def _add(
        self, at: datetime, viewer: Viewer, advertiser: str, counts: Daily, sites: frozenset[str] = frozenset()
    ) -> None:
        rows, key = self._waiting[viewer.name], (advertiser, day_of(at, self._zone()))
        if key not in rows and len(rows) >= MOST:
            return
        was, there = rows.get(key, (Daily(), frozenset()))
        rows[key] = was + counts, there | sites
        self._start()

    def _start(self) -> None:
        if self._writer is None or self._writer.done():
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # no event loop runs: it waits for `close`
            self._writer = loop.create_task(self._write(), name="capper tallies")

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._every)
            await self.write()
