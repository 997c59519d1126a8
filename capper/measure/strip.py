"""A recording without what is private in it: no cookies, no credentials, no bodies, no values of queries; what remains can be shared."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from capper.measure.har import Har, dump

_SAID = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-ranges",
        "access-control-allow-origin",
        "age",
        "cache-control",
        "content-encoding",
        "content-length",
        "content-type",
        "cross-origin-resource-policy",
        "date",
        "expires",
        "last-modified",
        "pragma",
        "purpose",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-purpose",
        "server",
        "timing-allow-origin",
        "transfer-encoding",
        "vary",
        "x-requested-with",
    ]
)
"""Header fields whose values say nothing of who asked; of all others the name alone stays."""
_URLS = frozenset({"referer", "location", "content-location", "origin"})
"""Header fields that hold addresses."""
_KEPT = frozenset(
    {"startedDateTime", "time", "pageref", "request", "response", "cache", "timings", "_resourceType", "_viewer"}
)
"""Of an entry; whatever else a browser writes (initiators with their stacks, socket data, addresses) goes."""
_OF_REQUEST = frozenset({"method", "url", "httpVersion", "headersSize", "bodySize"})
_OF_RESPONSE = frozenset({"status", "statusText", "httpVersion", "headersSize", "bodySize"})


def stripped(har: Har) -> bytes:
    """The recording's entries in a HAR of their own; its pages' titles, comments and browser are left out.

    Names of a query's parameters stay, its values and the fragment go; of a body its type and size stay, of most header fields their names.
    Paths stay: a site that writes a name into one shows it.
    """
    entries = b",\n".join(dump(_entry(har.entry(index))) for index in range(len(har)))
    return (
        b'{"log":{"version":"1.2","creator":{"name":"capper","version":""},"pages":[],"entries":[\n'
        + entries
        + b"\n]}}\n"
    )


def without_values(url: str) -> str:
    """The address with the names of its query's parameters alone, and without a fragment or credentials."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https", "ws", "wss", ""}:
        # A data: URL is a body, a blob: or file: one an address of the person's own.
        return f"{parts.scheme}:"
    # A word without "=" may be a value as well.
    names = "&".join(f"{pair.partition('=')[0]}=" for pair in parts.query.split("&") if "=" in pair)
    return urlunsplit((parts.scheme, host, parts.path, names, ""))


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in entry.items() if name in _KEPT}
    kept["request"] = _request(_object(entry.get("request")))
    kept["response"] = _response(_object(entry.get("response")))
    kept["cache"] = {}
    return kept


def _request(asked: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in asked.items() if name in _OF_REQUEST}
    url = without_values(_text(asked.get("url")))
    names = [pair.partition("=")[0] for pair in urlsplit(url).query.split("&") if pair]
    return kept | {
        "url": url,
        "cookies": [],
        "headers": _headers(asked.get("headers")),
        "queryString": [{"name": name, "value": ""} for name in names],
    }


def _response(answer: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in answer.items() if name in _OF_RESPONSE}
    content = _object(answer.get("content"))
    return kept | {
        "cookies": [],
        "headers": _headers(answer.get("headers")),
        "redirectURL": without_values(_text(answer.get("redirectURL"))),
        "content": {"size": content.get("size", -1), "mimeType": _text(content.get("mimeType"))},
    }


def _headers(fields: object) -> list[dict[str, str]]:
    kept = []
    for field in fields if isinstance(fields, list) else ():
        each = _object(field)
        name, value = _text(each.get("name")), _text(each.get("value"))
        if name.lower() in _URLS:
            value = without_values(value)
        elif name.lower() not in _SAID:
            value = ""
        kept.append({"name": name, "value": value})
    return kept


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
