"""How far an ad reaches around its link: a picture and a headline that lead to one place are one ad, and no more than that is."""

import re
from collections.abc import Callable
from itertools import islice
from urllib.parse import unquote

from capper.clues import clicks
from capper.markup import Document, Element
from capper.remembered import remembered

LONGEST_WORDS = 300
"""The text of an ad that has no picture."""
LABEL = 25
"""Less text than that beside no picture is a word such as Advertisement, not an ad."""
_CARRIED = re.compile(
    r"https?(?::|%(?:25){0,3}3a)(?:/|%(?:25){0,3}2f){2}((?:[\w.-]|%(?:25){0,3}2[de])+)", re.IGNORECASE
)
CLIMBED = 6
MOST_LINKS = 20
NEVER = frozenset(
    [
        "html",
        "head",
        "body",
        "main",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "tr",
        "script",
        "style",
        "noscript",
        "template",
    ]
)
"""Elements that are never a slot of their own."""


def card(document: Document, link: Element, target: str, notice: Callable[[str], bool]) -> Element:
    """The least element around `link` that holds every link to the same place, as far as nothing leads anywhere else.

    The link itself where nothing beside it leads there. `notice` tells links that explain or refuse ads: they do not count.
    """
    whole, count, place, before = link, 1, _end(target), 1
    for above in islice(link.ancestors(), CLIMBED):
        if above.tag in NEVER or len(document.text_of(above, LONGEST_WORDS + 1)) > LONGEST_WORDS:
            break
        links = list(islice(above.descendants("a"), MOST_LINKS + 1))
        if len(links) > MOST_LINKS:
            break
        if len(links) == before:
            continue
        before = len(links)
        ends = [{_end(url) for url in clicks(document, each) if url and not notice(url)} for each in links]
        if any(found and place not in found for found in ends):
            break
        same = sum(place in found for found in ends)
        if same > count:
            whole, count = above, same
    return whole


def alone(document: Document, link: Element) -> bool:
    """Whether a link stands by itself, and not within a sentence, which is the page's own."""
    around, text = link.parent, document.text_of(link)
    return around is not None and len(document.text_of(around, len(text) + 2 * LABEL)) < len(text) + LABEL


@remembered(256)
def _end(url: str) -> str:
    """What tells where a click leads: who counts it, and the site it carries; the address itself where it carries none.

    Each line of a text ad is counted for itself, and each thing in a dynamic banner has a page of its own.
    """
    carried = [unquote(match[1]) for match in _CARRIED.finditer(url, 4)]
    return f"{url.partition('//')[2].partition('/')[0]} {carried[-1]}".lower() if carried else url
