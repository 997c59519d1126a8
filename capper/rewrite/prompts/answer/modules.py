"""Is an object or list made for a prompt, or does it hold other things: how far a prompt among JSON values reaches."""

import re

from capper.domain.prompt import digits
from capper.jsontext import Number
from capper.rewrite.prompts.answer.nodes import LONGEST, Node, is_sentence, is_textual, worst
from capper.rewrite.prompts.base import Reader, Role

_LINES, _LINE = 6, 160
_CALL = 40
_CLEAR = 3.0
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def is_block(node: Node, reader: Reader) -> bool:
    """Whether the lines of a list make one prompt, none of them by itself."""
    kids = node.kids
    if len(kids) >= 2 and all(kid.said for kid in kids):
        return True
    if not 2 <= len(kids) <= _LINES or any(not kid.text or len(kid.text) > _LINE for kid in kids):
        return False
    if any(kid.role not in (Role.SUPPORT, Role.SUM, Role.OTHER) for kid in kids):
        return False
    said = sum(kid.role is not Role.OTHER for kid in kids)
    return said * 2 > len(kids) and reader.read("\n".join(kid.text for kid in kids)).prompt


def gather(node: Node, said: list[Node], text: str, *, hers: bool, reader: Reader, movable: bool) -> None:
    """No member is a prompt by itself; the object may be."""
    nested = [kid for kid in node.kids if kid.kids]
    if len(said) > 1 and all(kid.said for kid in said):
        for kid in said:
            kid.role = Role.PROMPT
        node.reading = reader.read(text)
        absorb(node, movable=movable)
        return
    if not said or len(text) > LONGEST or hers:
        machine = node.machine
        offered = "prompt" in machine and machine & {"amount", "credit"} and not hers and not said and not nested
        node.role = Role.PROMPT if offered else worst(node.kids)
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
    reading = reader.read(text, frozenset(more))
    if not reading.prompt and len(node.kids) <= _LINES:
        summed = [kid for kid in node.kids if kid in said or _is_sum(kid, reader)]
        whole = reader.read("\n".join(str(kid.value) for kid in summed), frozenset(more))
        if len(summed) > len(said) and whole.prompt and whole.score >= _CLEAR:
            reading, said = whole, summed
            for kid in said:
                kid.role = Role.SUM if kid.role is Role.EMPTY else kid.role
    if not reading.prompt:
        node.role, node.reading = worst(node.kids), reading
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
        if kid.role in (Role.SUPPORT, Role.SUM) or (kid.role is Role.OTHER and is_textual(kid.key)):
            kid.role = Role.PROMPT
    absorb(node, movable=movable)


def absorb(node: Node, *, movable: bool) -> None:
    """The object holds a prompt: is it a module made for it, or does it hold other things?

    A warning that is `movable` is no other thing.
    """
    node.reading = next(
        (kid.reading for kid in node.kids if kid.role is Role.PROMPT and kid.reading.prompt), node.reading
    )
    flat = not any(
        kid.kids
        and kid.role not in (Role.EMPTY, Role.SUPPORT, Role.PROMPT)
        and not _is_call(kid)
        and not (movable and _is_warning(kid))
        for kid in node.kids
    )
    stays = [
        kid
        for kid in node.kids
        if (kid.role in (Role.KEPT, Role.WARNING, Role.PART) and not (movable and _is_warning(kid)))
        or (kid.role is Role.OTHER and not (flat and _belongs(kid) and (node.path or is_textual(kid.key))))
    ]
    direct = any(
        (kid.role is Role.PROMPT and (kid.text or kid.new is not None or not kid.kids))
        or (kid.role is Role.PART and kid.text and kid.reading.prompt)
        for kid in node.kids
    )
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
    named = {_first(kid.key) for kid in node.kids if kid.role is Role.PROMPT and kid.text}
    named -= {_first(kid.key) for kid in node.kids if kid.role in (Role.KEPT, Role.WARNING)} | {""}
    for kid in node.kids:
        whole = kid.role is Role.SUM or (kid.role is Role.OTHER and not kid.reading.amount)
        if whole and kid.text and not kid.kids and _first(kid.key) in named:
            # `offerTitle` and `offerButton` are of one offer.
            kid.role = Role.PROMPT
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


def _is_call(kid: Node) -> bool:
    """Whether an object is a button: a few words, and where they lead."""
    said = [each for each in kid.kids if each.role is not Role.EMPTY]
    if kid.role is not Role.OTHER or not isinstance(kid.value, dict) or kid.cold or len(said) != 1:
        return False
    return 0 < len(said[0].text) <= _CALL and is_textual(said[0].key) and not said[0].reading.amount


def _is_sum(kid: Node, reader: Reader) -> bool:
    """Whether a member is a sum in figures alone, with what money is called."""
    plain = isinstance(kid.value, str) and not isinstance(kid.value, Number)
    return plain and kid.role is Role.EMPTY and len(str(kid.value)) <= _CALL and reader.read(str(kid.value)).bare


def _is_warning(kid: Node) -> bool:
    """Whether a value is a warning, or holds nothing but warnings."""
    if kid.role is not Role.WARNING:
        return False
    return bool(kid.text) or all(_is_warning(each) or each.role is Role.EMPTY for each in kid.kids)


def moved(node: Node) -> list[str]:
    """The warnings in what goes."""
    gone: list[str] = []
    waiting = [(node, False)]
    while waiting:
        each, cut = waiting.pop()
        if cut and each.role is Role.WARNING and each.text:
            gone.append(each.text)
        waiting += ((kid, cut or each.role is Role.PROMPT) for kid in each.kids)
    return gone


def _first(key: str) -> str:
    """The first of several words a member is called by; "" for a single word."""
    words = _WORDS.findall(key)
    return words[0].lower() if len(words) > 1 else ""


def _belongs(kid: Node) -> bool:
    """Whether words that say nothing of credit are a module's title, line or button."""
    if not kid.text:
        return True
    if len(kid.text) > 220:
        return False
    plain = not kid.reading.amount and (is_sentence(kid.text) or "urge" in kid.reading.signals)
    return plain or is_textual(kid.key)
