"""One HTML file that needs nothing from elsewhere: tables and drawings, no script, light and dark, a phone's width and paper.

It is built as a tree, so that no name of an advertiser, whatever is in it, can be anything but text.
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from capper.rewrite.wording import presentable

WIDTH: Final = 360
"""Of a drawing: letters can still be read where the page is as narrow as a phone."""
_MARGIN: Final = 10
"""Beside columns, for letters that are wider than they are."""
_LETTERS: Final = 40
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
th[scope=row] { min-width: 7rem; font-weight: 600 } th[scope=col] { overflow-wrap: normal }
svg { width: 100%; height: auto; max-width: 30rem }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif }
svg .soft { fill: var(--soft); font-size: 11px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px }
.before { fill: var(--before) } .after { fill: var(--after) }
.key::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-inline-end: .4em }
.key.before::before { background: var(--before) } .key.after::before { background: var(--after) }
@media (max-width: 30rem) { th, td { font-size: .85rem; padding-inline-end: .35rem } th[scope=row] { min-width: 6rem } }
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #1d2329; --soft: #56616c; --line: #ccd3da; --before: #56616c; --after: #2f6fb0 }
  * { print-color-adjust: exact }
  .wide { overflow-x: visible } tr, svg, figure { break-inside: avoid } h2, h3, caption { break-after: avoid }
}
.key { margin-inline-end: 1.5em } .aside { color: var(--soft) }
"""
_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def begun(title: str, style: str = "") -> tuple[ET.Element, ET.Element]:
    """A page of that title, with more `style` of its own, and the part of it that is to be filled."""
    page = ET.Element("html", lang="en")
    head = ET.SubElement(page, "head")
    ET.SubElement(head, "meta", charset="utf-8")
    ET.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": _CSP})
    ET.SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "title", title)
    ET.SubElement(head, "style").text = _STYLE + style
    return page, ET.SubElement(ET.SubElement(page, "body"), "main")


def ended(page: ET.Element, made: datetime) -> bytes:
    """The file."""
    body = page.find("body")
    assert body is not None
    add(body, "footer", f"Made by capper on {made:%Y-%m-%d %H:%M %Z}.", **{"class": "aside"})
    text: bytes = ET.tostring(page, encoding="utf-8", method="html", xml_declaration=False)
    return b"<!DOCTYPE html>\n" + text + b"\n"


def add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    """An element that holds text."""
    ET.SubElement(parent, tag, {name: value for name, value in attributes.items() if value}).text = _plain(text)


def key_of(parent: ET.Element, before: str, after: str) -> None:
    """What the two colours of the drawings stand for."""
    key = ET.SubElement(parent, "p")
    for side, name in (("before", before), ("after", after)):
        add(key, "span", name, **{"class": f"key {side}"})


def wide(parent: ET.Element, label: str) -> ET.Element:
    """What may be wider than a phone, and scrolls by itself, by keyboard too."""
    return ET.SubElement(parent, "div", {"class": "wide", "tabindex": "0", "role": "region", "aria-label": label})


def tabled(parent: ET.Element, caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table whose first column names its rows; a column whose name begins with `#` holds numbers."""
    table = ET.SubElement(wide(parent, caption), "table")
    add(table, "caption", caption, **{"class": "aside"})
    head = ET.SubElement(ET.SubElement(table, "thead"), "tr")
    for name in heads:
        add(head, "th", name.removeprefix("#"), scope="col", **{"class": "number" if name[:1] == "#" else ""})
    body = ET.SubElement(table, "tbody")
    for row in rows:
        line = ET.SubElement(body, "tr")
        for place, (name, cell) in enumerate(zip(heads, row, strict=True)):
            if place:
                add(line, "td", cell, **{"class": "number" if name[:1] == "#" else ""})
            else:
                named(ET.SubElement(line, "th", scope="row"), cell)


def named(parent: ET.Element, name: str) -> None:
    """A name that came from the network cannot reorder what stands around it."""
    ET.SubElement(parent, "bdi").text = presentable(name)


def _plain(text: str) -> str:
    """A sentence with names in it, less what could disturb it; not shortened."""
    return " ".join(presentable(word) for word in text.split(" "))


# Drawings


def drawing(height: int, title: str) -> ET.Element:
    """An empty drawing, `WIDTH` wide; whoever cannot see it is told its title."""
    svg = ET.Element("svg", viewBox=f"0 0 {WIDTH} {height}", role="img")
    add(svg, "title", title)
    return svg


def _bar(svg: ET.Element, x: float, y: float, width: float, height: float, side: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    ET.SubElement(svg, "rect", place | {"class": side, "rx": "2"})


def lettered(svg: ET.Element, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
    """Letters at a place."""
    add(svg, "text", text, x=f"{x:.1f}", y=f"{y:.1f}", **{"class": kind, "text-anchor": anchor})


def columns(title: str, **sides: Mapping[str, float]) -> ET.Element:
    """Shares by label as columns, those of a label beside each other in the colours of their sides; all have the same labels."""
    svg = drawing(240, title)
    labels = list(next(iter(sides.values())))
    most = max((share for side in sides.values() for share in side.values()), default=0) or 1
    step = (WIDTH - 2 * _MARGIN) / max(len(labels), 1)
    part = step / len(sides)
    for place, label in enumerate(labels):
        for offset, (name, side) in enumerate(sides.items()):
            height, x = 168 * side[label] / most, _MARGIN + place * step + offset * part
            _bar(svg, x + 1, 200 - height, part - 3, height, name)
            if side[label]:
                # Not beside its neighbour's, for which there is no room.
                above = 182 if offset + 1 < len(sides) else 194
                lettered(svg, x + part / 2, above - height, f"{side[label]:.0%}", "soft", "middle")
        lettered(svg, _MARGIN + place * step + step / 2, 220, label, "soft", "middle")
    return svg


def bars(title: str, rows: Sequence[tuple[str, Mapping[str, float]]], spelled: Callable[[float], str]) -> ET.Element:
    """Values as bars, below the name of their row and in the colours of their sides; all rows have the same sides."""
    sides = len(rows[0][1])
    high = 28 + 17 * sides
    svg = drawing(len(rows) * high, title)
    most = max(value for _, values in rows for value in values.values()) or 1
    for place, (name, values) in enumerate(rows):
        top, shown = place * high, presentable(name)
        lettered(
            svg, 0, top + 15, shown if len(shown) <= _LETTERS else f"{shown[: _LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
        )
        for step, (side, value) in enumerate(values.items()):
            width, y = (WIDTH - 50) * value / most, top + 20 + 17 * step
            _bar(svg, 0, y, width, 15, side)
            lettered(svg, 6 + width, y + 12, spelled(value), "soft")
    return svg
