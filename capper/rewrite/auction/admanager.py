"""Google Ad Manager's answers to a page's slots: which ad each was given, and how a slot becomes "no fill".

    found = find(data, headers, url, page=page)
    data, headers = apply(found, withheld), emptied(headers, found, withheld)

An answer is a line of JSON for each slot, `{"/123/unit": ["html", 0, null, null, 0, 250, 300, ...]}` (its name, whether it is
empty, height, width), followed by the slot's HTML. No answer of Google's may be passed on with the sources, so this is
written from descriptions and tolerant: what it cannot divide into slots is not an answer it knows, and passes untouched.
Nothing in an answer says who would have been next; a withheld slot is empty, and the page's own script collapses it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from capper.clues import evidence_of_document
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.exchange import Headers
from capper.domain.offer import Offer
from capper.jsontext import Edit, Locator, Path, Text, read, splice
from capper.markup import parse

MOST_SLOTS = 60
_HEAD = re.compile(rb'^\{"[^"\n]{1,300}":\[[^\n]*\]\}[ \t\r]*$', re.MULTILINE)
_EMPTY, _HEIGHT, _WIDTH = 1, 5, 6
"""Where a slot's line says whether there is an ad, and how large it is."""
_STANDS_IN = re.compile(
    rb"\brenderAd\s*\(|\bucTag\b|\bpbjs\b|\bhb_(?:adid|bidder|uuid|cache_id)\b|\bapstag\b|\brenderImp\s*\(|universal-?creative",
    re.IGNORECASE,
)
"""A creative that only stands in for whatever bid won in the page: one such line serves every advertiser."""
_IDS = ("google-lineitem-id", "google-creative-id")
_NONE = "-2"
_BUYER = "admanager.google.com"


@dataclass(frozen=True, slots=True)
class AdSlot:
    """One slot with an ad: what it says of whose it is, and the bytes of its line and of its HTML."""

    number: int
    unit: str
    size: tuple[int, int] | None
    offer: Offer
    head: tuple[int, int]
    html: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """The slots of an answer that hold ads, in its order."""

    data: bytes
    slots: tuple[AdSlot, ...] = ()


def find(data: bytes, headers: Headers, url: str, *, page: str = "") -> Found:
    """The slots of Ad Manager's answer that hold an ad; line item and creative are in its headers, one for each slot."""
    lines, creatives = (_ids(headers, name) for name in _IDS)
    heads = list(_HEAD.finditer(data))[:MOST_SLOTS]
    slots = []
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(data)
        try:
            unit, row = _row(read(head[0]))
        except Unrewritable:
            continue
        if row is None or str(_at(row, _EMPTY)) == "1" or not data[head.end() : end].strip():
            continue
        html = data[head.end() : end]
        stands_in = _STANDS_IN.search(html) is not None
        buyer = f"{_BUYER}/{unit.strip('/').partition('/')[0]}"
        offer = Offer(
            buyer,
            campaign=lines[number] if number < len(lines) and not stands_in else None,
            creative=creatives[number] if number < len(creatives) and not stands_in else None,
            evidence=_evidence(html, url, page),
        )
        slots.append(AdSlot(number, unit, _size(row), offer, head.span(), (head.end(), end)))
    return Found(data, tuple(slots))


def apply(found: Found, withheld: Collection[int]) -> bytes:
    """The answer with the slots numbered `withheld` empty; none: the very same object."""
    if not withheld:
        return found.data
    parts: list[bytes] = []
    at = 0
    for slot in found.slots:
        if slot.number not in withheld:
            continue
        parts += (found.data[at : slot.head[0]], _emptied(found.data[slice(*slot.head)]))
        body = found.data[slice(*slot.html)]
        # The line ends stay, for the next slot's line begins after them.
        parts.append(body[: len(body) - len(body.lstrip(b"\r\n"))])
        at = slot.html[1]
    return b"".join((*parts, found.data[at:]))


def emptied(headers: Headers, found: Found, withheld: Collection[int]) -> Headers:
    """The header fields with the ids of the slots numbered `withheld` gone, as of a slot without an ad."""
    numbers = {slot.number for slot in found.slots if slot.number in withheld}
    for name in _IDS if numbers else ():
        if name in headers:
            ids = headers.get(name).split(",")
            told = (_NONE if number in numbers else each.strip() for number, each in enumerate(ids))
            headers = headers.with_(name, ",".join(told))
    return headers


def _row(text: Text) -> tuple[str, list[Any] | None]:
    ((unit, row),) = text.value.items() if isinstance(text.value, dict) and len(text.value) == 1 else (("", None),)
    fits = isinstance(row, list) and len(row) > _WIDTH and row[0] == "html"
    return unit, row if fits else None


def _emptied(head: bytes) -> bytes:
    """A slot's line that says there is no ad."""
    text = read(head)
    locator = Locator(text)
    (unit,) = text.value
    edits = []
    for index, value in ((_EMPTY, "1"), (_HEIGHT, "null"), (_WIDTH, "null")):
        path: Path = (unit, index)
        place = locator.child(locator.at(path[:1]), index)
        if place is not None:
            edits.append(Edit(place.value, place.end, value))
    return text.encode(splice(text.source, edits))


def _evidence(html: bytes, url: str, page: str) -> Evidence:
    try:
        return evidence_of_document(parse(html, url, "utf-8"), page)
    except Unrewritable:
        return Evidence(page=page)


def _ids(headers: Headers, name: str) -> list[str | None]:
    """One id for each slot; -2 and -1 stand for none (adtech: single-request mode)."""
    return [None if text.startswith("-") or not text else text for text in map(str.strip, headers.get(name).split(","))]


def _size(row: list[Any]) -> tuple[int, int] | None:
    height, width = (_number(_at(row, index)) for index in (_HEIGHT, _WIDTH))
    return (width, height) if width and height else None


def _number(value: object) -> int:
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 6 else 0


def _at(row: list[Any], index: int) -> Any:
    return row[index] if index < len(row) else None
