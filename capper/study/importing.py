"""Looks on while recordings are replayed, and notes down whatever anybody in them met: a study of what was recorded elsewhere."""

from collections.abc import Sequence
from datetime import datetime

from capper.domain.decision import Decision
from capper.domain.exchange import Exchange
from capper.domain.sighting import Sighting
from capper.study.exposure import Arm
from capper.study.notebook import Notebook
from capper.study.register import StudyKeys
from capper.study.store import Store

CONSENT = "Imported from recordings: what the people in them agreed to is for whoever imported them to know."
_TOGETHER = 20_000


class Everybody:
    """An observer of the gate. `close` writes what waits."""

    def __init__(self, keys: StudyKeys, store: Store, *, names: bool) -> None:
        """`names`: whether advertisers are kept by name too."""
        self._notes, self._names = Notebook(keys, store), names
        self._people: set[str] = set()
        self._loads: dict[str, str] = {}

    def control(self, viewer: str, at: datetime) -> bool:
        """Caps hold, if there are any."""
        del viewer, at
        return False

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`."""
        if decisions:
            # What the gate calls a load is another word each time: its number is the same.
            numbered = [each._replace(page=self._load(each.page)) for each in sightings]
            self._notes.met(at, self._person(decisions[0].viewer.name), Arm.CAPPED, numbered, decisions)
            self._write(_TOGETHER)

    def opened(self, exchange: Exchange) -> None:
        """Take note of a page that was opened."""
        self._notes.opened(exchange.at, self._person(exchange.viewer.name), exchange.request.url)
        self._write(_TOGETHER)

    def close(self) -> None:
        """Raises ConfigError where the disk does not take it."""
        self._write(1)

    def _person(self, viewer: str) -> str:
        person = self._notes.keys.of("person", viewer)
        self._people.add(person)
        return person

    def _load(self, page: str | None) -> str | None:
        return page and self._loads.setdefault(page, str(len(self._loads)))

    def _write(self, least: int) -> None:
        if len(self._notes) >= least:
            self._notes.write(self._notes.taken(), self._people if self._names else ())
