"""Writes down what people who agreed to a study are about to be shown, before any cap takes it away; beside the traffic.

What was met is noted as it is; a task writes what waits, every second, in a thread. What cannot be written is lost and said.
"""

import asyncio
import logging
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from capper.domain.decision import Decision
from capper.domain.errors import ConfigError
from capper.domain.exchange import Exchange
from capper.domain.sighting import Sighting
from capper.settings.watch import Watched, now
from capper.study.exposure import Arm
from capper.study.register import Study, data_file, read_studies, register_file

if TYPE_CHECKING:
    from capper.study.notebook import Notebook, Taken

logger = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds that are written together."""


@dataclass(slots=True)
class _Running:
    """A study under way, and what it notes down."""

    study: Study
    notes: "Notebook"


class Recording:
    """All studies of a state folder, as the register changes; `capper measure start`, `join` and `stop` hold within a second."""

    def __init__(
        self,
        state: Path,
        clock: Callable[[], datetime] = now,
        every: float = EVERY,
        permits: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """The studies registered under `state`; `permits` says of a viewer whether her privacy level allows any."""
        self._state, self._every, self._permits = state, every, permits
        self._register = Watched(register_file(state), read_studies, dict[str, Study](), "studies go on", clock)
        self._seen: dict[str, Study] | None = None
        self._running: dict[str, _Running] = {}
        self._whose: dict[str, tuple[_Running, str] | None] = {}
        self._writer: asyncio.Task[None] | None = None

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
        running.notes.met(at, person, arm, sightings, decisions)
        self._wake()

    def opened(self, exchange: Exchange) -> None:
        """Take note of a page that was opened."""
        if found := self._of(exchange.viewer.name, exchange.at):
            running, person = found
            running.notes.opened(exchange.at, person, exchange.request.url)
            self._wake()

    async def write(self) -> None:
        """Write what waits now."""
        for running in self._running.values():
            if len(running.notes):
                await asyncio.to_thread(self._write_of, running, running.notes.taken())

    async def close(self) -> None:
        """Write what waits, and let go of the files."""
        if self._writer:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.write()
        for running in self._running.values():
            running.notes.store.close()
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
            person = running.notes.keys.of("person", viewer)
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
                # All of them import numpy, which most never need.
                from capper.study.joint import study_keys  # noqa: PLC0415
                from capper.study.notebook import Notebook  # noqa: PLC0415
                from capper.study.store import Store  # noqa: PLC0415

                notes = Notebook(study_keys(self._state, study), Store.open(data_file(self._state, name)))
                self._running[name] = _Running(study, notes)
            except ConfigError as exc:
                logger.warning("the study %s is not recorded: %s", name, exc)
        for name in before.keys() - self._running.keys():
            # What still waits was met before it was stopped.
            gone = before[name]
            self._write_of(gone, gone.notes.taken())
            gone.notes.store.close()

    def _write_of(self, running: _Running, taken: "Taken") -> None:
        study = running.study
        named = {person for person, each in study.participants.items() if study.names and each.names}
        try:
            running.notes.write(taken, named, lambda: self._people(study.name))
        except ConfigError as exc:
            logger.warning("the study %s: %s", study.name, exc)

    def _people(self, name: str) -> Container[str]:
        """Who takes part, as the register says at this very moment: what waits of one who has left is not written."""
        study = read_studies(register_file(self._state)).get(name)
        return study.participants if study else ()

    def _wake(self) -> None:
        if self._writer is None or self._writer.done():
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # no event loop runs: it waits for `close`
            self._writer = loop.create_task(self._write(), name="capper study")

    async def _write(self) -> None:
        while any(len(each.notes) for each in self._running.values()):
            await asyncio.sleep(self._every)
            await self.write()
