"""Tickets: what a placeholder says of an ad to the one person it stands there for, sealed so that nobody else can read or make one.

A page that holds a placeholder can read the ticket in it. It learns nothing: equal tickets do not look equal, all that are made
for one ad are equally long, and one that is brought by anybody but her opens nothing.
"""

import base64
import binascii
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from capper.domain.decision import Decision
from capper.domain.identity import Level
from capper.domain.mute import Name, Why, chosen, names_of
from capper.domain.window import from_ms, to_ms
from capper.ledger.base import NAME_LIMIT
from capper.ledger.keys import Keyring, ViewerKeys
from capper.ledger.secret import Secret

LIFE: Final = timedelta(days=1)
"""How long a ticket is good for: a tab may stay open overnight."""
_PURPOSE: Final = b"ticket"
_BLOCK: Final = 256
_REST: Final = 200
"""Bytes of a row beside its names, unless a rule has a long name."""
_LONGEST: Final = 8 * 1024
_MOST_NAMES: Final = 5
_REFRESH: Final = 1.0
_AS_JSON: Final = json.JSONEncoder(separators=(",", ":")).encode
"""`json.dumps` makes an encoder each time."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a mute would name, and why the ad was withheld then."""

    names: tuple[Name, ...]
    made: datetime
    rule: str = ""
    cap: str | None = None
    count: int = 0
    reopens: datetime | None = None
    mute: Why | None = None
    room: int = field(default=0, compare=False)
    """Bytes that names of its ad take at most: how long a ticket is must not tell whether a mute names one of them."""

    @classmethod
    def of(cls, decision: Decision, now: datetime) -> Self:
        """The ticket of what was decided at `now`."""
        mute, several = decision.mute, chosen(decision.ad)[:_MOST_NAMES]
        names = ((mute.level, mute.name),) if mute else several
        cap = None if decision.cap is None else str(decision.cap)
        room = max(len(_spelled(each)) for each in (several, *((name,) for name in names_of(decision.ad))))
        return cls(names, now, decision.rule, cap, decision.count, decision.reopens, mute.why if mute else None, room)


class Tickets:
    """Makes and reads tickets, under the household's secret as it is now: who is forgotten has none any more."""

    def __init__(self, secret: Secret) -> None:
        self._keyring, self._refreshed = Keyring(secret), time.monotonic()

    def seal(self, viewer: str, ticket: Ticket) -> str:
        """The ticket as text that fits an address."""
        names = _spelled(ticket.names)
        row = [
            to_ms(ticket.made),
            ticket.rule,
            ticket.cap,
            ticket.count,
            ticket.reopens and to_ms(ticket.reopens),
            ticket.mute,
        ]
        rest = _AS_JSON(row).encode()
        plain = b"[%b,%b]" % (names, rest)
        width = max(len(plain), max(len(names), ticket.room) + max(len(rest), _REST))
        sealed = self._keys(viewer).seal_note(plain.ljust(-(-width // _BLOCK) * _BLOCK), _PURPOSE)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, viewer: str, text: str, now: datetime) -> Ticket | None:
        """What was sealed for `viewer`; None if it was for another, too long ago, or never."""
        if len(text) > _LONGEST:
            return None
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        plain = self._keys(viewer).open_note(sealed, _PURPOSE)
        ticket = _read(json.loads(plain)) if plain is not None else None
        return ticket if ticket and timedelta(0) <= now - ticket.made + timedelta(minutes=1) <= LIFE else None

    def _keys(self, viewer: str) -> ViewerKeys:
        if time.monotonic() - self._refreshed > _REFRESH:
            self._refreshed = time.monotonic()
            self._keyring.secret.refresh()
        return self._keyring.of(viewer)


def _spelled(names: Iterable[Name]) -> bytes:
    # The encoder makes another one for each list, and none for a text.
    return f"[{','.join(f'[{_AS_JSON(level)},{_AS_JSON(name[:NAME_LIMIT])}]' for level, name in names)}]".encode()


def _read(row: list[Any]) -> Ticket:
    """A row that was sealed here."""
    names, (made, rule, cap, count, reopens, mute) = row
    return Ticket(
        tuple((Level(level), name) for level, name in names),
        from_ms(made),
        rule,
        cap,
        count,
        None if reopens is None else from_ms(reopens),
        None if mute is None else Why(mute),
    )
