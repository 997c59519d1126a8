"""HTML as bytes: elements with the exact span they were written in, and the evidence an element gives of an ad.

The only importer of `turbohtml`. A document is parsed as latin-1, so that every offset is a byte offset.
"""

import codecs
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import compress, islice, repeat
from math import isqrt
from typing import Literal, NamedTuple, cast, final
from urllib.parse import urljoin

import turbohtml

from capper.domain.errors import Unrewritable
from capper.remembered import remembered

DEEPEST = 512
"""Browsers nest elements no deeper (Blink's limit), so below that their tree is another one than ours."""
MOST_TAGS = 200_000
MOST_CLONES = 3_000_000
_SHALLOW = 1700
"""Documents with fewer tags cannot nest too deep for us."""
_FEW = 2 * isqrt(MOST_CLONES)
"""With fewer tags some are blocks and the others what blocks clone, and their product is no more than `MOST_CLONES`."""

_TOO_DEEP = turbohtml.XPath(f"boolean({'/*' * (DEEPEST + 1)})")
_FORMATTING = re.compile(
    rb"<(?:[bBiIuUsS]|[eE][mM]|[tT][tT]|[bB][iI][gG]|[cC][oO][dD][eE]|[fF][oO][nN][tT]|[nN][oO][bB][rR]"
    rb"|[sS](?:[mM][aA][lL][lL]|[tT][rR][iI][kK][eE]|[tT][rR][oO][nN][gG]))(?=[\s/>])([^<>]*>)?"
)
_WELL_FORMED = re.compile(rb"(?:\s+[\w:.-]+(?:=(?:\"[^\"]*\"|'[^']*'|[\w-]+))?)*\s*/?>")
_HIGH = re.compile("[\x80-\xff]+")
_LOW = re.compile("[\x00-\xff]+")
_BLANKS = " \t\n\r\f"
"""HTML's own white space: of text that is still bytes, 0xA0 may be half a letter."""
_SILENT = frozenset(["script", "style", "template", "noscript", "noframes", "iframe", "object", "textarea", "title"])


class Span(NamedTuple):
    """A half-open range of a document's bytes."""

    start: int
    end: int


@final
class Element:
    """One element of a document, the same object whenever the document is asked for it, as long as that is kept.

    Text and attributes are latin-1 until `Document.decode` reads them. `tag` is its name in lower case, `img` for an
    `<image>` too. `sides` is kept here by `capper.rewrite.html.sizes`: searches ask for a picture's size again and again.
    """

    __slots__ = ("__weakref__", "_attributes", "_family", "_location", "_span", "node", "sides", "tag")

    def __init__(self, node: turbohtml.Element, family: "_Family") -> None:
        self.node = node
        self.tag = node.tag.lower()
        self._family = family
        self._location: turbohtml.SourceLocation | Literal[False] | None = False
        self._span: Span | Literal[False] | None = False
        self._attributes: tuple[tuple[str, str], ...] | None = None
        self.sides: tuple[int | None, int | None, bool] | None = None

    def get(self, name: str) -> str:
        """An attribute, character references resolved; "" where it has none."""
        return self.node.attr(name) or ""

    def has(self, name: str) -> bool:
        """Whether it has the attribute, with or without a value."""
        return name in self.node.attrs

    def attributes(self) -> tuple[tuple[str, str], ...]:
        """Every attribute with its value, as written first."""
        if self._attributes is None:
            pairs = self.node.attrs.items()
            self._attributes = tuple(
                [(name, " ".join(value) if isinstance(value, list) else value or "") for name, value in pairs]
            )
        return self._attributes

    @property
    def start_tag(self) -> Span | None:
        """Where its start tag stands; None for an element that the source does not hold (implied, or cloned)."""
        location = self._located()
        return Span(location.start_tag.start_offset, location.start_tag.end_offset) if location else None

    @property
    def end_tag(self) -> Span | None:
        """Where its end tag stands; None where the source never closed it."""
        location = self._located()
        end = location.end_tag if location else None
        return Span(end.start_offset, end.end_offset) if end else None

    @property
    def span(self) -> Span | None:
        """Where it stands from `<` to `>`; None where it was never closed, so that its end is anybody's guess."""
        if self._span is False:
            self._span = self._spanned()
        return self._span

    def _spanned(self) -> Span | None:
        location = self._located()
        if location is None:
            return None
        if location.end_tag:
            return Span(location.start_tag.start_offset, location.end_tag.end_offset)
        return self.start_tag if self.tag in VOID else None

    def _located(self) -> turbohtml.SourceLocation | None:
        """Where its tags and attributes stand: kept, for it costs as much as sixteen attributes. (False: not yet asked.)"""
        if self._location is False:
            self._location = self.node.source_location
        return self._location

    def attribute_span(self, name: str) -> Span | None:
        """Where the attribute stands, `name="value"` or the name alone."""
        return self.attribute_spans((name,)).get(name)

    def attribute_spans(self, names: Collection[str]) -> dict[str, Span]:
        """Where those of the attributes stand that it has, in the order of `names`."""
        location = self._located()
        attrs = location.attrs if location else {}
        if attrs.keys().isdisjoint(names):
            return {}
        return {name: Span(at.start_offset, at.end_offset) for name in names if (at := attrs.get(name))}

    @property
    def parent(self) -> "Element | None":
        """The element around it."""
        parent = self.node.parent
        return self._family[parent] if isinstance(parent, turbohtml.Element) else None

    def ancestors(self) -> Iterator["Element"]:
        """The elements around it, from the inside out."""
        family = self._family
        for node in islice(self.node.ancestors, DEEPEST):
            if isinstance(node, turbohtml.Element):
                yield family[node]

    def children(self) -> list["Element"]:
        """The elements directly inside."""
        return [self._family[node] for node in self.node if isinstance(node, turbohtml.Element)]

    def pieces(self) -> Iterator["Element | str"]:
        """The elements and the texts directly inside, in order."""
        return self._pieces(self.node)

    def before(self) -> Iterator["Element | str"]:
        """The elements and the texts that stand before it in what holds it, the nearest first."""
        return self._pieces(self.node.previous_siblings)

    def after(self) -> Iterator["Element | str"]:
        """The elements and the texts that stand after it in what holds it, the nearest first."""
        return self._pieces(self.node.next_siblings)

    def descendants(self, *tags: str) -> Iterator["Element"]:
        """The elements inside in document order, those called one of `tags` if any are given."""
        return map(self._family.__getitem__, self.node.iter_elements(tags or None))

    def count(self, tag: str) -> int:
        """How many elements inside are called `tag`."""
        return len([*self.node.iter_elements((tag,))])

    def alike(self, most: int) -> list["Element"]:
        """The elements of its name beside it, among the `most` nodes before it and as many after it."""
        node = self.node
        parent = node.parent
        if parent is None or (node.previous_sibling is None and node.next_sibling is None):
            return []
        row, places = self._family.row(parent, node.tag)
        own = places[node]
        at, here, end = (bisect_left(row, place, key=places.__getitem__) for place in (own - most, own, own + most + 1))
        return [*map(self._family.__getitem__, (*reversed(row[at:here]), *row[here + 1 : end]))]

    def inside(self, other: "Element") -> bool:
        """Whether it lies within `other`."""
        return other.node in islice(self.node.ancestors, DEEPEST)

    def first(self, selector: str) -> "Element | None":
        """The first element inside that a CSS selector fits."""
        node = self.node.select_one(selector)
        return self._family[node] if node is not None else None

    def closest(self, selector: str) -> "Element | None":
        """The nearest element that a CSS selector fits, itself or one around it."""
        found = self.node.closest(selector)
        return self._family[found] if found is not None else None

    def within(self, tag: str) -> bool:
        """Whether the element around it is called `tag`."""
        parent = self.node.parent
        return isinstance(parent, turbohtml.Element) and parent.tag == tag

    def matches(self, selector: str) -> bool:
        """Whether a CSS selector fits it."""
        return self.node.matches(selector)

    def raw_text(self) -> str:
        """The text of everything inside, scripts and styles too."""
        return self.node.text

    def texts(self) -> Iterator[str]:
        """Its visible pieces of text, in order."""
        for node in self.node.descendants:
            if isinstance(node, turbohtml.Text) and getattr(node.parent, "tag", "") not in _SILENT:
                yield node.data

    def _pieces(self, nodes: Iterable[turbohtml.Node]) -> Iterator["Element | str"]:
        for node in nodes:
            if isinstance(node, turbohtml.Element):
                yield self._family[node]
            elif isinstance(node, turbohtml.Text):
                yield node.data

    def content(self) -> Iterator["Element | str"]:
        """The elements and pieces of text directly inside, in order; those of a `<template>` too. Comments are left out."""
        for node in self.node:
            if isinstance(node, turbohtml.Element):
                yield self._family[node]
            elif isinstance(node, turbohtml.Text):
                yield node.data
            elif isinstance(node, turbohtml.DocumentFragment):
                yield from (
                    self._family[inner] if isinstance(inner, turbohtml.Element) else inner.data
                    for inner in node
                    if isinstance(inner, (turbohtml.Element, turbohtml.Text))
                )

    def sound(self, document: "Document") -> bool:
        """Whether its bytes can be replaced without any effect on the elements around it.

        They are parsed alone and must give the same element, and leave no formatting, form or table open behind it.
        """
        span = self.span
        alone = self._alone(document.source[span.start : span.end]) if span else None
        return alone is not None and alone.serialize() == self.node.serialize()

    def replaced(self, source: str) -> "Element | None":
        """The one element that `source` is in this one's place; None where it is none or several, or leaves something open."""
        node = self._alone(source)
        return _Family()[node] if node else None

    def _alone(self, source: str) -> turbohtml.Element | None:
        parent = self.parent
        if parent is None:
            return None
        # Inside an element of a site's own making things are parsed as in any other (HTML standard, section 13.2.6.4.7).
        context = "div" if "-" in parent.tag else parent.tag
        try:
            alone = turbohtml.parse_fragment(source + _PROBE, context, positions=False, scripting=True)
        except ValueError:
            return None
        nodes = [*alone]
        probed = len(nodes) == 4 and "".join([node.serialize() for node in nodes[1:]]) == _PROBE
        return nodes[0] if probed and isinstance(nodes[0], turbohtml.Element) else None


type _Row = tuple[list[turbohtml.Element], dict[turbohtml.Element, int]]


class _Family(dict[turbohtml.Element, Element]):
    """The elements of one document that were asked for."""

    def __init__(self) -> None:
        self._rows: dict[tuple[turbohtml.Node, str], _Row] = {}

    def row(self, parent: turbohtml.Node, name: str) -> _Row:
        """The elements called `name` directly in `parent`, in order, and which of its nodes each is."""
        known = self._rows.get((parent, name))
        if known is None:
            places = {
                node: place
                for place, node in enumerate(parent)
                if isinstance(node, turbohtml.Element) and node.tag == name
            }
            known = self._rows[parent, name] = list(places), places
        return known

    def clear(self) -> None:
        """Forget them all."""
        super().clear()
        self._rows.clear()

    def __missing__(self, node: turbohtml.Element) -> Element:
        found = self[node] = Element(node, self)
        return found


_PROBE = "<wbr><form></form><wbr>"
"""What stands beside a sound element as it is written: the first wbr would be in formatting or a form left open (an open `<a>`
is taken up again by the next text or phrase, HTML standard section 13.2.4.3), the form is lost in an open form or table."""

VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905  a row of words


class Document:
    """A parsed document; its elements know their bytes."""

    def __init__(self, data: bytes, source: str, tree: turbohtml.Document, url: str, charset: str) -> None:
        self.data = data
        self.source = source
        self.url = url
        self.charset = charset
        self._tree = tree
        self._family = _Family()
        self._texts: dict[Element, tuple[int, str]] = {}
        self._cuts: dict[tuple[Element, int], str] = {}
        self.leads: dict[Element, tuple[str, ...]] = {}
        """Where clicks on elements lead, as far as `capper.clues` was asked."""
        self._found: dict[str, tuple[list[turbohtml.Element], list[str]]] = {}
        self._different: dict[str, set[str]] = {}

    def __del__(self) -> None:
        # Elements know their family and it them: without this the whole page would wait for the garbage collector.
        self._family.clear()

    @cached_property
    def base(self) -> str:
        """What its relative URLs are relative to."""
        base = self._tree.select_one("base[href]")
        return (join(self.url, base.attr("href") or "") or self.url) if base else self.url

    def select(self, selector: str) -> list[Element]:
        """The elements a CSS selector fits, in document order; none for a selector that cannot be read."""
        try:
            return [*map(self._family.__getitem__, self._tree.select(selector))]
        except turbohtml.SelectorSyntaxError:
            return []

    @staticmethod
    @remembered(4096)
    def can_select(selector: str) -> bool:
        """Whether `select` can read the selector."""
        try:
            turbohtml.parse("", positions=False).select(selector)
        except turbohtml.SelectorSyntaxError:
            return False
        return True

    def texts(self) -> Iterator[str]:
        """The texts that stand between its tags, scripts and all, without the blanks around them."""
        return iter(self._tree.stripped_strings)

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute wherever it stands, in document order."""
        return self._having(attribute)[1]

    def holding(self, attribute: str, values: Collection[str]) -> list[Element]:
        """The elements on which an attribute has one of `values`, in document order."""
        if not values:
            return []
        nodes, held = self._having(attribute)
        return [*map(self._family.__getitem__, compress(nodes, map(values.__contains__, held)))]

    def different(self, attribute: str) -> set[str]:
        """The values of an attribute, each once."""
        found = self._different.get(attribute)
        if found is None:
            found = self._different[attribute] = set(self.values(attribute))
        return found

    def names(self, attribute: str) -> set[str]:
        """The words of an attribute wherever it stands: all classes, all ids."""
        return set(" ".join(self.different(attribute)).split())

    def _having(self, attribute: str) -> tuple[list[turbohtml.Element], list[str]]:
        found = self._found.get(attribute)
        if found is None:
            nodes = self._tree.select(f"[{attribute}]")
            held = map(turbohtml.Element.attr, nodes, repeat(attribute), repeat(""))
            found = self._found[attribute] = nodes, [*cast("Iterator[str]", held)]
        return found

    def decode(self, text: str) -> str:
        """Text as a person reads it: bytes in the document's charset, beside characters that were references."""
        if text.isascii():
            return text
        if self.charset in ("", "utf-8"):
            return _HIGH.sub(_utf8, text)
        return _LOW.sub(lambda run: run[0].encode("latin-1").decode(self.charset, "replace"), text)

    def text_of(self, element: Element, limit: int = 2000) -> str:
        """The visible text of an element, white space collapsed, at most about `limit` characters."""
        known = self._texts.get(element)
        if known is not None and known[0] <= limit * 2:
            return known[1][:limit]
        cut = self._cuts.get((element, limit))
        if cut is not None:
            return cut
        pieces: list[str] = []
        size = 0
        for piece in element.texts():
            if piece := piece.strip(_BLANKS):
                pieces.append(piece[: limit * 2])
                size += len(piece)
            if size > limit * 2:
                break
        text = collapse(self.decode(" ".join(pieces)))
        if size <= limit * 2:
            self._texts[element] = size, text
        else:
            self._cuts[element, limit] = text[:limit]
        return text[:limit]

    def absolute(self, url: str) -> str:
        """A URL as the browser would ask for it, "" where it asks nobody (data:, javascript:, an anchor)."""
        return join(self.base, self.decode(url))


def _utf8(run: re.Match[str]) -> str:
    raw = run[0].encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # Resolved references such as &eacute; among UTF-8, or a document that says nothing of its charset.
        return raw.decode(errors="capper.cp1252")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """The bytes that are no UTF-8, as the charset a browser would guess."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("capper.cp1252", _as_cp1252)


def parse(data: bytes, url: str = "", charset: str = "") -> Document:
    """Parse a document as a browser that runs scripts would; `charset` is the Python codec its text is in.

    Raises:
        Unrewritable: it has so many tags, or is nested or misnested so deeply, that editing it would cost too much.
    """
    # Where few of the bytes are looked for, what `replace` leaves is known far sooner than `count` has counted.
    tags = len(data) - len(data.replace(b"<", b""))
    if tags > MOST_TAGS:
        raise Unrewritable(f"the document has more than {MOST_TAGS} tags")
    if tags > _FEW and tags * _clonable(data) > MOST_CLONES:
        raise Unrewritable("the document has too many formatting elements that may be cloned")
    source = data.decode("latin-1")
    if "\r" in source:
        # turbohtml counts CRLF once; a space in place of CR is white space wherever CR is, and keeps the offsets.
        source = source.replace("\r\n", " \n")
    tree = turbohtml.parse(
        source, positions=False, source_locations=True, scripting=True, allow_declarative_shadow_roots=False
    )
    if tags > _SHALLOW and _TOO_DEEP(tree):
        raise Unrewritable(f"the document is nested more than {DEEPEST} deep")
    return Document(data, source, tree, url, charset)


def parse_fragment(source: str) -> Element:
    """Parse markup that stood as text in a document, such as a `<noscript>`; its spans mean nothing."""
    return _Family()[turbohtml.parse_fragment(source, positions=False)]


def _clonable(data: bytes) -> int:
    """How many formatting elements every block may clone (HTML standard, section 13.2.4.3), at most.

    At most three alike are kept (the Noah's Ark clause), so those of a plain form count by kind, and others each.
    """
    alike: set[bytes] = set()
    odd = 0
    for tag in _FORMATTING.finditer(data):
        if tag[1] and _WELL_FORMED.fullmatch(tag[1]):
            alike.add(tag[0].lower())
        else:
            odd += 1
    return 3 * len(alike) + odd


def collapse(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(text.split())


def join(base: str, url: str) -> str:
    """`url` made absolute, "" unless it is one of http(s)."""
    url = url.strip(" \t\n\r\f")
    if "\n" in url:
        # URL standard: line ends inside are dropped; the space is the CR of a CRLF.
        url = url.replace(" \n", "").replace("\n", "")
    if not url or url[0] == "#":
        return ""
    if url[:8].lower().startswith(("https://", "http://")):
        return url
    try:
        joined = urljoin(base, url)
    except ValueError:
        return ""
    return joined if joined[:8].lower().startswith(("https://", "http://")) else ""


def unique(values: Iterable[str], most: int) -> tuple[str, ...]:
    """The first `most` different values that are not empty, in their order."""
    return tuple(islice(dict.fromkeys(filter(None, values)), most))
