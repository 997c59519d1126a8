"""A page as prompts see it: boxes and runs of text, each with the bytes it stands in."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from capper.domain.prompt import SILENCE, Reading
from capper.markup import Document, Element, Span, collapse
from capper.rewrite.prompts.base import Heat, Role

DEEPEST = 150
"""Elements nested deeper are left unread: no page a person reads is so deep, and reading is recursive."""
LONGEST = 700
"""A box with more text than this is no prompt as a whole."""

_WIDE, _BESIDE = 60, 5
"""Of more than so many pieces in a long box only the hot ones are looked at, with so many elements on either side."""

INLINE = frozenset(
    "a abbr acronym b bdi bdo big br button cite code data del dfn em font i img input ins kbd label mark meter nobr output "
    "picture progress q s samp small source span strike strong sub sup svg time tt u use var wbr path".split()
)
_SILENT = frozenset(
    "script style noscript noframes iframe object textarea title head svg math canvas video audio frameset embed".split()
)
_MACHINE = re.compile(
    r"class|id|style|href|src\w*|srcset|sizes|on.*|d|viewbox|points|integrity|name|type|for|role|rel|media|http-equiv|content|"
    r"xmlns.*|action|method|target|lang|dir|width|height|fill|stroke.*|transform|itemprop|itemtype|accept.*|autocomplete|pattern|"
    r"data-(?:src|srcset|href|url|id|sku|bg).*|jsaction|jsname|ping|datetime|charset|placeholder|xlink.*|aria-(?:controls|labelledby|describedby)"
)


@dataclass(slots=True)
class Run:
    """A piece of text directly inside a box."""

    text: str
    start: int
    end: int
    role: Role | None = None
    reading: Reading = SILENCE
    rest: str | None = None
    """What stays of it where that is known."""


@dataclass(slots=True)
class Words:
    """An attribute a person reads."""

    name: str
    text: str
    span: Span


class Box:
    """An element with its content, grown as far as it is asked for."""

    __slots__ = (
        "_inline",
        "_kids",
        "_long",
        "_text",
        "_words",
        "depth",
        "element",
        "end",
        "mute",
        "new",
        "reading",
        "role",
        "soil",
        "start",
        "tag",
    )

    def __init__(self, soil: "Soil", element: Element, start: int, end: int, depth: int) -> None:
        self.soil, self.element, self.tag = soil, element, element.tag
        self.start, self.end, self.depth = start, end, depth
        self.role: Role | None = None
        self.reading: Reading = SILENCE
        self.mute = False
        """Whether only its attributes speak of credit, not what stands inside."""
        self.new: str | None = None
        """What the document becomes that it holds in an attribute."""
        self._kids: list[Box | Run] | None = None
        self._words: list[Words] | None = None
        self._text: str | None = None
        self._inline: bool | None = None
        self._long: bool | None = None

    @property
    def hot(self) -> bool:
        """Whether a word of credit may stand in it."""
        return self.soil.heat.near(self.start, self.end)

    @property
    def inline(self) -> bool:
        """Whether it stands in a line with what is around it."""
        if self._inline is None:
            self._inline = self.tag in INLINE and all(kid.tag in INLINE for kid in self.element.children())
        return self._inline

    @property
    def long(self) -> bool:
        """Whether there is too much text in it to be a prompt as a whole."""
        if self._long is None:
            # What holds something long is long itself: a document's text is not gone through for each box around it.
            inside = any(isinstance(kid, Box) and kid.known_long for kid in self._kids or ())
            self._long = inside or (self.end - self.start > LONGEST and len(self.element.raw_text()) > LONGEST * 2)
        return self._long

    @property
    def known_long(self) -> bool:
        """Whether that has been asked, and it is."""
        return self._long is True

    @property
    def kids(self) -> "list[Box | Run]":
        """What is directly inside, in order."""
        if self._kids is None:
            self._kids = list(self.soil.grown(self))
        return self._kids

    @property
    def words(self) -> list[Words]:
        """Its attributes that a person reads."""
        if self._words is None:
            self._words = list(_words(self.soil.document, self.element))
        return self._words

    @property
    def text(self) -> str:
        """What a person reads in it, attributes first, a line for each block; cut off where it is no prompt any more."""
        if self._text is None:
            self._text = collapse_lines("".join(self._pieces()))
        return self._text

    def _pieces(self) -> Iterator[str]:
        size = 0
        for words in self.words:
            yield f"\n{words.text}\n"
        for kid in self.kids:
            piece = kid.text if isinstance(kid, Run) else f" {kid.text}" if kid.tag == "button" else kid.text
            breaks = isinstance(kid, Box) and (not kid.inline or kid.tag == "br")
            yield f"\n{piece}\n" if breaks else piece
            size += len(piece)
            if size > LONGEST * 2:
                return

    def pieces(self) -> "Iterator[Box | Run]":
        """Every box and text inside."""
        for kid in self.kids:
            yield kid
            if isinstance(kid, Box):
                yield from kid.pieces()

    def boxes(self) -> "Iterator[Box]":
        """It and every box inside."""
        yield self
        for kid in self.kids:
            if isinstance(kid, Box):
                yield from kid.boxes()


_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")


def collapse_lines(text: str) -> str:
    """`text` with blanks collapsed, line ends kept."""
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


@dataclass(frozen=True)
class Soil:
    """What boxes grow from: a document, and where in its bytes words of credit may stand."""

    document: Document
    heat: Heat
    markup: Callable[[str], str | None] | None = None
    """Takes prompts out of a document in an attribute, and gives None where that stays; absent within such a document."""

    @cached_property
    def choosing(self) -> bool:
        """Whether anything in it can be chosen."""
        return bool(self.document.select("input[type=radio i], input[type=checkbox i]"))

    @cached_property
    def choices(self) -> dict[str, Element]:
        """What can be chosen, by its id."""
        found = self.document.select("input[type=radio i][id], input[type=checkbox i][id]")
        return {each.get("id"): each for each in found}

    def root(self) -> Box | None:
        """The document's body; None where it has none."""
        bodies = self.document.select("body")
        return Box(self, bodies[0], 0, len(self.document.source), 0) if bodies else None

    def grown(self, box: Box) -> Iterator[Box | Run]:
        """What is directly in a box."""
        if box.depth >= DEEPEST or box.tag in _SILENT:
            return
        opening, closing = box.element.start_tag, box.element.end_tag
        at = opening.end if opening else box.start
        stop = closing.start if closing else box.end
        content = list(box.element.content())
        if len(content) > _WIDE and box.long and (parts := self._near(content, at, stop)) is not None:
            for first, last in parts:
                begin = at if first == 0 else _start(content[first])
                end = stop if last == len(content) else _start(content[last])
                if begin is not None and end is not None:
                    yield from self._grown(box, content[first:last], begin, end)
            return
        yield from self._grown(box, content, at, stop)

    def _near(self, content: "list[Element | str]", at: int, stop: int) -> list[tuple[int, int]] | None:
        """Of very much that is in a box, from which to which element it is hot, with some around; None where nobody knows."""
        hits = self.heat.places(at, stop)
        elements = [number for number, kid in enumerate(content) if not isinstance(kid, str)]
        if hits is None or not elements:
            return None
        starts: list[int] = []
        try:
            for hit in hits:
                nearest = bisect_right(elements, hit, key=lambda number: _begin(content[number])) - 1
                if not starts or starts[-1] != nearest:
                    starts.append(nearest)
        except LookupError:
            return None
        parts: list[tuple[int, int]] = []
        for nearest in starts:
            low, high = nearest - _BESIDE, nearest + _BESIDE + 1
            first = 0 if low <= 0 else elements[low]
            last = len(content) if high >= len(elements) else elements[high]
            if parts and first <= parts[-1][1]:
                parts[-1] = parts[-1][0], max(last, parts[-1][1])
            else:
                parts.append((first, last))
        return parts

    def _grown(self, box: Box, content: "list[Element | str]", at: int, stop: int) -> Iterator[Box | Run]:
        waiting: list[str] = []
        for kid, place in zip(content, _places(content, stop), strict=True):
            if isinstance(kid, str):
                waiting.append(kid)
                continue
            if place is None or place.start < at or place.end > stop:
                # Moved by the parser, or put in by it: its bytes say nothing of where it stands.
                waiting.clear()
                continue
            yield from self._run(waiting, at, place.start)
            opening, closing = kid.start_tag, kid.end_tag
            if opening is not None and _is_shadow(kid):
                # What an element shows in its own tree is what stands in it.
                end = closing.start if closing else place.end
                yield from self._grown(box, list(kid.content()), opening.end, end)
            else:
                yield Box(self, kid, place.start, place.end, box.depth + 1)
            at = place.end
        yield from self._run(waiting, at, stop)

    def _run(self, waiting: list[str], start: int, end: int) -> Iterator[Run]:
        text = self.document.decode("".join(waiting))
        waiting.clear()
        if text and start <= end:
            yield Run(text, start, end)


def _is_shadow(element: Element) -> bool:
    """Whether an element is the tree of the one around it, written where that stands."""
    return element.tag == "template" and (element.has("shadowrootmode") or element.has("shadowroot"))


def _places(content: "list[Element | str]", stop: int) -> list[Span | None]:
    """Where each element of some content stands; one that was never closed ends where the next begins."""
    places: list[Span | None] = []
    after = stop
    for kid in reversed(content):
        place = None
        if not isinstance(kid, str):
            start = _start(kid)
            span = kid.span
            if start is not None:
                place = Span(start, span.end if span else after)
                after = start
        places.append(place)
    return places[::-1]


def _begin(element: "Element | str") -> int:
    start = _start(element)
    if start is None:
        raise LookupError("nowhere in the source")
    return start


def _start(element: "Element | str") -> int | None:
    if isinstance(element, str):
        return None
    for _ in range(3):
        tag = element.start_tag
        if tag is not None:
            return tag.start
        # Implied, as a tbody is: it begins where what is inside begins.
        inner = element.children()
        if not inner:
            return None
        element = inner[0]
    return None


def _words(document: Document, element: Element) -> Iterator[Words]:
    if element.tag in ("input", "select", "textarea", "form") and element.get("type").lower() not in (
        "button",
        "submit",
        "image",
    ):
        # What a field says of itself is about what she is to fill in.
        return
    for name, value in element.attributes():
        if " " not in value and "\xa0" not in value and not (name == "alt" and len(value) > 5):
            continue
        if len(value) > LONGEST or _MACHINE.fullmatch(name) or value.lstrip()[:1] in ("{", "["):
            continue
        if name == "value" and element.tag not in ("input", "button") and "-" not in element.tag:
            continue
        span = element.attribute_span(name)
        if span is not None:
            yield Words(name, document.decode(collapse(value)), span)
