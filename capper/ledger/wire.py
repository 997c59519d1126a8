"""What goes over the wire to the scripts in lua/ and what comes back; the header of each is the format's description."""

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from capper.domain.daily import SPAN, WEEK, Addition, Daily, Follower, kept, sites_of, week_kept
from capper.domain.decision import OCCASION_LIFE, Answer, Claim, Counter, Muting, Tally
from capper.domain.identity import Level
from capper.domain.mute import ONCE, Mute, Name, Why
from capper.domain.window import SESSION_LIMIT, from_ms, to_ms
from capper.ledger.keys import ViewerKeys
from capper.ledger.link import bulk

_MILLISECOND = timedelta(milliseconds=1)
_SESSION_LIMIT = SESSION_LIMIT // _MILLISECOND
_OCCASION_LIFE = OCCASION_LIFE // _MILLISECOND
_MOST_MS = (1 << 47) - 1
"""The year 6429: later times do not fit the six bytes they are stored in."""

_HEADER = struct.Struct(">BQQQQI").pack
_CLAIM = struct.Struct(">BHHHH").pack
_COUNTER = struct.Struct(">HQB").pack
_CHECK = struct.Struct(">HHq").pack
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
_THIS_SESSION = -(1 << 62)
_FEW = 32
_UNREACHED = tuple(map(Tally, range(_FEW)))
"""What most checks find; they need not be made each time."""
_WHYS, _LEVELS = tuple(Why), tuple(Level)
"""Stored by their place: new ones belong at the end."""


def clamp(ms: int) -> int:
    """`ms` as a stored time or length: a clock before 1970 or a window of ages must not break a claim."""
    return ms if 0 <= ms <= _MOST_MS else 0 if ms < 0 else _MOST_MS


class Ask(NamedTuple):
    """What one call of `claim` or `peek` asks of lua/claim.lua; several asks may go together. Keys and names are in RESP."""

    keys: list[bytes]
    packed: bytes
    sealed: list[bytes]
    claims: int


def ask(keys: ViewerKeys, claims: Sequence[Claim], now: datetime, gap: timedelta, *, count: bool) -> Ask:
    """What is asked of one viewer at one moment."""
    gap_ms = _length(gap)
    named = [bulk(keys.session)] if gap_ms else []
    sealed: list[bytes] = []
    parts = [_HEADER(count, clamp(to_ms(now)), gap_ms, _SESSION_LIMIT, _OCCASION_LIFE, len(claims))]
    for claim in claims:
        counters, checks, names = claim.counters, claim.checks, claim.names
        rows = [keys.counters.get(counter) or _packed(keys, counter) for counter in counters]
        theirs = [name for _, _, name in rows if name]
        parts.append(_CLAIM(claim.refused, len(rows), len(checks), len(names), len(theirs)))
        named.append(bulk(keys.occasion(claim.occasion)))
        for key, how, _ in rows:
            named.append(key)
            parts.append(how)
        sealed += theirs
        for _, number, limit, since in checks:
            parts.append(_CHECK(number, limit, _THIS_SESSION if since is None else since))
        named += [keys.said.get(name) or _said(keys, name) for name in names]
    return Ask(named, b"".join(parts), sealed, len(claims))


def _packed(keys: ViewerKeys, counter: Counter) -> tuple[bytes, bytes, bytes]:
    """A counter's key, how it is kept, and the name it carries, sealed; key and name in RESP."""
    level, value, scope, keep, life_ms = counter
    key = keys.counter(level, value, scope)
    if scope:  # a page or a pod is soon over
        return bulk(key), _kept(keep, life_ms, named=False), b""
    # Only an advertiser's counter carries a name, for the person's own list of who follows her.
    name = bulk(keys.seal_name(value, key)) if level is Level.ADVERTISER else b""
    found = keys.counters[counter] = bulk(key), _kept(keep, life_ms, named=bool(name)), name
    return found


def _said(keys: ViewerKeys, name: Name) -> bytes:
    """The key of what she said of a name, in RESP."""
    found = keys.said[name] = bulk(keys.mute(name))
    return found


@lru_cache(_FEW)
def _kept(keep: int, life_ms: int, *, named: bool) -> bytes:
    return _COUNTER(keep, clamp(life_ms), named)


@lru_cache(_FEW)
def _length(gap: timedelta) -> int:
    return clamp(gap // _MILLISECOND)


def together(asks: Sequence[Ask]) -> tuple[list[bytes], list[bytes]]:
    """KEYS and ARGV of one call of lua/claim.lua, in RESP; its reply has the claims of each ask, one ask after the other."""
    if len(asks) == 1:
        keys, packed, sealed, _ = asks[0]
    else:
        keys = [key for each in asks for key in each.keys]
        packed = b"".join([each.packed for each in asks])
        sealed = [name for each in asks for name in each.sealed]
    doubled = b"\1" if len(set(keys)) < len(keys) else b"\0"
    return keys, [bulk(doubled + packed), *sealed]


@lru_cache(1024)
def answer(reply: bytes) -> Answer:
    """One claim's answer; most are alike."""
    flags, end = reply[0], len(reply)
    if not flags & 4:
        return Answer(bool(flags & 1), _tallies(reply, end), bool(flags & 2))
    end -= _MUTED.size
    name, *times, why = _MUTED.unpack_from(reply, end)
    until, since = _whole(*times)
    return Answer(bool(flags & 1), _tallies(reply, end), bool(flags & 2), muted=Muting(name, _why(why), since, until))


def _tallies(reply: bytes, end: int) -> tuple[Tally, ...]:
    return tuple(
        [
            Tally(count, high << 32 | low) if high or low else _UNREACHED[count] if count < _FEW else Tally(count)
            for count, high, low in _TALLY.iter_unpack(reply[1:end])
        ]
    )


def muting(mute: Mute, sealed: bytes) -> tuple[bytes, int]:
    """A mute as it is stored, and when it expires (ms)."""
    until = clamp(to_ms(mute.until))
    halves = (part for time in (until, 0, clamp(to_ms(mute.since))) for part in (time >> 32, time & 0xFFFFFFFF))
    return _SAID.pack(*halves, _WHYS.index(mute.why), _LEVELS.index(mute.level)) + sealed, until


def stored_mute(keys: ViewerKeys, key: bytes, value: bytes) -> Mute | None:
    """A mute that was stored, which ends in 1970 where nothing is muted; None if it cannot be read with these keys."""
    *times, why, number = _SAID.unpack_from(value)
    level = _LEVELS[number]
    name = keys.open_name(value[_SAID.size :], key, lambda text: keys.mute((level, text)))
    until, _, since = _whole(*times)
    return None if name is None else Mute(level, name, _why(why), from_ms(since), from_ms(until))


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
    name = keys.open_name(value[1:at], key, keys.tally)
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


def _whole(*halves: int) -> list[int]:
    """Numbers of six bytes, of which `struct` reads two and four."""
    return [high << 32 | low for high, low in zip(halves[::2], halves[1::2], strict=True)]


def _why(stored: int) -> Why:
    # A later capper may know more of them.
    return _WHYS[min(stored, len(_WHYS) - 1)]
