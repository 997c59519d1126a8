"""What a ledger is: the one place that remembers how often a viewer was shown an ad."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from capper.domain.daily import Addition, Follower
from capper.domain.decision import Answer, Claim
from capper.domain.identity import Level
from capper.domain.mute import Mute, Name
from capper.ledger.versions import Versions

NAME_LIMIT = 253
"""Longest name of an advertiser or a creative that a ledger keeps, in letters: that of a domain name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a viewer's own record: an ad and when it was last shown, newest first."""

    level: Level
    name: str
    times: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the ledger answers, what it is, and what is wrong with it if not."""

    ok: bool
    server: str
    detail: str = ""
    lasting: bool = True
    """Whether counts outlive the process that makes them."""


STRANGERS = (
    "another capper counts there under another secret, and neither sees the other's counts or policies; where both are one"
    " household's, copy `secret` from one state folder to the other (docs/deploy.md, several hosts)"
)
"""What is said where a ledger has households with different secrets, as after a host was added without its secret."""


class Ledger(Protocol):
    """A frequency ledger. Every method may raise `LedgerUnavailable`; `now` is an aware datetime, kept to the millisecond."""

    @property
    def versions(self) -> Versions:
        """The versions of the household's policy."""
        ...

    async def claim(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """Check and count, atomically and in order: each claim is counted on all its counters or on none.

        A claim whose occasion was claimed before (within `OCCASION_LIFE`) gets the same answer and is not counted again.
        What is muted is withheld and not counted. What may be shown once is shown and counted, whatever its caps and
        mutes say; that is used up where they would have withheld it.
        `gap` is how long without a sighting ends a session; every call is a sighting, whatever comes of it. Zero means
        that there are no sessions: each call is one of its own, and when she was last seen is not kept.
        """
        ...

    async def peek(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """What `claim` would answer to each of these if it alone were made, without counting or remembering anything."""
        ...

    async def entries(self, viewer: str, now: datetime) -> list[Entry]:
        """The viewer's own advertisers, by times shown, the most shown first."""
        ...

    async def mute(self, viewer: str, mute: Mute, now: datetime) -> None:
        """Show her no ad of that name until the mute ends; it takes the place of an earlier one."""
        ...

    async def unmute(self, viewer: str, name: Name, now: datetime) -> None:
        """Take back the mute of that name, if there is one."""
        ...

    async def once(self, viewer: str, name: Name, now: datetime) -> None:
        """Show her the next ad of that name, if it comes within `ONCE`, whatever its caps and mutes say."""
        ...

    async def mutes(self, viewer: str, now: datetime) -> list[Mute]:
        """The viewer's own mutes that have not ended, the latest first."""
        ...

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep journal records of the viewer's for `life`, in their order; unreadable without her key."""
        ...

    async def notes(self, viewer: str, now: datetime) -> list[bytes]:
        """The viewer's own journal records that are still kept, oldest first."""
        ...

    async def tally(self, viewer: str, additions: Sequence[Addition], today: int) -> None:
        """Add to the viewer's days; days that are no longer kept by `today` leave. Not part of a claim, and never waited for."""
        ...

    async def followers(self, viewer: str, today: int) -> list[Follower]:
        """The viewer's days, by advertiser; one is called `EVERYBODY` and holds the sum. In no order."""
        ...

    async def forget(self, viewer: str) -> int:
        """Make all that is known of the viewer unreadable and delete it; returns the number of keys deleted."""
        ...

    async def health(self) -> Health:
        """Ask the ledger whether it is well; never raises."""
        ...

    async def close(self) -> None:
        """Let go of connections and, where it is ours, of the server."""
        ...


def ranked(entries: Iterable[Entry]) -> list[Entry]:
    """Entries by times shown, the most shown first; of equals the latest, then by name."""
    return sorted(entries, key=lambda entry: (-len(entry.times), -entry.times[0].timestamp(), entry.name))


def latest(mutes: Iterable[Mute]) -> list[Mute]:
    """Mutes by when they were made, the latest first; of equals by name."""
    return sorted(mutes, key=lambda mute: (-mute.since.timestamp(), mute.name, mute.level))
