"""Finds the items of a page that say themselves that somebody has paid for them: cards, list entries, posts, banners below a label.

1. Short texts that stand on their own, and attributes that speak, are read as labels.
2. From a label upwards, the item is the first element of which the page has others beside it; else the one whose links all
   lead to one place. What is a page's own content, a form, a menu or the heading of a section is none.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from capper.clues import clicks
from capper.domain.evidence import Evidence
from capper.markup import Document, Element
from capper.rewrite.base import Judge
from capper.rewrite.html.hiding import Values
from capper.rewrite.html.labelling import Label, labels_of, looks

LONGEST_ITEM = 1200
"""More text than that is an article or a section, not an item."""
_LONGEST_LABEL = 90
_LEAST_TEXT = 15
"""Less text beside a label and without a picture is no item: a disclosure, a link to one, an empty place."""
_MOST_CLIMBED = 14
_MOST_ALIKE = 60
_MOST_LINKS = 60
_TITLE = 20
_OWN_WORDS = 30
_PARAGRAPH = 100
_MOST_PLACES = 4

_INLINE = frozenset(
    ["b", "i", "em", "strong", "u", "mark", "a", "span", "q", "cite", "small", "font", "abbr", "s", "code"]
)
_STOP = frozenset(["html", "head", "body", "main", "nav", "form", "menu", "button", "label", "fieldset", "dialog", "thead", "tbody", "tfoot", "table", "select", "details"])  # fmt: skip
_PARTS = frozenset(["tr", "thead", "tbody", "tfoot", "table"])
_ASIDE = (
    "nav, menu, dialog, button, label, [role=navigation], [role=dialog], [role=menu], [role=menubar], [role=tablist]"
)
_SETTLED = re.compile(
    r"cookie|consent|gdpr|cmp-|onetrust|didomi|usercentrics"
    r"|(?:^|[\s_-])(?:nav|navi|navigation|navbar|menu|submenu|breadcrumbs?|flyout)(?:$|[\s_-])",
    re.IGNORECASE,
)
"""What sites call their menus, and where consent is asked for: no items stand there."""
_FRAME = re.compile(r"(?:^|[\s_-])(?:footer|copyright|impressum|imprint)(?:$|[\s_-])", re.IGNORECASE)
"""And the foot of the page; an item may have a foot, too."""
_CHOICE = "input[type=checkbox], input[type=radio]"
_CONTENT = "main, h1, nav, textarea, [itemprop=articleBody], [role=main]"


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


def labelled(
    document: Document, judge: Judge, values: Values | None = None, known: Collection[Element] = ()
) -> Iterator[Item]:
    """The items that say that they are paid for, in no order; one may lie in another.

    `known` are ads already: what lies in one of them and is not all of it may be left out.
    """
    found = labels_of(document, judge.labels, values or Values(document))
    search = _Search(document, judge, found)
    for label in found:
        if not search.is_part(label, known) and not search.is_elsewhere(label.element):
            yield from (item for item in search.items(label) if not search.is_apart(item.element))


class _Called:
    """Whether an element's id or class, or those of one around it, are among some names."""

    def __init__(self, names: re.Pattern[str]) -> None:
        self._names = names
        self._known: dict[Element, bool] = {}

    def around(self, element: Element) -> bool:
        """Whether that is so; known of what stands around several."""
        passed: list[Element] = []
        found = False
        for each in (element, *element.ancestors()):
            known = self._known.get(each)
            found = self._is_called(each) if known is None else known
            if found or known is not None:
                break
            passed.append(each)
        self._known.update(dict.fromkeys(passed, found))
        return found

    def _is_called(self, element: Element) -> bool:
        called = f"{element.get('id')} {element.get('class')}"
        return len(called) > 1 and element.tag not in ("html", "body") and self._names.search(called) is not None


class _Search:
    def __init__(self, document: Document, judge: Judge, labels: list[Label]) -> None:
        self.document, self.judge = document, judge
        self._marked = _starts(labels)
        self._written = _starts(label for label in labels if label.length)
        self._settled, self._framed = _Called(_SETTLED), _Called(_FRAME)
        self._alike_items: dict[Element, bool] = {}
        self._classes: dict[Element, frozenset[str]] = {}
        self._holding: dict[Element, bool] = {}
        self._own: tuple[Element | None, set[Element]] = (None, set())

    def items(self, label: Label) -> Iterator[Item]:
        """The item that a label stands on, if it is one; of a banner below a label the banner."""
        if self._is_of_script(label):
            return
        alone: tuple[Element, list[str]] | None = None
        for element in (label.element, *islice(label.element.ancestors(), _MOST_CLIMBED)):
            if element.tag in _STOP or not self._modest(element):
                break
            links = self._links(element, label)
            if not links or not self._substantial(element, label):
                continue
            targets = {self._place(target) for target in links}
            if self._is_section(element, label, targets):
                break
            alike = list(self._alike(element))
            if alike:
                others = [each for each in alike if not self._is_marked(each)]
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
                alone = element, links
        if alone is not None and not self._is_link(label):
            yield from self._single(*alone, label)

    def is_elsewhere(self, element: Element) -> bool:
        """Whether a label stands where items do not: in a menu, in a dialogue, among the settings of a consent."""
        return element.closest(_ASIDE) is not None or self._settled.around(element)

    def is_apart(self, element: Element) -> bool:
        """Whether an item stands in a page's menus or at its foot."""
        return element.closest("footer") is not None or self._framed.around(element)

    def is_part(self, label: Label, known: Collection[Element]) -> bool:
        """Whether all that a label can stand on is part of one of the ads that are known: a banner's `alt`, and no card around it."""
        climbed = [label.element, *islice(label.element.ancestors(), _MOST_CLIMBED)] if known else []
        at = next((at for at, each in enumerate(climbed) if each in known), None)
        if at is None:
            return False
        links = climbed[at].count("a") + (climbed[at].tag == "a")
        for number, element in enumerate(climbed[at:]):
            if number and (element.tag in _STOP or not self._modest(element)):
                break
            if len(self.document.text_of(element, LONGEST_ITEM)) - label.length >= _LEAST_TEXT:
                return False
            if number and element.count("a") != links:
                return False
            if any(not (label.mark.doubtful and self._is_marked(each)) for each in self._alike(element)):
                return False
        return True

    def _is_marked(self, element: Element) -> bool:
        """Whether a label stands in an element."""
        known = self._holding.get(element)
        if known is None:
            known = self._holding[element] = _count(element, self._marked) > 0
        return known

    def _is_of_script(self, label: Label) -> bool:
        """Whether what the label stands above is yet to come: a place that a script fills."""
        if not label.length:
            return False
        beside = (each for each in islice(label.element.after(), 6) if isinstance(each, Element))
        after = [each for each in beside if each.tag not in ("br", "hr")][:1]
        near = [*islice(label.element.descendants(), 20), *after]
        return any(self._is_empty_place(each) for each in near)

    def _is_empty_place(self, element: Element) -> bool:
        if element.tag in ("script", "ins", "iframe", "amp-ad"):
            return True
        if element.tag not in ("div", "aside", "section") or element.first("a[href], img, video, picture, amp-img"):
            return False
        return not self.document.text_of(element, 20)

    def _whole(self, element: Element, label: Label, links: list[str]) -> Iterator[Item]:
        target = next((link for link in links if self.judge.is_elsewhere(link)), links[0])
        if element.tag in _PARTS:
            cells = [each for each in element.children() if each.tag in ("td", "th") and self._links(each, label)]
            cells.sort(key=lambda each: -len(self.document.text_of(each, LONGEST_ITEM)))
            if not cells:
                return
            element = cells[0]
        yield Item(element, target, self._sponsors(label), self._about(label, links))

    def _single(self, element: Element, links: list[str], label: Label) -> Iterator[Item]:
        """An item with nothing like it beside it: all its links lead to one place."""
        text = len(self.document.text_of(element, LONGEST_ITEM)) - label.length
        elsewhere = self._leads_away(links)
        if element.first("input, form") is not None:
            return
        if text >= _LEAST_TEXT and (elsewhere or not label.mark.doubtful):
            if not label.mark.open or (label.mark.name and looks(element)):
                yield Item(element, links[0], self._sponsors(label), self._about(label, links))
        elif elsewhere and not label.mark.open and not label.mark.name:
            for link in element.descendants("a"):
                if looks(link) and link.get("href"):
                    yield Item(link, links[0], banner=True)

    def _sponsors(self, label: Label) -> tuple[str, ...]:
        return (label.mark.name,) if label.mark.name else ()

    def _about(self, label: Label, links: list[str]) -> tuple[str, ...]:
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

    def _links(self, element: Element, label: Label) -> list[str]:
        """Where the links of an item lead, but for the one that explains the label."""
        found: list[str] = []
        for each in islice((element, *element.descendants()), 600):
            if each.tag in ("a", "area") and not each.has("href"):
                continue
            if not label.mark.name and self._is_inside(each, label) and label.length:
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
        return len(self.document.text_of(around, len(text) + 80)) < len(text) + 60 or looks(link)

    def _is_front(self, url: str) -> bool:
        """Whether a link leads to the front page of the page's own site, as a logo does."""
        return url.partition("//")[2].partition("/")[2].strip("/") in ("", "#") and not self.judge.is_elsewhere(url)

    @staticmethod
    def _place(url: str) -> str:
        """Where a link leads, whatever is counted on the way."""
        return url.partition("#")[0].partition("?")[0].rstrip("/").removeprefix("https:").removeprefix("http:")

    def _is_inside(self, element: Element, label: Label) -> bool:
        """Whether a link belongs to a label: it is the label, or stands in it."""
        if self._own[0] != label.element:
            self._own = (label.element, {label.element, *islice(label.element.descendants(), _MOST_LINKS)})
        return element in self._own[1]

    def _substantial(self, element: Element, label: Label) -> bool:
        """Whether there is something to it beside its label: words, or a picture that is no logo of whom the label names."""
        text = len(self.document.text_of(element, 200)) - label.length
        if self._is_link(label) and not looks(element):
            return self._is_titled(element, label) or text - self._linked(element, label) >= _OWN_WORDS
        return text >= _LEAST_TEXT or (looks(element) and not label.mark.open)

    def _linked(self, element: Element, label: Label) -> int:
        """How much of an element's text is links."""
        links = (each for each in islice(element.descendants("a"), _MOST_LINKS) if not self._is_inside(each, label))
        return sum(len(self.document.text_of(each, 200)) for each in links)

    def _is_titled(self, element: Element, label: Label) -> bool:
        links = (each for each in islice(element.descendants("a"), _MOST_LINKS) if not self._is_inside(each, label))
        return any(len(self.document.text_of(each, 60)) >= _TITLE for each in links)

    def _is_section(self, element: Element, label: Label, targets: set[str]) -> bool:
        """Whether an element is more than an item: it holds several, or a list of links, or an article's paragraphs."""
        if _count(element, self._written) > 1:
            return True
        pictured = looks(element)
        if not pictured and (element.first(_CHOICE) or len(targets) >= _MOST_PLACES):
            return True
        long = (
            each for each in element.descendants("p") if len(self.document.text_of(each, _PARAGRAPH + 1)) > _PARAGRAPH
        )
        if len(list(islice(long, 2))) > 1:
            return True
        return self._holds_several(element, label)

    def _holds_several(self, element: Element, label: Label) -> bool:
        """Whether links with titles or pictures of their own lead to several places."""
        pictured, titled = set(), set()
        for link in islice(element.descendants("a"), _MOST_LINKS):
            url = self.document.absolute(link.get("href"))
            if not url or self._is_inside(link, label):
                continue
            # What counts clicks tells them apart in its query.
            place = url if self.judge.is_click(url) else self._place(url)
            if looks(link):
                pictured.add(place)
            if len(self.document.text_of(link, 60)) >= _TITLE:
                titled.add(place)
        most = 2 if element.tag in ("li", "article") or element.get("role") in ("article", "listitem") else 1
        return max(len(pictured), len(titled)) > most

    def _alike(self, element: Element) -> Iterator[Element]:
        """The elements beside it that are items of the same kind."""
        names = self._names(element)
        return (each for each in element.alike(_MOST_ALIKE) if self._is_named(each, names) and self._is_item(each))

    def _is_named(self, element: Element, names: frozenset[str]) -> bool:
        """Whether an element has one of the classes; without any, whether it has none either."""
        others = self._classes.get(element)
        if others is None:
            others = self._names(element)
        return not names.isdisjoint(others) if names else not others

    def _names(self, element: Element) -> frozenset[str]:
        found = self._classes[element] = frozenset(element.get("class").split())
        return found

    def _is_item(self, element: Element) -> bool:
        known = self._alike_items.get(element)
        if known is None:
            known = self._alike_items[element] = self._may_be_item(element)
        return known

    def _may_be_item(self, element: Element) -> bool:
        linked = (element.tag == "a" and element.has("href")) or any(
            each.has("href") for each in element.descendants("a")
        )
        substantial = looks(element) or len(self.document.text_of(element, 200)) >= _LEAST_TEXT
        return linked and substantial and not element.matches(_ASIDE)

    def _is_link(self, label: Label) -> bool:
        """Whether a label is a link of its own, as the name of a section is."""
        return label.length > 0 and (
            label.element.closest("a") == label.element or label.element.first("a") is not None
        )

    def _leads_away(self, links: list[str]) -> bool:
        return any(self.judge.is_elsewhere(link) or self.judge.is_click(link) for link in links)


def _starts(labels: Iterable[Label]) -> list[int]:
    return sorted(start.start for label in labels if (start := label.element.start_tag))


def _count(element: Element, starts: list[int]) -> int:
    """How many of the places lie in an element."""
    span = element.span
    return bisect_left(starts, span.end) - bisect_left(starts, span.start) if span else 0
