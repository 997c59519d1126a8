"""What sort of resource an exchange is, whether it is fetched on suspicion only, and which page asked for it: by tables."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from capper.recognise.domains import host_of
from capper.remembered import remembered

if TYPE_CHECKING:
    from capper.domain.exchange import Exchange, Headers, Request

UNKNOWN_SOURCE = "https://unknown.invalid/"
"""The page of a request that names none: filter engines read an empty source as every site at once."""


class Kind(StrEnum):
    """A resource type, in the words filter lists use."""

    DOCUMENT = "document"
    SUBDOCUMENT = "subdocument"
    STYLESHEET = "stylesheet"
    SCRIPT = "script"
    IMAGE = "image"
    FONT = "font"
    MEDIA = "media"
    OBJECT = "object"
    XHR = "xhr"
    WEBSOCKET = "websocket"
    PING = "ping"
    OTHER = "other"

    __hash__ = str.__hash__  # an enum's own is written in Python, and a kind is looked up again and again


def _table(words: Mapping[Kind, str]) -> dict[str, Kind]:
    return {word: kind for kind, line in words.items() for word in line.split()}


BROWSER_WORDS = _table(
    # HAR `_resourceType` and DevTools `ResourceType` (Chrome), `cause` (Firefox), WebExtensions, WebDriver BiDi.
    {
        Kind.DOCUMENT: "document main_frame navigation",
        Kind.SUBDOCUMENT: "subdocument sub_frame iframe frame fencedframe objectsubdoc",
        Kind.STYLESHEET: "stylesheet style css xslt",
        Kind.SCRIPT: "script js worker sharedworker serviceworker module",
        Kind.IMAGE: "image img imageset favicon",
        Kind.FONT: "font",
        Kind.MEDIA: "media audio video texttrack track",
        Kind.OBJECT: "object embed object_subrequest plugin",
        Kind.XHR: "xhr fetch xmlhttprequest eventsource json",
        Kind.WEBSOCKET: "websocket",
        Kind.PING: "ping beacon",
        Kind.OTHER: "other prefetch preload manifest webmanifest web_manifest preflight csp csp_report cspreport "
        "cspviolationreport signedexchange webtransport fedcm speculative dtd xml_dtd xbl saveas_download",
    }
)

DESTINATIONS = _table(
    # Every destination of the Fetch standard (section 2.2.5); `empty` is fetch(), XMLHttpRequest, sendBeacon, EventSource.
    {
        Kind.DOCUMENT: "document",
        Kind.SUBDOCUMENT: "iframe frame fencedframe",
        Kind.STYLESHEET: "style xslt",
        Kind.SCRIPT: "script worker sharedworker serviceworker audioworklet paintworklet sharedstorageworklet",
        Kind.IMAGE: "image",
        Kind.FONT: "font",
        Kind.MEDIA: "audio video track",
        Kind.OBJECT: "object embed",
        Kind.XHR: "empty fetch xhr json text",
        Kind.WEBSOCKET: "websocket",
        Kind.PING: "ping",
        Kind.OTHER: "manifest report speculationrules webidentity",
    }
)

MEDIA_TYPES = _table(
    {
        Kind.SUBDOCUMENT: "text/html application/xhtml+xml",
        Kind.STYLESHEET: "text/css",
        Kind.SCRIPT: "text/javascript application/javascript application/x-javascript text/x-javascript "
        "application/ecmascript text/ecmascript text/jscript application/wasm",
        Kind.FONT: "application/font-woff application/font-woff2 application/x-font-woff application/x-font-ttf "
        "application/x-font-otf application/x-font-truetype application/vnd.ms-fontobject application/font-sfnt",
        Kind.MEDIA: "application/vnd.apple.mpegurl application/x-mpegurl application/dash+xml application/ogg",
        Kind.OBJECT: "application/x-shockwave-flash application/futuresplash application/pdf",
        Kind.XHR: "application/json text/json application/xml text/xml application/x-protobuf application/ld+json "
        "text/event-stream application/x-ndjson application/grpc-web application/vast+xml",
        Kind.PING: "text/ping",
    }
)
_FAMILIES = {"image": Kind.IMAGE, "font": Kind.FONT, "video": Kind.MEDIA, "audio": Kind.MEDIA}

EXTENSIONS = _table(
    {
        Kind.SUBDOCUMENT: "html htm xhtml shtml",
        Kind.STYLESHEET: "css",
        Kind.SCRIPT: "js mjs wasm",
        Kind.IMAGE: "gif png jpg jpeg webp avif svg ico bmp jxl",
        Kind.FONT: "woff woff2 ttf otf eot",
        Kind.MEDIA: "mp4 webm mp3 m4a m4v ogg ogv oga wav flac m3u8 mpd ts aac vtt",
        Kind.OBJECT: "swf",
        Kind.XHR: "json xml",
    }
)

_PREFETCH_FIELDS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_PREFETCH_WORDS = ("prefetch", "prerender", "preview")
_LONGEST_KEPT = 2_048
_MARKS = ("upgrade", "ping-to", "ping-from", "x-requested-with")


def kind_of(exchange: "Exchange") -> Kind:
    """The resource type, from the surest word there is: the browser's own, its Fetch metadata, media types, the name.

    Chrome calls a frame's page `document` too, so there Fetch metadata is asked first. A page without Fetch metadata is
    a frame when a page of another host refers to it.
    """
    request, headers = exchange.request, exchange.request.headers
    named = BROWSER_WORDS.get((exchange.kind or "").strip().lower())
    fetched = DESTINATIONS.get(headers.get("Sec-Fetch-Dest").strip().lower())
    if named is Kind.DOCUMENT and fetched in (Kind.DOCUMENT, Kind.SUBDOCUMENT):
        return fetched
    if named is not None and named is not Kind.DOCUMENT:
        return named
    marked = _marked(request)
    if marked is not None:
        return marked
    if fetched is not None:
        return fetched
    kind = named or _by_accept(headers) or _by_answer(exchange) or _by_name(request.url) or Kind.OTHER
    if kind in (Kind.DOCUMENT, Kind.SUBDOCUMENT):
        return Kind.SUBDOCUMENT if _asked_from_elsewhere(request) else Kind.DOCUMENT
    return kind


def is_prefetch(request: "Request") -> bool:
    """Whether the browser fetches this before anyone has asked to see it (Sec-Purpose and its forerunners)."""
    headers = request.headers
    if not headers.has_any(_PREFETCH_FIELDS):
        return False
    said = (headers.get(name).lower() for name in _PREFETCH_FIELDS)
    return any(word in value for value in said for word in _PREFETCH_WORDS)


def is_own_visit(request: "Request", destinations: Collection[str] = ("document",)) -> bool:
    """Whether a person's own click or key led here, seconds ago: a page cannot say so by itself, and browsers tell secure hosts only."""
    headers = request.headers
    return (
        request.method == "GET"
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-user") == "?1"
        and headers.get("sec-fetch-dest") in destinations
    )


def source_of(exchange: "Exchange") -> str:
    """The page that asked: Referer, else Origin, else `UNKNOWN_SOURCE`; always an http(s) URL with a host."""
    headers = exchange.request.headers
    named = headers.get("referer"), headers.get("origin")
    # A page asks for dozens of files; longer addresses must not fill the cache.
    return _source_of(*named) if len(named[0]) + len(named[1]) <= _LONGEST_KEPT else _source(*named)


def _source(*named: str) -> str:
    return next((page for value in named if _host(page := value.strip())), UNKNOWN_SOURCE)


_source_of = remembered(1_024)(_source)


def _marked(request: "Request") -> Kind | None:
    """Requests whose own fields say what they are, whatever their destination."""
    headers = request.headers
    if request.url[:4].lower().startswith(("ws:", "wss:")):
        return Kind.WEBSOCKET
    if not headers.has_any(_MARKS):
        return None
    if headers.get("Upgrade").strip().lower() == "websocket":
        return Kind.WEBSOCKET
    if "Ping-To" in headers or "Ping-From" in headers:
        return Kind.PING
    return Kind.XHR if headers.get("X-Requested-With").lower() == "xmlhttprequest" else None


def _by_accept(headers: "Headers") -> Kind | None:
    """What the browser hopes for, where its first choice says so; `*/*` says nothing."""
    return _by_media_type(headers.get("Accept").partition(",")[0])


def _by_answer(exchange: "Exchange") -> Kind | None:
    return _by_media_type(exchange.response.headers.get("Content-Type")) if exchange.response else None


def _by_media_type(text: str) -> Kind | None:
    essence = text.partition(";")[0].strip().lower()
    return MEDIA_TYPES.get(essence) or _FAMILIES.get(essence.partition("/")[0])


def _by_name(url: str) -> Kind | None:
    path = url.partition("?")[0].partition("#")[0]
    last = path.rpartition("/")[2]
    return EXTENSIONS.get(last.rpartition(".")[2].lower()) if "." in last and path.count("/") > 2 else None


def _asked_from_elsewhere(request: "Request") -> bool:
    referrer = _host(request.headers.get("Referer").strip())
    return bool(referrer) and referrer != _host(request.url)


def _host(url: str) -> str:
    """The lower-case host of an http(s) URL, "" for anything else."""
    return host_of(url) if url[:8].lower().startswith(("https://", "http://")) else ""
