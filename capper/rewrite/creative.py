"""What the markup inside a bid gives away: HTML, VAST or native JSON, read only as far as is needed."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

from capper.clues import evidence_of_document
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.sighting import Format
from capper.jsontext import loads
from capper.markup import parse

MOST_URLS = 60
LONGEST = 400_000
_URL = re.compile(r"https?:(?:\\?/){2}[^\s\"'<>\\)\]`]+(?:\\/[^\s\"'<>\\)\]`]+)*", re.IGNORECASE)
_VAST = re.compile(r"\s*(?:<\?xml|<VAST\b|<InLine\b|<Wrapper\b|<Ad\b)", re.IGNORECASE)
_CLICK = re.compile(r"<(?:NonLinear)?ClickThrough\b[^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]+)", re.IGNORECASE)
_COMPANION = re.compile(r"<CompanionClickThrough\b[^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]+)", re.IGNORECASE)
_ADVERTISER = re.compile(r"<Advertiser\b[^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,200})", re.IGNORECASE)
_ESCAPED = re.compile(r"(?:%[0-9a-f]{2}|\\x[0-9a-f]{2}|\\(?=[^\w\s]))", re.IGNORECASE)
_SCRIPTED = re.compile(r"(?:click_?(?:url|tag|through)\w{0,8}|landing_?url|clickthrough)[\"']?\s*[:=]\s*[\"'](https?:[^\"']+)", re.IGNORECASE)
_SPONSORED_BY = "1"
"""Native's data asset type of who pays (OpenRTB Native 1.2, section 7.4)."""


@dataclass(frozen=True, slots=True)
class Markup:
    """What was read of a bid's markup."""

    format: Format | None = None
    evidence: Evidence = Evidence()  # noqa: RUF009  immutable
    sponsors: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    """Everything it loads, counts with or leads to."""


def read_markup(values: Iterable[Any], page: str, url: str, *, closely: bool) -> Markup:
    """What the first readable of `values` says; where the advertiser is known already (not `closely`) only its addresses."""
    made = Markup()
    for value in values:
        text = value if isinstance(value, str) else ""
        if len(text) > LONGEST:
            continue
        native = value if isinstance(value, dict) else loads(text)
        if isinstance(native, dict) and (made.format is None):
            made = _native(native, page) or made
        elif _VAST.match(text):
            made = _vast(text, page)
        elif "<" in text:
            made = _html(text, page, url, closely=closely)
        if made.format:
            return made
    return made


def addresses(text: str) -> tuple[str, ...]:
    """The addresses a piece of markup holds."""
    if "http" not in text and "HTTP" not in text:
        return ()
    urls = (unescape(match).replace("\\/", "/") for match in _URL.findall(text))
    return tuple(dict.fromkeys(urls))[:MOST_URLS]


def _vast(text: str, page: str) -> Markup:
    clicks = _CLICK.findall(text) or _COMPANION.findall(text)
    evidence = Evidence(clicks=tuple(map(unescape, clicks[:MOST_URLS])), page=page)
    sponsors = tuple(unescape(name).strip() for name in _ADVERTISER.findall(text))
    return Markup(Format.VIDEO, evidence, sponsors, addresses(text))


def _html(text: str, page: str, url: str, *, closely: bool) -> Markup:
    urls = addresses(text)
    if not closely:
        # The campaign of an ad server is worth knowing beside the advertiser; nothing else of the markup is.
        served = tuple(found for found in urls if "/ddm/" in found)
        return Markup(Format.BANNER, Evidence(resources=served, page=page), urls=urls)
    try:
        evidence = evidence_of_document(parse(text.encode("utf-8", "replace"), url, "utf-8"), page)
    except Unrewritable:
        return Markup(Format.BANNER, Evidence(resources=urls, page=page), urls=urls)
    scripted = tuple(found.replace("\\/", "/") for found in _SCRIPTED.findall(text[:LONGEST]))
    evidence = replace(evidence, clicks=(*evidence.clicks, *scripted)[:MOST_URLS], text="")
    return Markup(Format.BANNER, evidence, urls=urls)


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
    clicks = [each[name] for each in links if isinstance(each, dict) for name in ("url", "fallback") if _is_url(each.get(name))]
    data = [asset["data"] for asset in rows if isinstance(asset.get("data"), dict)]
    sponsors = [
        each["value"]
        for each in data
        if str(each.get("type")) == _SPONSORED_BY and isinstance(each.get("value"), str)
    ]
    videos = [asset["video"].get("vasttag") for asset in rows if isinstance(asset.get("video"), dict)]
    vast = next((_vast(tag, page) for tag in videos if isinstance(tag, str)), Markup())
    urls = [*_urls_of(native), *vast.urls]
    evidence = Evidence(clicks=tuple(clicks) or vast.evidence.clicks, page=page)
    return Markup(Format.NATIVE, evidence, (*sponsors, *vast.sponsors), tuple(dict.fromkeys(urls))[:MOST_URLS])


def _urls_of(native: dict[str, Any]) -> Iterator[str]:
    """What a native ad loads and counts with."""
    for name in ("imptrackers", "eventtrackers", "assets", "jstracker", "link"):
        stack = [native.get(name)]
        while stack:
            value = stack.pop()
            if isinstance(value, str):
                yield from (value,) if _is_url(value) else addresses(value)
            elif isinstance(value, list):
                stack += value[:MOST_URLS]
            elif isinstance(value, dict):
                stack += [inner for key, inner in value.items() if key not in ("ext", "text")]


def _is_url(value: object) -> bool:
    return isinstance(value, str) and value[:8].lower().startswith(("http://", "https://", "//"))
