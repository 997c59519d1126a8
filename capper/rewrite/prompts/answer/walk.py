"""The role of every value in a JSON document, from the leaves to the root."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, repeat

from capper.domain.errors import Unrewritable
from capper.jsontext import Number, Path, Text, loads
from capper.rewrite.prompts.answer.flat import is_flat
from capper.rewrite.prompts.answer.layout import Spot
from capper.rewrite.prompts.answer.modules import absorb, gather, is_block
from capper.rewrite.prompts.answer.nodes import Node, is_element, worst
from capper.rewrite.prompts.answer.options import judge_option
from capper.rewrite.prompts.answer.words import is_code, judge_code, judge_scalar, judge_words
from capper.rewrite.prompts.base import ANYWHERE, Found, Heat, Reader, Role, bare

DEEPEST = 120
MOST = 40_000
"""Values; a document with more is left alone."""
_ROW = re.compile(r"[0-9a-f]{1,6}:(?=[\[{\"A-Z])")
_CODE = re.compile(r"[\]}]\s*,\s*[\[{\"]|\"\s*:\s*[\[{\"]|[;{]\s*(?:var|let|const|return|function)\b")
"""What only programs and their data hold."""
_MARKUP = re.compile(r"<[a-zA-Z][^<>]*>")
_LARGE = 2_000
"""Characters: what is smaller is always looked into."""
_MANY = 50
"""Entries of a list: of more, those without a word of credit are not looked into."""
_OF_ONE = frozenset(["preapproved", "headroom", "later", "credit", "borrow"])

type _Range = tuple[int, int] | None


class Walk:
    """One document being read; `touched` once anything in it is to go.

    `markup` takes prompts out of HTML in a string: "" where nothing is left, None where it stays. `nested` takes them out of
    JSON that is written in a string.
    """

    def __init__(
        self,
        reader: Reader,
        markup: Callable[[str], str | None],
        nested: Callable[[Text], str],
        found: Found,
        spots: Callable[[int], Sequence[Spot]] | None = None,
        heat: Heat = ANYWHERE,
    ) -> None:
        """`found` says what is known of the page around. With `spots`, which tell where what stands somewhere has its parts, what is large and cold is not looked into."""
        self.reader, self.markup, self.nested, self.known = reader, markup, nested, found
        self.spots, self.heat = spots, heat
        self.count = 0
        self.touched = False
        self.flats: dict[Path, list[object]] = {}
        """Lists whose values refer to each other by number: documents of their own."""

    def node(
        self,
        value: object,
        key: str,
        path: Path,
        depth: int,
        place: _Range = None,
        *,
        option: bool = False,
        many: bool = False,
    ) -> Node:
        """The node of a value, roles and all; `place` is where it stands, where the document has a layout.

        `option`: it is one of several ways to pay. `many`: it is one of a great many of any kind.

        Raises:
            Unrewritable: the document is so deep or large that reading it would cost too much.
        """
        self.count += 1
        if depth > DEEPEST or self.count > MOST:
            raise Unrewritable("JSON too large or too deep to look for prompts in")
        node = Node(value, key, path)
        named = self.reader.member(key) if key else frozenset()
        if place is not None and self._is_cold(value, place, many=many):
            # Nobody knows what is inside; that it is something is enough, unless a prompt stands beside it.
            node.role, node.kids, node.cold = Role.OTHER, [Node(None, "", (), Role.EMPTY)], True
            node.pending = not many and place[1] - place[0] <= _LARGE
        elif isinstance(value, dict):
            self._object(node, named, depth, place, option=option)
        elif isinstance(value, list):
            self._array(node, named, depth, place)
        elif isinstance(value, str) and not isinstance(value, Number):
            self._string(node, named, place)
        else:
            judge_scalar(node, named, self.reader)
        self.touched = self.touched or node.role in (Role.PROMPT, Role.PART)
        return node

    def _string(self, node: Node, named: frozenset[str], place: _Range) -> None:
        value = str(node.value).strip()
        node.role = Role.EMPTY
        if is_code(value):
            judge_code(node, value, named, self.reader)
            self._known(node, value)
            return
        node.machine = named
        if _ROW.match(value):
            self._rows(node)
        elif _CODE.search(value):
            node.role = Role.KEPT
        elif _MARKUP.search(value):
            node.role = Role.OTHER
            if place is None or self.heat.near(*place):
                node.new = self.markup(str(node.value))
            if node.new is not None:
                node.role = Role.PART if node.new.strip() else Role.PROMPT
        elif value[0] in "{[" and loads(value) is not None:
            self._written(node)
        else:
            judge_words(node, value, named, self.reader)
            self._known(node, value)

    def _known(self, node: Node, value: str) -> None:
        """What the page says in a prompt supports one here."""
        if self.known.said and node.role in (Role.OTHER, Role.SUM, Role.SUPPORT) and bare(value) in self.known.said:
            node.said, node.role = True, Role.SUPPORT

    def _written(self, node: Node) -> None:
        """JSON written as a string."""
        source = str(node.value)
        stripped = self.nested(Text(source, len(source) - len(source.lstrip()), loads(source), "utf-8"))
        if stripped != source:
            node.role, node.new = Role.PART, stripped

    def _rows(self, node: Node) -> None:
        """Rows of a number and a JSON value, as frameworks stream what they drew."""
        rows = str(node.value).split("\n")
        for number, row in enumerate(rows):
            match = _ROW.match(row)
            value = loads(row[match.end() :]) if match and row[match.end() :][:1] in ("[", "{") else None
            if match is not None and value is not None:
                rows[number] = match[0] + self.nested(Text(row[match.end() :], 0, value, "utf-8"))
        new = "\n".join(rows)
        if new != node.value:
            node.role, node.new = Role.PART, new

    def _element(self, node: Node, depth: int) -> None:
        """An element as frameworks write it: it goes whole, or what is inside goes."""
        values: list[object] = node.value  # type: ignore[assignment]
        inside = self.node(values[3], "", (*node.path, 3), depth + 1)
        node.kids = [Node(value, "", (*node.path, number), Role.EMPTY) for number, value in enumerate(values)]
        node.kids[3] = inside
        if (first := _emptied(inside)) is not None:
            inside.role, inside.reading, inside.text = Role.PROMPT, first.reading, first.text
        node.role, node.reading, node.text = inside.role, inside.reading, inside.text
        if inside.role is Role.PROMPT:
            inside.role = Role.EMPTY

    def _is_cold(self, value: object, place: tuple[int, int], *, many: bool) -> bool:
        """Whether something large holds no word of credit; of a page without prompts, whether anything with parts does."""
        least = 0 if isinstance(value, (dict, list)) and not self.known.said else _LARGE
        return (many or place[1] - place[0] > least) and not self.heat.near(*place)

    def _settle(self, node: Node, depth: int) -> None:
        """Look into the small things that were left out, once there is anything that they may be part of."""
        if any(kid.role in (Role.PROMPT, Role.PART, Role.SUPPORT, Role.SUM) for kid in node.kids):
            node.kids = [
                self.node(kid.value, kid.key, kid.path, depth + 1) if kid.pending else kid for kid in node.kids
            ]

    def _places(self, place: _Range) -> Iterator[_Range]:
        """Where what is in a container stands, in order."""
        if self.spots is None or place is None:
            return repeat(None)
        return ((spot.at, spot.stop) for spot in self.spots(place[0]))

    def _array(self, node: Node, named: frozenset[str], depth: int, place: _Range) -> None:
        if is_element(node.value):
            self._element(node, depth)
            return
        if "own" in named and "credit" not in named:
            node.role = Role.KEPT
            return
        if is_flat(node.value):
            self.flats[node.path] = node.value
            node.role = Role.EMPTY
            return
        option = "method" in named
        values: list[object] = node.value  # type: ignore[assignment]
        many = len(values) > _MANY
        node.kids = [
            self.node(
                value,
                node.key if isinstance(value, str) else "",
                (*node.path, number),
                depth + 1,
                at,
                option=option,
                many=many,
            )
            for (number, value), at in zip(enumerate(values), self._places(place), strict=False)
        ]
        self._settle(node, depth)
        node.machine = named
        prompts = [kid.role is Role.PROMPT for kid in node.kids]
        if not any(prompts) and is_block(node, self.reader):
            for kid in node.kids:
                kid.role = Role.PROMPT
            node.kids[0].reading = self.reader.read("\n".join(kid.text for kid in node.kids))
            node.role = Role.SUPPORT
            return
        if not any(prompts) and not any(kid.role is Role.PART for kid in node.kids):
            node.role = Role.EMPTY if all(kid.role is Role.EMPTY for kid in node.kids) else worst(node.kids)
            return
        for order in (node.kids, node.kids[::-1]):
            for before, here in pairwise(order):
                if (
                    before.role is Role.PROMPT
                    and here.role is Role.SUPPORT
                    and (here.said or here.reading.signals & _OF_ONE)
                ):
                    here.role = Role.PROMPT
        # An array that held prompts and nothing else stays as an empty one.
        node.role = Role.SUPPORT if all(kid.role in (Role.PROMPT, Role.EMPTY) for kid in node.kids) else Role.PART

    def _object(self, node: Node, named: frozenset[str], depth: int, place: _Range, *, option: bool) -> None:
        if "own" in named and "credit" not in named:
            node.role = Role.KEPT
            return
        members: dict[str, object] = node.value  # type: ignore[assignment]
        places = [*self._places(place)] if self.spots is not None and place is not None else []
        # A name that stands there twice is left to whoever looks everywhere.
        known = iter(places) if len(places) == len(members) else repeat(None)
        node.kids = [
            self.node(value, key, (*node.path, key), depth + 1, at)
            for (key, value), at in zip(members.items(), known, strict=False)
        ]
        self._settle(node, depth)
        node.machine = named.union(*(kid.machine for kid in node.kids if not kid.kids)) if node.kids else named
        if option:
            judge_option(node, self.reader)
            return
        hers = sum("statement" in kid.machine for kid in node.kids) >= 2
        if hers:
            for kid in node.kids:
                if kid.role is Role.PROMPT and not kid.text:
                    kid.role = Role.EMPTY
        said = [kid for kid in node.kids if kid.text and kid.role in (Role.SUPPORT, Role.SUM, Role.OTHER, Role.PROMPT)]
        if any(kid.role in (Role.PROMPT, Role.PART) for kid in node.kids):
            absorb(node, movable=self.known.movable)
        else:
            gather(
                node,
                said,
                "\n".join(kid.text for kid in said),
                hers=hers,
                reader=self.reader,
                movable=self.known.movable,
            )


def _emptied(inside: Node) -> Node | None:
    """The first prompt among an element's children, if it has no others and says nothing itself."""
    children = next((kid for kid in inside.kids if kid.key == "children"), None)
    others = (kid for kid in inside.kids if kid is not children and kid.role is not Role.EMPTY)
    if children is None or not all(isinstance(kid.value, str) and is_code(kid.value) for kid in others):
        return None
    if any(kid.role not in (Role.PROMPT, Role.EMPTY) for kid in children.kids):
        return None
    return next((kid for kid in children.kids if kid.role is Role.PROMPT), None)
