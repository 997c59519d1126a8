"""What ads a file or an address holds, and whose: nothing is asked of the network, nothing is counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from capper.cli.finding import FORMATS, Asking, named, whose
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.exchange import Headers
from capper.domain.identity import Ad
from capper.domain.sighting import Format
from capper.jsontext import read
from capper.markup import Document, parse
from capper.recognise.domains import parted
from capper.recognise.engine import Label
from capper.recognise.kind import UNKNOWN_SOURCE
from capper.recognise.knowledge import Role
from capper.recognise.offer import read_offer
from capper.recognise.picture import measure
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction import admanager, payload
from capper.rewrite.auction.layout import Layout
from capper.rewrite.charset import charset_of
from capper.rewrite.coding import take_off
from capper.rewrite.html import page
from capper.rewrite.html.candidates import LONGEST_AD_TEXT
from capper.rewrite.video import embedded, vast
from capper.rewrite.video.answer import Video

LARGEST = 64 * 1024 * 1024
"""Bytes of a file that are worth reading."""


_GZIP = b"\x1f\x8b"
_SCRIPT = re.compile(rb"\s*(?:[\w$.]{1,100}(?:\[[^\]]{1,60}\])?\s*[=(]|/\*|\)\]\}')")
"""What may stand before JSON."""


class What(StrEnum):
    """What a file or an address turned out to be."""

    PAGE = "page"
    FRAME = "frame"
    VIDEO = "video"
    AUCTION = "auction"
    PICTURE = "picture"
    ADDRESS = "address"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Item:
    """One ad; `slot` is the place it is for, where the file says so, `leads_on` the address of a wrapper's real ad.

    `housed`: its page has a house ad for it that can be used.
    """

    ad: Ad
    format: Format
    size: tuple[int, int] | None = None
    slot: str = ""
    leads_on: str = ""
    housed: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """All ads of one source in their order; `note` says what else there is to say of it."""

    source: str
    what: What
    ads: tuple[Item, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Looking:
    """What is looked with, and what the person says of where it came from: the page, and the file's own address."""

    recogniser: Recogniser
    layouts: tuple[Layout, ...]
    now: datetime
    page: str = ""
    address: str = ""
    what: What | None = None


def of_address(looking: Looking, url: str) -> Contents:
    """What an address alone tells: of a file whose ad it is part of, of a click where it leads."""
    asking = Asking(url, looking.page or UNKNOWN_SOURCE)
    kind, found = named(looking.recogniser, asking, looking.now)
    rule = found.match.rule if found.match else ""
    note = {Label.AD: f"an ad list names it as {kind}: {rule}", Label.TRACKER: f"a tracker list names it: {rule}"}
    ad = whose(looking.recogniser, asking)
    if not ad.identified and _is_reseller(looking.recogniser, url):
        ad = looking.recogniser.read(Evidence(clicks=(url,), page=asking.page))
    item = Item(ad, FORMATS.get(kind, Format.BANNER))
    return Contents(url, What.ADDRESS, (item,), note.get(found.label, "no list names it"))


def _is_reseller(recogniser: Recogniser, url: str) -> bool:
    place = recogniser.reader.networks.place(*parted(url))
    return place is not None and place.role is Role.RESELLER


def of_file(looking: Looking, path: Path) -> Contents:
    """The ads in a file, by what its first bytes show it to be; what cannot be read has none, and the note says why."""
    try:
        data = _content(path)
        match _what(data):
            case What.PICTURE:
                return _picture(looking, str(path), data)
            case What.VIDEO:
                return _video(looking, str(path), data)
            case What.AUCTION:
                return _auction(looking, str(path), data)
            case _:
                return _document(looking, str(path), data)
    except Unrewritable as reason:
        return Contents(str(path), What.OTHER, note=str(reason))


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Unrewritable(f"larger than {LARGEST} bytes")
    return take_off(("gzip",), data, LARGEST) if data.startswith(_GZIP) else data


def _what(data: bytes) -> What:
    start = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] in (b"{", b"["):
        return What.AUCTION
    if vast.looks(data):
        return What.VIDEO
    if start[:1] == b"<":
        return What.PAGE
    if measure(data):
        return What.PICTURE
    return What.AUCTION if _SCRIPT.match(data) and payload.may_hold(data) else What.PAGE


def _picture(looking: Looking, source: str, data: bytes) -> Contents:
    picture = measure(data)
    ad = looking.recogniser.read_url(looking.address, looking.page or UNKNOWN_SOURCE) if looking.address else Ad()
    size = (picture.width, picture.height) if picture else None
    note = "" if looking.address else "a picture alone does not say whose it is; --address may"
    return Contents(source, What.PICTURE, (Item(ad, Format.IMAGE, size),), note)


def _video(looking: Looking, source: str, data: bytes) -> Contents:
    found = vast.find(data, looking.address, looking.page or UNKNOWN_SOURCE)
    items = [_played(looking, one) for one in found.ads]
    asked = {one.wrapper for one in found.ads}
    breaks = sum(tag.url not in asked for tag in found.tags)
    elsewhere = f"{breaks} ad break{' is' if breaks == 1 else 's are'} filled from elsewhere" if breaks else ""
    note = elsewhere or ("" if items else "an answer without an ad")
    return Contents(source, What.VIDEO, tuple(items), note)


def _played(looking: Looking, video: Video) -> Item:
    ad = read_offer(looking.recogniser.reader, video.offer)
    return Item(ad, Format.VIDEO, video.size, _turn(video), video.wrapper)


def _turn(video: Video) -> str:
    where = f"break {video.place + 1}" if video.place else ""
    turn = "" if video.sequence is None else f"pod {video.sequence}"
    return " ".join(filter(None, (where, turn)))


def _auction(looking: Looking, source: str, data: bytes) -> Contents:
    url, reader = looking.address or UNKNOWN_SOURCE, looking.recogniser.reader
    page_url = looking.page or UNKNOWN_SOURCE
    slots = admanager.find(data, Headers(), url, page=page_url).slots
    if slots:
        named = tuple(Item(read_offer(reader, slot.offer), Format.FRAME, slot.size, slot.unit) for slot in slots)
        return Contents(source, What.AUCTION, named, "Ad Manager's slots; line items and creatives are in its headers")
    found = payload.find(data, url, looking.layouts, page=page_url, exchange=True)
    items = tuple(Item(read_offer(reader, bid.offer), bid.format, None, bid.slot) for bid in found.bids)
    if items or not embedded.may_hold(data):
        return Contents(source, What.AUCTION, items, "" if items else "no bids in a format that is known")
    videos = [video for held in embedded.find(found.text or read(data), url, page_url) for video in held.videos.ads]
    played = tuple(_played(looking, video) for video in videos)
    return Contents(source, What.VIDEO, played, "" if played else "no bids and no video ads in a format that is known")


def _document(looking: Looking, source: str, data: bytes) -> Contents:
    charset = charset_of("", data)
    document = parse(data, "", charset)
    told = _told(document)
    url = looking.address or told or looking.page or UNKNOWN_SOURCE
    found = page.find(data, url, looking.recogniser.page(url), charset)
    items = tuple(
        Item(looking.recogniser.read(slot.evidence), slot.format, slot.size, housed=slot.house is not None)
        for slot in found.slots
    )
    if looking.what is What.FRAME or (looking.what is None and not told and _is_one(document, items)):
        evidence = page.find_creative(data, url, looking.page or url, charset)
        if evidence.clicks or evidence.resources:
            size = next((item.size for item in items if item.size), None)
            return Contents(source, What.FRAME, (Item(looking.recogniser.read(evidence), Format.FRAME, size),))
    return Contents(source, What.PAGE, items, "; ".join(_notes(items, found.refused)))


def _notes(items: tuple[Item, ...], refused: tuple[str, ...]) -> Iterator[str]:
    if not items:
        yield "no ad is recognised in it"
    if housed := sum(item.housed for item in items):
        yield f"{housed} of its ads {'has' if housed == 1 else 'have'} a house ad"
    yield from refused


def _is_one(document: Document, items: tuple[Item, ...]) -> bool:
    """Whether a document is one ad as a whole: it says little, and names no two advertisers in two places."""
    length = sum(len(document.text_of(root, 20 * LONGEST_AD_TEXT)) for root in document.select("body"))
    return length <= LONGEST_AD_TEXT and len({item.ad.label for item in items if item.ad.identified}) < 2


def _told(document: Document) -> str:
    """A page's own address, as it says itself; ads have none."""
    for selector, name in (("link[rel=canonical]", "href"), ('meta[property="og:url"]', "content")):
        for element in document.select(selector):
            url = element.get(name).strip()
            if url.lower().startswith(("https://", "http://")):
                return url
    return ""
