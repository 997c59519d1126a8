"""The role of a string, number or other plain value of JSON by what it says itself and what its member is called."""

import re
from dataclasses import replace

from capper.domain.prompt import Place, Reading, digits
from capper.jsontext import Number
from capper.rewrite.prompts.answer.nodes import LONGEST, PROSE, Node
from capper.rewrite.prompts.base import Found, Reader, Role
from capper.rewrite.prompts.text import without

_MACHINE = re.compile(r"[\w.:/#?=&%+@~{}-]*")
_NAMES_OF_MACHINES = re.compile(
    r"_.*|.*(?:type|typ|tipo|kind|soort|slag|id|code|state|status|variant|layout|severity|icon|colou?r|currency|locale|lang|language|"
    r"component|template|module|slot|zone|blocco|bloque|vt|cat|category|place\w*|position|theme|style|size|level|tone|prioriteit|"
    r"tyyppi|art|typename|c|k|t)",
    re.IGNORECASE,
)
_GIVEN = Reading(5.0, frozenset(["decided", "figure"]), "", prompt=True, support=True)
"""What a member says by its name alone."""


def judge_scalar(node: Node, named: frozenset[str], reader: Reader) -> None:
    """Give a number, a truth value or null its role."""
    node.role, node.machine = Role.EMPTY, named
    echo = bool(named & {"credit", "amount"}) and "own" not in named and reader.echoes(str(node.value))
    if echo or ("prompt" in named and node.value not in (False, None)):
        node.role, node.reading = Role.PROMPT, replace(_GIVEN, sums=_sums(node.value))


def _sums(value: object) -> frozenset[str]:
    """The digits of the sum that a number is, in whole money or in hundredths of it."""
    if not isinstance(value, Number):
        return frozenset()
    return frozenset([digits(value), digits(value.removesuffix("00"))]) - {""}


def is_code(value: str) -> bool:
    """Whether a string is a code or an address rather than words for a person."""
    return bool(_MACHINE.fullmatch(value)) or not PROSE.search(value)


def judge_code(node: Node, value: str, named: frozenset[str], reader: Reader) -> None:
    """Give a machine's string its role."""
    node.role = Role.EMPTY
    node.machine = named | (reader.member(value) if len(value) <= 60 and "/" not in value else frozenset())
    if "prompt" in named and value:
        node.role, node.reading = Role.PROMPT, _GIVEN
    elif value.isalpha() and not _NAMES_OF_MACHINES.fullmatch(node.key):
        node.role, node.text, node.reading = Role.OTHER, value, reader.read(value)
        if value[0].isupper() and node.reading.support and not node.reading.against:
            # One word on a button.
            node.role = Role.SUPPORT


def judge_words(node: Node, value: str, named: frozenset[str], reader: Reader) -> None:
    """Give words for a person their role."""
    node.text = value
    if len(value) > LONGEST:
        node.role = Role.KEPT
        return
    node.reading = reading = reader.read(value)
    if reading.prompt:
        rest = without(str(node.value), reader, Found(Place.ANSWER))
        node.role = Role.OTHER if rest is None else Role.PROMPT
        if rest and rest.strip():
            node.role, node.new = Role.PART, rest
    elif reading.warning:
        node.role = Role.WARNING
    elif (
        reading.against
        or reading.foreign
        or "own" in named
        or (reading.greeting and not (reading.support and reading.score >= 1))
    ):
        node.role = Role.KEPT
    elif reading.bare:
        node.role = Role.SUM
    else:
        node.role = Role.SUPPORT if reading.support else Role.OTHER
