"""The few pages the proxy itself answers with: what was refused, why, and what to do about it."""

from html import escape
from http import HTTPStatus

from mitmproxy import http

from capper.rewrite.styles import style_source

SAFE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # A page elsewhere that asks for it is told the same as if nobody had answered.
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What each answer of our own says."""
_STYLE = """\
body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1rem;color:#222}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}}"""
_POLICY = f"default-src 'none'; style-src {style_source(_STYLE)}; base-uri 'none'; form-action 'none'"
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head><body><main><h1>{title}</h1><p>{sentence}</p></main><footer><small>capper, the proxy on this network</small></footer></body></html>
"""


def page(status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None) -> http.Response:
    """A page of our own that no cache keeps."""
    title = f"{status.value} {status.phrase}"
    body = _PAGE.format(title=escape(title), sentence=escape(sentence), style=_STYLE).encode(
        "utf-8", "backslashreplace"
    )
    fields = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY, **SAFE, **(headers or {})}
    return http.Response.make(status.value, body, fields)


def refuse(flow: http.HTTPFlow, response: http.Response) -> None:
    """Answer a request with `response` before its body is read.

    A body too large to read just for politeness ends the connection instead: mitmproxy cannot answer what it streams.
    """
    if flow.request.stream or not brief(flow.request):
        flow.kill()  # type: ignore[no-untyped-call]
    else:
        flow.response = response


def brief(request: http.Request) -> bool:
    """Whether the body is small enough to be read."""
    if "transfer-encoding" in request.headers:
        return False
    length = request.headers.get("content-length", "0")
    # HTTP/2 may leave the length out; only methods without a body by custom are sure to have none.
    if request.is_http2 and "content-length" not in request.headers:
        return request.method in {"GET", "HEAD", "OPTIONS"}
    return length.isascii() and length.isdigit() and int(length[:18]) <= 64 * 1024
