"""Which elements hide selectors fit, at a cost that hundreds of selectors do not multiply.

Lists bring some 400 selectors for every page, nearly all of the form `a[href^="https://..."]`. What such a selector needs
at least is looked up in the page's own values first; only those that may fit are run.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from capper.markup import Document, Element

_NEED = re.compile(r"\[(href|class|id)([\^*$]?=)\"([^\"\\]+)\"\]")
_CLASS = re.compile(r"[A-Za-z]*\.([\w-]+)")
_TAG = re.compile(r"[A-Za-z][\w-]*")
_ALONE = re.compile(r"[\w-]+(?:[.#][\w-]+|\[[^\]\"\\]*(?:\"[^\"\\]*\")?\])*")
"""A selector of one element, not of where it stands."""
_OPEN = re.compile(r":(?:not|is|where|has)\(|[,\\]")


@dataclass(frozen=True, slots=True)
class _Index:
    """Selectors by what they cost: bare tags, those a made-up tag begins, those that need a class or a value, and the rest.

    `classed` holds selectors under the class that they begin with, `needy` (value, selector) under (attribute, operator).
    An engine knows where the elements of HTML's own tags stand, so the selectors that begin with one are quick alone; the
    others cost less together.
    """

    tags: frozenset[str]
    made_up: tuple[tuple[str, str], ...]
    classed: Mapping[str, Sequence[str]]
    needy: Mapping[tuple[str, str], Sequence[tuple[str, str]]]
    rest: tuple[str, ...]


def hidden(document: Document, *groups: Iterable[str]) -> list[Element]:
    """The elements that any selector of `groups` fits, each once; what each group needs is worked out once."""
    found: dict[Element, None] = {}
    for index in (_index(tuple(group)) for group in groups):
        tagged = _tagged(document, index)
        found.update(dict.fromkeys(each for each in tagged if each.tag in index.tags))
        there = {each.tag for each in tagged}
        made_up = (selector for tag, selector in index.made_up if tag in there)
        for selector in (*made_up, *_classed(document, index), *_promising(document, index), *index.rest):
            found.update(dict.fromkeys(document.select(selector)))
    return list(found)


def _tagged(document: Document, index: _Index) -> list[Element]:
    tags = {*index.tags, *(tag for tag, _ in index.made_up)}
    return [each for root in document.select("html") for each in root.descendants(*tags)] if tags else []


@lru_cache(256)
def _index(selectors: tuple[str, ...]) -> _Index:
    tags: list[str] = []
    made_up: list[tuple[str, str]] = []
    classed: dict[str, list[str]] = {}
    needy: dict[tuple[str, str], list[tuple[str, str]]] = {}
    quick: list[str] = []
    rest: list[str] = []
    for selector in selectors:
        need = None if _OPEN.search(selector) else _NEED.search(selector)
        tag = _TAG.match(selector)
        name = None if _OPEN.search(selector) else _CLASS.match(selector)
        if tag and tag[0] == selector:
            tags.append(selector.lower())
        elif name and Document.can_select(selector):
            classed.setdefault(name[1], []).append(selector)
        elif need:
            needy.setdefault((need[1], need[2]), []).append((need[3], selector))
        elif not tag or not _ALONE.fullmatch(selector):
            rest.append(selector)
        elif "-" in tag[0]:
            made_up.append((tag[0].lower(), selector))
        else:
            quick.append(selector)
    return _Index(frozenset(tags), tuple(made_up), classed, needy, (*quick, *_together(rest)))


def _together(selectors: list[str]) -> Iterator[str]:
    """The selectors that can be read, a hundred in one: a single bad one would spoil such a list."""
    return _joined([selector for selector in selectors if Document.can_select(selector)])


def _joined(selectors: list[str]) -> Iterator[str]:
    for start in range(0, len(selectors), 100):
        yield ",".join(selectors[start : start + 100])


def _classed(document: Document, index: _Index) -> Iterator[str]:
    names = document.names("class") if index.classed else ()
    yield from _joined([selector for name in names for selector in index.classed.get(name, ())])


def _promising(document: Document, index: _Index) -> Iterator[str]:
    for (attribute, operator), needy in index.needy.items():
        values = sorted(set(document.values(attribute)))
        if not values:
            continue
        if operator in ("^=", "="):
            last = len(values) - 1
            for value, selector in needy:
                at = bisect_left(values, value)
                if at <= last and values[at].startswith(value):
                    yield selector
        else:
            # No value holds a zero, so none is found across two of them.
            text, end = "\0".join((*values, "")), "" if operator == "*=" else "\0"
            yield from (selector for value, selector in needy if f"{value}{end}" in text)
