"""What the markup inside a bid gives away: HTML, VAST or native JSON, read only as far as is needed."""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from capper.clues import LONGEST_URL, LONGEST_VALUE, MOST_ATTRIBUTES, evidence_of_document, handled
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.sighting import Format
from capper.jsontext import loads
from capper.markup import collapse, parse, unique
from capper.rewrite.auction.addresses import LONGEST, MOST_URLS, URL, addresses, host_and_path, is_url, plainly

_VAST = re.compile(r"\s*(?:<\?xml|<VAST\b|<InLine\b|<Wrapper\b|<Ad\b)", re.IGNORECASE)
_NATIVE = re.compile(r"\s*\{\s*\"(?:native|ver|assets|link|imptrackers|eventtrackers|privacy|jstracker)\"")
_TEXT = r"\b[^>]{0,200}>\s*+(?:<!\[CDATA\[\s*+)?"
_CLICK = re.compile(rf"<(?:NonLinear)?ClickThrough{_TEXT}(https?:[^<\]\s]+)", re.IGNORECASE)
_COMPANION = re.compile(rf"<CompanionClickThrough{_TEXT}(https?:[^<\]\s]+)", re.IGNORECASE)
_COUNTED = re.compile(rf"<(?:Impression|Tracking|ClickTracking){_TEXT}(https?:[^<\]\s]+)", re.IGNORECASE)
_ADVERTISER = re.compile(rf"<Advertiser{_TEXT}([^<\]]{{1,200}})", re.IGNORECASE)
_LEADING = re.compile(r"<[a-z][^<>]{0,200}?\s(?:href|on[a-z]{4,10}|data-[a-z-]{2,30})\s*=[^<>]*>", re.IGNORECASE)
_LEADS = {
    "href": re.compile(r"href\s*="),
    "data-": re.compile(r"data-[a-z-]{2,30}\s*="),
    "on": re.compile(r"on[a-z]{4,10}\s*="),
}
"""What makes a tag a leading one; apart, each is searched for by its first letters."""
_PLAIN = re.compile(r"<a(?:\s++[a-z][a-z-]{0,30}+=(?:\"[^\"\r\n]*+\"|'[^'\r\n]*+'))++\s*+>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s([a-z][a-z-]*)=(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'](https?:[^\"']+)", re.IGNORECASE)
_SCRIPTED = re.compile(r"(?:click_?(?:url|tag|through)\w{0,8}|landing_?(?:url|page))[\"']?\s*[:=]\s*$", re.IGNORECASE)
_ADOMAIN = re.compile(r"(?:adomain|advertiserDomains?)\\?[\"']?\s*:\s*(\[[^\]]{3,300}\]|\\?\"[^\"]{3,120}\")")
_WORD = re.compile(r"[\w.:/-]{4,120}")
_BY = re.compile(r"\s*(?:sponsored|presented|promoted) by\s", re.IGNORECASE)
_HARMLESS = frozenset(
    [
        "href",
        "target",
        "rel",
        "class",
        "id",
        "title",
        "style",
        "name",
        "tabindex",
        "aria-label",
        "role",
        "onclick",
        "onmousedown",
        "onmouseup",
        "ontouchend",
        "onmouseover",
        "onmouseout",
    ]
)
"""A link's attributes that are read as plainly as they stand."""
_SPONSORED_BY = "1"
"""Native's data asset type of who pays (OpenRTB Native 1.2, section 7.4)."""


@dataclass(frozen=True, slots=True)
class Markup:
    """What was read of a bid's markup."""

    format: Format | None = None
    evidence: Evidence = Evidence()  # noqa: RUF009  immutable
    declared: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()


_SKIMMED = {form: Markup(form) for form in (None, *Format)}


def skim(sources: Iterable[Any], page: str) -> Markup:
    """The format of a bid whose advertiser is known, and the ad server's addresses: they name the campaign."""
    form: Format | None = None
    served: list[str] = []
    for source in sources:
        text = source if isinstance(source, str) else ""
        if form is None:
            native = _NATIVE.match(text) or (isinstance(source, dict) and "assets" in source)
            form = Format.VIDEO if _VAST.match(text) else Format.NATIVE if native else None
        if "/ddm/" in text:
            served += [plainly(url) for url in URL.findall(text[:LONGEST]) if "/ddm/" in url]
    return Markup(form, Evidence(resources=tuple(served[:MOST_URLS]), page=page)) if served else _SKIMMED[form]


def study(sources: Iterable[Any], page: str, url: str) -> Markup:
    """What the first readable of `sources` says of whose ad it is."""
    for source in sources:
        text = source if isinstance(source, str) and len(source) <= LONGEST else ""
        if _VAST.match(text):
            return _vast(text, page)
        native = source if isinstance(source, dict) else loads(text)
        made = _native(native, page) if isinstance(native, dict) else None
        if made:
            return made
        if "<" in text:
            return _html(text, page, url)
    return Markup()


def _vast(text: str, page: str) -> Markup:
    counting = {host_and_path(found)[0] for found in _COUNTED.findall(text)}
    clicks = _landings(_CLICK.findall(text), counting) or _landings(_COMPANION.findall(text), counting)
    sponsors = tuple(unescape(name).strip() for name in _ADVERTISER.findall(text))
    return Markup(Format.VIDEO, Evidence(clicks=clicks, page=page), sponsors=sponsors)


def _html(text: str, page: str, url: str) -> Markup:
    """Only the tags that lead somewhere are read closely: a bid's markup is mostly scripts and styles."""
    lower = text.lower()
    tags = _leading(text, lower)
    domains = (
        tuple(word for found in _ADOMAIN.findall(text) for word in _WORD.findall(found)) if "omain" in text else ()
    )
    scripted = tuple(_scripted(text)) if "<script" in lower else ()
    evidence = _links(tags, page) or _evidence(tags, page, url)
    if scripted:
        evidence = replace(evidence, clicks=(*evidence.clicks, *scripted)[:MOST_URLS])
    elif not evidence.clicks:
        evidence = replace(evidence, resources=addresses(text))
    return Markup(Format.BANNER, evidence, domains)


def _leading(text: str, lower: str) -> list[str]:
    """The tags that may lead somewhere: those with a link, a handler or data of their own; `lower` is the text so."""
    if len(lower) != len(text):  # a few letters are two in lower case, so places would differ
        return _LEADING.findall(text)[:MOST_URLS]
    places = [place for word, lead in _LEADS.items() for place in _places(lower, word) if lead.match(lower, place)]
    tried: dict[int, re.Match[str] | None] = {}
    for place in sorted(places):
        start = lower.rfind("<", max(0, place - 240), place)
        if start >= 0 and start not in tried:
            tried[start] = _LEADING.match(text, start)
    return [tag[0] for tag in tried.values() if tag][:MOST_URLS]


def _places(text: str, word: str) -> Iterator[int]:
    """Where a word stands; a search for plain letters is faster than any for a pattern that begins with them."""
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _links(tags: Sequence[str], page: str) -> Evidence | None:
    """What a parser would read of tags that are nothing but plain links; None where one is more than that.

    Plain: quoted attributes in ASCII, an address that needs no base, no reference but `&amp;`, others only in handlers.
    """
    clicks: list[str] = []
    attributes: list[tuple[str, str]] = []
    for tag in tags:
        if not tag.isascii() or not _PLAIN.fullmatch(tag):
            return None
        links: list[str] = []
        handlers: list[str] = []
        seen: set[str] = set()
        for name, double, single in _ATTRIBUTE.findall(tag):
            value, small = double or single, name.lower()
            plain = value.replace("&amp;", "&")
            leads = plain[:8].lower().startswith(("http://", "https://")) or plain[:2] == "//"
            if small in seen or small not in _HARMLESS or ("&" in value and unescape(value) != plain):
                return None
            seen.add(small)
            if small == "href":
                if not leads or plain[:2] == "//":
                    return None
                links.append(plain[:LONGEST_URL].strip(" \t\f"))
            elif small.startswith("on"):
                handlers += handled(plain) if "://" in plain.replace("\\/", "/") else ()
            elif leads or "url(" in plain.lower():
                return None
            elif plain and small != "style":
                cut = plain[:LONGEST_VALUE]
                attributes.append((small, cut if cut.isidentifier() else collapse(cut)))
        clicks += (*links, *handlers)
    return Evidence(clicks=unique(clicks, MOST_URLS), attributes=tuple(attributes[:MOST_ATTRIBUTES]), page=page)


def _evidence(tags: Sequence[str], page: str, url: str) -> Evidence:
    """What a parser reads of tags."""
    try:
        source = "".join(f"{tag}</a>" for tag in tags)
        return evidence_of_document(parse(source.encode("utf-8", "replace"), url, "utf-8"), page)
    except Unrewritable:
        return Evidence(page=page)


def _scripted(text: str) -> Iterator[str]:
    """Where a click goes that a script takes: what stands under such a name."""
    for match in _QUOTED.finditer(text):
        if _SCRIPTED.search(text[max(0, match.start() - 40) : match.start()]):
            yield match[1].replace("\\/", "/")


def _landings(urls: Iterable[str], counting: Container[str]) -> tuple[str, ...]:
    """Without clicks that only come by the host that counts the ad's showing: where they then lead is not in them."""
    found = []
    for url in map(unescape, urls):
        host, rest = host_and_path(url)
        counts = host in counting and host.count(".") > 1 and not host.startswith("www.")
        if not counts or len(rest) < 2 or "http" in rest:
            found.append(url)
    return tuple(found[:MOST_URLS])


def _native(value: dict[str, Any], page: str) -> Markup | None:
    """A native ad, bare or under its name; None where the JSON is something else."""
    inner = value.get("native")
    native = inner if isinstance(inner, dict) else value
    link = native.get("link")
    assets = native.get("assets")
    if not isinstance(assets, list) and not isinstance(link, dict):
        return None
    rows = [asset for asset in (assets if isinstance(assets, list) else [])[:50] if isinstance(asset, dict)]
    links = [link, *(asset.get("link") for asset in rows)]
    clicks = [
        each[name] for each in links if isinstance(each, dict) for name in ("url", "fallback") if is_url(each.get(name))
    ]
    data = [asset["data"] for asset in rows if isinstance(asset.get("data"), dict)]
    sponsors = [
        each["value"]
        for each in data
        if isinstance(each.get("value"), str) and (str(each.get("type")) == _SPONSORED_BY or _BY.match(each["value"]))
    ]
    videos = [asset["video"].get("vasttag") for asset in rows if isinstance(asset.get("video"), dict)]
    vast = next((_vast(tag, page) for tag in videos if isinstance(tag, str)), Markup())
    evidence = Evidence(clicks=tuple(clicks) or vast.evidence.clicks, page=page)
    return Markup(Format.NATIVE, evidence, sponsors=(*sponsors, *vast.sponsors))
