"""Which elements hide selectors fit, at a cost that hundreds of selectors do not multiply.

Lists bring some 400 selectors for every page, nearly all of the form `a[href^="https://..."]`. What such a selector needs
at least is looked up in the page's own values first; only those that may fit are run.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from capper.markup import Document, Element

_NEED = re.compile(r"\[(href|class|id)([\^*$]?=)\"([^\"\\]+)\"\]")
_DATA = re.compile(r"\[(data-[\w-]+)")
_HEAD = len("https://a")
_CAPITAL = re.compile("D(?:ATA|ata)-")
_NAMED = re.compile(r"[\w-]+")
_CLASS = re.compile(r"\A[A-Za-z]*\.([\w-]+)")
_TAG = re.compile(r"[A-Za-z][\w-]*")
_ALONE = re.compile(r"[\w-]+(?:[.#][\w-]+|\[[^\]\"\\]*(?:\"[^\"\\]*\")?\])*")
"""A selector of one element, not of where it stands."""
_OPEN = re.compile(r":(?:not|is|where|has)\(|[,\\]")


@dataclass(frozen=True, slots=True)
class _Index:
    """Selectors by what they cost: bare tags, those a made-up tag begins, those that need something, and the rest.

    `classed` holds selectors under the class that they begin with, `marked` under the name of a `data-` attribute that they
    ask for, `needy` what an attribute needs to hold or end with under (attribute, operator), `begun` what it needs to begin
    with under the attribute.
    An engine knows where the elements of HTML's own tags stand, so the selectors that begin with one are quick alone; the
    others cost less together.
    """

    tags: frozenset[str]
    made_up: tuple[tuple[str, str], ...]
    classed: Mapping[str, Sequence[str]]
    marked: Mapping[str, Sequence[str]]
    needy: Mapping[tuple[str, str], Sequence[tuple[str, str]]]
    begun: Mapping[str, "_Begun"]
    rest: tuple[str, ...]


class _Begun:
    """Pairs (what a value begins with, selector), by as many of its first letters as all of them have, nine at most."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.length = min(_HEAD, *(len(value) for value, _ in pairs))
        self.pairs: dict[str, list[tuple[str, str]]] = {}
        for value, selector in pairs:
            self.pairs.setdefault(value[: self.length], []).append((value, selector))

    def fitting(self, values: Iterable[str]) -> Iterator[str]:
        """The selectors of which one of the values begins as they need it."""
        length, pairs = self.length, self.pairs
        found = sorted({value for value in values if value[:length] in pairs})
        for head in {value[:length] for value in found}:
            for value, selector in pairs[head]:
                at = bisect_left(found, value)
                if at < len(found) and found[at].startswith(value):
                    yield selector


class Values:
    """The values that a document's attributes have, in the forms in which they are looked through, each made once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._joined: dict[str, str] = {}

    @cached_property
    def classes(self) -> set[str]:
        """Every class."""
        return self.document.names("class")

    @cached_property
    def painted(self) -> list[Element]:
        """The elements that load something by their own style."""
        return self.document.select("[style*='url(']")

    @cached_property
    def marks(self) -> set[str]:
        """Every name of a `data-` attribute, and what merely looks like one."""
        source = self.document.source
        if _CAPITAL.search(source):
            source = source.lower()
        # A text is split far quicker than a pattern finds where to begin.
        named = map(_NAMED.match, source.split("data-")[1:])
        return {f"data-{match[0]}" for match in named if match}

    def has(self, attribute: str) -> bool:
        """Whether the document may have the attribute; quicker than looking for it."""
        # The tree is asked for a name in a fifth of the time that its text is searched in.
        return not attribute.startswith("data-") or attribute in self.marks

    def joined(self, attribute: str) -> str:
        """An attribute's different values in one text, each between two zeros: none holds one, so nothing is found across two."""
        if attribute not in self._joined:
            self._joined[attribute] = joined(set(self.document.values(attribute)))
        return self._joined[attribute]


def joined(values: Iterable[str]) -> str:
    """Values in one text, each between two zeros."""
    return "\0".join(("", *values, ""))


def hidden(document: Document, *groups: Iterable[str], values: Values | None = None) -> list[Element]:
    """The elements that any selector of `groups` fits, each once; what each group needs is worked out once."""
    values = values or Values(document)
    found: dict[Element, None] = {}
    for index in (_index(tuple(group)) for group in groups):
        tagged = _tagged(document, index)
        found.update(dict.fromkeys(each for each in tagged if each.tag in index.tags))
        there = {each.tag for each in tagged}
        made_up = (selector for tag, selector in index.made_up if tag in there)
        for selector in (*made_up, *_there(values, index), *_promising(values, index), *index.rest):
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
    marked: dict[str, list[str]] = {}
    needy: dict[tuple[str, str], list[tuple[str, str]]] = {}
    begun: dict[str, list[tuple[str, str]]] = {}
    quick: list[str] = []
    rest: list[str] = []
    for selector in selectors:
        tag, plain = _TAG.match(selector), not _OPEN.search(selector)
        need, name, data = (pattern.search(selector) if plain else None for pattern in (_NEED, _CLASS, _DATA))
        if tag and tag[0] == selector:
            tags.append(selector.lower())
        elif name and Document.can_select(selector):
            classed.setdefault(name[1], []).append(selector)
        elif need and need[2] in ("^=", "="):
            begun.setdefault(need[1], []).append((need[3], selector))
        elif need:
            needy.setdefault((need[1], need[2]), []).append((need[3], selector))
        elif data and Document.can_select(selector):
            marked.setdefault(data[1], []).append(selector)
        elif not tag or not _ALONE.fullmatch(selector):
            rest.append(selector)
        elif "-" in tag[0]:
            made_up.append((tag[0].lower(), selector))
        else:
            quick.append(selector)
    starts = {attribute: _Begun(pairs) for attribute, pairs in begun.items()}
    return _Index(frozenset(tags), tuple(made_up), classed, marked, needy, starts, (*quick, *_together(rest)))


def _together(selectors: list[str]) -> Iterator[str]:
    """The selectors that can be read, a hundred in one: a single bad one would spoil such a list."""
    return _joined([selector for selector in selectors if Document.can_select(selector)])


def _joined(selectors: list[str]) -> Iterator[str]:
    for start in range(0, len(selectors), 100):
        yield ",".join(selectors[start : start + 100])


def _there(values: Values, index: _Index) -> Iterator[str]:
    there = values.classes & index.classed.keys() if index.classed else ()
    marks = values.marks & index.marked.keys() if index.marked else ()
    yield from _joined([selector for name in there for selector in index.classed[name]])
    yield from _joined([selector for name in marks for selector in index.marked[name]])


def _promising(values: Values, index: _Index) -> Iterator[str]:
    for attribute, begun in index.begun.items():
        yield from begun.fitting(values.document.values(attribute))
    for (attribute, operator), needy in index.needy.items():
        text, end = values.joined(attribute), "" if operator == "*=" else "\0"
        yield from (selector for value, selector in needy if f"{value}{end}" in text)
