"""Prompts in JSON: the module, list entry or member goes; what stands around stays as it was written, to the byte."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from capper.domain.errors import Unrewritable
from capper.domain.prompt import SILENCE, Place, Reading, digits
from capper.jsontext import Edit, Locator, Number, Path, Text, cut, loads, splice
from capper.rewrite.promptbase import Found, Reader, Role
from capper.rewrite.prompttext import without

DEEPEST = 120
MOST = 40_000
"""Values; a document with more is left alone."""
LONGEST = 700
_LINES, _LINE = 6, 160
_MACHINE = re.compile(r"[\w.:/#?=&%+@~{}-]*")
_ROW = re.compile(r"[0-9a-f]{1,6}:(?=[\[{\"A-Z])")
_CODE = re.compile(r"[\]}]\s*,\s*[\[{\"]|\"\s*:\s*[\[{\"]|[;{]\s*(?:var|let|const|return|function)\b")
"""What only programs and their data hold."""
_PROSE = re.compile(r"[^\W\d_]{2,}")
_MARKUP = re.compile(r"<[a-zA-Z][^<>]*>")
_TEXTUAL = re.compile(
    r"title|headline|heading|header|text|body|copy|sub\w*|desc\w*|caption|cta\w*|button|btn|label|action|message|msg|badge|tag|"
    r"link|legend|note|hint|alt\w*|content|value|summary|teaser|banner|tooltip|slogan|lead|eyebrow|kicker|html|name|"
    r"titel|titre|titulo|titolo|tytul|tittel|overskrift|rubrik|kop|otsikko|nag\w*|uberschrift|knap|knapp|knop|knopf|painike|przycisk|"
    r"boton|bouton|pulsante|botao|azione|azioni|accion|acao|akcja|toiminto|tekst|texte|texto|testo|teksti|tresc|opis|undertitel|"
    r"undertekst|ondertitel|untertitel|sottotitolo|legenda|detalle|detalhe|dettaglio|mensaje|mensagem|messaggio|viesti|besked|"
    r"beskrivelse|beskrivning|beschreibung|omschrijving|kuvaus|descripcion|descricao|descrizione|bericht|melding|meddelande|"
    r"wiadomosc|linea|linje|rad|rivi|tip|info|offer\w*|\w*text|\w*title|\w*label",
    re.IGNORECASE,
)
_NAMES_OF_MACHINES = re.compile(
    r"_.*|.*(?:type|typ|tipo|kind|soort|slag|id|code|state|status|variant|layout|severity|icon|colou?r|currency|locale|lang|language|"
    r"component|template|module|slot|zone|blocco|bloque|vt|cat|category|place\w*|position|theme|style|size|level|tone|prioriteit|"
    r"tyyppi|art|typename|c|k|t)",
    re.IGNORECASE,
)
_OF_ONE = frozenset(["preapproved", "headroom", "later", "credit", "borrow"])
_STRONG = frozenset(["popular", "decided", "yours", "urge", "raise", "fanfare", "ready"])
_SELECTED = re.compile(
    r"(?:is_?)?(?:pre_?)?(?:selected|checked|default|active)|default_?selected|preferred", re.IGNORECASE
)


@dataclass(slots=True)
class _Node:
    """A value with its role and what is inside."""

    value: object
    key: str
    path: Path
    role: Role = Role.OTHER
    reading: Reading = SILENCE
    kids: "list[_Node]" = field(default_factory=list)
    machine: frozenset[str] = frozenset()
    text: str = ""
    new: str | None = None
    """A string that takes the value's place."""


def strip(text: Text, reader: Reader, found: Found, markup: Callable[[str], str | None]) -> str:
    """The source of `text` without its prompts; the same object where there are none.

    `markup` takes prompts out of HTML in a string: "" where nothing is left, None where it stays as it is.

    Raises:
        Unrewritable: it is so deep or large that editing it would cost too much.
    """
    walk = _Walk(reader, found, markup)
    root = walk.node(text.value, "", (), 0)
    if root.role is Role.PROMPT and _is_element(text.value):
        found.add(root.reading, root.text)
        return "null"
    walk.spare(root)
    if not walk.touched:
        return text.source
    edits = list(walk.edits(root, Locator(text)))
    return splice(text.source, edits) if edits else text.source


class _Walk:
    def __init__(self, reader: Reader, found: Found, markup: Callable[[str], str | None]) -> None:
        self.reader, self.found, self.markup = reader, found, markup
        self.count = 0
        self.touched = False

    @staticmethod
    def spare(root: _Node) -> None:
        """The document itself stays, whatever it holds."""
        if root.role is Role.PROMPT:
            root.role = Role.PART
            for kid in root.kids:
                if kid.text and kid.role in (Role.SUPPORT, Role.SUM, Role.OTHER):
                    kid.role = Role.PROMPT

    # Roles

    def node(self, value: object, key: str, path: Path, depth: int, *, option: bool = False) -> _Node:
        """The node of a value, roles and all."""
        self.count += 1
        if depth > DEEPEST or self.count > MOST:
            raise Unrewritable("JSON too large or too deep to look for prompts in")
        node = _Node(value, key, path)
        named = self.reader.member(key) if key else frozenset()
        if isinstance(value, dict):
            self._object(node, named, depth, option=option)
        elif isinstance(value, list):
            self._array(node, named, depth)
        elif isinstance(value, str) and not isinstance(value, Number):
            self._string(node, named)
        else:
            self._scalar(node, named)
        self.touched = self.touched or node.role in (Role.PROMPT, Role.PART)
        return node

    def _scalar(self, node: _Node, named: frozenset[str]) -> None:
        node.role, node.machine = Role.EMPTY, named
        echo = bool(named & {"credit", "amount"}) and "own" not in named and self.reader.echoes(str(node.value))
        if echo or ("prompt" in named and node.value not in (False, None)):
            node.role = Role.PROMPT
            node.reading = Reading(5.0, frozenset(["decided", "figure"]), "", prompt=True, support=True)

    def _string(self, node: _Node, named: frozenset[str]) -> None:
        value = str(node.value).strip()
        node.role = Role.EMPTY
        if _MACHINE.fullmatch(value) or not _PROSE.search(value):
            node.machine = named | (self.reader.member(value) if len(value) <= 60 and "/" not in value else frozenset())
            if "prompt" in named and value:
                node.role = Role.PROMPT
                node.reading = Reading(5.0, frozenset(["decided", "figure"]), "", prompt=True, support=True)
            elif value.isalpha() and not _NAMES_OF_MACHINES.fullmatch(node.key):
                node.role = Role.OTHER
                node.text = value
                node.reading = self.reader.read(value)
                if value[0].isupper() and node.reading.support and not node.reading.against:
                    # One word on a button.
                    node.role = Role.SUPPORT
            return
        node.machine = named
        if _ROW.match(value):
            self._rows(node)
            return
        if _CODE.search(value):
            node.role = Role.KEPT
            return
        if _MARKUP.search(value):
            stripped = self.markup(str(node.value))
            node.role = Role.OTHER
            if stripped is not None:
                node.new = stripped
                node.role = Role.PART if stripped.strip() else Role.PROMPT
            return
        if value[0] in "{[" and loads(value) is not None:
            self._nested(node)
            return
        node.text = value
        node.reading = reading = self.reader.read(value)
        if len(value) > LONGEST:
            node.role = Role.KEPT
        elif reading.prompt:
            rest = without(str(node.value), self.reader, Found(Place.ANSWER))
            node.role = Role.OTHER if rest is None else Role.PROMPT
            if rest and rest.strip():
                node.role, node.new = Role.PART, rest
        elif reading.warning:
            node.role = Role.WARNING
        elif (
            reading.against
            or "business" in reading.signals
            or "own" in named
            or (reading.greeting and not (reading.support and reading.score >= 1))
        ):
            node.role = Role.KEPT
        elif reading.bare:
            node.role = Role.SUM
        elif reading.support:
            node.role = Role.SUPPORT
        else:
            node.role = Role.OTHER

    def _nested(self, node: _Node) -> None:
        """JSON written as a string."""
        source = str(node.value)
        begin = len(source) - len(source.lstrip())
        inner = Text(source, begin, loads(source), "utf-8")
        before = len(self.found.prompts)
        stripped = strip(inner, self.reader, self.found, self.markup)
        node.role = Role.EMPTY
        if stripped is not source and stripped != source:
            node.role, node.new = Role.PART, stripped
        del self.found.prompts[before:]

    def _rows(self, node: _Node) -> None:
        """Rows of a number and a JSON value, as frameworks stream what they drew."""
        before = len(self.found.prompts)
        rows = str(node.value).split("\n")
        for number, row in enumerate(rows):
            match = _ROW.match(row)
            value = loads(row[match.end() :]) if match and row[match.end() :][:1] in ("[", "{") else None
            if match is None or value is None:
                continue
            inner = Text(row[match.end() :], 0, value, "utf-8")
            rows[number] = match[0] + strip(inner, self.reader, self.found, self.markup)
        new = "\n".join(rows)
        node.role = Role.EMPTY
        if new != node.value:
            node.role, node.new = Role.PART, new
        del self.found.prompts[before:]

    def _element(self, node: _Node, depth: int) -> None:
        """An element as frameworks write it, `["$", tag, key, {properties}]`: it goes whole, or what is inside goes."""
        values: list[object] = node.value  # type: ignore[assignment]
        inside = self.node(values[3], "", (*node.path, 3), depth + 1)
        node.kids = [_Node(value, "", (*node.path, number)) for number, value in enumerate(values)]
        node.kids[3] = inside
        for kid in (*node.kids[:3], *node.kids[4:]):
            kid.role = Role.EMPTY
        node.role, node.reading, node.text = inside.role, inside.reading, inside.text
        if inside.role is Role.PROMPT:
            inside.role = Role.EMPTY

    def _array(self, node: _Node, named: frozenset[str], depth: int) -> None:
        if _is_element(node.value):
            self._element(node, depth)
            return
        if "own" in named and "credit" not in named:
            node.role = Role.KEPT
            return
        option = "method" in named
        values: list[object] = node.value  # type: ignore[assignment]
        node.kids = [
            self.node(value, node.key if isinstance(value, str) else "", (*node.path, number), depth + 1, option=option)
            for number, value in enumerate(values)
        ]
        node.machine = named
        prompts = [kid.role is Role.PROMPT for kid in node.kids]
        if not any(prompts) and self._is_block(node):
            for kid in node.kids:
                kid.role = Role.PROMPT
            node.kids[0].reading = self.reader.read("\n".join(kid.text for kid in node.kids))
            node.role = Role.SUPPORT
            return
        if not any(prompts) and not any(kid.role is Role.PART for kid in node.kids):
            node.role = Role.EMPTY if all(kid.role is Role.EMPTY for kid in node.kids) else _worst(node.kids)
            return
        for order in (node.kids, node.kids[::-1]):
            for before, here in pairwise(order):
                if before.role is Role.PROMPT and here.role is Role.SUPPORT and here.reading.signals & _OF_ONE:
                    here.role = Role.PROMPT
        # An array that held prompts and nothing else stays as an empty one.
        node.role = Role.SUPPORT if all(kid.role in (Role.PROMPT, Role.EMPTY) for kid in node.kids) else Role.PART

    def _is_block(self, node: _Node) -> bool:
        """Whether the lines of a list make one prompt, none of them by itself."""
        kids = node.kids
        if not 2 <= len(kids) <= _LINES or any(not kid.text or len(kid.text) > _LINE for kid in kids):
            return False
        if any(kid.role not in (Role.SUPPORT, Role.SUM, Role.OTHER) for kid in kids):
            return False
        said = sum(kid.role is not Role.OTHER for kid in kids)
        return said * 2 > len(kids) and self.reader.read("\n".join(kid.text for kid in kids)).prompt

    def _object(self, node: _Node, named: frozenset[str], depth: int, *, option: bool) -> None:
        if "own" in named and "credit" not in named:
            node.role = Role.KEPT
            return
        members: dict[str, object] = node.value  # type: ignore[assignment]
        node.kids = [self.node(value, key, (*node.path, key), depth + 1) for key, value in members.items()]
        node.machine = named.union(*(kid.machine for kid in node.kids if not kid.kids)) if node.kids else named
        if option:
            self._option(node)
            return
        hers = sum("statement" in kid.machine for kid in node.kids) >= 2
        if hers:
            for kid in node.kids:
                if kid.role is Role.PROMPT and not kid.text:
                    kid.role = Role.EMPTY
        said = [kid for kid in node.kids if kid.text and kid.role in (Role.SUPPORT, Role.SUM, Role.OTHER, Role.PROMPT)]
        text = "\n".join(kid.text for kid in said)
        if not any(kid.role in (Role.PROMPT, Role.PART) for kid in node.kids):
            self._together(node, said, text, hers=hers)
            return
        self._absorb(node)

    def _together(self, node: _Node, said: list[_Node], text: str, *, hers: bool) -> None:
        """No member is a prompt by itself; the object may be."""
        nested = [kid for kid in node.kids if kid.kids]
        if not said or len(text) > LONGEST or hers:
            machine = node.machine
            offered = "prompt" in machine and machine & {"amount", "credit"} and not hers and not said and not nested
            node.role = Role.PROMPT if offered else _worst(node.kids)
            return
        more = set()
        if "credit" in node.machine:
            more.add("credit")
        if "prompt" in node.machine:
            more.add("decided")
        if "push" in node.machine:
            more.add("promo")
            if "credit" in node.machine:
                more.add("marked")
        reading = self.reader.read(text, frozenset(more))
        if not reading.prompt:
            node.role, node.reading = _worst(node.kids), reading
            if (
                node.role is Role.OTHER
                and reading.support
                and not reading.against
                and all(kid.role in (Role.SUPPORT, Role.SUM, Role.EMPTY) for kid in node.kids)
            ):
                node.role = Role.SUPPORT
            return
        node.reading = reading
        for kid in said:
            if kid.role in (Role.SUPPORT, Role.SUM) or (kid.role is Role.OTHER and _textual(kid.key)):
                kid.role = Role.PROMPT
        self._absorb(node)

    def _absorb(self, node: _Node) -> None:
        """The object holds a prompt: is it a module made for it, or does it hold other things?"""
        node.reading = next(
            (kid.reading for kid in node.kids if kid.role is Role.PROMPT and kid.reading.prompt), node.reading
        )
        flat = not any(kid.kids and kid.role not in (Role.EMPTY, Role.SUPPORT, Role.PROMPT) for kid in node.kids)
        stays = [
            kid
            for kid in node.kids
            if kid.role in (Role.KEPT, Role.WARNING, Role.PART)
            or (kid.role is Role.OTHER and not (flat and self._belongs(kid)))
        ]
        direct = any(kid.role is Role.PROMPT and (kid.text or kid.new is not None or not kid.kids) for kid in node.kids)
        scalars = sum(
            isinstance(kid.value, (Number, bool))
            and kid.role is Role.EMPTY
            and not kid.machine & {"prompt", "credit", "amount"}
            for kid in node.kids
        )
        if not stays and direct and flat and scalars <= 3:
            node.role = Role.PROMPT
            return
        if (
            not stays
            and not direct
            and flat
            and all(
                kid.role in (Role.PROMPT, Role.SUPPORT, Role.EMPTY)
                and (kid.role is not Role.EMPTY or isinstance(kid.value, str))
                for kid in node.kids
            )
            and any(kid.role is Role.PROMPT for kid in node.kids)
        ):
            node.role = Role.PROMPT
            return
        offered = "prompt" in node.machine and node.machine & {"amount", "credit"} and flat
        if (
            offered
            and node.path
            and isinstance(node.path[-1], int)
            and not any(kid.role in (Role.KEPT, Role.WARNING) for kid in stays)
        ):
            node.role = Role.PROMPT
            return
        node.role = Role.PART
        sums = {sum_ for kid in node.kids if kid.role is Role.PROMPT for sum_ in kid.reading.sums}
        for kid in node.kids:
            if (
                (
                    kid.role in (Role.SUM, Role.EMPTY)
                    and direct
                    and digits(str(kid.value)) in sums
                    and "own" not in kid.machine
                )
                or (kid.role is Role.SUPPORT and kid.text and direct)
                or (kid.role is Role.OTHER and direct and flat and kid not in stays)
            ):
                kid.role = Role.PROMPT

    @staticmethod
    def _belongs(kid: _Node) -> bool:
        """Whether words that say nothing of credit are a module's title, line or button."""
        if not kid.text:
            return True
        return len(kid.text) <= 220 and (_textual(kid.key) or (not kid.reading.amount and _is_sentence(kid.text)))

    def _option(self, node: _Node) -> None:
        """A way to pay: it stays, with its name; what recommends it goes."""
        node.role = Role.KEPT
        texts = [kid for kid in node.kids if kid.text]
        if not texts:
            return
        label = next(
            (
                kid
                for kid in texts
                if re.fullmatch(
                    r"name|label|title|naam|titel|nom|nombre|nome|namn|navn|nimi|nazwa", kid.key, re.IGNORECASE
                )
            ),
            texts[0],
        )
        more = self.reader.read(label.text).signals | node.machine
        if not more & {"later", "credit", "headroom"}:
            for kid in node.kids:
                kid.role = Role.KEPT
            return
        for kid in node.kids:
            if kid is label or not kid.text:
                kid.role = Role.KEPT
                continue
            reading = self.reader.read(kid.text, frozenset(["option", "later"]))
            if reading.prompt and reading.signals & _STRONG:
                kid.role, kid.reading, node.role = Role.PROMPT, reading, Role.PART
            else:
                kid.role = Role.KEPT
        if node.role is Role.PART:
            for kid in node.kids:
                if kid.value is True and _SELECTED.fullmatch(kid.key):
                    kid.role, kid.new = Role.PART, "false"

    # Cuts

    def edits(self, node: _Node, locator: Locator) -> list[Edit]:
        """The edits that take the prompts in a value that stays out."""
        if not node.kids:
            return []
        places = locator.children(locator.at(node.path))
        gone: set[int] = set()
        made: list[Edit] = []
        for number, kid in enumerate(node.kids):
            spots = (
                [number]
                if isinstance(node.value, list)
                else [at for at, place in enumerate(places) if place.key == kid.key]
            )
            if kid.role is Role.PROMPT:
                if kid.reading.prompt or not gone:
                    self.found.add(kid.reading, kid.text or str(kid.value))
                gone.update(spots)
            elif kid.new is not None and kid.role is Role.PART and spots:
                place = places[spots[-1]]
                written = kid.new if isinstance(kid.value, bool) else json.dumps(kid.new)
                self.found.add(kid.reading)
                made.append(Edit(place.value, place.end, written))
            else:
                made += self.edits(kid, locator)
        return [*cut(places, gone), *made]


def _textual(key: str) -> bool:
    return bool(_TEXTUAL.fullmatch(key)) or not key


def _is_element(value: object) -> bool:
    return isinstance(value, list) and len(value) >= 4 and value[0] == "$" and isinstance(value[3], dict)


def _is_sentence(text: str) -> bool:
    """Whether a text is said to somebody rather than the name of something: some of its words begin small."""
    words = _PROSE.findall(text)
    return len(words) > 2 and any(word.islower() and len(word) > 2 for word in words)


def _worst(kids: list[_Node]) -> Role:
    """What an object without a prompt is to a prompt beside it."""
    roles = {kid.role for kid in kids}
    for role in (Role.KEPT, Role.PART, Role.OTHER, Role.WARNING, Role.SUPPORT, Role.SUM):
        if role in roles:
            return Role.OTHER if role in (Role.SUM, Role.PART) else role
    return Role.EMPTY
