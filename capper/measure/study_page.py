"""What was found in a study as a page of drawings and tables."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import datetime

from capper.domain.frequency import binned
from capper.measure.page import add, begun, columns, ended, key_of, tabled, wide
from capper.measure.study_tables import parts
from capper.study.findings import ByKey, Findings


def study_page(name: str, found: Findings, names: Mapping[str, str], notes: Sequence[str], made: datetime) -> bytes:
    """The file, for the study called `name`; `notes` are sentences that go first."""
    page, main = begun(f"The study {name}")
    add(main, "h1", f"The study {name}")
    for note in notes:
        add(main, "p", note)
    drawn = {f"How often, by {each.key}": each for each in found.by_key}
    for part in parts(found, names):
        add(main, "h2", part.title)
        for sentence in part.sentences:
            add(main, "p", sentence, **{"class": "aside"})
        if part.title in drawn:
            _drawn(main, drawn[part.title])
        if part.heads:
            tabled(main, part.title, part.heads, part.rows)
    return ended(page, made)


def _drawn(main: ET.Element, found: ByKey) -> None:
    """How often ads were shown with caps and without, where there are both; else how often they were met and shown."""
    if found.capped and found.control:
        words, sides = ("shown, caps off", "shown, caps on"), (found.control.shown, found.capped.shown)
    else:
        words, sides = ("met", "shown"), (found.all.observed, found.all.shown)
    key_of(main, *words)
    title = f"The share of pairs of a person and a {found.key} by how often: {words[0]} and {words[1]}; the table has the numbers"
    wide(main, f"Drawing: how often, by {found.key}").append(
        columns(title, before=binned(sides[0]), after=binned(sides[1]))
    )
