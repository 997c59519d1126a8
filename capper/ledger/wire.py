"""What goes over the wire to lua/claim.lua and what comes back; the header there is the format's description."""

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta

from capper.domain.decision import OCCASION_LIFE, Answer, Check, Claim, Counter, Tally
from capper.domain.identity import Level
from capper.domain.window import ALWAYS, SESSION_LIMIT, to_ms
from capper.ledger.keys import ViewerKeys

_MILLISECOND = timedelta(milliseconds=1)
_SESSION_LIMIT = SESSION_LIMIT // _MILLISECOND
_OCCASION_LIFE = OCCASION_LIFE // _MILLISECOND
_MOST_MS = (1 << 47) - 1
"""The year 6429: later times do not fit the six bytes they are stored in."""

_HEADER = struct.Struct(">BQQQQI")
_CLAIM = struct.Struct(">BHH")
_COUNTER = struct.Struct(">HQB")
_CHECK = struct.Struct(">HHq")
_TALLY = struct.Struct(">HHI")
_STORED = struct.Struct(">BHI")
_THIS_SESSION = -2


def clamp(ms: int) -> int:
    """`ms` as a stored time or length: a clock before 1970 or a window of ages must not break a claim."""
    return min(max(ms, 0), _MOST_MS)


def request(
    keys: ViewerKeys, claims: Sequence[Claim], now: datetime, gap: timedelta, *, count: bool
) -> tuple[list[bytes], list[bytes]]:
    """KEYS and ARGV of one call."""
    names = [keys.session]
    sealed: list[bytes] = []
    parts = [
        _HEADER.pack(
            count,
            clamp(to_ms(now)),
            clamp(gap // _MILLISECOND),
            _SESSION_LIMIT,
            _OCCASION_LIFE,
            len(claims),
        )
    ]
    for claim in claims:
        names.append(keys.occasion(claim.occasion))
        parts.append(_CLAIM.pack(claim.refused, len(claim.counters), len(claim.checks)))
        for counter in claim.counters:
            key = keys.counter(counter.level, counter.value, counter.scope)
            names.append(key)
            named = _named(counter)
            parts.append(_COUNTER.pack(counter.keep, clamp(counter.life_ms), named))
            if named:
                sealed.append(keys.seal_name(counter.value, key))
        parts += (_CHECK.pack(check.counter + 1, check.limit, _since(check)) for check in claim.checks)
    return names, [b"".join(parts), *sealed]


def answer(reply: bytes) -> Answer:
    """One claim's answer."""
    tallies = tuple(
        Tally(count, (high << 32 | low) or None) for count, high, low in _TALLY.iter_unpack(memoryview(reply)[1:])
    )
    return Answer(bool(reply[0] & 1), tallies, bool(reply[0] & 2))


def stored_counter(value: bytes) -> tuple[int, bytes, tuple[int, ...]]:
    """When a stored counter expires (ms), its sealed name, and its times (ms), newest first."""
    blocks, high, low = _STORED.unpack_from(value)
    first = _STORED.size + 16 * blocks
    times = (int.from_bytes(value[at : at + 6]) for at in range(first, len(value), 6))
    return high << 32 | low, value[_STORED.size : first], tuple(times)[::-1]


def _since(check: Check) -> int:
    return _THIS_SESSION if check.since_ms is None else max(check.since_ms, ALWAYS)


def _named(counter: Counter) -> bool:
    """Only an advertiser's counter carries a name, for the person's own list of who follows her."""
    return counter.level is Level.ADVERTISER and not counter.scope
