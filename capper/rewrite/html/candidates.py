"""Which elements of a page may be ads: pictures and links that lists or networks give away, and containers that lists hide."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice

from capper.clues import clicks, resources
from capper.domain.errors import Unrewritable
from capper.markup import Document, Element, Span, parse
from capper.rewrite.base import Judge
from capper.rewrite.html.cards import CLIMBED, LABEL, NEVER, alone, card
from capper.rewrite.html.hiding import Selectors, Values, hidden, sorted_out, worth
from capper.rewrite.html.nearby import FILES, PICTURES, Nearby
from capper.rewrite.html.sizes import is_banner, is_small
from capper.rewrite.html.sponsored import Item, labelled

LONGEST_AD_TEXT = 1500
"""More text than that is an article, not an ad."""
_LARGE_PAGE = 20_000
_LONGEST_FRAME = 500_000
_MOST_INSIDE = 600
_MOST_DEPTH = 20
_MOST_LOADS = 3

_KINDS = {"video": "media", "object": "object", "embed": "object"}
_LOOKS = ("img", "video", "object", "embed", "svg", "canvas", "amp-img")
_CONTENT = "main, article, h1, form, textarea, select, nav, header, footer, [itemprop=articleBody], [role=main]"
_FOREIGN = ":is(template, svg, math, noscript) *"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An element that may be a slot, the bytes that would change, and what it leads to.

    `container` says that a list hides it, so that it may hold several ads; `exact`, that it is one ad by its network's own
    marks, whatever stands around it. `item` is what it says of itself where it says that somebody has paid for it.
    """

    element: Element
    span: Span
    leads_to: str = ""
    container: bool = False
    exact: bool = False
    item: Item | None = None


def candidates(document: Document, judge: Judge) -> list[Candidate]:
    """The elements that are ads and can be replaced, none within another, in document order."""
    search = _Search(document, judge)
    search.prepare()
    searches = (
        search.sold(),
        search.containers(),
        search.frames(),
        search.pictures(),
        search.backgrounds(),
        search.sponsored(),
        search.shaped(),
    )
    found = {each.span: each for each in chain.from_iterable(searches) if each}
    whole = {each.element for each in found.values() if not each.container}
    found.update((each.span, each) for each in search.labelled(whole) if each)
    own = search.own() if found else []
    ordered = sorted(found.values(), key=lambda each: (each.span.start, -each.span.end))
    return list(_outermost([each for each in ordered if not _is_own(each, own)], _MOST_DEPTH))


def _is_own(candidate: Candidate, own: list[Span]) -> bool:
    """Whether a candidate lies in what the publisher recommends itself, or holds some of that beside an ad."""
    start, end = candidate.span
    return any((at <= start and end <= to) or (candidate.container and start <= at < end) for at, to in own)


def _outermost(ordered: list[Candidate], depth: int) -> Iterator[Candidate]:
    """Of nested candidates the outermost, unless it is a container of several ads, or of one by its marks: then these."""
    at = 0
    while at < len(ordered):
        outer = ordered[at]
        at += 1
        inner = []
        while at < len(ordered) and ordered[at].span.start < outer.span.end:
            inner.append(ordered[at])
            at += 1
        parts = list(_outermost(inner, depth - 1)) if outer.container and depth else []
        if len({part.leads_to for part in parts}) > 1 or any(part.exact for part in parts):
            yield from parts
        else:
            yield outer


class _Search:
    def __init__(self, document: Document, judge: Judge) -> None:
        self.document = document
        self.judge = judge
        self._values = Values(document)
        self._ads, self._own = sorted_out(judge.shapes.ads), sorted_out(judge.shapes.own)
        self.near = Nearby(document, judge, self._values)
        self._sold: set[Element] = set()
        self._said: dict[tuple[Callable[[str], bool], str], bool] = {}
        self._verdicts: dict[tuple[str, str], bool] = {}
        self._replaceable: dict[Element, bool] = {}

    @cached_property
    def _hiding(self) -> list[Selectors]:
        """The selectors that hide ads on the page, in groups; first those of all pages."""
        return [sorted_out(tuple(group)) for group in self.judge.selectors(self._values.classes, self._values.ids)]

    def prepare(self) -> None:
        """Look once for all attributes that the searches of any page ask for."""
        labels = self.judge.labels
        asked = worth((*labels.spoken, *labels.flags, *FILES, "onclick"))
        self._values.look_for(asked.union(self._hiding[0].marked, self._ads.marked, self._own.marked))

    def pictures(self) -> Iterator[Candidate | None]:
        """Pictures that lists call ads, or whose link an ad network takes; with their link where it holds little else."""
        for picture in self.near.promising():
            if is_small(picture):
                continue
            link = self._link_around(picture)
            if link in self._sold:
                continue
            target = next(iter(clicks(self.document, link)), "") if link else ""
            if target and (self.judge.is_teaser(target) or self.judge.is_notice(target)):
                continue
            if (target and self.judge.is_click(target)) or self._loads_ad(picture):
                whole = link if link and link.span and self._modest(link) else _with_alternatives(picture)
                yield self._candidate(whole, target)

    def backgrounds(self) -> Iterator[Candidate | None]:
        """Links that an ad network takes and that show their picture as a background."""
        inside = (each for each in self._values.painted if each.parent and each.parent.closest("a[href]"))
        links = dict.fromkeys(each.closest("a[href]") for each in inside)
        for link in links:
            target = next(iter(clicks(self.document, link)), "") if link else ""
            if link and target and self.judge.is_click(target) and self._modest(link):
                yield self._candidate(link, target)

    def sold(self) -> Iterator[Candidate | None]:
        """Links that an ad server counts, in words too, each with all around it that leads to the same place."""
        for link in self.near.links():
            target = self.document.absolute(link.get("href"))
            if not target or not self.judge.is_sold(target):
                continue
            whole = card(self.document, link, target, self.judge.is_notice)
            worded = len(self.document.text_of(whole, LABEL)) >= LABEL and alone(self.document, link)
            if (worded or _seen(whole)) and self._modest(whole):
                found = self._candidate(whole, target) or self._candidate(link, target)
                self._sold.update([link] if found else ())
                yield found

    def sponsored(self) -> Iterator[Candidate | None]:
        """Banners that the publisher itself says are paid for (`rel=sponsored`): of a size that banners are sold in."""
        for link in self.document.select('a[rel~="sponsored"]') if "sponsored" in self._values.joined("rel") else ():
            target = next(iter(clicks(self.document, link)), "")
            pictures = islice(link.descendants(*PICTURES), _MOST_LOADS)
            banner = any(is_banner(picture, self._loads(picture)) for picture in pictures)
            if banner and target and self.judge.is_elsewhere(target) and self._modest(link):
                yield self._candidate(link, target)

    def shaped(self) -> Iterator[Candidate | None]:
        """Elements that are one ad each by the marks of the network that built them."""
        for element in hidden(self.document, self._ads, values=self._values):
            target = self._target(element, marked=True) or self._payer(element) if self._may_contain(element) else ""
            if target:
                yield self._candidate(element, target, exact=True)

    def _payer(self, element: Element) -> str:
        """The words that say who pays for an ad whose click a script takes; "" where there is a link, or nothing said."""
        if not _seen(element) or any(any(clicks(self.document, each)) for each in _few(element)):
            return ""
        named = (element.first(selector) for selector in self.judge.shapes.sponsors)
        return next((self.document.text_of(words) for words in named if words), "")

    def labelled(self, known: Collection[Element]) -> Iterator[Candidate | None]:
        """Items that say themselves that somebody has paid for them, but for parts of ads that are `known` already."""
        for item in labelled(self.document, self.judge, self._values, known):
            yield self._candidate(item.element, item.target, item=item)

    def own(self) -> list[Span]:
        """Where the publisher's own recommendations stand between ads."""
        return [element.span for element in hidden(self.document, self._own, values=self._values) if element.span]

    def frames(self) -> Iterator[Candidate | None]:
        """Frames whose document is written into the page and holds an ad."""
        for frame in self.document.select("iframe[srcdoc]"):
            span = frame.attribute_span("srcdoc")
            if span and not is_small(frame) and self._holds_written_ad(frame.get("srcdoc")):
                yield Candidate(frame, span, leads_to=str(span.start))

    def containers(self) -> Iterator[Candidate | None]:
        """Elements that lists hide and that do hold an ad: a way elsewhere, and something to look at."""
        for element in hidden(self.document, *self._hiding, values=self._values):
            may = element not in self._sold and self._may_contain(element)
            target = self._target(element) if may else ""
            if not target:
                continue
            cards = self._cards(element)
            for each in cards:
                yield self._candidate(each, self._target(each))
            whole = element if element.tag != "a" or _seen(element) else self._text_ad(element, target)
            if whole and not cards:
                yield self._candidate(whole, target, container=True)

    def _candidate(
        self, element: Element, target: str, *, container: bool = False, exact: bool = False, item: Item | None = None
    ) -> Candidate | None:
        """An element as a candidate; None where it cannot be replaced."""
        span = element.span
        known = self._replaceable.get(element)
        if known is None:
            known = self._replaceable[element] = not element.matches(_FOREIGN) and element.sound(self.document)
        return Candidate(element, span, target, container, exact, item) if span and known else None

    def _link_around(self, picture: Element) -> Element | None:
        """The nearest element around it that a click on it follows."""
        if picture.closest("a[href], [onclick]") is None:
            return None
        for above in islice(picture.ancestors(), CLIMBED):
            if above.tag in NEVER:
                return None
            if (above.tag == "a" and above.has("href")) or above.has("onclick"):
                return above
        return None

    def _loads_ad(self, picture: Element) -> bool:
        kind = _KINDS.get(picture.tag, "image")
        return any(self._is_ad(url, kind) for url in self._loads(picture))

    def _loads(self, picture: Element) -> Iterator[str]:
        # Of several resolutions of one picture the first speaks for all.
        yield from islice(resources(self.document, picture), _MOST_LOADS)
        around = picture.parent if picture.tag == "img" else picture
        if around is not None and around.tag in ("picture", "video"):
            for source in around.descendants("source"):
                yield from islice(resources(self.document, source), 1)

    def _is_ad(self, url: str, kind: str) -> bool:
        known = self._verdicts.get((url, kind))
        if known is None:
            known = self._verdicts[url, kind] = bool(url) and self.judge.is_ad(url, kind)
        return known

    def _holds_written_ad(self, markup: str) -> bool:
        inside = written(self.document, markup)
        if inside is None:
            return False
        search = _Search(inside, self.judge)
        return any(chain(search.sold(), search.pictures(), search.backgrounds()))

    def _may_contain(self, element: Element) -> bool:
        """Whether an element can be an ad at all, and is not the page's own content."""
        span = element.span
        if span is None or element.tag in NEVER or not self._modest(element):
            return False
        size = len(self.document.source)
        return size < _LARGE_PAGE or (span.end - span.start) * 2 < size

    def _modest(self, element: Element) -> bool:
        if element.first(_CONTENT) is not None:
            return False
        return len(self.document.text_of(element, LONGEST_AD_TEXT + 1)) <= LONGEST_AD_TEXT

    def _target(self, element: Element, *, marked: bool = False) -> str:
        """Where a click in a container leads; "" where nothing leads elsewhere or nothing is there to be seen.

        In words to somebody's profile is no more than "follow us", unless the whole is `marked` as an ad.
        """
        if not _seen(element) and len(self.document.text_of(element, 2 * LABEL)) < LABEL:
            return ""
        target = ""
        leading: dict[str, list[Element]] = {}
        for each in _few(element):
            for url in filter(None, clicks(self.document, each)):
                leading.setdefault(url, []).append(each)
        for url, links in leading.items():
            if self._judged(self.judge.is_teaser, url):
                # What it recommends is the publisher's own.
                return ""
            if not target and (self.judge.is_click(url) or self._judged(self.judge.is_elsewhere, url)):
                worded = not marked and self._judged(self.judge.is_profile, url) and not any(map(_seen, links))
                target = "" if worded else url
        return target

    def _judged(self, question: Callable[[str], bool], url: str) -> bool:
        """The judge's word on a URL, asked for once."""
        known = self._said.get((question, url))
        if known is None:
            known = self._said[question, url] = question(url)
        return known

    def _text_ad(self, link: Element, target: str) -> Element | None:
        """All of the ad in words that a link is part of; None for a link within a sentence."""
        return card(self.document, link, target, self.judge.is_notice) if alone(self.document, link) else None

    def _cards(self, element: Element) -> list[Element]:
        """The single ads of a widget that shows several: siblings alike, each with a picture and a way elsewhere."""
        for _ in range(_MOST_DEPTH):
            inner = [(child, self._target(child)) for child in element.children()]
            leading = [(child, target) for child, target in inner if target]
            if len(leading) == 1:
                element = leading[0][0]
                continue
            cards = [child for child, _ in leading if child.span and _seen(child)]
            alike = {(each.tag, each.get("class").split(" ")[0]) for each in cards}
            different = {target for _, target in leading}
            return cards if len(cards) > 1 and len(alike) == 1 and len(different) == len(leading) else []
        return []


def written(document: Document, markup: str) -> Document | None:
    """The document of a `srcdoc`; None where it is too large or too odd to be looked at."""
    if len(markup) > _LONGEST_FRAME:
        return None
    try:
        return parse(markup.encode("latin-1", "xmlcharrefreplace"), document.url, document.charset)
    except Unrewritable:
        return None


def _with_alternatives(picture: Element) -> Element:
    around = picture.parent
    return around if around is not None and around.tag == "picture" and around.span else picture


def _seen(element: Element) -> bool:
    """Whether there is a picture to be seen in it, or behind it."""
    pictures = (each for each in islice(element.descendants(*_LOOKS), _MOST_INSIDE) if not is_small(each))
    return next(pictures, None) is not None or element.first("[style*='url(']") is not None


def _few(element: Element) -> Iterable[Element]:
    yield element
    for number, each in enumerate(element.descendants()):
        if number == _MOST_INSIDE:
            return
        yield each
