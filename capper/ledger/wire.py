"""What goes over the wire to the scripts in lua/ and what comes back; the header of each is the format's description."""

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta

from capper.domain.daily import SPAN, WEEK, Addition, Daily, Follower, kept, sites_of, week_kept
from capper.domain.decision import OCCASION_LIFE, Answer, Check, Claim, Counter, Muting, Tally
from capper.domain.identity import Level
from capper.domain.mute import ONCE, Mute, Name, Why
from capper.domain.window import ALWAYS, SESSION_LIMIT, from_ms, to_ms
from capper.ledger.keys import ViewerKeys

_MILLISECOND = timedelta(milliseconds=1)
_SESSION_LIMIT = SESSION_LIMIT // _MILLISECOND
_OCCASION_LIFE = OCCASION_LIFE // _MILLISECOND
_MOST_MS = (1 << 47) - 1
"""The year 6429: later times do not fit the six bytes they are stored in."""

_HEADER = struct.Struct(">BQQQQII")
_CLAIM = struct.Struct(">BHHH")
_NAME = struct.Struct(">I")
_COUNTER = struct.Struct(">HQB")
_CHECK = struct.Struct(">HHq")
_TALLY = struct.Struct(">HHI")
_STORED = struct.Struct(">BHI")
_TALLIES = struct.Struct(">QHH")
_ADDITION = struct.Struct(">BHH")
_DAY = struct.Struct(">HIII")
_SITE = struct.Struct(">HB")
_WEEK = struct.Struct(">HH")
_SPAN_MS = timedelta(days=SPAN) // _MILLISECOND
_MOST_COUNT = (1 << 32) - 1
_LATEST_DAY = (1 << 16) - 1
_SAID = struct.Struct(">HIHIHIBB")
_MUTED = struct.Struct(">HHIHIB")
_THIS_SESSION = -2
_WHYS, _LEVELS = tuple(Why), tuple(Level)
"""Stored by their place: new ones belong at the end."""


def clamp(ms: int) -> int:
    """`ms` as a stored time or length: a clock before 1970 or a window of ages must not break a claim."""
    return min(max(ms, 0), _MOST_MS)


def request(
    keys: ViewerKeys, claims: Sequence[Claim], now: datetime, gap: timedelta, *, count: bool
) -> tuple[list[bytes], list[bytes]]:
    """KEYS and ARGV of one call."""
    said: dict[Name, bytes] = {}
    for claim in claims:
        for name in claim.names:
            if name not in said:
                said[name] = _NAME.pack(len(said) + 1)
    names = [keys.session, *map(keys.mute, said)]
    sealed: list[bytes] = []
    parts = [
        _HEADER.pack(
            count,
            clamp(to_ms(now)),
            clamp(gap // _MILLISECOND),
            _SESSION_LIMIT,
            _OCCASION_LIFE,
            len(claims),
            len(said),
        )
    ]
    for claim in claims:
        names.append(keys.occasion(claim.occasion))
        parts.append(_CLAIM.pack(claim.refused, len(claim.counters), len(claim.checks), len(claim.names)))
        for counter in claim.counters:
            key = keys.counter(counter.level, counter.value, counter.scope)
            names.append(key)
            named = _named(counter)
            parts.append(_COUNTER.pack(counter.keep, clamp(counter.life_ms), named))
            if named:
                sealed.append(keys.seal_name(counter.value, key))
        parts += (_CHECK.pack(check.counter + 1, check.limit, _since(check)) for check in claim.checks)
        parts += [said[name] for name in claim.names]
    return names, [b"".join(parts), *sealed]


def answer(reply: bytes) -> Answer:
    """One claim's answer."""
    end = len(reply) - (_MUTED.size if reply[0] & 4 else 0)
    tallies = tuple(
        Tally(count, (high << 32 | low) or None) for count, high, low in _TALLY.iter_unpack(memoryview(reply)[1:end])
    )
    muted = None
    if end < len(reply):
        name, *times, why = _MUTED.unpack_from(reply, end)
        until, since = _whole(*times)
        muted = Muting(name, _why(why), since, until)
    return Answer(bool(reply[0] & 1), tallies, bool(reply[0] & 2), muted=muted)


def muting(mute: Mute, sealed: bytes) -> tuple[bytes, int]:
    """A mute as it is stored, and when it expires (ms)."""
    until = clamp(to_ms(mute.until))
    halves = (part for time in (until, 0, clamp(to_ms(mute.since))) for part in (time >> 32, time & 0xFFFFFFFF))
    return _SAID.pack(*halves, _WHYS.index(mute.why), _LEVELS.index(mute.level)) + sealed, until


def stored_mute(value: bytes) -> tuple[Mute, bytes]:
    """A mute that was stored, its name still to be opened, and that name sealed; it ends in 1970 where nothing is muted."""
    *times, why, level = _SAID.unpack_from(value)
    until, _, since = _whole(*times)
    return Mute(_LEVELS[level], "", _why(why), from_ms(since), from_ms(until)), value[_SAID.size :]


def once(name: Name, now: datetime) -> bytes:
    """What lua/once.lua is told."""
    at = clamp(to_ms(now))
    return at.to_bytes(6) + clamp(at + ONCE // _MILLISECOND).to_bytes(6) + _LEVELS.index(name[0]).to_bytes()


def stored_counter(value: bytes) -> tuple[int, bytes, tuple[int, ...]]:
    """When a stored counter expires (ms), its sealed name, and its times (ms), newest first."""
    blocks, high, low = _STORED.unpack_from(value)
    first = _STORED.size + 16 * blocks
    times = (int.from_bytes(value[at : at + 6]) for at in range(first, len(value), 6))
    return high << 32 | low, value[_STORED.size : first], tuple(times)[::-1]


def tallies(keys: ViewerKeys, additions: Sequence[Addition], today: int) -> tuple[list[bytes], list[bytes]]:
    """KEYS and ARGV of one call of lua/tally.lua."""
    oldest = max(today - SPAN + 1, 0)
    by_name: dict[str, list[Addition]] = {}
    for each in additions:
        if kept(each.day, today) and 0 <= each.day <= _LATEST_DAY:
            by_name.setdefault(each.advertiser, []).append(each)
    parts, sealed = [_TALLIES.pack(_SPAN_MS, oldest, -(-oldest // WEEK))], []
    for name, days in by_name.items():
        sites = {(each.day // WEEK, keys.slot(name, site)) for each in days for site in each.sites}
        parts.append(_ADDITION.pack(bool(name), len(days), len(sites)))
        parts += (
            _DAY.pack(
                each.day,
                *(min(count, _MOST_COUNT) for count in (each.counts.shown, each.counts.withheld, each.counts.prompts)),
            )
            for each in days
        )
        parts += (_SITE.pack(*site) for site in sites)
        if name:
            sealed.append(keys.seal_name(name, keys.tally(name)))
    return [keys.tally(name) for name in by_name], [b"".join(parts), *sealed]


def stored_tally(keys: ViewerKeys, key: bytes, value: bytes, today: int) -> Follower | None:
    """An advertiser's days as they are stored; None if they cannot be read with these keys."""
    at = 1 + 16 * value[0]
    name = keys.open_name(value[1:at], key) if value[0] else ""
    if name is None:
        return None
    end = at + 1 + _DAY.size * value[at]
    days = {day: Daily(*counts) for day, *counts in _DAY.iter_unpack(value[at + 1 : end]) if kept(day, today)}
    slots: set[int] = set()
    while end < len(value):
        week, size = _WEEK.unpack_from(value, end)
        end += _WEEK.size + size
        if week_kept(week, today):
            slots.update(value[end - size : end])
    return Follower(name, days, sites_of(len(slots)))


def _since(check: Check) -> int:
    return _THIS_SESSION if check.since_ms is None else max(check.since_ms, ALWAYS)


def _named(counter: Counter) -> bool:
    """Only an advertiser's counter carries a name, for the person's own list of who follows her."""
    return counter.level is Level.ADVERTISER and not counter.scope


def _whole(*halves: int) -> list[int]:
    """Numbers of six bytes, of which `struct` reads two and four."""
    return [high << 32 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]


def _why(stored: int) -> Why:
    # A later capper may know more of them.
    return _WHYS[min(stored, len(_WHYS) - 1)]
