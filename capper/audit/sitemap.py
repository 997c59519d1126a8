"""The pages that a sitemap names (sitemaps.org), read from a file or fetched."""

import re
import zlib
from collections.abc import Callable
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

from capper.domain.errors import ConfigError

MOST = 500
"""Pages: whoever has more chooses."""
_LARGEST = 50_000_000
_LOC = re.compile(rb"<loc>\s*(?:<!\[CDATA\[)?\s*(https?://[^\s<\]]{1,2000})", re.IGNORECASE)
_INDEX = re.compile(rb"<sitemapindex[\s>]", re.IGNORECASE)


def is_sitemap(target: str) -> bool:
    """Whether a page's address or a file's name is that of a sitemap."""
    path = urlsplit(target).path if "://" in target else target
    return path.lower().endswith((".xml", ".xml.gz"))


def pages_of(target: str, fetch: Callable[[str], bytes]) -> list[str]:
    """The pages, in the sitemap's order, each once.

    Raises:
        ConfigError: it cannot be had, or names no page.
    """
    try:
        data = fetch(target) if "://" in target else Path(target).read_bytes()
    except OSError as exc:
        raise ConfigError(f"{target} cannot be read: {exc.strerror}") from exc
    data = _plain(data, target)
    if _INDEX.search(data):
        raise ConfigError(f"{target} is an index of sitemaps: name one of those it lists")
    found = list(dict.fromkeys(unescape(each.decode("utf-8", "replace")) for each in _LOC.findall(data)))
    if not found:
        raise ConfigError(f"{target} is no sitemap: no <loc> in it names a page")
    if len(found) > MOST:
        raise ConfigError(
            f"{target} names {len(found):,} pages, more than the {MOST} that one audit visits: name those that matter"
        )
    return found


def _plain(data: bytes, target: str) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        unpacker = zlib.decompressobj(wbits=31)
        return unpacker.decompress(data, _LARGEST)
    except zlib.error as exc:
        raise ConfigError(f"{target} is damaged: it cannot be unpacked ({exc})") from exc
