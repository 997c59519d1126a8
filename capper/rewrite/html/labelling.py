"""Finds the labels of a page: short texts that stand on their own, letters that spell one, attributes that are read out.

A page without any costs one pass over its texts, and two over its attributes.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from html import unescape
from itertools import islice

from capper.domain.mark import Mark
from capper.markup import Document, Element, collapse
from capper.rewrite.base import Labels
from capper.rewrite.html.hiding import Values
from capper.rewrite.html.sizes import is_small

MOST_LABELS = 100
_LONGEST_LABEL = 90
_MOST_LETTERS = 4
"""So many letters in a row that stand each on its own are a word."""

_MOST_PLACES = 300
_MOST_PIECES = 60
_LONGEST_RUN = 300

_RUN = re.compile(r">\s*+([^<>\s][^<>]{0,70}+)<")
_TAG = re.compile(r"<([A-Za-z][^\s/>]*)")
_CLASS = re.compile(r"\sclass\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_SILENT = frozenset(
    ["script", "style", "template", "noscript", "textarea", "title", "option", "select", "code", "pre", "svg"]
)
_INLINE = frozenset(
    ["b", "i", "em", "strong", "u", "mark", "a", "span", "q", "cite", "small", "font", "abbr", "s", "code"]
)
_SENTENCE = frozenset(["b", "i", "em", "strong", "u", "mark", "q", "cite"])
_NAMES = _INLINE | {"img", "picture", "div", "p"}
_STOP = frozenset(["html", "body", "main", "nav", "form", "table", "tbody", "ul", "ol"])
_LOOKS = ("img", "video", "amp-img", "picture", "iframe", "amp-video")
_GOING_ON = re.compile(r"\s*[a-z\xdf-\xff,.;]")
_LED_UP_TO = re.compile(r"[\w,;]\s*$")


@dataclass(frozen=True, slots=True)
class Label:
    """A label where it stands: the outermost element that shows nothing else, or the one that a text stands in.

    `length` is how much of that element's text it is; 0 for an attribute.
    """

    element: Element
    mark: Mark
    length: int


def labels_of(document: Document, labels: Labels, values: Values) -> list[Label]:
    """The labels of a page, one for each element.

    Where there are too many to tell which things lack one, the doubtful are none.
    """
    search = _Search(document, labels, values)
    found: dict[Element, Label] = {}
    for label in search.labels():
        if len(found) == MOST_LABELS:
            break
        found.setdefault(label.element, label)
    return [label for label in found.values() if len(found) < MOST_LABELS or not label.mark.doubtful]


def looks(element: Element) -> bool:
    """Whether there is a picture to be seen in an element, or it is one."""
    pictures = islice(element.descendants(*_LOOKS), 60)
    return element.tag in _LOOKS or any(not is_small(picture) for picture in pictures)


class _Search:
    def __init__(self, document: Document, labels: Labels, values: Values) -> None:
        self.document, self.known, self._values = document, labels, values
        self._placed: dict[tuple[str, str, str], dict[int, Element]] = {}
        self._alike: dict[tuple[str, str], dict[str, list[Element]]] = {}
        self._read: dict[str, Mark | None] = {}

    def labels(self) -> Iterator[Label]:
        """Labels in words, in attributes for people, in attributes for scripts."""
        yield from self._told()
        pictures = self.document.select("img[alt]:not([alt=''])")
        likely = self.known.likely({picture.get("alt") for picture in pictures})
        for picture in pictures if likely else ():
            if picture.get("alt") in likely:
                yield from self._spoken(picture, "alt")
        spoken, flags = (list(filter(self._values.has, names)) for names in (self.known.spoken, self.known.flags))
        names = (*spoken, *flags)
        for element in self.document.select(",".join(f"[{name}]" for name in names)) if names else ():
            for name in spoken:
                yield from self._spoken(element, name)
            if any(element.has(name) and self._is_on(element.get(name)) for name in flags):
                yield Label(element, Mark(), 0)

    @cached_property
    def language(self) -> str:
        """What the page says it is written in."""
        return next((root.get("lang") or root.get("xml:lang") for root in self.document.select("html")), "")

    def _told(self) -> Iterator[Label]:
        likely = self.known.likely(self.document.texts())
        wanted = {collapse(text) for text in likely if len(text) > 1 and self._mark(text)}
        spelled = sum(len(text) == 1 for text in likely) >= _MOST_LETTERS
        if not wanted and not spelled:
            return
        for place, text in islice(self._places(wanted), _MOST_PLACES):
            element = self._around(place, text)
            label = self._label(element, text) if element else None
            if label:
                yield label

    def _spoken(self, element: Element, name: str) -> Iterator[Label]:
        value = element.get(name).strip()
        if value not in self._read:
            self._read[value] = self._mark(value) if len(value) > 1 and self.known.likely((value,)) else None
        mark = self._read[value]
        if mark:
            yield Label(element, mark, 0)

    def _is_on(self, value: str) -> bool:
        return value.strip().lower() not in self.known.off

    def _mark(self, text: str) -> Mark | None:
        return self.known.read(self.document.decode(text), self.language)

    def _label(self, element: Element, text: str) -> Label | None:
        """The label that a text in `element` is; None for a word in a sentence."""
        if element.tag in _SILENT or any(above.tag in _SILENT for above in element.ancestors()):
            return None
        whole = collapse(unescape(text))
        if len(whole) == 1:
            return self._lettered(element)
        mark = self._mark(whole)
        if mark is None or not self._stands_alone(element, whole):
            return None
        outer, length = self._outermost(element, whole)
        if mark.open:
            name = self._following(outer, whole)
            mark, length = replace(mark, name=name), length + len(name)
        return Label(outer, mark, length)

    def _lettered(self, element: Element) -> Label | None:
        """A label whose letters are elements of their own."""
        for above in islice(element.ancestors(), 3):
            text = self.document.text_of(above, _LONGEST_LABEL + 1)
            mark = self._mark(text) if len(text) <= _LONGEST_LABEL else None
            if mark:
                return Label(above, mark, len(text))
        return None

    def _stands_alone(self, element: Element, text: str) -> bool:
        """Whether a text is no part of a sentence, by what stands directly beside it."""
        for _ in range(3):
            pieces = list(islice(element.pieces(), _MOST_PIECES))
            words = [collapse(each) if isinstance(each, str) else None for each in pieces]
            if text in words:
                at = words.index(text)
                if any(isinstance(each, Element) and each.tag in _SENTENCE for each in pieces[max(0, at - 1) : at]):
                    return False
                if not all(word is None or not word or word == text for word in words):
                    return False
            elif len(self.document.text_of(element, 200)) > len(text) + 2:
                return True
            around = element.parent
            if element.tag not in _INLINE or around is None:
                return True
            before, after = next(element.before(), ""), next(element.after(), "")
            if (isinstance(before, str) and _LED_UP_TO.search(before)) or (
                isinstance(after, str) and _GOING_ON.match(after)
            ):
                return False
            element = around
        return True

    def _outermost(self, element: Element, text: str) -> tuple[Element, int]:
        """The outermost element that shows nothing but the label."""
        own = len(self.document.text_of(element, 200))
        if own > len(text) + 4:
            return element, len(text)
        for above in islice(element.ancestors(), 4):
            if above.tag in _STOP or len(self.document.text_of(above, 200)) > own or looks(above):
                break
            element = above
        return element, own

    def _following(self, element: Element, text: str) -> str:
        """The name that follows `Sponsored by`: the text of what comes next, or a logo's alternative; "" where none does."""
        for _ in range(2):
            pieces = list(islice(element.pieces(), _MOST_PIECES))
            at = next((n for n, each in enumerate(pieces) if isinstance(each, str) and collapse(each) == text), None)
            for each in islice(element.after() if at is None else pieces[at + 1 :], _MOST_PIECES):
                if isinstance(each, str) and not each.strip():
                    continue
                if isinstance(each, Element) and each.tag not in _NAMES:
                    return ""
                told = each if isinstance(each, str) else self._name_in(each)
                name = self.document.decode(collapse(told)).strip(" :")
                return name if name and self.known.is_name(name) else ""
            if element.parent is None or element.parent.tag not in _NAMES:
                break
            element = element.parent
        return ""

    def _name_in(self, element: Element) -> str:
        text = collapse(" ".join(islice(element.texts(), 20)))[:_LONGEST_LABEL]
        if text:
            return text
        picture = element if element.tag == "img" else element.first("img[alt]")
        return picture.get("alt")[:_LONGEST_LABEL] if picture else ""

    # Where a place of the source lies in the tree

    def _around(self, place: int, text: str) -> Element | None:
        """The innermost element around a text at a place of the source."""
        source = self.document.source
        at = source.rfind("<", 0, place)
        tag = _TAG.match(source, at) if at >= 0 else None
        if tag:
            # Nearly always the text is the first thing in an element, and its class tells which few may be that.
            named = _CLASS.search(source, tag.end(), place)
            key = tag[1], unescape(named[1] or named[2] or "") if named else "", collapse(unescape(text))
            starts = self._placed.get(key)
            if starts is None:
                same = self._likely(*key[:2]).get(key[2], ())
                starts = self._placed[key] = {start.start: each for each in same if (start := each.start_tag)}
            found = starts.get(at)
            if found is not None and found.end_tag:
                return found
        return self._innermost(place)

    def _likely(self, tag: str, classes: str) -> dict[str, list[Element]]:
        """The elements of a class, or of a tag without any, by the text that they begin with."""
        found = self._alike.get((tag, classes))
        if found is None:
            found = self._alike[tag, classes] = {}
            some = self.document.holding("class", {classes}) if classes else self.document.select(f"{tag}:not([class])")
            for each in some:
                first = next(each.pieces(), None)
                if isinstance(first, str) and len(first) <= _LONGEST_RUN:
                    found.setdefault(collapse(first), []).append(each)
        return found

    def _innermost(self, place: int) -> Element | None:
        starts, elements = self._starts
        at = bisect_left(starts, place) - 1
        if at < 0:
            return None
        element: Element | None = elements[at]
        for each in (elements[at], *islice(elements[at].ancestors(), 60)):
            end = each.end_tag
            void = each.span is not None and end is None
            if (end and end.end <= place) or void:
                element = each.parent
        return element

    def _places(self, wanted: set[str]) -> Iterator[tuple[int, str]]:
        """Where the texts `wanted` stand in the source; and where letters begin that, each on its own, spell a label."""
        letters: list[re.Match[str]] = []
        for run in _RUN.finditer(self.document.source):
            plain = run[1].rstrip()
            if len(plain) == 1:
                letters.append(run)
                continue
            if letters:
                yield from self._spelled(letters)
                letters = []
            if "&" in plain or "  " in plain or "\n" in plain:
                plain = collapse(unescape(plain))
            if plain in wanted:
                yield run.start(1), run[1]
        yield from self._spelled(letters)

    def _spelled(self, letters: list[re.Match[str]]) -> Iterator[tuple[int, str]]:
        if len(letters) >= _MOST_LETTERS and self._mark("".join(run[1].strip() for run in letters[:_LONGEST_LABEL])):
            yield letters[0].start(1), letters[0][1]

    @cached_property
    def _starts(self) -> tuple[list[int], list[Element]]:
        roots = self.document.select("html")
        elements = [(tag.start, each) for root in roots for each in root.descendants() if (tag := each.start_tag)]
        elements.sort(key=lambda pair: pair[0])
        return [start for start, _ in elements], [each for _, each in elements]
