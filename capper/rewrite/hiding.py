"""Which elements hide selectors fit, at a cost that hundreds of selectors do not multiply.

Lists bring some 400 selectors for every page, nearly all of the form `a[href^="https://..."]`. What such a selector needs
at least is looked up in the page's own values first; only those that may fit are run.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from capper.markup import Document, Element

_NEED = re.compile(r"\[(href|class|id)([\^*$]?=)\"([^\"\\]+)\"\]")
_TAG = re.compile(r"[A-Za-z][\w-]*")
_OPEN = re.compile(r":(?:not|is|where|has)\(|,")


@dataclass(frozen=True, slots=True)
class _Needy:
    """A selector and an attribute value without which it fits nothing."""

    selector: str
    attribute: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class _Index:
    tags: tuple[str, ...]
    needy: tuple[_Needy, ...]
    rest: tuple[str, ...]


def hidden(document: Document, selectors: Iterable[str]) -> list[Element]:
    """The elements that any of `selectors` fits, each once."""
    index = _index(tuple(selectors))
    found: dict[Element, None] = {}
    if index.tags:
        for root in document.select("html"):
            found.update(dict.fromkeys(root.descendants(*index.tags)))
    for selector in (*_promising(document, index.needy), *index.rest):
        found.update(dict.fromkeys(document.select(selector)))
    return list(found)


@lru_cache(256)
def _index(selectors: tuple[str, ...]) -> _Index:
    tags: list[str] = []
    needy: list[_Needy] = []
    rest: list[str] = []
    for selector in selectors:
        need = None if _OPEN.search(selector) else _NEED.search(selector)
        if _TAG.fullmatch(selector):
            tags.append(selector.lower())
        elif need:
            needy.append(_Needy(selector, *need.groups()))
        else:
            rest.append(selector)
    return _Index(tuple(tags), tuple(needy), tuple(_readable(rest)))


def _readable(selectors: list[str]) -> Iterator[str]:
    """The selectors that can be read, a hundred in one: a single bad one would spoil such a list."""
    good = [selector for selector in selectors if Document.can_select(selector)]
    for start in range(0, len(good), 100):
        yield ",".join(good[start : start + 100])


def _promising(document: Document, needy: tuple[_Needy, ...]) -> Iterator[str]:
    values: dict[str, list[str]] = {}
    for need in needy:
        known = values.get(need.attribute)
        if known is None:
            known = values[need.attribute] = sorted(set(document.values(need.attribute)))
        value, operator = need.value, need.operator
        if operator in ("^=", "="):
            at = bisect_left(known, value)
            fits = at < len(known) and known[at].startswith(value)
        elif operator == "*=":
            fits = any(value in each for each in known)
        else:
            fits = any(each.endswith(value) for each in known)
        if fits:
            yield need.selector
