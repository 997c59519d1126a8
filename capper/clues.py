"""The evidence of an ad that an element, or a whole creative document, gives: where a click leads, what it is made of."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import NamedTuple

from capper.domain.evidence import Evidence
from capper.markup import Document, Element, collapse, parse_fragment, unique


class Shapes(NamedTuple):
    """CSS selectors of what networks build, each the same on every site.

    `ads`: one ad each, whatever stands beside it. `own`: what the publisher itself recommends between them.
    `sponsors`: inside an ad, the words that say who pays.
    """

    ads: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()


MOST_URLS = 60
MOST_ATTRIBUTES = 200
LONGEST_URL = 8192
LONGEST_VALUE = 512
MOST_SPONSORS = 5
LONGEST_SPONSOR = 120
LONGEST_SCRIPT = 400_000

_MEDIA = frozenset(
    [
        "img",
        "iframe",
        "frame",
        "video",
        "audio",
        "source",
        "embed",
        "script",
        "input",
        "amp-img",
        "amp-video",
        "amp-iframe",
    ]
)
_SOURCES: dict[str, frozenset[str] | None] = {
    # Attributes that hold the URL of what an ad is made of, and on which elements (None: on any).
    "src": _MEDIA,
    "data-src": None,
    "data-lazy-src": None,
    "data-original": None,
    "data-lazy": None,
    "data-img-src": None,
    "data-bg": None,
    "poster": None,
    "background": None,
    "data": frozenset(["object"]),
    "href": frozenset(["image"]),
    "xlink:href": frozenset(["image"]),
    "value": frozenset(["param"]),
}
_SETS = frozenset(["srcset", "data-srcset", "data-lazy-srcset", "imagesrcset"])
_KNOWN = frozenset([*_SOURCES, *_SETS, "href", "style"])
_CLICK = re.compile(
    r"(?:data-)?(?:[\w-]*-)?(?:href|link|url|target|click|click-?(?:url|through|tag|tracker|thru)|landing-?(?:page|url)?|lp-?url"
    r"|dest(?:ination)?(?:-?url)?|redirect(?:-?url)?|(?:target|final|adv|out|go)-?url)"
)
_FAR = ("https://", "http://", "//")
_CSS_URL = re.compile(r"url\(\s*(?:\"([^\"]*)\"|'([^']*)'|([^)\s]*))\s*\)", re.IGNORECASE)
_SCRIPT_URL = re.compile(r"https?:(?:\\?/){2}[^\s'\"<>\\)]+(?:\\/[^\s'\"<>\\)]+)*", re.IGNORECASE)
_CLICK_VARIABLE = re.compile(
    # clickTag of HTML5 banners (IAB), and what networks call the same.
    # A macro that is left in place may stand before the address.
    r"\b(?:click_?(?:tag|url|through|thru|macro)\w{0,12}|landing_?(?:page|url)\w{0,8}|dest(?:ination)?_?url|(?:exit|final)_?url)"
    r"[\"']?\s*[:=]\s*[\"'](?:[%$#\[{]{1,2}[\w:]{2,40}[%#\]}]{1,2})?(https?:(?:\\?/|\\(?:x|u00)2f){2}[^\"'\s<>]+)",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\(?:x|u00)([0-9a-f]{2})", re.IGNORECASE)


def evidence_of(document: Document, element: Element, page: str, sponsors: Iterable[str] = ()) -> Evidence:
    """The evidence of an ad in an element and all that is inside it; `page` is the publisher's page.

    `sponsors` are CSS selectors of the words in it that say who pays.
    """
    elements = [element, *_inside(element)]
    led: list[str] = []
    loaded: list[str] = []
    others: list[tuple[str, str]] = []
    for each in elements:
        led += clicks(document, each)
        for name, value in each.attributes():
            if name in _KNOWN:
                loaded += _loaded(document, each.tag, name, value)
            elif value and not name.startswith("on"):
                others.append((name, collapse(document.decode(value[:LONGEST_VALUE]))))
    return Evidence(
        clicks=unique(led, MOST_URLS),
        resources=unique(loaded, MOST_URLS),
        attributes=tuple(others[:MOST_ATTRIBUTES]),
        text=document.text_of(element),
        page=page,
        sponsors=unique((_words(document, element, selector) for selector in _there(element, sponsors)), MOST_SPONSORS),
    )


def _there(element: Element, selectors: Iterable[str]) -> Iterable[str]:
    """The selectors, if any of them fits something inside: one look for all is quicker than one for each."""
    some = tuple(selectors)
    return some if some and element.first(", ".join(some)) else ()


def _words(document: Document, element: Element, selector: str) -> str:
    found = element.first(selector)
    return document.text_of(found, LONGEST_SPONSOR) if found else ""


def evidence_of_document(document: Document, page: str) -> Evidence:
    """The evidence of a document that is an ad as a whole, click targets that its scripts name included."""
    roots = document.select("html")
    found = evidence_of(document, roots[0], page) if roots else Evidence(page=page)
    scripts = [script.raw_text()[:LONGEST_SCRIPT] for script in document.select("script:not([src])")[:MOST_URLS]]
    named = (document.absolute(_unescaped(url)) for text in scripts for url in _CLICK_VARIABLE.findall(text))
    styles = (url for style in document.select("style") for url in css_urls(document, style.raw_text()))
    return Evidence(
        clicks=unique((*found.clicks, *named), MOST_URLS),
        resources=unique((*found.resources, *styles), MOST_URLS),
        attributes=found.attributes,
        text=found.text,
        page=page,
    )


def _unescaped(url: str) -> str:
    r"""An address as a script holds it, without the script's escapes (`\/`, `\x2f`)."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), url[:LONGEST_URL]).replace("\\/", "/")


def clicks(document: Document, element: Element) -> tuple[str, ...]:
    """Where a click on this very element would lead; "" among it where a link leads nowhere."""
    known = document.leads.get(element)
    if known is None:
        known = document.leads[element] = tuple(_clicks(document, element))
    return known


def _clicks(document: Document, element: Element) -> Iterator[str]:
    if element.tag in ("a", "area"):
        yield document.absolute(element.get("href")[:LONGEST_URL])
    for name, value in element.attributes():
        if name in _KNOWN:
            continue
        if name.startswith("on") and "://" in value.replace("\\/", "/"):
            for url in handled(value):
                yield document.absolute(url)
        elif "//" in value and value[:8].lower().startswith(_FAR) and _CLICK.fullmatch(name):
            yield document.absolute(value[:LONGEST_URL])


def handled(script: str) -> Iterator[str]:
    """The addresses in what a handler does."""
    for url in _SCRIPT_URL.findall(script[:LONGEST_URL]):
        yield url.replace("\\/", "/")


def resources(document: Document, element: Element) -> Iterator[str]:
    """What this very element loads."""
    for name, value in element.attributes():
        if name in _KNOWN:
            yield from _loaded(document, element.tag, name, value)


def _loaded(document: Document, tag: str, name: str, value: str) -> Iterable[str]:
    """What an element called `tag` loads by one attribute."""
    if name in _SOURCES:
        tags = _SOURCES[name]
        used = (tags is None or tag in tags) and not value.startswith(("data:", "blob:"))
        return (document.absolute(value[:LONGEST_URL]),) if used else ()
    if name in _SETS:
        return map(document.absolute, _candidates(value))
    if name == "style" and "url(" in value.lower():
        return css_urls(document, value)
    return ()


def css_urls(document: Document, text: str) -> Iterator[str]:
    """The addresses a style names."""
    for match in _CSS_URL.finditer(text[:LONGEST_SCRIPT]):
        value = next((part for part in match.groups() if part), "")
        if not value.startswith("data:"):
            yield document.absolute(value[:LONGEST_URL])


def _candidates(srcset: str) -> Iterator[str]:
    """The URLs of a srcset: a comma may be part of one, white space not (HTML standard, section 4.8.4.2.1)."""
    if len(srcset) > LONGEST_URL * 4:
        return
    for part in re.finditer(r"[,\s]*([^\s]+)[^,]*", srcset):
        url = part[1].rstrip(",")
        if url and not url.startswith("data:"):
            yield url


def _inside(element: Element) -> Iterator[Element]:
    for each in element.descendants():
        yield each
        if each.tag == "noscript":
            # A browser with scripts holds it as text; it is the same ad for one without.
            text = each.raw_text()[:LONGEST_SCRIPT]
            # A saved page may have it escaped once more.
            yield from parse_fragment(unescape(text) if "<" not in text else text).descendants()
