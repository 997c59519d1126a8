"""Addresses in a bid's markup: what it loads and counts with."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

MOST_URLS = 60
LONGEST = 400_000
URL = re.compile(r"https?:(?:\\?/){2}(?:\[[\w.:%-]{1,40}\]|[^\s\"'<>\\)\]`]|\\/)+", re.IGNORECASE)
_BARE = re.compile(
    r"[\"'=(]((?:\\?/){2}[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}(?::\d+)?\\?/[^\s\"'<>)]*)", re.IGNORECASE
)
"""An address that takes its page's scheme."""
_BASE64 = re.compile(r"P[A-P][\w+/\s-]{20,}+={0,2}\s*")
"""What begins with `<`, so encoded."""
_LINKS = ('href="', "href='", "href=", 'href=\\"', "href=\\'")
_UNSHOWN = re.compile(r"<(?:(?:companion|nonlinear|icon)?clickthrough|error)\b[^<>]{0,40}>\s*(?:<!\[cdata\[\s*)?$")
"""What stands in VAST before where a click leads, and before who is told that a video could not be shown."""
_URL_SAFE = str.maketrans("+/", "-_", " \t\r\n")


def opened(source: Any) -> Any:
    """A piece of markup as it is meant: percent-encoded or in base64 some bidders send it."""
    if not isinstance(source, str) or source[:1] not in ("%", "P"):
        return source
    if source[:3].lower() == "%3c":
        return unquote(source[: 3 * LONGEST])
    if _BASE64.fullmatch(source):
        try:
            return urlsafe_b64decode(source.translate(_URL_SAFE) + "==").decode("utf-8")
        except ValueError:
            return source
    return source


def addresses(source: Any) -> tuple[str, ...]:
    """What a piece of markup loads and counts with, once it is shown.

    Where its links lead is asked for by whoever follows them, shown or not, and where errors are told only where it was not.
    """
    if isinstance(source, dict):
        return tuple(dict.fromkeys(_urls_of(source)))[:MOST_URLS]
    if not isinstance(source, str) or "//" not in source.replace("\\/", "/"):
        return ()
    return tuple(dict.fromkeys(map(plainly, _found(source[:LONGEST]))))[:MOST_URLS]


def holds_address(source: Any) -> bool:
    """Whether `addresses` finds any; the first is enough."""
    if isinstance(source, str):
        return "//" in source.replace("\\/", "/") and next(_found(source[:LONGEST]), None) is not None
    return bool(addresses(source))


def _found(text: str) -> Iterator[str]:
    for match in URL.finditer(text):
        if not _is_other(text, match.start()):
            yield match[0]
    for match in _BARE.finditer(text):
        if not _is_other(text, match.start(1)):
            yield f"https:{match[1]}"


def plainly(url: str) -> str:
    """An address without the escapes of the script or markup it stood in."""
    return url.replace("\\/", "/").replace("&amp;", "&")


def _is_other(text: str, start: int) -> bool:
    """Whether the address that begins there is asked for without the markup being shown: a link's, an error's."""
    before = text[max(0, start - 60) : start].lower()
    if before.endswith(_LINKS):
        tag = text.rfind("<", max(0, start - 300), start)
        return tag >= 0 and text[tag + 1 : tag + 6].lower().startswith(("a ", "a\n", "a\t", "a\r", "area"))
    return _UNSHOWN.search(before) is not None


def _urls_of(native: dict[str, Any]) -> Iterator[str]:
    """What a native ad loads and counts with."""
    inner = native.get("native")
    native = inner if isinstance(inner, dict) else native
    for name in ("imptrackers", "eventtrackers", "assets", "jstracker"):
        stack = [native.get(name)]
        while stack:
            value = stack.pop()
            if isinstance(value, str):
                yield from (value,) if is_url(value) else addresses(value)
            elif isinstance(value, list):
                stack += value[:MOST_URLS]
            elif isinstance(value, dict):
                stack += [inner for key, inner in value.items() if key not in ("ext", "text", "link")]


def is_url(value: object) -> bool:
    return isinstance(value, str) and value[:8].lower().startswith(("http://", "https://", "//"))


def host_and_path(url: str) -> tuple[str, str]:
    """The host of an address, and what follows it."""
    host, slash, rest = url.strip().partition("://")[2].partition("/")
    return host.rpartition("@")[2].partition(":")[0].lower(), slash + rest
