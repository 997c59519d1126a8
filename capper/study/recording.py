"""Writes down what people who agreed to a study are about to be shown, before any cap takes it away; beside the traffic.

An exposure costs the gate a digest or two; a task writes what waits, every second, in a thread. What cannot be written is lost and said.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from capper.domain.decision import Decision
from capper.domain.errors import ConfigError
from capper.domain.exchange import Exchange
from capper.domain.sighting import Sighting
from capper.recognise.domains import site_of
from capper.recognise.visit import kind_of
from capper.settings.watch import Watched, now
from capper.study.exposure import Arm, Exposure, Kind, Visit
from capper.study.register import Study, StudyKeys, data_file, read_studies, register_file

if TYPE_CHECKING:
    from capper.study.store import Store

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds that are written together."""
MOST = 100_000
"""Rows that wait at most, while the disk does not take them."""


@dataclass(slots=True)
class _Running:
    """A study under way, with what waits to be written."""

    study: Study
    keys: StudyKeys
    store: "Store"
    exposures: list[Exposure] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)


class Recording:
    """All studies of a state folder, as the register changes; `capper measure start`, `join` and `stop` hold within a second."""

    def __init__(
        self,
        state: Path,
        clock: Callable[[], datetime] = now,
        every: float = EVERY,
        most: int = MOST,
        permits: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """The studies registered under `state`; `permits` says of a viewer whether her privacy level allows any."""
        self._state, self._every, self._most, self._permits = state, every, most, permits
        self._register = Watched(register_file(state), read_studies, dict[str, Study](), "studies go on", clock)
        self._seen: dict[str, Study] | None = None
        self._running: dict[str, _Running] = {}
        self._whose: dict[str, tuple[_Running, str] | None] = {}
        self._writer: asyncio.Task[None] | None = None
        self.dropped = 0
        """Rows that were lost."""

    def control(self, viewer: str, at: datetime) -> bool:
        """Whether caps are off for her now, as her study drew."""
        found = self._of(viewer, at)
        return found is not None and found[0].study.in_control(found[1], at)

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`; one that was decided on before is written already."""
        if not decisions or (found := self._of(decisions[0].viewer.name, at)) is None:
            return
        running, person = found
        arm = Arm.CONTROL if running.study.in_control(person, at) else Arm.CAPPED
        make = partial(_exposure, running, person, at.astimezone(UTC), arm)
        rows = [make(*each) for each in zip(sightings, decisions, strict=True) if not each[1].repeated]
        self._queue(running.exposures, rows)

    def opened(self, exchange: Exchange) -> None:
        """Take note of a page that was opened."""
        if found := self._of(exchange.viewer.name, exchange.at):
            running, person = found
            url = exchange.request.url
            site = running.keys.of("advertiser", site_of(url))
            kind = Kind(kind_of(url) or Kind.PAGE)
            self._queue(running.visits, [Visit(exchange.at.astimezone(UTC), person, site, kind)])

    async def write(self) -> None:
        """Write what waits now."""
        for running in self._running.values():
            exposures, running.exposures = running.exposures, []
            visits, running.visits = running.visits, []
            if exposures or visits:
                try:
                    await asyncio.to_thread(running.store.add, exposures, visits)
                except ConfigError as exc:
                    self.dropped += len(exposures) + len(visits)
                    logger.warning("the study %s: %s", running.study.name, exc)

    async def close(self) -> None:
        """Write what waits, and let go of the files."""
        if self._writer:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.write()
        for running in self._running.values():
            running.store.close()
        self._running.clear()

    def _of(self, viewer: str, at: datetime) -> tuple[_Running, str] | None:
        """The study that she takes part in now, and what she is called there."""
        studies = self._register.at(at)
        if studies is not self._seen:
            self._adopt(studies)
        if not self._running:
            return None
        if viewer not in self._whose:
            self._whose[viewer] = self._find(viewer)
        found = self._whose[viewer]
        return found if found and found[0].study.runs(at) and self._permits(viewer) else None

    def _find(self, viewer: str) -> tuple[_Running, str] | None:
        for running in self._running.values():
            person = running.keys.of("person", viewer)
            if person in running.study.participants:
                return running, person
        return None

    def _adopt(self, studies: dict[str, Study]) -> None:
        """Go by another state of the register; what waits for a study that goes on is kept."""
        self._seen = studies
        before, self._running, self._whose = self._running, {}, {}
        for name, study in studies.items():
            if study.stopped:
                continue
            if name in before:
                before[name].study = study
                self._running[name] = before[name]
                continue
            try:
                # Both import numpy, which most never need.
                from capper.study.joint import names_of  # noqa: PLC0415
                from capper.study.store import Store  # noqa: PLC0415

                keys = names_of(self._state, study)
                self._running[name] = _Running(study, keys, Store.open(data_file(self._state, name)))
            except ConfigError as exc:
                logger.warning("the study %s is not recorded: %s", name, exc)
        for name in before.keys() - self._running.keys():
            # What still waits was met before it was stopped.
            gone = before[name]
            try:
                gone.store.add(gone.exposures, gone.visits)
            except ConfigError as exc:
                logger.warning("the study %s: %s", name, exc)
            gone.store.close()

    def _queue[Row](self, waiting: list[Row], rows: Sequence[Row]) -> None:
        room = self._most - len(waiting)
        waiting.extend(rows[:room])
        self.dropped += max(len(rows) - room, 0)
        if self._writer is None or self._writer.done():
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # no event loop runs: it waits for `close`
            self._writer = loop.create_task(self._write(), name="capper study")

    async def _write(self) -> None:
        while any(each.exposures or each.visits for each in self._running.values()):
            await asyncio.sleep(self._every)
            await self.write()


def _exposure(
    running: _Running, person: str, at: datetime, arm: Arm, sighting: Sighting, decision: Decision
) -> Exposure:
    ad, call = decision.ad, running.keys.of
    advertiser = ad.advertisers[0] if ad.advertisers else ""
    named = running.study.names and running.study.participants[person].names
    return Exposure(
        time=at,
        person=person,
        load=call("load", sighting.page or ""),
        site=call("site", sighting.site or ""),
        format=sighting.format,
        network=sighting.network or "",
        basis=ad.basis,
        creative=call("creative", ad.creative or ""),
        campaign=call("campaign", ad.campaign or ""),
        advertiser=call("advertiser", advertiser),
        verdict=decision.verdict,
        before=decision.count,
        cap=str(decision.cap) if decision.cap else "",
        arm=arm,
        name=advertiser if named else "",
    )
