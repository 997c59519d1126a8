"""What was decided for a person within the last day, a line each, in her language."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from capper.dashboard.speech import Tongue
from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute
from capper.journal import Record, parse
from capper.rewrite.wording import words

MOST: Final = 300
"""Lines on a page, the newest; the rest is in the export."""


class What(StrEnum):
    """What became of an ad or a prompt."""

    WITHHELD = "withheld"
    SHOWN = "shown"
    CUT = "cut"
    MUTED = "muted"
    LEFT = "left"


SHOWN_BY: Final = {
    "all": tuple(What),
    "withheld": (What.WITHHELD, What.MUTED),
    "credit": (What.CUT,),
}
"""What each choice on the page lets through."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: when, what became of it, whose ad or what kind of prompt it was, and why."""

    when: datetime
    what: What
    name: str
    why: str
    signals: tuple[str, ...] = ()


def records_of(notes: Iterable[bytes]) -> Iterator[Record]:
    """The records among a person's notes; another version's may be there too, and are left out."""
    for note in notes:
        with contextlib.suppress(ValueError):
            yield parse(note)


def rows_of(records: Iterable[Record], tongue: Tongue, choice: str) -> list[Row]:
    """Lines, the newest first, of what `choice` (a key of `SHOWN_BY`) lets through."""
    wanted = SHOWN_BY.get(choice, SHOWN_BY["all"])
    found = [record for record in records if what_of(record) in wanted and not record.repeated]
    found.sort(key=lambda record: record.time, reverse=True)
    return [_row(record, tongue) for record in found[:MOST]]


def what_of(record: Record) -> What:
    """What became of it."""
    if record.verdict is None:
        if record.prompt:
            return What.CUT
        return What.MUTED if record.advertisers or record.creative else What.LEFT
    return What.WITHHELD if record.verdict is Verdict.WITHHOLD else What.SHOWN


def _row(record: Record, tongue: Tongue) -> Row:
    what = what_of(record)
    match what:
        case What.CUT:
            return Row(record.time, what, record.prompt or "", record.pack or "", record.signals)
        case What.MUTED:
            return Row(record.time, what, record.label, record.note)
        case What.LEFT:
            return Row(record.time, what, "", record.note)
        case What.WITHHELD:
            told = words(_decision(record), tongue.speech, record.time)
            return Row(record.time, what, record.label, ", ".join(filter(None, (told.why, told.when))))
    return Row(record.time, what, record.label, "")


def _decision(record: Record) -> Decision:
    """The decision as its words need it."""
    cap = None
    with contextlib.suppress(ValueError):  # another version's may be written otherwise
        cap = Cap.parse(record.cap) if record.cap else None
    ad = Ad(record.advertisers, record.campaign, record.creative, basis=record.basis)
    mute = None
    if record.mute:
        mute = Mute(Level.ADVERTISER, record.label, record.mute, record.time, record.reopens or record.time)
    return Decision(
        record.verdict or Verdict.WITHHOLD,
        Viewer(record.viewer),
        ad,
        record.rule,
        cap,
        record.count,
        record.reopens,
        mute=mute,
    )
