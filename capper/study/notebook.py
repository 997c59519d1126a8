"""What one study notes down: kept as it was met, which costs the traffic next to nothing, and made into rows when it is written."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from capper.domain.decision import Decision
from capper.domain.sighting import Sighting
from capper.recognise.domains import site_of
from capper.recognise.visit import kind_of
from capper.study.exposure import Arm, Exposure, Kind, Visit
from capper.study.register import StudyKeys
from capper.study.store import Store

MOST = 100_000
"""Rows that wait at most, while the disk does not take them."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What waited."""

    met: list[tuple[datetime, str, Arm, Sighting, Decision]] = field(default_factory=list)
    """When, who, in which arm, and what was decided on what."""
    opened: list[tuple[datetime, str, str]] = field(default_factory=list)
    """When, who, and the address."""

    def __len__(self) -> int:
        return len(self.met) + len(self.opened)


class Notebook:
    """Rows of one study, on their way to its file; `write` alone blocks, and another thread may call it."""

    def __init__(self, keys: StudyKeys, store: Store, most: int = MOST) -> None:
        self.keys, self.store, self._most = keys, store, most
        self._waiting = Taken()
        self.dropped = 0
        """Rows that were lost: there was no room, or the disk did not take them."""

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self._waiting)

    def met(
        self, at: datetime, person: str, arm: Arm, sightings: Sequence[Sighting], decisions: Sequence[Decision]
    ) -> None:
        """Take note of what became of `sightings`; one that was decided on before stands there already. `person` is her digest."""
        pairs = zip(sightings, decisions, strict=True)
        self._queue(self._waiting.met, [(at, person, arm, *each) for each in pairs if not each[1].repeated])

    def opened(self, at: datetime, person: str, url: str) -> None:
        """Take note of a page that was opened; of its address no more is written than site and kind."""
        self._queue(self._waiting.opened, [(at, person, url)])

    def taken(self) -> Taken:
        """What waits, which then waits no more."""
        taken, self._waiting = self._waiting, Taken()
        return taken

    def write(
        self, taken: Taken, named: Container[str] = (), people: Callable[[], Container[str]] | None = None
    ) -> None:
        """Write what was taken; what cannot be written is lost.

        Args:
            named: whose advertisers are kept by name too.
            people: of whom alone anything is to be written, as `Store.add` has it.

        Raises:
            ConfigError: the disk does not take it.
        """
        rows = [self._exposure(named, *each) for each in taken.met]
        try:
            self.store.add(rows, [self._visit(*each) for each in taken.opened], people)
        except BaseException:
            self.dropped += len(taken)
            raise

    def _queue[Row](self, waiting: list[Row], rows: Sequence[Row]) -> None:
        room = self._most - len(waiting)
        waiting.extend(rows[:room])
        self.dropped += max(len(rows) - room, 0)

    def _exposure(
        self, named: Container[str], at: datetime, person: str, arm: Arm, sighting: Sighting, decision: Decision
    ) -> Exposure:
        ad, call = decision.ad, self.keys.of
        advertiser = ad.advertisers[0] if ad.advertisers else ""
        return Exposure(
            time=at.astimezone(UTC),
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
            name=advertiser if person in named else "",
        )

    def _visit(self, at: datetime, person: str, url: str) -> Visit:
        site = self.keys.of("advertiser", site_of(url))
        return Visit(at.astimezone(UTC), person, site, Kind(kind_of(url) or Kind.PAGE))
