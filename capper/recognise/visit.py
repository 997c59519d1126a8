"""What a page of a shop is, told from its address: a product, the cart, the thanks after buying."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qsl, urlsplit

from capper.packaged import packaged_config

KINDS = ("bought", "cart", "product")
_LONGEST = 8192
_MOST_FIELDS = 100
_PARTS = re.compile(r"[/._]+")


def kind_of(url: str) -> str:
    """One of `KINDS`, or "" for any other page. Never raises."""
    if len(url) > _LONGEST:
        return ""
    try:
        parts = urlsplit(url)
        names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)]
    except ValueError:
        return ""
    words = {*_words(parts.path.lower()), *map(str.lower, names)}
    return next((kind for kind, known in _known() if not words.isdisjoint(known)), "")


def _words(path: str) -> Iterator[str]:
    """The path's segments, their beginnings and their single words: `thank-you.html` is `thank-you`, `thank` and `you`."""
    for part in _PARTS.split(path):
        yield part
        yield from part.split("-")


@cache
def _known() -> tuple[tuple[str, frozenset[str]], ...]:
    # It travels with capper: a test reads it.
    table = tomllib.loads((packaged_config() / "visits.toml").read_text("utf-8"))
    return tuple((kind, frozenset(table[kind])) for kind in KINDS)
