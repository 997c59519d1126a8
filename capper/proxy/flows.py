"""From mitmproxy's flow to an `Exchange`, and from an `Outcome` back to the flow; nothing else touches a message.

Text is UTF-8 with surrogate escapes both ways, so any byte survives and none raises.
"""

import ipaddress
from datetime import datetime
from http import HTTPStatus
from typing import Final

from mitmproxy import http
from mitmproxy.net.http.url import parse_authority

from capper.domain.exchange import Exchange, Headers, Request, Response
from capper.domain.identity import Viewer

_PORTS: Final = {"http": 80, "https": 443}
_FRAMING: Final = ("transfer-encoding", "content-length")
_NOT_IN_HTTP2: Final = ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
_BODILESS: Final = (204, 304)
_UNSAFE: Final = frozenset(b"\r\n\0")


def exchange_of(flow: http.HTTPFlow, viewer: Viewer, at: datetime, device: str = "") -> Exchange:
    """The exchange a flow's request begins; its body is there once it was read, not while it streams."""
    request = flow.request
    body = request.raw_content or b""
    return Exchange(Request(request.method, url_of(flow), headers_of(request.headers), body), viewer, at, device=device)


def response_of(response: http.Response) -> Response:
    """The origin's response; the body is empty while it has not been read."""
    return Response(response.status_code, headers_of(response.headers), response.raw_content or b"")


def headers_of(headers: http.Headers) -> Headers:
    """Header fields as text, in their order and case."""
    return Headers((_text(name), _text(value)) for name, value in headers.fields)


def url_of(flow: http.HTTPFlow) -> str:
    """The absolute URL that is asked for, by the host the connection really goes to.

    Only where that is a bare address, as in transparent mode, the Host header and then the TLS name say which site.
    """
    request = flow.request
    scheme = request.scheme or "http"
    host = (_named(flow) or request.host).lower()
    name = f"[{host}]" if ":" in host else host
    port = "" if request.port in (_PORTS.get(scheme), 0) else f":{request.port}"
    path = _text(request.data.path)
    return f"{scheme}://{name}{port}{path if path.startswith('/') else '/'}"


def _named(flow: http.HTTPFlow) -> str | None:
    if not _is_address(flow.request.host):
        return None
    try:
        host, _ = parse_authority(flow.request.host_header or "", check=True)
    except ValueError:
        host = ""
    return host or flow.client_conn.sni


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def forward(flow: http.HTTPFlow, request: Request) -> None:
    """Let the flow's request go on as `request`: its path, query and body; whom it asks stays."""
    scheme, _, rest = request.url.partition("://")
    path = rest[rest.find("/") :]
    asked = flow.request
    if scheme and not _UNSAFE.intersection(_bytes(path)):
        asked.data.path = _bytes(path)
    if request.body != (asked.raw_content or b""):
        # The setter of `raw_content` leaves the length as it was.
        asked.raw_content = request.body
        if "content-length" in asked.headers:
            asked.headers["content-length"] = str(len(request.body))


def answer(flow: http.HTTPFlow, response: Response) -> None:
    """Give the flow a response of our own; the origin is not asked."""
    version = "HTTP/2.0" if flow.request.is_http2 else "HTTP/1.1"
    fields = _fields(flow, response, version)
    own = http.Response(version.encode(), response.status, b"", http.Headers(fields), b"", None, 0.0, None)
    own.reason = _reason(response.status, version)
    own.raw_content = response.body
    flow.response = own


def rewrite(flow: http.HTTPFlow, response: Response) -> None:
    """Put `response` in the place of the origin's: everything is made first and assigned at once, the body last."""
    theirs = flow.response
    assert theirs is not None
    fields = _fields(flow, response, theirs.http_version)
    if theirs.status_code != response.status:
        theirs.status_code = response.status
        theirs.reason = _reason(response.status, theirs.http_version)
    theirs.headers = http.Headers(fields)
    theirs.trailers = None
    theirs.raw_content = response.body


def drop_header(message: http.Message, name: bytes) -> None:
    """Leave out every field called `name` (lower case); all others stay byte for byte."""
    fields = message.headers.fields
    if any(field[0].lower() == name for field in fields):
        message.headers.fields = tuple(field for field in fields if field[0].lower() != name)


def _fields(flow: http.HTTPFlow, response: Response, version: str) -> list[tuple[bytes, bytes]]:
    """Header fields on the wire, framed for this body and this version of HTTP."""
    headers = response.headers
    bodiless = flow.request.method.upper() == "HEAD" or response.status in _BODILESS
    if not bodiless:
        headers = headers.without(*_FRAMING[:1]).with_("Content-Length", str(len(response.body)))
    h2 = version.startswith("HTTP/2")
    fields = []
    for name, value in headers.without(*_NOT_IN_HTTP2) if h2 else headers:
        raw = (_bytes(name.lower() if h2 else name), _bytes(value))
        # A line break would let a value write headers or a body of its own.
        if not _UNSAFE.intersection(raw[0]) and not _UNSAFE.intersection(raw[1]):
            fields.append(raw)
    return fields


def _reason(status: int, version: str) -> str:
    try:
        return "" if version.startswith("HTTP/2") else HTTPStatus(status).phrase
    except ValueError:
        return ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
