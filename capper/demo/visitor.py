"""A browser as small as can be: a page with its style sheets, pictures and frames, over a proxy, with a cache."""

import ssl
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx

_DESTINATIONS = {("link", "href"): "style", ("img", "src"): "image", ("iframe", "src"): "iframe"}


class Visitor:
    """One device's browser; `async with` it."""

    def __init__(self, proxy: str, certificate: Path, agent: str) -> None:
        trust = ssl.create_default_context(cafile=certificate)
        self._client = httpx.AsyncClient(proxy=proxy, verify=trust, headers={"user-agent": agent}, timeout=30)
        self._cache: dict[str, httpx.Response] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def visit(self, url: str) -> None:
        """Load a page with all that belongs to it.

        Raises:
            httpx.HTTPError: the page or a part of it could not be had.
        """
        await self._load(url, "document", None)

    async def _load(self, url: str, destination: str, page: str | None) -> None:
        response = await self._fetch(url, destination, page)
        if destination in {"document", "iframe"}:
            reader = _Parts()
            reader.feed(response.text)
            for kind, part in reader.parts:
                await self._load(urljoin(url, part), kind, url)

    async def _fetch(self, url: str, destination: str, page: str | None) -> httpx.Response:
        kept = self._cache.get(url)
        if kept is not None and "no-cache" not in kept.headers["cache-control"]:
            return kept
        headers = {"sec-fetch-dest": destination, "accept": "*/*"}
        if page:
            headers["referer"] = _referrer(page, url)
        if kept is not None:
            headers["if-none-match"] = kept.headers["etag"]
        response = await self._client.get(url, headers=headers)
        if response.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
            return kept
        response.raise_for_status()
        if "etag" in response.headers and "no-store" not in response.headers.get("cache-control", "no-store"):
            self._cache[url] = response
        return response


def _referrer(page: str, url: str) -> str:
    """What a browser tells by default: the page to its own site, the site's name alone to others."""
    at = urlsplit(page)
    return page if at.netloc == urlsplit(url).netloc else f"{at.scheme}://{at.netloc}/"


class _Parts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[tuple[str, str]] = []
        self._inert = 0
        """How many templates are open: what they hold is not loaded."""

    def handle_endtag(self, tag: str) -> None:
        self._inert -= tag == "template"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inert += tag == "template"
        if self._inert:
            return
        for name, value in attrs:
            kind = _DESTINATIONS.get((tag, name))
            if kind and value and not value.startswith("data:"):
                self.parts.append((kind, value))
