"""Which ads of a page have a house ad beside them, for readers who let its site know, and which house ads cannot be used."""

from capper.domain.errors import CapperError
from capper.domain.exchange import Response
from capper.recognise.recogniser import Recogniser
from capper.rewrite.body import decode
from capper.rewrite.html import house, page

_LARGEST = 8 * 1024 * 1024


def declared(response: Response, url: str, recogniser: Recogniser) -> tuple[int, tuple[str, ...]]:
    """How many of the page's ads have one that can be used, and of each other why not."""
    try:
        body = decode(response.headers, response.body, _LARGEST)
        if house.MARK.encode() not in body.data:
            return 0, ()
        found = page.find(body.data, url, recogniser.page(url), body.charset)
    except CapperError:
        return 0, ()
    return sum(slot.house is not None for slot in found.slots), found.refused
