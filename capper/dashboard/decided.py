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
from capper.domain.mute import Mute, Why
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
    UNMUTED = "unmuted"
    UNSURE = "unsure"
    LEFT = "left"


SHOWN_BY: Final = {
    "all": tuple(What),
    "withheld": (What.WITHHELD, What.MUTED, What.UNMUTED, What.UNSURE),
    "credit": (What.CUT,),
}
"""What each choice on the page lets through."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: when, what became of it, whose ad it was if that is known, and why; the rest as the journal has it."""

    when: datetime
    what: What
    name: str = ""
    why: str = ""
    prompt: str | None = None
    signals: tuple[str, ...] = ()
    mute: Why | None = None
    note: str = ""
    """In English, for who looks closer."""


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
        if record.advertisers or record.creative:
            return What.MUTED if record.mute else What.UNMUTED
        return What.LEFT if record.unsure is None else What.UNSURE
    return What.WITHHELD if record.verdict is Verdict.WITHHOLD else What.SHOWN


def _row(record: Record, tongue: Tongue) -> Row:
    what = what_of(record)
    why = ""
    if what is What.WITHHELD:
        told = words(_decision(record), tongue.speech, record.time)
        why = ", ".join(filter(None, (told.why, told.when)))
    known = record.advertisers or record.campaign or record.creative
    return Row(
        record.time, what, record.label if known else "", why, record.prompt, record.signals, record.mute, record.note
    )


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
