"""Which elements hide selectors fit, at a cost that hundreds of selectors do not multiply.

Lists bring some 400 selectors for every page, nearly all of the form `a[href^="https://..."]`. What such a selector needs
at least is looked up in the page's own values first; only those that may fit are run.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from capper.markup import Document, Element
from capper.remembered import remembered
from capper.rewrite.html.presence import words

_NEED = re.compile(r"\[(href|class|id)([\^*$]?=)\"([^\"\\]+)\"\]")
_SHORT = 5
"""Names of attributes that are no longer stand on every page, and take a search through its bytes longer than all others."""
_ATTRIBUTE = re.compile(rf"\[([A-Za-z0-9_-]{{{_SHORT + 1},}})(?=[\]=~|^$*])")
_FORMS = {"^=": "\0{}", "$=": "{}\0", "=": "\0{}\0", "*=": "{}"}
"""What a text of values has in it, each between two zeros, if one of them is as a selector needs it."""
_SIMPLE = re.compile(r"[.#][A-Za-z_][\w-]*")
_CLASS = re.compile(r"\A[A-Za-z]*\.([\w-]+)")
_CLASSES = re.compile(r"\"[^\"]*\"|\[[^\]\"]*|\.([\w-]+)")
_TAG = re.compile(r"[A-Za-z][\w-]*")
_ALONE = re.compile(r"[\w-]+(?:[.#][\w-]+|\[[^\]\"\\]*(?:\"[^\"\\]*\"(?: i)?)?\])*")
"""A selector of one element, not of where it stands."""
_OPEN = re.compile(r":(?:not|is|where|has)\(|[,\\]")


@dataclass(frozen=True, slots=True)
class Selectors:
    """Selectors by what they cost: bare tags, those a made-up tag begins, those that need something, and the rest.

    `classes` and `ids` are selectors that are one class or one id and nothing else, without their first letter. `classed`
    holds others under the class that they begin with, each with all classes that it asks for in lower case, `marked` under
    the name of an attribute that they ask for, `needy` what an attribute needs to hold under the attribute.
    An engine knows where the elements of HTML's own tags stand, so the selectors that begin with one are quick alone; the
    others cost less together.
    """

    tags: frozenset[str]
    made_up: tuple[tuple[str, str], ...]
    classes: frozenset[str]
    ids: frozenset[str]
    classed: Mapping[str, Sequence[tuple[frozenset[str], str]]]
    marked: Mapping[str, Sequence[str]]
    needy: Mapping[str, Mapping[str, Sequence[str]]]
    rest: tuple[str, ...]


class Values:
    """The values that a document's attributes have, in the forms in which they are looked through, each made once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._joined: dict[str, str] = {}
        self.absent: frozenset[str] = frozenset()
        """Names of attributes that nothing in the document has."""

    @cached_property
    def classes(self) -> set[str]:
        """Every class."""
        return self.document.names("class")

    @cached_property
    def ids(self) -> set[str]:
        """Every id."""
        return self.document.names("id")

    @cached_property
    def lower_classes(self) -> set[str]:
        """Every class in lower case."""
        return {each.lower() for each in self.classes}

    @cached_property
    def lower_ids(self) -> set[str]:
        """Every id in lower case."""
        return {each.lower() for each in self.ids}

    @cached_property
    def painted(self) -> list[Element]:
        """The elements that load something by their own style."""
        return self.document.select("[style*='url(']")

    def look_for(self, attributes: frozenset[str]) -> None:
        """Look for these names of attributes in the document's bytes, so that `absent` and `has` can tell."""
        self.absent = attributes - words(attributes).within(self.document.data)

    def has(self, attribute: str) -> bool:
        """Whether the document may have the attribute; only of those that were looked for it can be that it has not."""
        return attribute not in self.absent

    def joined(self, attribute: str) -> str:
        """An attribute's different values in one text, each between two zeros: none holds one, so nothing is found across two."""
        if attribute not in self._joined:
            self._joined[attribute] = joined(self.document.different(attribute))
        return self._joined[attribute]


def joined(values: Iterable[str]) -> str:
    """Values in one text, each between two zeros."""
    return "\0".join(("", *values, ""))


def hidden(document: Document, *groups: Selectors, values: Values | None = None) -> list[Element]:
    """The elements that any selector of `groups` fits, each once; what each group needs is worked out once."""
    values = values or Values(document)
    found: dict[Element, None] = {}
    for group in groups:
        tagged = _tagged(document, group)
        found.update(dict.fromkeys(each for each in tagged if each.tag in group.tags))
        there = {each.tag for each in tagged}
        made_up = (selector for tag, selector in group.made_up if tag in there)
        for selector in (*made_up, *_there(values, group), *_promising(values, group), *group.rest):
            found.update(dict.fromkeys(document.select(selector)))
        found.update(dict.fromkeys(_simply(values, group)))
    return list(found)


@remembered(256)
def worth(attributes: tuple[str, ...]) -> frozenset[str]:
    """Those of some attributes that are worth being looked for first: not every page has them."""
    return frozenset(name for name in attributes if len(name) > _SHORT and name.isascii())


def _tagged(document: Document, group: Selectors) -> list[Element]:
    tags = {*group.tags, *(tag for tag, _ in group.made_up)}
    return [each for root in document.select("html") for each in root.descendants(*tags)] if tags else []


@remembered(256)
def sorted_out(selectors: tuple[str, ...]) -> Selectors:
    """Selectors by what they cost, for `hidden`."""
    tags: list[str] = []
    made_up: list[tuple[str, str]] = []
    simple: dict[str, list[str]] = {".": [], "#": []}
    classed: dict[str, list[tuple[frozenset[str], str]]] = {}
    marked: dict[str, list[str]] = {}
    needy: dict[str, dict[str, list[str]]] = {}
    quick: list[str] = []
    rest: list[str] = []
    for selector in selectors:
        tag, plain = _TAG.match(selector), not _OPEN.search(selector)
        need, name, data = (pattern.search(selector) if plain else None for pattern in (_NEED, _CLASS, _ATTRIBUTE))
        if tag and tag[0] == selector:
            tags.append(selector.lower())
        elif _SIMPLE.fullmatch(selector):
            simple[selector[0]].append(selector[1:])
        elif name and Document.can_select(selector):
            needed = frozenset(filter(None, _CLASSES.findall(selector.lower())))
            classed.setdefault(name[1], []).append((needed, selector))
        elif need:
            needy.setdefault(need[1], {}).setdefault(_FORMS[need[2]].format(need[3]), []).append(selector)
        elif data and Document.can_select(selector):
            marked.setdefault(data[1], []).append(selector)
        elif not tag or not _ALONE.fullmatch(selector):
            rest.append(selector)
        elif "-" in tag[0]:
            made_up.append((tag[0].lower(), selector))
        else:
            quick.append(selector)
    return Selectors(
        tags=frozenset(tags),
        made_up=tuple(made_up),
        classes=frozenset(simple["."]),
        ids=frozenset(simple["#"]),
        classed=classed,
        marked=marked,
        needy=needy,
        rest=(*quick, *_together(rest)),
    )


def _together(selectors: list[str]) -> Iterator[str]:
    """The selectors that can be read, a hundred in one: a single bad one would spoil such a list."""
    return _joined([selector for selector in selectors if Document.can_select(selector)])


def _joined(selectors: list[str]) -> Iterator[str]:
    for start in range(0, len(selectors), 100):
        yield ",".join(selectors[start : start + 100])


def _simply(values: Values, group: Selectors) -> Iterator[Element]:
    """The elements of which a class or an id is all that is asked: `select` takes longer for each such name."""
    yield from _named(values.document, "class", ".", group.classes & values.classes)
    yield from _named(values.document, "id", "#", {name for name in group.ids if name.lower() in values.lower_ids})


def _named(document: Document, attribute: str, mark: str, names: Collection[str]) -> Iterator[Element]:
    if not names:
        return
    # In a document without a doctype capitals make no difference (DOM standard, quirks mode), so it has the last word.
    spelled: dict[str, list[str]] = {}
    for name in names:
        spelled.setdefault(name.lower(), []).append(f"{mark}{name}")
    asked: dict[str, str] = {}
    for value in document.different(attribute):
        own = value.lower().split()
        if not spelled.keys().isdisjoint(own):
            asked[value] = ",".join(each for name in spelled.keys() & own for each in spelled[name])
    yield from (each for each in document.holding(attribute, asked) if each.matches(asked[each.get(attribute)]))


def _there(values: Values, group: Selectors) -> Iterator[str]:
    classed = [group.classed[name] for name in values.classes & group.classed.keys()] if group.classed else ()
    yield from _joined([selector for each in classed for needed, selector in each if needed <= values.lower_classes])
    yield from _joined([selector for name in group.marked.keys() - values.absent for selector in group.marked[name]])


def _promising(values: Values, group: Selectors) -> Iterator[str]:
    for attribute, needy in group.needy.items():
        text = values.joined(attribute).encode("utf-8", "surrogatepass")
        for needed in words(frozenset(needy)).within(text):
            yield from needy[needed]
