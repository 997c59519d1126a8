"""What in a document starts by itself: film and sound that nobody asked for, and pictures that move; and whether it is of a product."""

import re

from capper.domain.errors import CapperError
from capper.domain.exchange import Response
from capper.markup import Element, parse
from capper.recognise.picture import measure
from capper.rewrite.body import decode

_LARGEST = 8 * 1024 * 1024
_PLAYER = re.compile(rb"<(?:video|audio)\b", re.IGNORECASE)
_PRODUCT = re.compile(
    rb"""["']@type["']\s*:\s*(?:\[\s*)?["']Product["']|itemtype=["']https?://schema\.org/Product["']"""
    rb"""|property=["']og:type["'][^>]{0,40}content=["'](?:og:)?product["']"""
)
_MOST = 20


def autoplaying(response: Response, url: str) -> list[str]:
    """The address of each film or sound in the document that begins by itself and is not muted."""
    data = _text(response)
    if not _PLAYER.search(data):
        return []
    document = parse(data, url)
    players = document.select("video[autoplay], audio[autoplay]")[:_MOST]
    return [document.absolute(_source(each)) or url for each in players if not each.has("muted")]


def _source(player: Element) -> str:
    inner = None if player.get("src") else player.first("source[src]")
    return (inner or player).get("src")


def product_page(response: Response) -> bool:
    """Whether the page says of itself that it is a product's (schema.org, Open Graph)."""
    return _PRODUCT.search(_text(response)) is not None


def moving(data: bytes) -> bool:
    """Whether a picture has several frames."""
    found = measure(data) if data else None
    return found is not None and found.frames > 1


def _text(response: Response) -> bytes:
    try:
        return decode(response.headers, response.body, _LARGEST).data
    except CapperError:
        return b""
