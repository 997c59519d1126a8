"""From a response's bytes on the wire to bytes that can be edited, and back; and which responses may be edited at all."""

from collections.abc import Collection
from dataclasses import dataclass

from capper.domain.errors import Unrewritable
from capper.domain.exchange import Exchange, Headers, Request, Response
from capper.rewrite.charset import charset_of
from capper.rewrite.coding import codings_of, put_on, take_off

_MARKUP, _PICTURES = "text/html", "image/"
"""Content types of which capper edits or replaces the body; a trailing slash stands for the whole family.

XHTML is not among them: what is spliced by HTML's rules may not be well-formed by XML's.
"""

ANSWERS = frozenset(
    [
        *("application/json", "text/json", "application/x-json", "text/x-json", "text/plain"),
        *("application/xml", "text/xml", "application/vast+xml", "text/vast+xml", "application/vmap+xml"),
        *("application/x-vast+xml", "video/vast", "video/vast+xml"),
    ]
)
"""Content types that auctions and players are answered in."""
SCRIPTED = ANSWERS | frozenset(
    [
        *("", "text/html", "text/javascript", "application/javascript", "application/x-javascript"),
        *("text/x-javascript", "application/ecmascript", "text/ecmascript", "application/octet-stream"),
    ]
)
"""The same from those who are known to answer so: as a call of a script's (`cb({...})`), or in a type that says nothing true."""
WORDED = frozenset(
    ["text/html", "application/json", "text/json", "text/plain", "application/hal+json", "application/vnd.api+json"]
)
"""Content types of pages, and of what they write their words from."""

_SPEAKING = (
    "ETag",
    "Last-Modified",
    "Content-MD5",
    "Digest",
    "Content-Digest",
    "Repr-Digest",
    "Signature",
    "Signature-Input",
    "Accept-Ranges",
    "Trailer",
    "Age",
    "Surrogate-Control",
    "CDN-Cache-Control",
)
"""Headers that speak of the bytes as the origin sent them, or of copies that others keep."""
_SPECIAL = ("content-range", "content-disposition")
"""Headers that may say that the body is a part, or to be saved as a file."""
_STALE = (
    *_SPEAKING,
    "Transfer-Encoding",
    # Whoever keeps the edited page keeps the decision of one moment.
    "Cache-Control",
    "Expires",
    "Pragma",
)


@dataclass(frozen=True, slots=True)
class Body:
    """A decoded body, the codings it came in and its charset as a Python codec ("" where nothing says so)."""

    data: bytes
    codings: tuple[str, ...] = ()
    charset: str = ""


def editable(request: Request, response: Response) -> bool:
    """Whether the response may be edited, by its headers and the request's alone.

    `Cache-Control: no-transform` does not hold it back: it binds intermediaries (RFC 9110 section 7.7), and capper acts
    for the person as her browser's own extensions do.
    """
    media_type = media_type_of(response)
    return (media_type == _MARKUP or media_type.startswith(_PICTURES)) and _whole(request, response)


def foretold(response: Response) -> bool:
    """Whether its headers hold for whatever is made of its body, so that they may be sent before that is known.

    True of a page that its origin still makes while it sends it: nothing says how long it is, and nobody may keep it.
    """
    headers = response.headers
    if any(name in headers for name in ("Content-Length", "Content-Encoding", *_SPEAKING)):
        return False
    kept = headers.get("Cache-Control").lower()
    return "no-store" in kept or "no-cache" in kept or not (kept or "Expires" in headers)


def answerable(request: Request, response: Response, types: Collection[str] = ANSWERS) -> bool:
    """Whether the response may be an auction's answer or a player's, by its headers and the request's alone."""
    return _whole(request, response) and media_type_of(response) in types


def worded(exchange: Exchange) -> bool:
    """Whether the response may hold words that a page shows, by its media type; a text that says not how long it is may never end."""
    response = exchange.response
    if response is None or not answerable(exchange.request, response, WORDED):
        return False
    bounded = bool(response.body) or "content-length" in response.headers
    return bounded or media_type_of(response) != "text/plain"


def structured(response: Response) -> bool:
    """Whether its type promises a document to be read as a whole: plain text may be a stream that never ends."""
    return media_type_of(response) not in ("", "text/plain")


def _whole(request: Request, response: Response) -> bool:
    if response.status not in (200, 203) or request.method not in ("GET", "POST") or "Range" in request.headers:
        return False
    headers = response.headers
    return not headers.has_any(_SPECIAL) or not (
        "Content-Range" in headers or headers.get("Content-Disposition").strip().lower().startswith("attachment")
    )


def media_type_of(response: Response) -> str:
    """The media type of a response, in lower case."""
    return response.headers.get("Content-Type").partition(";")[0].strip().lower()


def decode(headers: Headers, body: bytes, limit: int, read: bytes | None = None) -> Body:
    """The document in a response's body; `read` where its codings were taken off before.

    Raises:
        Unrewritable: it is damaged, larger than `limit` once decoded, or in a coding or charset that cannot be edited.
    """
    data = unpack(headers, body, limit).data if read is None else read
    return Body(data, codings_of(headers.get("Content-Encoding")), charset_of(headers.get("Content-Type"), data))


def unpack(headers: Headers, body: bytes, limit: int) -> Body:
    """The same for what is no HTML: JSON and XML say themselves how their letters are coded.

    Raises:
        Unrewritable: it is damaged, larger than `limit` once decoded, or in an unknown coding.
    """
    if len(body) > limit:
        raise Unrewritable(f"the body is larger than {limit} bytes")
    codings = codings_of(headers.get("Content-Encoding"))
    return Body(take_off(codings, body, limit), codings)


def encode(body: Body, response: Response, data: bytes) -> Response:
    """`response` with `data` in place of `body`; nothing changed, then `response` itself.

    It comes in the codings it came in. What the headers say of the old bytes goes, and nobody may store the new ones;
    all else, above all the Content-Security-Policy, stays as it was.
    """
    if data is body.data or data == body.data:
        return response
    wire = put_on(body.codings, data)
    headers = response.headers.without(*_STALE).with_("Content-Length", str(len(wire)))
    return response.carrying(wire, headers.with_("Cache-Control", "no-store"))
