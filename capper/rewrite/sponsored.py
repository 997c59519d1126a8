"""Finds the items of a page that say themselves that somebody has paid for them: cards, list entries, posts, banners below a label.

1. Short texts that stand on their own, and attributes that speak, are read as labels.
2. From a label upwards, the item is the first element of which the page has others beside it; else the one whose links all
   lead to one place. What is a page's own content, a form, a menu or the heading of a section is none.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from html import unescape
from itertools import islice

from capper.clues import clicks
from capper.domain.evidence import Evidence
from capper.domain.mark import Mark
from capper.markup import Document, Element, collapse
from capper.rewrite.base import Judge, Labels
from capper.rewrite.sizes import is_small

MOST_LABELS = 60
LONGEST_ITEM = 1200
"""More text than that is an article or a section, not an item."""
_LONGEST_LABEL = 90
_LEAST_TEXT = 15
"""Less text beside a label and without a picture is no item: a disclosure, a link to one, an empty place."""
_MOST_CLIMBED = 14
_MOST_ALIKE = 200
_MOST_LINKS = 60
_TITLE = 20
_OWN_WORDS = 30
_PARAGRAPH = 100
_MOST_PLACES = 4

_RUN = re.compile(r">\s*+([^<>\s][^<>]{0,70}+)<")
_SILENT = frozenset(
    ["script", "style", "template", "noscript", "textarea", "title", "option", "select", "code", "pre", "svg"]
)
_INLINE = frozenset(
    ["b", "i", "em", "strong", "u", "mark", "a", "span", "q", "cite", "small", "font", "abbr", "s", "code"]
)
_STOP = frozenset(["html", "head", "body", "main", "nav", "form", "menu", "button", "label", "fieldset", "dialog", "thead", "tbody", "tfoot", "table", "select", "details"])  # fmt: skip
_PARTS = frozenset(["tr", "thead", "tbody", "tfoot", "table"])
_ASIDE = (
    "nav, menu, dialog, button, label, [role=navigation], [role=dialog], [role=menu], [role=menubar], [role=tablist]"
)
_FRAME = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|navigation|navbar|menu|submenu|breadcrumbs?|flyout|footer|copyright|impressum)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CONSENT = re.compile(r"cookie|consent|gdpr|cmp-|onetrust|didomi|usercentrics", re.IGNORECASE)
_CHOICE = "input[type=checkbox], input[type=radio]"
_CONTENT = "main, h1, nav, textarea, [itemprop=articleBody], [role=main]"
_LOOKS = ("img", "video", "amp-img", "picture", "iframe", "amp-video")
_GOING_ON = re.compile(r"\s*[a-z\xdf-\xff,.;]")
_LED_UP_TO = re.compile(r"[\w,;]\s*$")


@dataclass(frozen=True, slots=True)
class Item:
    """An element that somebody has paid for, where it leads, and who its label says it is.

    `about` are the links of the label itself: they explain it. A `banner` below a label is an ad like others.
    """

    element: Element
    target: str
    sponsors: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    banner: bool = False

    def told(self, evidence: Evidence) -> Evidence:
        """The evidence of its element, with what its label says."""
        clicks_ = tuple(url for url in evidence.clicks if url not in self.about)
        return replace(evidence, clicks=clicks_, sponsors=(*self.sponsors, *evidence.sponsors))


@dataclass(frozen=True, slots=True)
class _Label:
    """A label where it stands: the outermost element that holds nothing else, or a text's."""

    element: Element
    mark: Mark
    length: int


def may_hold(source: str, labels: Labels) -> bool:
    """Whether a text on its own begins as a label does: one pass, so that a page without one costs no more."""
    return any(map(labels.begins, _RUN.findall(source)))


def labelled(document: Document, judge: Judge) -> Iterator[Item]:
    """The items that say that they are paid for, in no order; one may lie in another."""
    search = _Search(document, judge)
    found = [label for label in search.labels() if not _is_elsewhere_spoken(label.element)]
    for label in found:
        yield from (item for item in search.items(label, found) if not _is_apart(item.element))


def _is_elsewhere_spoken(element: Element) -> bool:
    """Whether a label stands where items do not: in a menu, in a dialogue, among the settings of a consent."""
    if element.closest(_ASIDE) is not None:
        return True
    return any(_CONSENT.search(f"{each.get('id')} {each.get('class')}") for each in element.ancestors())


def _is_apart(element: Element) -> bool:
    """Whether an item stands in a page's menus or at its foot."""
    above = (element, *element.ancestors())
    return any(
        each.tag == "footer" or _FRAME.search(f"{each.get('id')} {each.get('class')}")
        for each in above
        if each.tag not in ("html", "body")
    )


class _Search:
    def __init__(self, document: Document, judge: Judge) -> None:
        self.document, self.judge, self.read = document, judge, judge.labels

    # Labels

    def labels(self) -> list[_Label]:
        """The labels of the page, each once."""
        found: dict[Element, _Label] = {}
        for label in islice((*self._told(), *self._spoken(), *self._flagged()), MOST_LABELS):
            found.setdefault(label.element, label)
        return list(found.values())

    @cached_property
    def language(self) -> str:
        """What the page says it is written in."""
        return next((root.get("lang") or root.get("xml:lang") for root in self.document.select("html")), "")

    def _told(self) -> Iterator[_Label]:
        """Labels in words."""
        source = self.document.source
        runs = _RUN.findall(source)
        if any(map(self.read.begins, set(runs))) or _letters(runs):
            for place, text in _places(source, self.read):
                element = self._around(place)
                label = self._label(element, text) if element else None
                if label:
                    yield label

    def _spoken(self) -> Iterator[_Label]:
        """Labels in attributes that are read out."""
        for name in self.read.spoken:
            told = {value for value in self.document.values(name) if self.read.begins(value) and self._mark(value)}
            for element in self.document.holding(name, told) if told else ():
                mark = self._mark(element.get(name))
                if mark:
                    yield _Label(element, mark, 0)

    def _flagged(self) -> Iterator[_Label]:
        """Labels for scripts."""
        for name in self.read.flags:
            if name in self.document.source:
                for element in self.document.select(f"[{name}]"):
                    if element.get(name).strip().lower() not in self.read.off:
                        yield _Label(element, Mark(), 0)

    def _mark(self, text: str) -> Mark | None:
        return self.read.read(self.document.decode(text), self.language)

    def _label(self, element: Element, text: str) -> _Label | None:
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
        return _Label(outer, mark, length)

    def _lettered(self, element: Element) -> _Label | None:
        """A label whose letters are elements of their own."""
        for above in islice(element.ancestors(), 3):
            text = self.document.text_of(above, _LONGEST_LABEL + 1)
            mark = self._mark(text) if len(text) <= _LONGEST_LABEL else None
            if mark:
                return _Label(above, mark, len(text))
        return None

    def _stands_alone(self, element: Element, text: str) -> bool:
        """Whether a text is no part of a sentence, by what stands directly beside it."""
        for _ in range(3):
            pieces = element.pieces()
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
            beside = around.pieces()
            at = next((n for n, each in enumerate(beside) if isinstance(each, Element) and each == element), 0)
            before = beside[at - 1] if at else ""
            after = beside[at + 1] if at + 1 < len(beside) else ""
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
            if above.tag in _STOP or len(self.document.text_of(above, 200)) > own or self._looks(above):
                break
            element = above
        return element, own

    def _following(self, element: Element, text: str) -> str:
        """The name that follows `Sponsored by`: the text of what comes next, or a logo's alternative; "" where none does."""
        for _ in range(2):
            pieces = element.pieces()
            at = next((n for n, each in enumerate(pieces) if isinstance(each, str) and collapse(each) == text), None)
            after = pieces[at + 1 :] if at is not None else self._after(element)
            for each in after:
                if isinstance(each, str) and not each.strip():
                    continue
                if isinstance(each, Element) and each.tag not in _NAMES:
                    return ""
                told = each if isinstance(each, str) else self._name_in(each)
                name = self.document.decode(collapse(told)).strip(" :")
                return name if name and self.read.is_name(name) else ""
            if element.parent is None or element.parent.tag not in _NAMES:
                break
            element = element.parent
        return ""

    @staticmethod
    def _after(element: Element) -> list[Element | str]:
        beside = element.parent.pieces() if element.parent else []
        at = next((n for n, each in enumerate(beside) if isinstance(each, Element) and each == element), len(beside))
        return beside[at + 1 :]

    def _name_in(self, element: Element) -> str:
        text = collapse(" ".join(islice(element.texts(), 20)))[:_LONGEST_LABEL]
        if text:
            return text
        picture = element if element.tag == "img" else element.first("img[alt]")
        return picture.get("alt")[:_LONGEST_LABEL] if picture else ""

    # Where a place of the source lies in the tree

    @cached_property
    def _starts(self) -> tuple[list[int], list[Element]]:
        elements = [
            (tag.start, each)
            for root in self.document.select("html")
            for each in root.descendants()
            if (tag := each.start_tag)
        ]
        elements.sort(key=lambda pair: pair[0])
        return [start for start, _ in elements], [each for _, each in elements]

    def _around(self, place: int) -> Element | None:
        """The innermost element around a place of the source."""
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

    # Items

    def items(self, label: _Label, labels: list[_Label]) -> Iterator[Item]:
        """The item that a label stands on, if it is one; of a banner below a label the banner."""
        if self._is_of_script(label):
            return
        alone: Element | None = None
        for element in (label.element, *islice(label.element.ancestors(), _MOST_CLIMBED)):
            if element.tag in _STOP or not self._modest(element):
                break
            links = self._links(element, label)
            if not links or not self._substantial(element, label):
                continue
            targets = {self._place(target) for target in links}
            if self._is_section(element, label, labels, targets):
                break
            alike = self._alike(element)
            if alike:
                others = [each for each in alike if not any(_holds(each, one.element) for one in labels)]
                marked = len(alike) - len(others) + 1
                if (
                    label.mark.doubtful
                    and (len(others) < marked or self._is_link(label))
                    and not self._leads_away(links)
                ):
                    return
                if others or not label.mark.doubtful:
                    yield from self._whole(element, label, links)
                    return
            if alone is None and len(targets) == 1:
                alone = element
        if alone is not None and not self._is_link(label):
            yield from self._single(alone, label)

    def _is_of_script(self, label: _Label) -> bool:
        """Whether what the label stands above is yet to come: a place that a script fills."""
        if not label.length:
            return False
        around = label.element.parent
        beside = around.children() if around else []
        at = next((n for n, each in enumerate(beside) if each == label.element), -1)
        after = [each for each in beside[at + 1 :] if each.tag not in ("br", "hr")][:1]
        near = [*islice(label.element.descendants(), 20), *after]
        return any(self._is_empty_place(each) for each in near)

    def _is_empty_place(self, element: Element) -> bool:
        if element.tag in ("script", "ins", "iframe", "amp-ad"):
            return True
        if element.tag not in ("div", "aside", "section") or element.first("a[href], img, video, picture, amp-img"):
            return False
        return not self.document.text_of(element, 20)

    def _whole(self, element: Element, label: _Label, links: list[str]) -> Iterator[Item]:
        target = next((link for link in links if self.judge.is_elsewhere(link)), links[0])
        if element.tag in _PARTS:
            cells = [each for each in element.children() if each.tag in ("td", "th") and self._links(each, label)]
            cells.sort(key=lambda each: -len(self.document.text_of(each, LONGEST_ITEM)))
            if not cells:
                return
            element = cells[0]
        yield Item(element, target, self._sponsors(label), self._about(label, links))

    def _single(self, element: Element, label: _Label) -> Iterator[Item]:
        """An item with nothing like it beside it: all its links lead to one place."""
        links = self._links(element, label)
        text = len(self.document.text_of(element, LONGEST_ITEM)) - label.length
        elsewhere = self._leads_away(links)
        if element.first("input, form") is not None:
            return
        if text >= _LEAST_TEXT and (elsewhere or not label.mark.doubtful):
            if not label.mark.open or (label.mark.name and self._looks(element)):
                yield Item(element, links[0], self._sponsors(label), self._about(label, links))
        elif elsewhere and not label.mark.open and not label.mark.name:
            for link in element.descendants("a"):
                if self._looks(link) and link.get("href"):
                    yield Item(link, links[0], banner=True)

    def _sponsors(self, label: _Label) -> tuple[str, ...]:
        return (label.mark.name,) if label.mark.name else ()

    def _about(self, label: _Label, links: list[str]) -> tuple[str, ...]:
        """The links of the label alone."""
        if label.mark.name or not label.length:
            return ()
        own = (url for each in (label.element, *label.element.descendants()) for url in clicks(self.document, each))
        return tuple(url for url in own if url and url not in links)

    def _modest(self, element: Element) -> bool:
        span = element.span
        if span is None or element.first(_CONTENT) is not None:
            return element.tag in _INLINE and span is not None
        size = len(self.document.source)
        if size > 20_000 and (span.end - span.start) * 2 > size:
            return False
        return len(self.document.text_of(element, LONGEST_ITEM + 1)) <= LONGEST_ITEM

    def _links(self, element: Element, label: _Label) -> list[str]:
        """Where the links of an item lead, but for the one that explains the label."""
        found: list[str] = []
        for each in islice((element, *element.descendants()), 600):
            if each.tag in ("a", "area") and not each.has("href"):
                continue
            if not label.mark.name and label.length and self._is_inside(each, label.element):
                continue
            if each.tag == "a" and not self._is_alone(each):
                continue
            found += (url for url in clicks(self.document, each) if url and not self._is_front(url))
            if len(found) > _MOST_LINKS:
                break
        return list(dict.fromkeys(found))

    def _is_alone(self, link: Element) -> bool:
        """Whether a link is no part of a sentence: it has a picture, or little stands beside it."""
        around, text = link.parent, self.document.text_of(link, _LONGEST_LABEL)
        if around is None or len(text) >= _LONGEST_LABEL or around.tag not in ("p", "span", "em", "strong", "b", "i"):
            return True
        return len(self.document.text_of(around, len(text) + 80)) < len(text) + 60 or self._looks(link)

    def _is_front(self, url: str) -> bool:
        """Whether a link leads to the front page of the page's own site, as a logo does."""
        return url.partition("//")[2].partition("/")[2].strip("/") in ("", "#") and not self.judge.is_elsewhere(url)

    @staticmethod
    def _place(url: str) -> str:
        """Where a link leads, whatever is counted on the way."""
        return url.partition("#")[0].partition("?")[0].rstrip("/").removeprefix("https:").removeprefix("http:")

    @staticmethod
    def _is_inside(element: Element, label: Element) -> bool:
        """Whether a link belongs to a label: it stands in it, or holds nothing else."""
        return element == label or element.inside(label)

    def _substantial(self, element: Element, label: _Label) -> bool:
        """Whether there is something to it beside its label: words, or a picture that is no logo of whom the label names."""
        text = len(self.document.text_of(element, 200)) - label.length
        if self._is_link(label) and not self._looks(element):
            return self._is_titled(element, label) or text - self._linked(element, label) >= _OWN_WORDS
        return text >= _LEAST_TEXT or (self._looks(element) and not label.mark.open)

    def _linked(self, element: Element, label: _Label) -> int:
        """How much of an element's text is links."""
        links = (
            each for each in islice(element.descendants("a"), _MOST_LINKS) if not self._is_inside(each, label.element)
        )
        return sum(len(self.document.text_of(each, 200)) for each in links)

    def _is_titled(self, element: Element, label: _Label) -> bool:
        links = (
            each for each in islice(element.descendants("a"), _MOST_LINKS) if not self._is_inside(each, label.element)
        )
        return any(len(self.document.text_of(each, 60)) >= _TITLE for each in links)

    @staticmethod
    def _looks(element: Element) -> bool:
        pictures = islice(element.descendants(*_LOOKS), 60)
        return any(not is_small(picture) for picture in pictures) or element.tag in _LOOKS

    def _is_section(self, element: Element, label: _Label, labels: list[_Label], targets: set[str]) -> bool:
        """Whether an element is more than an item: it holds several, or a list of links, or an article's paragraphs."""
        if sum(one.length > 0 and _holds(element, one.element) for one in labels) > 1:
            return True
        pictured = self._looks(element)
        if not pictured and (element.first(_CHOICE) or len(targets) >= _MOST_PLACES):
            return True
        long = (
            each for each in element.descendants("p") if len(self.document.text_of(each, _PARAGRAPH + 1)) > _PARAGRAPH
        )
        if len(list(islice(long, 2))) > 1:
            return True
        return self._holds_several(element, label)

    def _holds_several(self, element: Element, label: _Label) -> bool:
        """Whether links with titles or pictures of their own lead to several places."""
        pictured, titled = set(), set()
        for link in islice(element.descendants("a"), _MOST_LINKS):
            url = self.document.absolute(link.get("href"))
            if not url or self._is_inside(link, label.element):
                continue
            # What counts clicks tells them apart in its query.
            place = url if self.judge.is_click(url) else self._place(url)
            if self._looks(link):
                pictured.add(place)
            if len(self.document.text_of(link, 60)) >= _TITLE:
                titled.add(place)
        most = 2 if element.tag in ("li", "article") or element.get("role") in ("article", "listitem") else 1
        return max(len(pictured), len(titled)) > most

    def _alike(self, element: Element) -> list[Element]:
        """The elements beside it that are items of the same kind."""
        around = element.parent
        if around is None:
            return []
        names = set(element.get("class").split())
        found = []
        for each in islice(around.children(), _MOST_ALIKE):
            if each.tag == element.tag and each != element:
                others = set(each.get("class").split())
                if (names & others or not (names or others)) and self._is_item(each):
                    found.append(each)
        return found

    def _is_item(self, element: Element) -> bool:
        linked = (element.tag == "a" and element.has("href")) or any(
            each.has("href") for each in element.descendants("a")
        )
        substantial = self._looks(element) or len(self.document.text_of(element, 200)) >= _LEAST_TEXT
        return linked and substantial and not element.matches(_ASIDE)

    def _is_link(self, label: _Label) -> bool:
        """Whether a label is a link of its own, as the name of a section is."""
        return label.length > 0 and (
            label.element.closest("a") == label.element or label.element.first("a") is not None
        )

    def _leads_away(self, links: list[str]) -> bool:
        return any(self.judge.is_elsewhere(link) or self.judge.is_click(link) for link in links)


_NAMES = _INLINE | {"img", "picture", "div", "p"}
_SENTENCE = frozenset(["b", "i", "em", "strong", "u", "mark", "q", "cite"])


def _places(source: str, labels: Labels) -> Iterator[tuple[int, str]]:
    """Where texts that may be labels stand; of letters on their own the first."""
    single = 0
    for run in _RUN.finditer(source):
        text = run[1]
        if len(text.strip()) == 1:
            single += 1
            if single == 4:
                yield run.start(1), text.strip()
            continue
        single = 0
        if labels.begins(text):
            yield run.start(1), text


def _letters(runs: list[str]) -> bool:
    """Whether letters stand each on its own, as some write a label so that it is not found."""
    count = 0
    for run in runs:
        count = count + 1 if len(run) == 1 else 0
        if count == 4:
            return True
    return False


def _holds(element: Element, label: Element) -> bool:
    return label == element or label.inside(element)
