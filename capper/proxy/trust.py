"""Which clients trust our certificate, and which hosts they will not take it for: what is learnt from handshakes.

A client is one TLS stack of one device: the browser of a phone may trust us while an app beside it does not. Names are keyed
digests from the start, so nothing here can be read as who asked for what.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

PROVEN_FOR = timedelta(days=60)
"""A client that has not been seen for so long must prove itself anew."""
WITHDRAWN_FOR = timedelta(days=7)
"""How long a client that does not trust us is left alone, unless it proves itself before."""
RETRIES = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3))
"""How long a host passes through for a client that refused us there: the first time, the second in a row, ..."""
REMEMBERED = timedelta(days=2)
"""How long a refusal is kept beyond that, to know the next as the second."""

_LOST = 3
"""Refusals at so many hosts with no success between them: the certificate is gone from the device."""
_MUTE = 3
_MOST_CLIENTS, _MOST_REFUSALS, _MOST_DOUBTS = 2_000, 10_000, 10_000


class Standing(StrEnum):
    """How a client stands."""

    PROVEN = "trusts capper"
    WITHDRAWN = "does not trust capper"


class Reason(StrEnum):
    """Why a host passes through for a client."""

    UNKNOWN = "it does not know capper's certificate"
    PINNED = "it takes no certificate but the host's own"
    SILENT = "it hung up during the handshake, twice in a row"
    MUTE = "it hung up right after the handshake, three times in a row"


class Client(NamedTuple):
    """The digests of a device, and of one TLS stack of it."""

    device: str
    stack: str


class Names:
    """Makes the digests: of equal names under one key equal, and without the key of no use."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def client(self, device: str, kind: str) -> Client:
        """The client for a device as the proxy knows it and the kind of its TLS stack."""
        return Client(self.device(device), self._digest("stack", device, kind))

    def device(self, device: str) -> str:
        """The digest of a device."""
        return self._digest("device", device)

    def host(self, client: Client, host: str) -> str:
        """The digest of one host for one client."""
        return self._digest("host", client.stack, host)

    def _digest(self, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "surrogateescape")
        return blake2b(text, key=self._key, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a client, until when."""

    device: str
    standing: Standing
    until: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a client refused us at a host: why, until when the host passes through, and how often in a row."""

    device: str
    stack: str
    reason: Reason
    until: datetime
    times: int = 1


@dataclass(slots=True)
class Book:
    """What is kept: clients by the digest of their stack, refusals by the digest of their host. `touched` is not written yet."""

    clients: dict[str, Known] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)

    def put(self, key: str, row: Known | Refusal) -> None:
        """Add or replace a row."""
        rows: dict[str, Known] | dict[str, Refusal] = self.clients if isinstance(row, Known) else self.refusals
        if rows.get(key) != row:
            rows[key] = row  # type: ignore[assignment]
            self.touched.add(key)

    def drop(self, key: str) -> None:
        """Forget a row, if it is there."""
        if self.clients.pop(key, None) or self.refusals.pop(key, None):
            self.touched.add(key)

    def prune(self, now: datetime) -> None:
        """Forget what is over, and the oldest where there is too much."""
        over = [key for key, row in self.clients.items() if row.until <= now]
        over += [key for key, row in self.refusals.items() if row.until + REMEMBERED <= now]
        over += _beyond(self.clients, _MOST_CLIENTS) + _beyond(self.refusals, _MOST_REFUSALS)
        for key in over:
            self.drop(key)

    def copy(self) -> "Book":
        """The same, for a thread that reads while this one learns."""
        return Book(dict(self.clients), dict(self.refusals), set(self.touched))

    def onto(self, other: "Book") -> "Book":
        """`other` with what was touched here."""
        clients, refusals = dict(other.clients), dict(other.refusals)
        for key in self.touched:
            clients.pop(key, None)
            refusals.pop(key, None)
            if key in self.clients:
                clients[key] = self.clients[key]
            if key in self.refusals:
                refusals[key] = self.refusals[key]
        return Book(clients, refusals)


def _beyond(rows: Mapping[str, Known] | Mapping[str, Refusal], most: int) -> list[str]:
    if len(rows) <= most:
        return []
    # A tenth at once: a client that makes up hosts must not cost a sorting each.
    return sorted(rows, key=lambda key: rows[key].until)[: len(rows) - most + most // 10]


class Trust:
    """Decides for a client and a host whether we may show our certificate, and learns from how that goes.

    1. A client of which nothing is known passes through. It is `proven` when it has loaded something under our certificate;
       another stack of the same device is then tried, at a host that would be opened anyway.
    2. A client that never took our certificate is left alone altogether after its first refusal.
    3. One that does elsewhere refuses a host because it is pinned: that host passes through, for longer each time.
    4. Refusals at several hosts and success at none mean that the certificate is gone: the client is left alone.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.book = Book()
        self._now = now
        self._losing: dict[str, set[str]] = {}
        self._doubts: dict[str, int] = {}

    def opens(self, client: Client, host: str, *, untried: bool = False) -> bool:
        """Whether our certificate may be shown to `client` for the host of this digest.

        Args:
            untried: what is answered for a device of which nothing is known; it may cost its first connection.
        """
        now = self._now()
        known = self.book.clients.get(client.stack)
        if known is not None and known.until > now:
            trusted = known.standing is Standing.PROVEN
        else:
            trusted = untried or self.has_proven(client.device)
        refusal = self.book.refusals.get(host)
        return trusted and (refusal is None or refusal.until <= now)

    def standing(self, client: Client) -> Standing | None:
        """How the client stands; None where nothing is known of it."""
        known = self.book.clients.get(client.stack)
        return known.standing if known and known.until > self._now() else None

    def has_proven(self, device: str) -> bool:
        """Whether any stack of the device of this digest has proven that it trusts us."""
        now, rows = self._now(), self.book.clients.values()
        return any(row.device == device and row.standing is Standing.PROVEN and row.until > now for row in rows)

    def proven(self, client: Client, host: str = "") -> None:
        """The client took our certificate, for `host` if one is given, and went on to use the connection."""
        # To the day, so that nothing tells when somebody was at home.
        until = _next_day(self._now() + PROVEN_FOR)
        self.book.put(client.stack, Known(client.device, Standing.PROVEN, until))
        self._losing.pop(client.stack, None)
        self._doubts.pop(client.stack, None)
        self._doubts.pop(host, None)
        if host:
            self.book.drop(host)
        else:
            self._pardon(client)

    def refused(self, client: Client, host: str, reason: Reason = Reason.UNKNOWN) -> None:
        """The client refused our certificate for the host of this digest."""
        self._doubts.pop(host, None)
        if self.standing(client) is not Standing.PROVEN:
            self._withdraw(client)
            return
        losing = self._losing.setdefault(client.stack, set())
        losing.add(host)
        if reason is Reason.UNKNOWN and len(losing) >= _LOST:
            self._withdraw(client)
            return
        before = self.book.refusals.get(host)
        times = before.times + 1 if before else 1
        until = self._now() + RETRIES[min(times, len(RETRIES)) - 1]
        because = Reason.PINNED if reason is Reason.UNKNOWN else reason
        self.book.put(host, Refusal(client.device, client.stack, because, until, times))
        if len(self.book.refusals) > _MOST_REFUSALS:
            self.book.prune(self._now())

    def lost(self, client: Client) -> None:
        """The client refused our certificate where nothing but ours is to be expected."""
        self._withdraw(client)

    def silent(self, client: Client, host: str) -> None:
        """A handshake ended in silence: the first time it may be the network, the second time it is a refusal."""
        self._doubt(client, host, 2, Reason.SILENT)

    def mute(self, client: Client, host: str) -> None:
        """The client hung up after the handshake without a word: an app may, when it looks at the certificate on its own."""
        self._doubt(client, host, _MUTE, Reason.MUTE)

    def _doubt(self, client: Client, host: str, enough: int, reason: Reason) -> None:
        if self.standing(client) is not Standing.PROVEN:
            # One that never went on to use a connection is doubted as a whole, and sooner.
            host, enough = client.stack, 2
        count = self._doubts.pop(host, 0) + 1
        if count >= enough:
            self.refused(client, host, reason)
            return
        self._doubts[host] = count
        if len(self._doubts) > _MOST_DOUBTS:
            del self._doubts[next(iter(self._doubts))]

    def _withdraw(self, client: Client) -> None:
        self._losing.pop(client.stack, None)
        self._pardon(client)
        until = _next_day(self._now() + WITHDRAWN_FOR)
        self.book.put(client.stack, Known(client.device, Standing.WITHDRAWN, until))
        if len(self.book.clients) > _MOST_CLIENTS:
            self.book.prune(self._now())

    def _pardon(self, client: Client) -> None:
        for key in [key for key, row in self.book.refusals.items() if row.stack == client.stack]:
            self.book.drop(key)


def _next_day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
