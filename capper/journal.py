"""One record per decision, so that every decision can be explained to the person it was made for; and the records' reader.

Below level 3 a record holds no site and no URL. Writing never delays a flow: records wait in a bounded queue.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

import orjson

from capper.domain.decision import Decision, Verdict
from capper.domain.errors import LedgerUnavailable
from capper.domain.identity import Basis, Viewer
from capper.domain.identity import Level as AdLevel
from capper.domain.mute import Name, Why
from capper.domain.prompt import Place, Prompt
from capper.domain.sighting import Format, Sighting

logger = logging.getLogger(__name__)

LIFE = timedelta(hours=24)
"""How long a person can read her own decisions."""
BATCH = 256
LONGEST_LINE = 64 * 1024
"""A line longer than this is no record of ours: ids are short, and twenty advertisers are many."""


_PLACES = {Place.PAGE: "a page", Place.STATE: "a page's state", Place.ANSWER: "an answer", Place.TEXT: "a text"}


class Level(IntEnum):
    """How much is written down."""

    NOTHING = 0
    COUNTS = 1
    OWN = 2
    """The person's own decisions, readable by that person, for `LIFE`."""
    RESEARCH = 3
    """The same with the site; opt-in."""


@dataclass(frozen=True, slots=True)
class Record:
    """One decision as it is kept, or (verdict None, `note` says why) one exchange left as it was."""

    time: datetime
    viewer: str
    verdict: Verdict | None = None
    advertisers: tuple[str, ...] = ()
    campaign: str | None = None
    creative: str | None = None
    basis: Basis = Basis.UNIDENTIFIED
    format: Format | None = None
    rule: str = ""
    cap: str | None = None
    count: int = 0
    reopens: datetime | None = None
    repeated: bool = False
    counted: bool = True
    site: str | None = None
    entry: int | None = None
    """In a replay, the index of the HAR's entry."""
    note: str = ""
    prompt: str | None = None
    """The kind of credit prompt that was taken out or marked; `pack` and `signals` say by which words."""
    pack: str | None = None
    signals: tuple[str, ...] = ()
    mute: Why | None = None
    """What made the mute that withheld the ad."""
    unsure: int | None = None
    """Of an opt-out that muted nobody: how many ads may have been meant."""

    @classmethod
    def of(cls, decision: Decision, at: datetime, sighting: Sighting | None = None, *, site: bool = False) -> Self:
        """The record of `decision`, with the sighting's site only where `site` asks for it."""
        ad = decision.ad
        return cls(
            time=at.astimezone(UTC),
            viewer=decision.viewer.name,
            verdict=decision.verdict,
            advertisers=ad.advertisers,
            campaign=ad.campaign,
            creative=ad.creative,
            basis=ad.basis,
            format=sighting.format if sighting else None,
            rule=decision.rule,
            cap=None if decision.cap is None else str(decision.cap),
            count=decision.count,
            reopens=decision.reopens and decision.reopens.astimezone(UTC),
            repeated=decision.repeated,
            counted=decision.counted,
            site=sighting.site if sighting and site else None,
            mute=decision.mute.why if decision.mute else None,
        )

    @property
    def label(self) -> str:
        """The name a person would know the ad by: advertiser, else campaign, else creative, else `unidentified`."""
        return ", ".join(self.advertisers) or self.campaign or self.creative or Basis.UNIDENTIFIED.value

    def row(self) -> dict[str, object]:
        """The record as JSON has it: `advertiser` is the first, `advertisers` is there when there are several."""
        row: dict[str, object]
        if self.verdict is None:
            row = {"time": self.time, "viewer": self.viewer, "entry": self.entry, "note": self.note}
            if self.advertisers or self.creative:
                row |= {"advertisers": list(self.advertisers), "creative": self.creative, "mute": self.mute}
            if self.unsure is not None:
                row["unsure"] = self.unsure
            if self.prompt:
                row |= {"prompt": self.prompt, "pack": self.pack, "signals": list(self.signals)}
            return _present(row)
        row = {
            "time": self.time,
            "viewer": self.viewer,
            "verdict": self.verdict,
            "advertiser": self.advertisers[0] if self.advertisers else None,
            "campaign": self.campaign,
            "creative": self.creative,
            "basis": self.basis,
            "format": self.format,
            "rule": self.rule,
            "cap": self.cap,
            "count": self.count,
            "reopens": self.reopens,
            "repeated": self.repeated,
            "counted": self.counted,
        }
        several = list(self.advertisers) if len(self.advertisers) > 1 else None
        return row | _present({"advertisers": several, "mute": self.mute, "site": self.site, "entry": self.entry})

    def line(self) -> bytes:
        """The record as one line of JSON, newline included."""
        return orjson.dumps(_writable(self.row()), option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def _present(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value is not None}


def _writable(value: object) -> object:
    """A URL with half a surrogate pair in it is no reason to lose a record."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_writable(item) for item in value]
        case dict():
            return {name: _writable(item) for name, item in value.items()}
    return value


def parse(line: str | bytes) -> Record:
    """Read one line of a journal; names it does not know are left out.

    Raises:
        ValueError: says what is wrong with the line.
    """
    if len(line) > LONGEST_LINE:
        raise ValueError(f"a record is at most {LONGEST_LINE} bytes long")
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise ValueError(f"not JSON: {exc}") from exc
    if not isinstance(row, dict):
        raise ValueError("a record is a JSON object")  # noqa: TRY004  one kind of error for whoever reads foreign lines
    if "advertisers" not in row:
        row["advertisers"] = [] if row.get("advertiser") is None else [row["advertiser"]]
    known = {name: _field(name, row[name]) for name in _READERS if row.get(name) is not None}
    for name in ("time", "viewer"):
        if name not in known:
            raise ValueError(f"{name!r} is missing")
    if "verdict" not in known and "note" not in known:
        raise ValueError("neither 'verdict' nor 'note' is there")
    return Record(**known)


def read(path: Path) -> Iterator[Record]:
    """The records of a journal file, in its order; blank lines are skipped.

    Raises:
        ValueError: names the line that is not a record.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE + 1):
            number += 1
            if not line.strip():
                continue
            try:
                yield parse(line)
            except ValueError as exc:
                raise ValueError(f"line {number}: {exc}") from exc


def _field(name: str, value: object) -> Any:
    try:
        return _READERS[name](value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError(f"{name!r}: {exc}") from exc


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("expected a list of texts")
    return tuple(map(_text, value))


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("expected a whole number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    return value


def _time(value: object) -> datetime:
    when = datetime.fromisoformat(_text(value))
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)


_READERS: dict[str, Any] = {
    "time": _time,
    "viewer": _text,
    "verdict": Verdict,
    "advertisers": _texts,
    "campaign": _text,
    "creative": _text,
    "basis": Basis,
    "format": Format,
    "rule": _text,
    "cap": _text,
    "count": _whole,
    "reopens": _time,
    "repeated": _flag,
    "counted": _flag,
    "site": _text,
    "entry": _whole,
    "note": _text,
    "prompt": _text,
    "pack": _text,
    "signals": _texts,
    "mute": Why,
    "unsure": _whole,
}
if set(_READERS) != {field.name for field in fields(Record)}:  # pragma: no cover
    raise AssertionError("every field of a Record has its reader")


class Sink(Protocol):
    """Where records go."""

    async def keep(self, records: Sequence[Record]) -> int:
        """Keep `records` and return how many were kept."""
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class Keeper(Protocol):
    """What of a ledger `LedgerSink` uses."""

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep records of the viewer's; see `capper.ledger.base.Ledger`."""
        ...


class Tallier(Protocol):
    """Whoever keeps count of a person's days, at every level but NOTHING; see `capper.ledger.tallying`."""

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Take note of what became of `sightings`; returns at once."""
        ...

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Take note of credit prompts that were cut; returns at once."""
        ...

    async def close(self) -> None:
        """Write what waits."""
        ...


class LedgerSink:
    """Keeps each record with its viewer's own things in the ledger, as ciphertext, for `LIFE`."""

    def __init__(self, ledger: Keeper, life: timedelta = LIFE) -> None:
        self._ledger, self._life = ledger, life

    async def keep(self, records: Sequence[Record]) -> int:
        """Keep what the ledger takes, those of one answer in one call; a ledger that does not reply costs records, never a flow."""
        kept = 0
        for (viewer, time), found in groupby(records, lambda record: (record.viewer, record.time)):
            lines = [record.line() for record in found]
            try:
                await self._ledger.note(viewer, lines, time, self._life)
            except LedgerUnavailable:
                break
            kept += len(lines)
        return kept

    async def close(self) -> None:
        """Nothing: whoever opened the ledger closes it."""


class FileSink:
    """Writes JSONL to an open binary file, and closes it only if it opened it."""

    def __init__(self, file: BinaryIO, *, owned: bool = False) -> None:
        self._file, self._owned = file, owned

    @classmethod
    def appending(cls, path: Path) -> Self:
        """A sink at the end of `path`, which only its owner may read."""
        return cls(os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab"), owned=True)

    async def keep(self, records: Sequence[Record]) -> int:
        """Write the lines, off the event loop."""
        await asyncio.to_thread(self._file.write, b"".join(record.line() for record in records))
        return len(records)

    async def close(self) -> None:
        """Write out what is buffered."""
        await asyncio.to_thread(self._file.close if self._owned else self._file.flush)


class ListSink:
    """Keeps records in memory: for tests and for whoever reads them in the same process."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def keep(self, records: Sequence[Record]) -> int:
        """Keep them all."""
        self.records += records
        return len(records)

    async def close(self) -> None:
        """Nothing to let go."""


@dataclass
class Totals:
    """What happened since the start, about nobody in particular."""

    shown: int = 0
    withheld: int = 0
    repeated: int = 0
    """Sightings that were part of one already decided; they count once."""
    uncounted: int = 0
    untouched: int = 0
    prompts: int = 0
    """Credit prompts taken out or marked."""
    dropped: int = 0
    """Records lost because the sink was too slow or gone."""


class Journal:
    """Takes decisions from the gate at once and hands their records to the sink in batches, in the background.

    1. `decided` and `untouched` count and queue, and return; a full queue drops the record and counts that.
    2. A task writes batches while there are any; it starts by itself in a running event loop.
    3. `drain` waits until all is written, `close` drains and closes the sink.
    """

    def __init__(
        self,
        level: Level = Level.OWN,
        sink: Sink | None = None,
        most: int = 10_000,
        tallier: Tallier | None = None,
        chosen: Callable[[str], int | None] = lambda _: None,
        totals: Totals | None = None,
    ) -> None:
        """A journal at `level` at most; `chosen` says of a person by name what she chose, which may be less."""
        self.level = level if sink else min(level, Level.COUNTS)
        self.totals = totals or Totals()
        self.entry: int | None = None
        """The HAR entry being replayed; each record carries it."""
        self._sink, self._tallier, self._chosen = sink, tallier, chosen
        self._most = most
        self._queue: deque[Record] = deque()
        self._writer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._queue)

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Note what became of `sightings`, which were claimed together for one viewer."""
        if self.level is Level.NOTHING or not decisions:
            return
        level = self.level_of(decisions[0].viewer.name)
        if self._tallier and level > Level.NOTHING:
            self._tallier.decided(at, sightings, decisions)
        for sighting, decision in zip(sightings, decisions, strict=True):
            self._count(decision)
            if level >= Level.OWN:
                self._put(Record.of(decision, at, sighting, site=level >= Level.RESEARCH))

    def cut(self, at: datetime, viewer: Viewer, prompts: Sequence[Prompt], *, marked: bool = False) -> None:
        """Note the credit prompts that were taken out of one body, or marked: what kind, by which words, never how much."""
        if self.level is Level.NOTHING:
            return
        self.totals.prompts += len(prompts)
        level = self.level_of(viewer.name)
        if self._tallier and level > Level.NOTHING:
            self._tallier.cut(at, viewer, len(prompts))
        done = "marked in" if marked else "taken out of"
        if level >= Level.OWN:
            for prompt in prompts:
                self._put(
                    Record(
                        at.astimezone(UTC),
                        viewer.name,
                        note=f"credit prompt {done} {_PLACES[prompt.place]}",
                        prompt=prompt.kind,
                        pack=prompt.pack or None,
                        signals=prompt.signals,
                    )
                )

    def muted(self, at: datetime, viewer: Viewer, names: Sequence[Name], why: Why | None, note: str) -> None:
        """Note that she muted these names other than through capper's own pages, or (why None) took that back."""
        if self.level_of(viewer.name) >= Level.OWN:
            advertisers = tuple(name for level, name in names if level is AdLevel.ADVERTISER)
            creative = next((name for level, name in names if level is AdLevel.CREATIVE), None)
            self._put(
                Record(at.astimezone(UTC), viewer.name, advertisers=advertisers, creative=creative, note=note, mute=why)
            )

    def unsure(self, at: datetime, viewer: Viewer, ads: int, note: str) -> None:
        """Note an opt-out of hers of which it could not be told which of `ads` it meant."""
        if self.level_of(viewer.name) >= Level.OWN:
            self._put(Record(at.astimezone(UTC), viewer.name, note=note, unsure=ads))

    def untouched(self, at: datetime, viewer: Viewer, reason: str) -> None:
        """Note that an exchange was left as it was although there may have been an ad in it.

        `reason` says no site and no URL.
        """
        if self.level is Level.NOTHING:
            return
        self.totals.untouched += 1
        if self.level_of(viewer.name) >= Level.OWN:
            self._put(Record(at.astimezone(UTC), viewer.name, note=reason))

    def level_of(self, viewer: str) -> int:
        """How much is written down of a viewer, by name."""
        chosen = self._chosen(viewer)
        return self.level if chosen is None else min(self.level, chosen)

    async def drain(self) -> None:
        """Wait until everything noted so far is written."""
        while self._queue or (self._writer and not self._writer.done()):
            self._start()
            if self._writer:
                await asyncio.wait([self._writer])

    async def close(self) -> None:
        """Write what is waiting, then close the sink."""
        await self.drain()
        if self._tallier:
            await self._tallier.close()
        if self._sink:
            await self._sink.close()

    def _count(self, decision: Decision) -> None:
        totals = self.totals
        if decision.repeated:
            totals.repeated += 1
        elif decision.withheld:
            totals.withheld += 1
        else:
            totals.shown += 1
        totals.uncounted += not decision.counted

    def _put(self, record: Record) -> None:
        if len(self._queue) >= self._most:
            self.totals.dropped += 1
            return
        self._queue.append(record if self.entry is None else replace(record, entry=self.entry))
        try:
            self._start()
        except RuntimeError:
            # No event loop runs: the records wait for `drain`.
            return

    def _start(self) -> None:
        if self._writer is None or self._writer.done():
            loop = asyncio.get_running_loop()
            self._writer = loop.create_task(self._write(), name="capper journal")

    async def _write(self) -> None:
        assert self._sink is not None
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            try:
                kept = await self._sink.keep(batch)
            except Exception:
                # A full disk or a fault in a sink must not end the journal: the next batch may do better.
                logger.exception("keep %d journal records", len(batch))
                kept = 0
            self.totals.dropped += len(batch) - kept
