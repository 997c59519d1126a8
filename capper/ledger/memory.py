"""The ledger as an executable specification: what the Lua of the real one must do, in plain Python, in this process only."""

import hashlib
import os
import sys
from bisect import insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from capper.domain.daily import WEEK, Addition, Daily, Follower, kept, sites_of, week_kept
from capper.domain.decision import OCCASION_LIFE, Answer, Check, Claim, Counter, Muting, Tally
from capper.domain.identity import Level
from capper.domain.mute import ONCE, Mute, Name, Why
from capper.domain.window import SESSION_LIMIT, from_ms, to_ms
from capper.ledger.base import NAME_LIMIT, Entry, Health, latest, ranked
from capper.ledger.versions import MemoryVersions

_MILLISECOND = timedelta(milliseconds=1)
_SWEEP_EVERY = 1024
_SPARE = 512
"""How many more than the most are held before the oldest go, so that they need not be looked for each time."""


@dataclass(slots=True)
class _Row:
    """One counter: the newest times (ms, ascending), and when the last of them has outlived its use."""

    times: list[int] = field(default_factory=list)
    expires: int = 0

    def newer(self, since: int, now: int, life: int) -> list[int]:
        """The times after `since` that are still kept at `now`."""
        if self.expires <= now:
            return []
        after = max(since, now - life)
        return [time for time in self.times if time > after]

    def count(self, now: int, keep: int, life: int) -> None:
        times = self.newer(-1, now, life)
        insort(times, now)
        self.times = times[-keep:]
        self.expires = max(self.expires, now + life)


@dataclass(slots=True)
class _Session:
    """When the viewer's session began and when she was last seen."""

    start: int
    last: int

    def seen(self, now: int, gap: int) -> None:
        """A gap, or a session of a whole day, begins a new one; a clock a little behind stretches it backwards."""
        if not gap or now - self.last >= gap or now - self.start >= SESSION_LIMIT // _MILLISECOND:
            self.start = self.last = now
        elif 0 < self.start - now < gap:
            self.start = now
        self.last = max(self.last, now)


@dataclass(slots=True)
class _Days:
    """An advertiser's days, and the slots that sites filled, by week."""

    days: dict[int, Daily] = field(default_factory=dict)
    slots: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))

    def sweep(self, today: int) -> None:
        self.days = {day: counts for day, counts in self.days.items() if kept(day, today)}
        for week in [week for week in self.slots if not week_kept(week, today)]:
            del self.slots[week]


@dataclass(frozen=True, slots=True)
class _Said:
    """What she said of a name: muted until when, and whether it may be shown once all the same (ms)."""

    until: int = 0
    once: int = 0
    since: int = 0
    why: Why = Why.ASKED


_Key = tuple[Level, str, str]


@dataclass(slots=True)
class _Record:
    """All that is remembered of one viewer."""

    rows: dict[_Key, _Row] = field(default_factory=dict)
    """Those met last stand last."""
    occasions: dict[str, tuple[int, Answer]] = field(default_factory=dict)
    said: dict[Name, _Said] = field(default_factory=dict)
    session: _Session | None = None
    notes: list[tuple[int, bytes]] = field(default_factory=list)
    tallies: dict[str, _Days] = field(default_factory=lambda: defaultdict(_Days))
    added: int = 0
    """How much was remembered since it was last swept."""

    def at(self, now: int, gap: int) -> _Session:
        """The session as of `now`, without touching the one remembered."""
        old = self.session or _Session(now, now)
        session = _Session(old.start, old.last)
        session.seen(now, gap)
        return session

    def learn(self, claim: Claim, answer: Answer, now: int, longest: int) -> None:
        """Take over another ledger's answer: what is shown counts, and it has the last word on what is muted."""
        if answer.shown:
            for level, value, scope, keep, life in claim.counters:
                row = self.rows.pop((level, value, scope), None) or _Row()
                row.count(now, keep, min(life, longest))
                self.rows[level, value, scope] = row
        self.occasions[claim.occasion] = (now, answer)
        self.added += len(claim.counters) + 1
        if self.said:
            for name in claim.names:
                self.said.pop(_cut(name), None)
        if answer.muted:
            told = answer.muted
            self.said[_cut(claim.names[told.name])] = _Said(told.until_ms, 0, told.since_ms, told.why)

    def sweep(self, now: int, most: int) -> None:
        """Drop now and then what has expired, and of what is beyond `most` the oldest, so that nothing grows without end."""
        _shorten(self.rows, most)
        _shorten(self.occasions, most)
        # All is looked through only once as much has come as is there: each of many costs what each of few does.
        if self.added < max(_SWEEP_EVERY, len(self.rows)):
            return
        self.added = 0
        # A clock that is a little behind must still find what it is about to ask for.
        now -= _OCCASION_MS
        self.rows = {key: row for key, row in self.rows.items() if row.expires > now}
        self.occasions = {key: told for key, told in self.occasions.items() if now - told[0] < _OCCASION_MS}
        self.said = {name: said for name, said in self.said.items() if max(said.until, said.once) > now}
        self.notes = [note for note in self.notes if note[0] > now]


def _shorten[Key, Value](held: dict[Key, Value], most: int) -> None:
    """Let go of the oldest, which stand first."""
    if len(held) >= most + _SPARE:
        for key in [*islice(held, len(held) - most)]:
            del held[key]


_OCCASION_MS = OCCASION_LIFE // _MILLISECOND


class _Call:
    """One call in progress: what is new is kept apart until it is committed.

    1. an occasion known already answers itself; 2. every check is made against the counters as they stand, this call's
    own counts included; 3. a mute withholds, and leave to be shown once lets through; 4. what is shown counts on every
    counter; 5. the answer is remembered for the occasion.
    """

    def __init__(self, record: _Record, now: int, gap: int, longest: int) -> None:
        self.record = record
        self.now = now
        self.longest = longest
        self.session = record.at(now, gap)
        self.rows: dict[_Key, _Row] = {}
        self.occasions: dict[str, tuple[int, Answer]] = {}
        self.said: dict[Name, _Said] = {}

    def answer(self, claim: Claim, *, count: bool = True) -> Answer:
        known = self.occasions.get(claim.occasion) or self.record.occasions.get(claim.occasion)
        if known and self.now - known[0] < _OCCASION_MS:
            return known[1]._replace(repeated=True)
        tallies = tuple(self.tally(check, claim.counters[check.counter]) for check in claim.checks)
        shown = not claim.refused and all(tally.nth_ms is None for tally in tallies)
        muted = self.muted(claim)
        spared = {} if claim.refused else self.spared(claim)
        if spared:
            if count and (muted or not shown):
                self.said |= spared
            shown, muted = True, None
        answer = Answer(shown and not muted, tallies, muted=muted)
        if count:
            self.keep(claim, answer)
        return answer

    def muted(self, claim: Claim) -> Muting | None:
        """The mute of one of its names that ends last; of equals the first."""
        found = [(number, self.word(name)) for number, name in enumerate(claim.names)]
        number, said = max(found, key=lambda each: each[1].until, default=(0, _Said()))
        return Muting(number, said.why, said.since, said.until) if said.until > self.now else None

    def spared(self, claim: Claim) -> dict[Name, _Said]:
        """What of its names may be shown once, as it is when that is used up."""
        found = {_cut(name): self.word(name) for name in claim.names}
        return {name: replace(said, once=0) for name, said in found.items() if said.once > self.now}

    def word(self, name: Name) -> _Said:
        name = _cut(name)
        return self.said.get(name) or self.record.said.get(name) or _Said()

    def tally(self, check: Check, counter: Counter) -> Tally:
        since = self.session.start - 1 if check.since_ms is None else check.since_ms
        times = self.row(counter).newer(since, self.now, counter.life_ms)
        reached = len(times) >= check.limit
        return Tally(len(times), times[-check.limit] if reached else None)

    def keep(self, claim: Claim, answer: Answer) -> None:
        """Count what was shown, and remember the answer for the occasion."""
        if answer.shown:
            for counter in claim.counters:
                self.row(counter).count(self.now, counter.keep, min(counter.life_ms, self.longest))
        self.occasions[claim.occasion] = (self.now, answer)

    def row(self, counter: Counter) -> _Row:
        key = (counter.level, counter.value, counter.scope)
        if key not in self.rows:
            old = self.record.rows.get(key, _Row())
            self.rows[key] = _Row(old.times, old.expires)
        return self.rows[key]

    def commit(self, most: int) -> None:
        for key, row in self.rows.items():
            if row.times:
                self.record.rows.pop(key, None)
                self.record.rows[key] = row
        self.record.occasions.update(self.occasions)
        for name, said in self.said.items():
            if said == _Said():
                self.record.said.pop(name, None)
            else:
                self.record.said[name] = said
        self.record.session = self.session
        self.record.added += len(self.rows) + len(self.occasions)
        self.record.sweep(self.now, most)


class MemoryLedger:
    """A ledger that lives and dies with this process: for replays, tests, and while the real one does not answer."""

    def __init__(self, longest: timedelta = timedelta.max, most: int = sys.maxsize) -> None:
        """`longest`: nothing is kept longer, whatever a counter asks for; `most`: of each viewer's counters and occasions."""
        self._records: dict[str, _Record] = {}
        self._longest, self._most = longest // _MILLISECOND, most
        self._key = os.urandom(32)
        self.versions = MemoryVersions()
        """Of the household's policy."""

    async def claim(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """Check and count; see `Ledger.claim`."""
        if not claims:
            return []
        call = self._call(self._records.setdefault(viewer, _Record()), now, gap)
        answers = [call.answer(claim) for claim in claims]
        call.commit(self._most)
        return answers

    async def peek(self, viewer: str, claims: Sequence[Claim], now: datetime, gap: timedelta) -> list[Answer]:
        """What `claim` would answer to each alone; nothing is remembered."""
        call = self._call(self._records.get(viewer, _Record()), now, gap)
        return [call.answer(claim, count=False) for claim in claims]

    def learn(
        self, viewer: str, claims: Sequence[Claim], answers: Sequence[Answer], now: datetime, gap: timedelta
    ) -> None:
        """Take over what another ledger answered, as if it had been answered here."""
        record, at = self._records.setdefault(viewer, _Record()), to_ms(now)
        record.session = record.at(at, gap // _MILLISECOND)
        for claim, answer in zip(claims, answers, strict=True):
            if not answer.repeated:
                record.learn(claim, answer, at, self._longest)
        record.sweep(at, self._most)

    def _call(self, record: _Record, now: datetime, gap: timedelta) -> _Call:
        return _Call(record, to_ms(now), gap // _MILLISECOND, self._longest)

    async def entries(self, viewer: str, now: datetime) -> list[Entry]:
        """The viewer's advertisers; see `Ledger.entries`."""
        at = to_ms(now)
        rows = self._records.get(viewer, _Record()).rows.items()
        return ranked(
            Entry(level, value[:NAME_LIMIT], tuple(map(from_ms, reversed(row.times))))
            for (level, value, scope), row in rows
            if level is Level.ADVERTISER and not scope and row.expires > at
        )

    async def mute(self, viewer: str, mute: Mute, now: datetime) -> None:
        """Mute a name; see `Ledger.mute`."""
        if to_ms(mute.until) > to_ms(now):
            said = _Said(to_ms(mute.until), 0, to_ms(mute.since), mute.why)
            self._records.setdefault(viewer, _Record()).said[_cut((mute.level, mute.name))] = said

    async def unmute(self, viewer: str, name: Name, now: datetime) -> None:
        """Take back a mute; see `Ledger.unmute`."""
        del now
        self._records.get(viewer, _Record()).said.pop(_cut(name), None)

    async def once(self, viewer: str, name: Name, now: datetime) -> None:
        """Let a name be shown once; see `Ledger.once`."""
        record, name = self._records.setdefault(viewer, _Record()), _cut(name)
        said = record.said.get(name, _Said(since=to_ms(now)))
        record.said[name] = replace(said, once=to_ms(now + ONCE))

    async def mutes(self, viewer: str, now: datetime) -> list[Mute]:
        """The viewer's mutes; see `Ledger.mutes`."""
        said, at = self._records.get(viewer, _Record()).said.items(), to_ms(now)
        return latest(
            Mute(level, name, each.why, from_ms(each.since), from_ms(each.until))
            for (level, name), each in said
            if each.until > at
        )

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep journal records."""
        expires = to_ms(now) + life // _MILLISECOND
        self._records.setdefault(viewer, _Record()).notes += ((expires, record) for record in records)

    async def notes(self, viewer: str, now: datetime) -> list[bytes]:
        """The journal records still kept, oldest first."""
        at = to_ms(now)
        return [record for expires, record in self._records.get(viewer, _Record()).notes if expires > at]

    async def tally(self, viewer: str, additions: Sequence[Addition], today: int) -> None:
        """Add to the viewer's days."""
        tallies = self._records.setdefault(viewer, _Record()).tallies
        for each in additions:
            if kept(each.day, today):
                row = tallies[each.advertiser]
                row.days[each.day] = row.days.get(each.day, Daily()) + each.counts
                row.slots[each.day // WEEK] |= {self._slot(viewer, each.advertiser, site) for site in each.sites}
                row.sweep(today)

    async def followers(self, viewer: str, today: int) -> list[Follower]:
        """The viewer's days, by advertiser."""
        found = []
        for name, row in self._records.get(viewer, _Record()).tallies.items():
            row.sweep(today)
            if row.days:
                slots = set().union(*row.slots.values())
                found.append(Follower(name[:NAME_LIMIT], dict(row.days), sites_of(len(slots))))
        return found

    def _slot(self, *about: str) -> int:
        return hashlib.blake2b(repr(about).encode("utf-8", "surrogatepass"), key=self._key, digest_size=1).digest()[0]

    async def forget(self, viewer: str) -> int:
        """Drop all that is remembered of the viewer."""
        record = self._records.pop(viewer, _Record())
        rows = len(record.rows) + len(record.occasions) + len(record.said) + len(record.notes) + len(record.tallies)
        return rows + (record.session is not None)

    async def health(self) -> Health:
        """Always well."""
        return Health(ok=True, server="memory", detail="kept by this process only, gone when it ends", lasting=False)

    async def close(self) -> None:
        """Nothing to let go of."""


def _cut(name: Name) -> Name:
    return name[0], name[1][:NAME_LIMIT]
