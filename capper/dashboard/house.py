"""What the dashboard stands on, and who looks at it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from capper.assembly import Assembly
from capper.domain.daily import day_of
from capper.domain.identity import Viewer
from capper.domain.policy import Policy
from capper.journal import Journal, Totals
from capper.ledger.base import Ledger
from capper.ledger.secret import Secret
from capper.settings import Settings

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from capper.fleet import Board

VIEWER: Final = "capper.viewer"
"""Under this name an ASGI scope carries who asks, as the proxy knows it from the connection."""


@dataclass(frozen=True, slots=True)
class House:
    """A running capper, as far as its pages speak of it."""

    settings: Settings
    ledger: Ledger
    policy: Callable[[], Policy]
    journal: Journal
    secret: Secret
    clock: Callable[[], datetime]
    started: datetime
    certificate_ends: datetime | None = None
    version: Callable[[], int] = lambda: 0
    """The version of the policy in force; 0 where that is this host's file."""
    board: "Board | None" = None
    """Where several workers count; None where this process does all the work."""

    @property
    def totals(self) -> Totals:
        """What was decided since the start, by whichever worker."""
        return self.board.totals() if self.board else self.journal.totals

    def today(self) -> int:
        """The number of the day by the policy's clock."""
        return day_of(self.clock(), self.policy().zone)


def house_of(assembly: Assembly, settings: Settings, clock: Callable[[], datetime]) -> House:
    """The house around a running gate."""
    secret = Secret.load_or_create(settings.secret_file)
    source = assembly.following and assembly.following.source
    house = House(settings, assembly.ledger, assembly.policy, assembly.journal, secret, clock, clock())
    return replace(house, version=lambda: source.version or 0) if source else house


def viewer_of(connection: "HTTPConnection") -> Viewer:
    """Who asks; of the owner's own pages nobody knows."""
    viewer: Viewer = connection.scope[VIEWER]
    return viewer
