"""What tests of capper and of things built on it need: a clock that stands still and the smallest of each value."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from capper.domain.daily import Addition, Follower
from capper.domain.decision import Answer, Claim
from capper.domain.errors import LedgerUnavailable
from capper.domain.exchange import Exchange, Headers, Request, Response
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.mute import Mute, Name
from capper.domain.sighting import Format, Sighting
from capper.ledger.base import Entry, Health
from capper.ledger.versions import MemoryVersions

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class FrozenClock:
    """A clock that moves only when told to: call it for the time, `forward` to move it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **length: float) -> datetime:
        """Move on by `timedelta(**length)` and return the new time."""
        self.now += timedelta(**length)
        return self.now


def an_ad(advertiser: str = "shoes.example", creative: str | None = "ads.example/1", campaign: str | None = None) -> Ad:
    """An identified ad."""
    return Ad((advertiser,), campaign, creative, basis=Basis.CLICK)


def a_sighting(
    ad: Ad | None = None,
    *,
    viewer: str = "anna",
    occasion: str = "o1",
    page: str | None = "p1",
    pod: str | None = None,
    site: str | None = "news.example",
    network: str | None = None,
    format: Format = Format.BANNER,  # noqa: A002  the domain's word
) -> Sighting:
    """A sighting of a shoe ad by anna on a news site."""
    return Sighting(Viewer(viewer), ad or an_ad(), occasion, format, page, pod, site, network)


def an_exchange(
    url: str = "https://news.example/",
    *,
    viewer: str = "anna",
    at: datetime = NOON,
    method: str = "GET",
    request: dict[str, str] | None = None,
    status: int = 200,
    response: dict[str, str] | None = None,
    body: bytes | None = b"",
    device: str = "",
) -> Exchange:
    """An exchange; `body=None` leaves out the response."""
    answer = None if body is None else Response(status, Headers((response or {}).items()), body)
    return Exchange(Request(method, url, Headers((request or {}).items())), Viewer(viewer), at, answer, device)


class StubLedger:
    """A ledger that shows everything, or that is gone: for tests of what stands around a ledger."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.claims: list[Claim] = []
        self.versions = MemoryVersions()

    async def claim(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """Show every claim and remember it."""
        del viewer, now, gap
        if self.gone:
            raise LedgerUnavailable("the ledger is gone, as this test wants it")
        self.claims += claims
        return [Answer(shown=not claim.refused) for claim in claims]

    peek = claim

    async def entries(self, viewer: str, now: datetime) -> list[Entry]:
        """Nothing."""
        del viewer, now
        return []

    async def mute(self, viewer: str, mute: Mute, now: datetime) -> None:
        """Mute nothing."""

    async def unmute(self, viewer: str, name: Name, now: datetime) -> None:
        """Nothing to take back."""

    async def once(self, viewer: str, name: Name, now: datetime) -> None:
        """All is shown."""

    async def mutes(self, viewer: str, now: datetime) -> list[Mute]:
        """None."""
        del viewer, now
        return []

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep nothing."""

    async def notes(self, viewer: str, now: datetime) -> list[bytes]:
        """Nothing."""
        del viewer, now
        return []

    async def tally(self, viewer: str, additions: Sequence[Addition], today: int) -> None:
        """Keep nothing."""

    async def followers(self, viewer: str, today: int) -> list[Follower]:
        """Nobody."""
        del viewer, today
        return []

    async def forget(self, viewer: str) -> int:
        """Nothing to forget."""
        del viewer
        return 0

    async def health(self) -> Health:
        """As well as told."""
        return Health(not self.gone, "stub")

    async def close(self) -> None:
        """Nothing to close."""
