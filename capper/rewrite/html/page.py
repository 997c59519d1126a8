"""Finds the ads that stand as elements in a page, and puts placeholders in their place, byte for byte around them."""

from collections.abc import Sequence
from html import escape

from capper.clues import evidence_of, evidence_of_document
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.sighting import Format
from capper.markup import Document, Element, parse
from capper.rewrite import filler
from capper.rewrite.base import Found, House, Judge, Manner, Slot
from capper.rewrite.drawing import draw, draw_fluid
from capper.rewrite.html import house
from capper.rewrite.html.candidates import Candidate, candidates, written
from capper.rewrite.html.opening import dress, reopened
from capper.rewrite.html.sizes import is_small, named_size, own_height, own_size
from capper.rewrite.wording import Words

MOST_SLOTS = 60
_CAPTION = 60
"""With no more text than this a picture is a banner; with more it is an ad in the form of content."""
_PICTURES = ("img", "input", "amp-img", "picture", "video", "object", "embed")
_FETCHED = ("img", "input", "amp-img", "picture")


def find(data: bytes, url: str, judge: Judge, charset: str = "") -> Found:
    """The ads that stand as elements in the page at `url`.

    A frame with an address of its own is none of them: its document is judged when it arrives. Where in doubt whether an
    element is an ad, or where it ends, it is none.

    Raises:
        Unrewritable: the document is of a kind that editing would cost too much.
    """
    document = parse(data, url, charset)
    furnished = bool(document.select(house.TEMPLATE))
    held = house.insides(document, data) if furnished else {}
    if held:
        document = parse(house.cleared(data, list(held)), url, charset)
    chosen = candidates(document, judge)[:MOST_SLOTS]
    sponsors = judge.shapes.sponsors
    slots = tuple(_slot(document, candidate, number, sponsors) for number, candidate in enumerate(chosen))
    if not furnished:
        return Found(slots)
    elements = [candidate.element for candidate in chosen]
    return Found(*house.furnish(document, judge, held, list(zip(elements, slots, strict=True))))


def find_creative(data: bytes, url: str, page: str, charset: str = "") -> Evidence:
    """The evidence that a document in a frame gives when it is one ad as a whole; `page` is the publisher's page.

    Raises:
        Unrewritable: the document is of a kind that reading would cost too much.
    """
    return evidence_of_document(parse(data, url, charset), page)


def apply(data: bytes, withheld: Sequence[tuple[Slot, House | Words | None]]) -> bytes:
    """`data` with each of these slots filled, by its house ad or a placeholder that says these words.

    Every byte outside their spans stays. None withheld: the very same object.
    """
    if not withheld:
        return data
    parts: list[bytes] = []
    at = 0
    for slot, filling in sorted(withheld, key=lambda pair: pair[0].span):
        span = filling.span if isinstance(filling, House) else slot.span
        if span.start < at:
            raise Unrewritable("two slots of a page overlap")
        parts += (data[at : span.start], filling.markup if isinstance(filling, House) else _filled(data, slot, filling))
        at = span.end
    return b"".join((*parts, data[at:]))


def _filled(data: bytes, slot: Slot, words: Words | None) -> bytes:
    match slot.manner:
        case Manner.LEAVE:
            return data[slot.span.start : slot.span.end]
        case Manner.LINK:
            return _led(slot.opening, words)
        case Manner.FRAME:
            return b'srcdoc="%s"' % escape(filler.document(words, slot.size).decode("ascii")).encode("ascii")
        case Manner.PICTURE:
            return _drawn(slot, words, slot.opening.decode("latin-1")).encode("latin-1")
        case Manner.BOX:
            return slot.opening + _drawn(slot, words).encode("ascii") + slot.closing


def _led(opening: bytes, words: Words | None) -> bytes:
    """The link around a picture that is answered with a placeholder leads where that would, if a picture could."""
    if words is None or not words.link:
        return opening
    return opening.removesuffix(
        b">"
    ) + f' href="{escape(words.link)}" target="_blank" rel="noopener noreferrer">'.encode("ascii")


def _drawn(slot: Slot, words: Words | None, attributes: str = "") -> str:
    if slot.size or words is None:
        return draw(slot.size or (0, 0), words, attributes)
    return draw_fluid(slot.height, words, attributes)


def _slot(document: Document, candidate: Candidate, number: int, sponsors: tuple[str, ...]) -> Slot:
    element, span = candidate.element, candidate.span
    if element.tag == "iframe":
        inside = written(document, element.get("srcdoc"))
        evidence = evidence_of_document(inside, document.url) if inside else Evidence(page=document.url)
        return Slot(number, evidence, span, own_size(element), Format.FRAME, Manner.FRAME)
    evidence = evidence_of(document, element, document.url, sponsors)
    post = candidate.item is not None and not candidate.item.banner
    if candidate.item:
        evidence = candidate.item.told(evidence)
    picture = _picture_of(element)
    told = post or len(evidence.text) > _CAPTION
    size = _size(element, picture, evidence, told=told)
    height = own_height(picture) if picture else None
    manner = _manner(element, picture, known=size is not None, told=told)
    kind = (
        Format.VIDEO
        if picture and picture.tag == "video"
        else Format.POST
        if post
        else Format.NATIVE
        if told
        else Format.BANNER
    )
    if manner in (Manner.PICTURE, Manner.LEAVE):
        return Slot(number, evidence, span, size, kind, manner, dress(document, picture or element), height=height)
    opening = reopened(document, element)
    if manner is Manner.LINK:
        return Slot(number, evidence, element.start_tag or span, None, kind, manner, opening)
    end = element.end_tag
    closing = document.source[end.start : end.end].encode("latin-1") if end else b""
    return Slot(number, evidence, span, size, kind, manner, opening, closing, height)


def _manner(element: Element, picture: Element | None, *, known: bool, told: bool) -> Manner:
    if element.tag in _PICTURES:
        return Manner.PICTURE if known or element.tag not in _FETCHED else Manner.LEAVE
    if known or told or element.tag != "a" or picture is None or picture.tag not in _FETCHED:
        return Manner.BOX
    return Manner.LINK


def _size(element: Element, picture: Element | None, evidence: Evidence, *, told: bool) -> tuple[int, int] | None:
    """The slot's size by the surest word there is: its own, its picture's, what names or addresses say."""
    own = own_size(element)
    if own:
        return own
    around = named_size((element.get("class"), element.get("id"), element.get("data-size")))
    if told or picture is None:
        # A picture among text does not tell how large the whole is.
        return around
    inner = own_size(picture) or named_size((picture.get("class"), picture.get("id")))
    return inner or around or named_size(evidence.resources)


def _picture_of(element: Element) -> Element | None:
    """The picture a person looks at: the element itself, or the first in it that is no beacon."""
    if element.tag in _PICTURES and element.tag != "picture":
        return element
    inside = element.descendants("img", "video", "object", "embed", "input", "amp-img")
    return next((picture for picture in inside if not is_small(picture)), None)
