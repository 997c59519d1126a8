"""A comparison of two policies as a page of drawings and tables."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from capper.domain.frequency import binned, reach, shares
from capper.measure.page import add, bars, begun, columns, ended, key_of, tabled, wide
from capper.measure.whatif import Comparison, Row

MOST_BARS: Final = 12
"""Advertisers that are drawn; the table has all of them."""


def report(found: Comparison, before: str, after: str, over: str, notes: Sequence[str], made: datetime) -> bytes:
    """The file. `before` and `after` name the policies, `over` what they were compared over; `notes` are sentences."""
    page, main = begun(f"What if: {after} instead of {before}")
    add(main, "h1", "What if")
    add(main, "p", f"{after} instead of {before}, over {over}.")
    key_of(main, before, after)
    for note in notes:
        add(main, "p", note, **{"class": "aside"})
    how = "Shown" if found.exact else "Shown at most"
    add(main, "h2", f"{how}, by advertiser")
    if found.rows:
        wide(main, "Drawing: shown, by advertiser").append(_advertisers(found.rows[:MOST_BARS], how))
        _table(main, found)
        add(main, "h2", "How often the same advertiser")
        add(main, "p", _reading(found))
        wide(main, "Drawing: how often the same advertiser").append(_frequency(found))
        _times(main, found)
        add(main, "h2", "Reach")
        add(
            main,
            "p",
            f"Of all that was met, as pairs of a person and an advertiser, the share that was {how.lower()} so often or more.",
        )
        wide(main, "Drawing: reach").append(
            columns(
                "Reach by how often at least; the table below has the numbers",
                before=reach(found.before),
                after=reach(found.after),
            )
        )
        _reach(main, found)
    else:
        add(main, "p", "There were no ads of an advertiser that could be told.")
    return ended(page, made)


def _reading(found: Comparison) -> str:
    people = "one person's record" if found.people == 1 else f"{found.people} people's records"
    return (
        f"Of the advertisers in {people}, the share that was shown exactly so often. The two differ by"
        f" {found.distance:.0%} (0 % is the same, 100 % is nothing in common)."
    )


def _table(parent: ET.Element, found: Comparison) -> None:
    heads = ["advertiser", "#met", "#before", "#after"]
    rows = [[row.advertiser, *map(_number, (row.met, row.before.shown, row.after.shown))] for row in found.rows]
    if found.people > 1:
        heads += ["#people before", "#people after"]
        for cells, row in zip(rows, found.rows, strict=True):
            cells += [_number(row.before.reach), _number(row.after.reach)]
    tabled(parent, "How often each advertiser was met, and shown", heads, rows)


def _times(parent: ET.Element, found: Comparison) -> None:
    old, new = shares(found.before), shares(found.after)
    rows = [[str(count), f"{old.get(count, 0):.1%}", f"{new.get(count, 0):.1%}"] for count in sorted({*old, *new})]
    tabled(parent, "Share of advertisers, by how often they were shown", ["times", "#before", "#after"], rows)


def _reach(parent: ET.Element, found: Comparison) -> None:
    old, new = reach(found.before), reach(found.after)
    rows = [[times, f"{old[times]:.1%}", f"{new[times]:.1%}"] for times in old if old[times] or new[times]]
    tabled(parent, "Reach, by how often at least", ["times", "#before", "#after"], rows)


def _advertisers(rows: Sequence[Row], how: str) -> ET.Element:
    title = f"{how}, before and after, for {len(rows)} advertisers; the table below has the numbers"
    drawn = [(row.advertiser, {"before": row.before.shown, "after": row.after.shown}) for row in rows]
    return bars(title, drawn, "{:,}".format)


def _frequency(found: Comparison) -> ET.Element:
    title = "The share of advertisers by how often they were shown; the table below has the numbers"
    return columns(title, before=binned(shares(found.before)), after=binned(shares(found.after)))


def _number(count: int) -> str:
    return f"{count:,}"
