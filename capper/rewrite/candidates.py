"""Which elements of a page may be ads: pictures and links that lists or networks give away, and containers that lists hide."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from capper.clues import clicks, resources
from capper.domain.errors import Unrewritable
from capper.markup import Document, Element, Span, parse, unique
from capper.rewrite.base import Judge
from capper.rewrite.hiding import hidden
from capper.rewrite.sizes import is_small

LONGEST_AD_TEXT = 1500
"""More text than that is an article, not an ad."""
_LARGE_PAGE = 20_000
_LONGEST_FRAME = 500_000
_LABEL = 25
"""Less text than that beside no picture is a word such as Advertisement, not an ad."""
_LONGEST_WORDS = 300
"""The text of an ad that has no picture."""
_MOST_INSIDE = 600
_MOST_DEPTH = 20
_MOST_CLIMBED = 6
_MOST_LOADS = 3

_LONGEST_LOOK = 4096
_TELLING_WORDS = tuple(
    "webad textad annons anzeige affil banner spons promo reklam werbung publicit campag campai mainos".split()  # noqa: SIM905
)
_TELLING = (
    # Each begins with letters of its own, by which `re` finds where to look.
    re.compile(r"ad(?<![a-z]ad)(?:s|v|vert\w*|server|image|img|pic|s?\d+)?(?![a-z])"),
    re.compile(r"aff(?<![a-z]aff)(?![a-z])"),
    re.compile(r"x(?<=(?:728|300|160|320|970|468|336|980)x)\d"),
)
"""What the address of an ad's picture on the publisher's own site has in it: EasyList's own rules for such are of these."""
_ABSOLUTE = re.compile(r"\s*(?:https?:)?//([^/?#\\\s]+)", re.IGNORECASE)
_FILES = (
    "src",
    "srcset",
    "data-src",
    "data-srcset",
    "data-original",
    "data-lazy-src",
    "data-lazy-srcset",
    "data-lazy",
    "data",
    "poster",
)
_CARRYING = ("http", "ahr0c", "crd=")

_KINDS = {"video": "media", "object": "object", "embed": "object"}
_PICTURES = ("img", "video", "object", "embed", "input", "amp-img")
_CLICKED = ", ".join(f"[onclick] {tag}, {tag}[onclick]" for tag in _PICTURES)
_LOOKS = ("img", "video", "object", "embed", "svg", "canvas", "amp-img")
_CONTENT = "main, article, h1, form, textarea, select, nav, header, footer, [itemprop=articleBody], [role=main]"
_NEVER = frozenset(
    [
        "html",
        "head",
        "body",
        "main",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "tr",
        "script",
        "style",
        "noscript",
        "template",
    ]
)
_FOREIGN = frozenset(["template", "svg", "math", "noscript"])


@dataclass(frozen=True, slots=True)
class Candidate:
    """An element that may be a slot, the bytes that would change, and what it leads to.

    `container` says that a list hides it, so that it may hold several ads.
    """

    element: Element
    span: Span
    leads_to: str = ""
    container: bool = False


def candidates(document: Document, judge: Judge) -> list[Candidate]:
    """The elements that are ads and can be replaced, none within another, in document order."""
    search = _Search(document, judge)
    searches = (search.containers(), search.frames(), search.pictures(), search.backgrounds())
    found = {each.span: each for each in chain.from_iterable(searches)}
    ordered = sorted(found.values(), key=lambda each: (each.span.start, -each.span.end))
    return list(_outermost(ordered, _MOST_DEPTH))


def _outermost(ordered: list[Candidate], depth: int) -> Iterator[Candidate]:
    """Of nested candidates the outermost, unless it is a container of several ads: then these."""
    at = 0
    while at < len(ordered):
        outer = ordered[at]
        at += 1
        inner = []
        while at < len(ordered) and ordered[at].span.start < outer.span.end:
            inner.append(ordered[at])
            at += 1
        parts = list(_outermost(inner, depth - 1)) if outer.container and depth and len(inner) > 1 else []
        if len({part.leads_to for part in parts}) > 1:
            yield from parts
        else:
            yield outer


class _Search:
    def __init__(self, document: Document, judge: Judge) -> None:
        self.document = document
        self.judge = judge
        self._verdicts: dict[tuple[str, str], bool] = {}
        self._based_elsewhere = judge.is_elsewhere(document.base)
        self._elsewhere: dict[str, bool] = {}
        self._replaceable: dict[Element, bool] = {}

    def pictures(self) -> Iterator[Candidate]:
        """Pictures that lists call ads, or whose link an ad network takes; with their link where it holds little else."""
        for picture in self._promising():
            if is_small(picture):
                continue
            link = self._link_around(picture)
            target = next(iter(clicks(self.document, link)), "") if link else ""
            if target and self.judge.is_teaser(target):
                continue
            if self._loads_ad(picture) or (target and self.judge.is_click(target)):
                whole = link if link and link.span and self._modest(link) else _with_alternatives(picture)
                yield from self._candidate(whole, target)

    def _promising(self) -> Iterator[Element]:
        """The pictures worth a closer look, by their attributes as written: a page has hundreds, and none or ten are ads.

        A picture of the page's own site whose address has no telling word is left to its own request, which names it too.
        """
        found = dict.fromkeys((*self._linked(), *self._told(), *self._handled(), *self._styled()))
        return (each for each in found if _is_picture(each))

    def _linked(self) -> Iterator[Element]:
        """What stands in a link that may be counted on its way."""
        covered: set[Element] = set()
        for link in self.document.holding("href", self._counted(self.document.values("href"))):
            if link.tag != "a" or link in covered:
                continue
            for each in link.descendants("a", *_PICTURES):
                if each.tag == "a":
                    covered.add(each)
                else:
                    yield each

    def _counted(self, hrefs: Iterable[str]) -> set[str]:
        """The links, as written, that may be counted on their way: they lead elsewhere, or carry where they go."""
        different = set(hrefs)
        found = {href for href in different if "//" in href and self._leads_elsewhere(href)}
        text = "\0".join(different).lower()
        if any(sign in text for sign in _CARRYING):
            found.update(href for href in different - found if _carries(href))
        return found

    def _told(self) -> Iterator[Element]:
        """What has a file that may be an ad's, or an alternative that has."""
        for name in _FILES:
            files = self.document.values(name)
            for each in self.document.holding(name, self._telling(files)) if files else ():
                around = each.closest("picture, video") if each.tag == "source" else each
                if around is not None and around.tag == "picture":
                    yield from around.descendants(*_PICTURES)
                elif around is not None:
                    yield around

    def _telling(self, files: Iterable[str]) -> set[str]:
        """The files, as written, that come from elsewhere or have a telling word in their address."""
        looks = {file: file[:_LONGEST_LOOK].lower() for file in set(files)}
        text = "\0".join(("", *looks.values(), ""))
        worded = _pieces(text, _places(text))
        if not (worded or self._based_elsewhere or "//" in text):
            return set()
        return {file for file, look in looks.items() if look in worded or self._is_far(look)}

    def _is_far(self, file: str) -> bool:
        at = file.find("//")
        return self._based_elsewhere if at < 0 else self._leads_elsewhere(file[at:])

    def _handled(self) -> list[Element]:
        """What a script may take somewhere."""
        return self.document.select(_CLICKED) if self.document.values("onclick") else []

    def _styled(self) -> Iterator[Element]:
        """Pictures that show one more as their background."""
        return (each for each in self.document.select("[style*='url(']") if each.tag in _PICTURES)

    def _leads_elsewhere(self, url: str) -> bool:
        """Whether a URL names a host, and one elsewhere as the judge says, who is asked once for each."""
        match = _ABSOLUTE.match(url)
        if match is None:
            return False
        host = match[1]
        known = self._elsewhere.get(host)
        if known is None:
            known = self._elsewhere[host] = self.judge.is_elsewhere(f"http://{host}/")
        return known

    def backgrounds(self) -> Iterator[Candidate]:
        """Links that an ad network takes and that show their picture as a background."""
        links = dict.fromkeys(each.closest("a[href]") for each in self.document.select("a[href] [style*='url(']"))
        for link in links:
            target = next(iter(clicks(self.document, link)), "") if link else ""
            if link and target and self.judge.is_click(target) and self._modest(link):
                yield from self._candidate(link, target)

    def frames(self) -> Iterator[Candidate]:
        """Frames whose document is written into the page and holds an ad."""
        for frame in self.document.select("iframe[srcdoc]"):
            span = frame.attribute_span("srcdoc")
            if span and not is_small(frame) and self._holds_written_ad(frame.get("srcdoc")):
                yield Candidate(frame, span, leads_to=str(span.start))

    def containers(self) -> Iterator[Candidate]:
        """Elements that lists hide and that do hold an ad: a way elsewhere, and something to look at."""
        selectors = self.judge.selectors(self.document.names("class"), self.document.names("id"))
        for element in hidden(self.document, *selectors):
            target = self._target(element) if self._may_contain(element) else ""
            if not target:
                continue
            cards = self._cards(element)
            for card in cards:
                yield from self._candidate(card, self._target(card))
            whole = element if element.tag != "a" or _seen(element) else self._text_ad(element, target)
            if whole and not cards:
                yield from self._candidate(whole, target, container=True)

    def _candidate(self, element: Element, target: str, *, container: bool = False) -> Iterator[Candidate]:
        span = element.span
        known = self._replaceable.get(element)
        if known is None:
            foreign = any(above.tag in _FOREIGN for above in element.ancestors())
            known = self._replaceable[element] = not foreign and element.sound(self.document)
        if span and known:
            yield Candidate(element, span, target, container)

    def _link_around(self, picture: Element) -> Element | None:
        """The nearest element around it that a click on it follows."""
        for above in islice(picture.ancestors(), _MOST_CLIMBED):
            if above.tag in _NEVER:
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
        return inside is not None and bool(list(_Search(inside, self.judge).pictures()))

    def _may_contain(self, element: Element) -> bool:
        """Whether an element can be an ad at all, and is not the page's own content."""
        span = element.span
        if span is None or element.tag in _NEVER or not self._modest(element):
            return False
        size = len(self.document.source)
        return size < _LARGE_PAGE or (span.end - span.start) * 2 < size

    def _modest(self, element: Element) -> bool:
        if element.first(_CONTENT) is not None:
            return False
        return len(self.document.text_of(element, LONGEST_AD_TEXT + 1)) <= LONGEST_AD_TEXT

    def _target(self, element: Element) -> str:
        """Where a click in a container leads; "" where nothing leads elsewhere or nothing is there to be seen."""
        if not _seen(element) and len(self.document.text_of(element, 2 * _LABEL)) < _LABEL:
            return ""
        target = ""
        for url in unique((url for each in _few(element) for url in clicks(self.document, each)), _MOST_INSIDE):
            if self.judge.is_teaser(url):
                # What it recommends is the publisher's own.
                return ""
            if not target and (self.judge.is_elsewhere(url) or self.judge.is_click(url)):
                target = url
        return target

    def _text_ad(self, link: Element, target: str) -> Element | None:
        """All of the ad in words that a link is part of; None for a link within a sentence, which is the page's own."""
        whole = link if self._alone(link) else None
        for above in islice(link.ancestors(), _MOST_CLIMBED if whole else 0):
            if above.tag in _NEVER or len(self.document.text_of(above, _LONGEST_WORDS + 1)) > _LONGEST_WORDS:
                break
            links = list(above.descendants("a"))
            if any(target not in clicks(self.document, each) or not self._alone(each) for each in links):
                break
            if len(links) > 1:
                whole = above
        return whole

    def _alone(self, link: Element) -> bool:
        around, text = link.parent, self.document.text_of(link)
        return around is not None and len(self.document.text_of(around, len(text) + 2 * _LABEL)) < len(text) + _LABEL

    def _cards(self, element: Element) -> list[Element]:
        """The single ads of a widget that shows several: siblings alike, each with a picture and a way elsewhere."""
        for _ in range(_MOST_DEPTH):
            inner = [(child, self._target(child)) for child in element.children()]
            leading = [(child, target) for child, target in inner if target]
            if len(leading) == 1:
                element = leading[0][0]
                continue
            cards = [child for child, _ in leading if child.span and _seen(child)]
            alike = {(card.tag, card.get("class").split(" ")[0]) for card in cards}
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


def _places(text: str) -> Iterator[int]:
    """Where telling words stand in a text in lower case."""
    for word in _TELLING_WORDS:
        at = text.find(word)
        while at >= 0:
            yield at
            at = text.find(word, at + len(word))
    for pattern in _TELLING:
        yield from (match.start() for match in pattern.finditer(text))


def _pieces(text: str, places: Iterable[int]) -> set[str]:
    """The pieces of a text, each between two zeros, in which `places` are."""
    return {text[text.rindex("\0", 0, at) + 1 : text.index("\0", at)] for at in places}


def _carries(href: str) -> bool:
    """Whether a link carries where it goes, as one does that is counted on its way."""
    text = href.lower()
    return text.find("http", 4) >= 0 or "ahr0c" in text or "crd=" in text


def _is_picture(element: Element) -> bool:
    return element.tag in _PICTURES and (element.tag != "input" or element.get("type").lower() == "image")


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
