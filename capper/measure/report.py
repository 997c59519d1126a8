"""A comparison of two policies as one HTML file: drawings and tables, no script, nothing from elsewhere.

It is built as a tree, so that no name of an advertiser, whatever is in it, can be anything but text.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from capper.domain.frequency import BINS, binned, shares
from capper.measure.whatif import Comparison, Row
from capper.rewrite.wording import presentable

MOST_BARS: Final = 12
"""Advertisers that are drawn; the table has all of them."""
_LETTERS: Final = 52
"""Of a name above its bars."""
_STYLE: Final = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2329; --soft: #56616c; --line: #ccd3da; --before: #56616c; --after: #2f6fb0 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15191d; --ink: #e4e8ec; --soft: #a7b1bb; --line: #3a434c; --before: #a7b1bb; --after: #6ea8e6 }
}
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: start; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
td.number, th.number { text-align: end; font-variant-numeric: tabular-nums; overflow-wrap: normal }
th[scope=row] { min-width: 7rem; font-weight: 600 }
svg { width: 100%; height: auto; max-width: 38rem }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif }
svg .soft { fill: var(--soft); font-size: 11.5px }
.before { fill: var(--before) } .after { fill: var(--after) }
.key::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-inline-end: .4em }
.key.before::before { background: var(--before) } .key.after::before { background: var(--after) }
.key { margin-inline-end: 1.5em } .aside { color: var(--soft) }
"""
_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'"


def report(found: Comparison, before: str, after: str, over: str, notes: Sequence[str], made: datetime) -> bytes:
    """The file. `before` and `after` name the policies, `over` what they were compared over; `notes` are sentences."""
    page = ET.Element("html", lang="en")
    _head(page, f"{after} instead of {before}")
    body = ET.SubElement(page, "body")
    main = ET.SubElement(body, "main")
    _add(main, "h1", "What if")
    _add(main, "p", f"{after} instead of {before}, over {over}.")
    key = ET.SubElement(main, "p")
    for side, name in (("before", before), ("after", after)):
        _add(key, "span", name, **{"class": f"key {side}"})
    for note in notes:
        _add(main, "p", note, **{"class": "aside"})
    how = "Shown" if found.exact else "Shown at most"
    _add(main, "h2", f"{how}, by advertiser")
    if found.rows:
        _wide(main, "Drawing: shown, by advertiser").append(_advertisers(found.rows[:MOST_BARS], how))
        _table(main, found)
        _add(main, "h2", "How often the same advertiser")
        _add(main, "p", _reading(found))
        _wide(main, "Drawing: how often the same advertiser").append(_frequency(found))
        _times(main, found)
    else:
        _add(main, "p", "There were no ads of an advertiser that could be told.")
    _add(body, "footer", f"Made by capper on {made:%Y-%m-%d %H:%M %Z}.", **{"class": "aside"})
    text: bytes = ET.tostring(page, encoding="utf-8", method="html", xml_declaration=False)
    return b"<!DOCTYPE html>\n" + text + b"\n"


def _head(page: ET.Element, title: str) -> None:
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _CSP})
    ET.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _add(head, "title", f"What if: {title}")
    ET.SubElement(head, "style").text = _STYLE


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
    _tabled(parent, "How often each advertiser was met, and shown", heads, rows)


def _times(parent: ET.Element, found: Comparison) -> None:
    old, new = shares(found.before), shares(found.after)
    rows = [[str(count), f"{old.get(count, 0):.1%}", f"{new.get(count, 0):.1%}"] for count in sorted({*old, *new})]
    _tabled(parent, "Share of advertisers, by how often they were shown", ["times", "#before", "#after"], rows)


def _wide(parent: ET.Element, label: str) -> ET.Element:
    """What may be wider than a phone, and scrolls by itself, by keyboard too."""
    return ET.SubElement(parent, "div", {"class": "wide", "tabindex": "0", "role": "region", "aria-label": label})


def _tabled(parent: ET.Element, caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = ET.SubElement(_wide(parent, caption), "table")
    _add(table, "caption", caption, **{"class": "aside"})
    head = ET.SubElement(ET.SubElement(table, "thead"), "tr")
    for name in heads:
        _add(head, "th", name.removeprefix("#"), scope="col", **{"class": "number" if name[0] == "#" else ""})
    body = ET.SubElement(table, "tbody")
    for row in rows:
        line = ET.SubElement(body, "tr")
        for place, (name, cell) in enumerate(zip(heads, row, strict=True)):
            numeric = {"class": "number" if name[0] == "#" else ""}
            if place:
                _add(line, "td", cell, **numeric)
            else:
                _named(ET.SubElement(line, "th", scope="row"), cell)


def _named(parent: ET.Element, name: str) -> None:
    """A name that came from the network cannot reorder what stands around it."""
    ET.SubElement(parent, "bdi").text = presentable(name)


# Drawings


_WIDTH: Final = 480
"""Of a drawing: letters can still be read where the page is as narrow as a phone."""


def _drawing(height: int, title: str) -> ET.Element:
    svg = ET.Element("svg", viewBox=f"0 0 {_WIDTH} {height}", role="img")
    _add(svg, "title", title)
    return svg


def _advertisers(rows: Sequence[Row], how: str) -> ET.Element:
    svg = _drawing(
        len(rows) * 62, f"{how}, before and after, for {len(rows)} advertisers; the table below has the numbers"
    )
    most = max(max(row.before.shown, row.after.shown) for row in rows) or 1
    for place, row in enumerate(rows):
        top = place * 62
        name = presentable(row.advertiser)
        _text(svg, 0, top + 15, name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}")
        for step, (side, shown) in enumerate((("before", row.before.shown), ("after", row.after.shown))):
            width, y = (_WIDTH - 50) * shown / most, top + 20 + 17 * step
            _bar(svg, 0, y, width, 15, side)
            _text(svg, 6 + width, y + 12, _number(shown), "soft")
    return svg


def _frequency(found: Comparison) -> ET.Element:
    svg = _drawing(240, "The share of advertisers by how often they were shown; the table below has the numbers")
    sides = {"before": binned(shares(found.before)), "after": binned(shares(found.after))}
    most = max(share for side in sides.values() for share in side.values()) or 1
    step = _WIDTH / len(BINS)
    for place, label in enumerate(sides["before"]):
        for offset, (name, side) in enumerate(sides.items()):
            height = 168 * side[label] / most
            x = place * step + offset * step / 2
            _bar(svg, x + 1, 200 - height, step / 2 - 3, height, name)
            if side[label]:
                # Not beside its neighbour's, for which there is no room.
                _text(svg, x + step / 4, (194 if offset else 182) - height, f"{side[label]:.0%}", "soft", "middle")
        _text(svg, place * step + step / 2, 220, label, "soft", "middle")
    return svg


def _bar(svg: ET.Element, x: float, y: float, width: float, height: float, side: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    ET.SubElement(svg, "rect", place | {"class": side, "rx": "2"})


def _text(svg: ET.Element, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
    _add(svg, "text", text, x=f"{x:.1f}", y=f"{y:.1f}", **{"class": kind, "text-anchor": anchor})


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, {name: value for name, value in attributes.items() if value}).text = _plain(text)


def _plain(text: str) -> str:
    """A sentence with names in it, less what could disturb it; not shortened."""
    return " ".join(presentable(word) for word in text.split(" "))


def _number(count: int) -> str:
    return f"{count:,}"
