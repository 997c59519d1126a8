"""One record per decision, as it is written down and read again; below level 3 it holds no site and no URL."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Self

import orjson

from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Basis
from capper.domain.mute import Why
from capper.domain.sighting import Format, Sighting

LONGEST_LINE = 64 * 1024
"""A line longer than this is no record of ours: ids are short, and twenty advertisers are many."""


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
        row, options = self.row(), orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        try:
            return orjson.dumps(row, option=options)
        except orjson.JSONEncodeError:
            return orjson.dumps(_writable(row), option=options)


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
