"""Who looks on while the gate decides: a study's recording, where somebody agreed to one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from capper.domain.decision import Decision
from capper.domain.exchange import Exchange
from capper.domain.sighting import Sighting


class Observer(Protocol):
    """Every method returns at once."""

    def control(self, viewer: str, at: datetime) -> bool:
        """Whether caps are off for the viewer then; what she muted, and what a policy never shows, stays withheld."""
        ...

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`, all of one viewer."""
        ...

    def opened(self, exchange: Exchange) -> None:
        """Take note of a page that was opened."""
        ...


class Nobody:
    """Nobody looks on."""

    def control(self, viewer: str, at: datetime) -> bool:
        """Caps hold."""
        del viewer, at
        return False

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Nothing."""

    def opened(self, exchange: Exchange) -> None:
        """Nothing."""
