"""Gathers what is decided into a person's days, and writes it beside the traffic: one call for each person, every second."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Sum:
    """What one advertiser's day has come to since it was last written."""

    shown: int = 0
    withheld: int = 0
    prompts: int = 0
    sites: set[str] = field(default_factory=set)


class Tallying:
    """Takes decisions at once; a task that starts by itself writes them, and ends when nothing is left."""

    def __init__(self, ledger: Keeper, zone: Callable[[], tzinfo], every: float = EVERY) -> None:
        self._ledger, self._zone, self._every = ledger, zone, every
        self._waiting: dict[str, dict[tuple[str, int], _Sum]] = {}
        self._writer: asyncio.Task[None] | None = None

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`; one that was decided on before is counted already."""
        day = day_of(at, self._zone())
        for sighting, decision in zip(sightings, decisions, strict=True):
            if not decision.repeated:
                for advertiser in (EVERYBODY, *dict.fromkeys(decision.ad.advertisers)):
                    if found := self._sum(decision.viewer, advertiser, day):
                        found.shown += not decision.withheld
                        found.withheld += decision.withheld
                        if advertiser and sighting.site:
                            found.sites.add(sighting.site)
        self._start()

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Take note of credit prompts that were taken out or marked."""
        if found := self._sum(viewer, EVERYBODY, day_of(at, self._zone())):
            found.prompts += prompts
        self._start()

    async def write(self) -> None:
        """Write what waits now; what the ledger does not take is lost."""
        waiting, self._waiting = self._waiting, {}
        for viewer, found in waiting.items():
            additions = [
                Addition(name, day, Daily(each.shown, each.withheld, each.prompts), frozenset(each.sites))
                for (name, day), each in found.items()
            ]
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

    def _sum(self, viewer: Viewer, advertiser: str, day: int) -> _Sum | None:
        rows = self._waiting.setdefault(viewer.name, {})
        found = rows.get((advertiser, day))
        if found is None and len(rows) < MOST:
            found = rows[advertiser, day] = _Sum()
        return found

    def _start(self) -> None:
        if self._waiting and (self._writer is None or self._writer.done()):
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # no event loop runs: it waits for `close`
            self._writer = loop.create_task(self._write(), name="capper tallies")

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._every)
            await self.write()
