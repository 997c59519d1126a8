"""The pages that a sitemap names (sitemaps.org), or the sitemaps that an index of them names, read from files or fetched."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import urlsplit
from xml.parsers import expat

from capper.domain.errors import ConfigError
from capper.recognise.domains import site_of

MOST_SITEMAPS = 50
"""Of one index, with those of the indexes in it."""
_DEEPEST = 3
_MOST_PAGES = 50_000
"""In one sitemap: what the protocol allows."""
_LARGEST = 50_000_000
"""Bytes of one, unpacked: what the protocol allows."""
_LONGEST = 2_048
_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Pages:
    """Those of a sitemap, each once and in its order, and how many of the addresses in it are of other sites."""

    urls: tuple[str, ...]
    elsewhere: int = 0

    def drawn(self, most: int, seed: int) -> "Pages":
        """At most so many of them, in their order; which ones, the seed decides."""
        if len(self.urls) <= most:
            return self
        chance = Random(seed)  # noqa: S311  which pages are read is no secret
        kept = sorted(chance.sample(range(len(self.urls)), most))
        return Pages(tuple(self.urls[place] for place in kept), self.elsewhere)


def is_sitemap(target: str) -> bool:
    """Whether a page's address or a file's name is that of a sitemap."""
    path = urlsplit(target).path if "://" in target else target
    return path.lower().endswith((".xml", ".xml.gz"))


def pages_of(target: str, fetch: Callable[[str], bytes]) -> Pages:
    """The pages of a sitemap; where it is an index, of the sitemaps in it, of which no more than `MOST_SITEMAPS` are fetched.

    A sitemap that was fetched speaks for its own site alone, as the protocol says.

    Raises:
        ConfigError: it, or one that it lists, cannot be had or read, or it names no page.
    """
    reading = _Reading(fetch)
    reading.read(target, 1)
    if not reading.pages:
        only = f": the {reading.elsewhere:,} in it are of other sites" if reading.elsewhere else ""
        raise ConfigError(f"{target} names no page{only}")
    return Pages(tuple(reading.pages), reading.elsewhere)


@dataclass
class _Reading:
    fetch: Callable[[str], bytes]
    pages: dict[str, None] = field(default_factory=dict)
    elsewhere: int = 0
    seen: set[str] = field(default_factory=set)

    def read(self, target: str, depth: int) -> None:
        if target in self.seen or len(self.seen) > MOST_SITEMAPS:
            return
        self.seen.add(target)
        entries = list(self._own(target, _entries(_plain(self._bytes(target), target), target)))
        for kind, url in entries:
            if kind == "url":
                self.pages.setdefault(url)
            elif depth < _DEEPEST:
                self.read(url, depth + 1)

    def _bytes(self, target: str) -> bytes:
        try:
            return self.fetch(target) if "://" in target else Path(target).read_bytes()
        except OSError as exc:
            raise ConfigError(f"{target} cannot be read: {exc.strerror}") from exc

    def _own(self, target: str, entries: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for kind, url in entries:
            if "://" in target and site_of(url) != site_of(target):
                self.elsewhere += 1
            else:
                yield kind, url


def _entries(data: bytes, target: str) -> Iterator[tuple[str, str]]:
    """What it lists: `url` or `sitemap`, and the address."""
    found: list[tuple[str, str]] = []
    path: list[str] = []
    text: list[str] = []

    def begins(name: str, _: dict[str, str]) -> None:
        path.append(name.rpartition(" ")[2])
        text.clear()

    def said(more: str) -> None:
        if sum(map(len, text)) < _LONGEST:
            text.append(more)

    def ends(_: str) -> None:
        url = "".join(text).strip()
        # A picture's or film's own `loc` is of another namespace, and stands deeper.
        if path[1:] in (["url", "loc"], ["sitemap", "loc"]) and len(url) <= _LONGEST and url.startswith(_WEB):
            if len(found) >= _MOST_PAGES:
                raise ConfigError(f"{target} names more than {_MOST_PAGES:,} pages: that is no sitemap")
            found.append((path[1], url))
        path.pop()
        text.clear()

    def declares(*_: object) -> None:
        raise ConfigError(f"{target} declares entities: that is no sitemap")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = begins, ends
    parser.CharacterDataHandler, parser.EntityDeclHandler = said, declares
    try:
        parser.Parse(data, True)  # noqa: FBT003  expat takes it by place
    except expat.ExpatError as exc:
        raise ConfigError(f"{target} is no sitemap: {expat.ErrorString(exc.code)}, line {exc.lineno}") from exc
    return iter(found)


def _plain(data: bytes, target: str) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        unpacker = zlib.decompressobj(wbits=31)
        found = unpacker.decompress(data, _LARGEST)
    except zlib.error as exc:
        raise ConfigError(f"{target} is damaged: it cannot be unpacked ({exc})") from exc
    if unpacker.unconsumed_tail:
        raise ConfigError(f"{target} unpacks to more than {_LARGEST:,} bytes: that is no sitemap")
    return found
