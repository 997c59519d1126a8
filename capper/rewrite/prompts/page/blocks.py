"""How far a prompt reaches: what beside it belongs to it, and whether the box around holds anything else."""

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile
from operator import itemgetter

from capper.domain.prompt import Reading
from capper.rewrite.prompts.base import UNASKED, Reader, Role
from capper.rewrite.prompts.page.pieces import closes, hails
from capper.rewrite.prompts.page.shapes import LETTER, ROOTS, are_peers, has_fields, inline, is_call, is_heading, peers
from capper.rewrite.prompts.page.tree import Box, Run, collapse_lines

_GONE = (Role.PROMPT, Role.SUPPORT, Role.SUM)
_GOVERNED, _GOVERNED_TEXT = 3, 220
_CARD, _LINE = 500, 120
_PRICE, _SLACK = -2.5, 1.0
_CLEAR = 3.0
"""Odds of what is a prompt only together."""
_TITLES = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])
_UNSEEN = frozenset(["br", "hr", "script", "style", "noscript"])
_PAIRED = frozenset(["tr", "dl"])
_URGENT = frozenset(["preapproved", "decided", "raise", "yours", "urge", "headroom", "later", "credit", "fanfare"])
_LABEL = re.compile(
    r"\b(?!(?:euro\w*|kron\w*|rea(?:is|l)|pesos?|d[oó]l\w+|dollars?|pounds?|rupees?|fran[ck]\w*|z[lł]\w+|lakhs?|mil\w*|tus\w*)\b)[^\W\d_]{3,}",
    re.IGNORECASE,
)
"""A sum with words before it is the sum of something."""
_ROUND = re.compile(r"[05]0(?!\d)(?![.,](?!00)\d)")
_GLUE = re.compile(r"[\w,;:–—-]\s*$")


def gather(box: Box, reader: Reader) -> None:
    """No part of the box is a prompt by itself, the whole is."""
    kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
    kept = [kid for kid in kids if kid.role in (Role.KEPT, Role.WARNING)]
    blocks = [kid for kid in kids if isinstance(kid, Box) and not kid.inline]
    if not blocks and not kept:
        box.role = Role.PROMPT if box.tag not in ROOTS else Role.PART
        if box.role is Role.PART:
            _take(kids)
        return
    if are_peers(blocks) or len(kids) > 10:
        box.role = Role.OTHER
        return
    said = [kid for kid in kids if kid.role in (Role.SUPPORT, Role.SUM) or (not blocks and kid.role is Role.OTHER)]
    reading = reader.read(collapse_lines("\n".join(kid.text for kid in said)))
    if not reading.prompt:
        said = together(box, kids, reader)
        if not said:
            box.role = Role.KEPT if box.reading.against or kept else Role.OTHER
            return
        reading = reader.read(collapse_lines("\n".join(kid.text for kid in said)))
    box.reading = reading
    _take(said)
    absorb(box, reader)


def together(box: Box, kids: Sequence[Box | Run], reader: Reader) -> list[Box | Run]:
    """The fewest lines of a small card that are a prompt together, none of which can be left out; none where there are no such."""
    if len(box.text) > _CARD or has_fields(box):
        return []
    said = [kid for kid in kids if kid.role is not Role.WARNING and len(kid.text) <= _LINE * 2 and not _is_other(kid)]
    odds = _odds(said, reader)
    while len(said) > 2:
        rest, kid = max(
            ((_odds([other for other in said if other is not kid], reader), kid) for kid in said), key=itemgetter(0)
        )
        if rest < odds:
            break
        odds, said = rest, [other for other in said if other is not kid]
    if len(said) < 2 or odds < _CLEAR or not reader.read(collapse_lines("\n".join(kid.text for kid in said))).prompt:
        return []
    return said


def _is_other(kid: Box | Run) -> bool:
    """Whether it is about something else, or somebody is greeted or leaves by it."""
    if kid.role is Role.PART or kid.reading.against or kid.reading.foreign or _stays(kid):
        return True
    # The sum of something.
    return kid.role is Role.SUM and (kid.reading.score < _PRICE and bool(_LABEL.search(kid.text)))


def absorb(box: Box, reader: Reader) -> None:
    """The box holds a prompt: what beside it belongs to it, and is there anything else?"""
    kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
    if _is_sentence(box, kids):
        box.role = Role.PROMPT
        return
    _lines(kids)
    for before, after in pairwise(kids):
        # A greeting with a comma is the beginning of the sentence behind it.
        if after.role is Role.PROMPT and before.reading.greeting and before.text.rstrip().endswith(","):
            after_text = after.text.lstrip()
            before.role = Role.SUPPORT if after_text[:1].islower() else before.role
    blocks = [kid for kid in kids if isinstance(kid, Box) and not kid.inline]
    headed = bool(kids) and is_heading(kids[0]) and kids[0].role in _GONE
    if headed and box.tag not in ("body", "main", "html") and not are_peers(blocks):
        governed = [kid for kid in kids[1:] if kid.role in (Role.OTHER, Role.CALL) and not kid.reading.amount]
        if len(governed) <= _GOVERNED and all(len(kid.text) <= _GOVERNED_TEXT for kid in governed):
            for kid in governed:
                kid.role = Role.SUPPORT
    _gather_around(box, kids, blocks, reader)
    others = [kid for kid in kids if kid.role in (Role.OTHER, Role.KEPT, Role.PART)]
    said = [kid for kid in kids if kid.role in (Role.PROMPT, Role.SUPPORT)]
    spoken = [kid for kid in kids if kid.role is Role.PROMPT]
    sums = [kid for kid in kids if kid.role is Role.SUM]
    if sums and all(isinstance(kid, Box) and kid.mute for kid in spoken):
        # What speaks of credit is an attribute; what stands inside is a price.
        others += sums
    elif sums and others and any(kid.reading.amount for kid in spoken):
        others += sums
    else:
        # The sum of something.
        others += [kid for kid in sums if _is_price(kid) and _LABEL.search(kid.text)]
    if len(others) == 1 and others[0] is kids[0] and _titles(others[0]) and said:
        others = []
    if (
        not others
        and box.tag not in ROOTS
        and not has_fields(box)
        and not (are_peers(blocks) and any(kid.role is not Role.PROMPT for kid in blocks))
    ):
        box.role = Role.PROMPT
        return
    box.role = Role.PART
    spread(kids, root=box.tag in ROOTS)
    hollow(box, reader)


def _is_sentence(box: Box, kids: Sequence[Box | Run]) -> bool:
    """Whether a box is one line of words, some of them set off, and all of it a prompt."""
    if box.tag in ROOTS or not box.reading.prompt or len(box.text) > _LINE * 2 or len(kids) < 2 or has_fields(box):
        return False
    if not all(inline(kid) for kid in kids) or any(kid.role in (Role.PART, Role.WARNING) for kid in kids):
        return False
    if sum(is_call(kid) for kid in kids if isinstance(kid, Box)) > 1 or any(_hails(kid) for kid in kids):
        return False
    if any(map(_is_price, kids)) and any(kid.role is Role.PROMPT and kid.reading.amount for kid in kids):
        return False
    return not any(kid.role is Role.KEPT and (kid.reading.against or kid.reading.foreign) for kid in kids)


def _titles(kid: Box | Run) -> bool:
    """Whether it is a card's heading; a page's main one is not."""
    return is_heading(kid) and kid.role is Role.OTHER and not (isinstance(kid, Box) and kid.tag == "h1")


def _hails(kid: Box | Run) -> bool:
    """Whether it is a greeting by itself, not one that the sentence goes on from."""
    return hails(kid.reading) and not kid.text.rstrip().endswith(",")


def _is_price(kid: Box | Run) -> bool:
    """Whether an amount is what something costs, or what an account holds: it sounds like no prompt at all."""
    return kid.role is Role.SUM and kid.reading.score < _PRICE


def _gather_around(box: Box, kids: Sequence[Box | Run], blocks: Sequence[Box], reader: Reader) -> None:
    """In a small card titles, lines and buttons are the prompt's, unless the card reads more like one without them."""
    for before, here in pairwise(kids):
        if before.role is Role.PROMPT and _describes(before, here):
            here.role = Role.PROMPT
        if here.role is Role.PROMPT and _names(before) and not before.reading.against and not before.reading.amount:
            before.role = Role.PROMPT
    if box.tag in ROOTS or len(box.text) > _CARD or are_peers(blocks) or has_fields(box):
        return
    if box.tag in _PAIRED or (blocks and any(_is_price(kid) or _is_mixed(kid) for kid in kids)):
        # A price: the card is of a product, or of her account.
        return
    if any(_is_module(kid) for kid in kids if kid.role is Role.PROMPT):
        return
    doubtful = [
        kid
        for kid in kids
        if kid.role in (Role.OTHER, Role.CALL, Role.KEPT)
        and len(kid.text) <= _LINE
        and not _stays(kid)
        and not (kid.reading.against and "statement" in kid.reading.signals)
    ]
    if any(kid.reading.amount and kid.reading.score < _PRICE for kid in doubtful):
        return
    whole = _odds(kids, reader)
    for kid in doubtful:
        if whole + _slack(kid) >= _odds([other for other in kids if other is not kid], reader):
            kid.role = Role.SUPPORT


def _slack(kid: Box | Run) -> float:
    """How much less like a prompt a card may read with a piece than without, for the piece to be of it."""
    if kid.role is Role.KEPT:
        return -_SLACK if kid.reading.score < 0 else 0.0
    return _SLACK if kid.reading.amount else 3 * _SLACK


def _is_mixed(kid: Box | Run) -> bool:
    """Whether it holds a prompt among other things, not a line of which a sentence stays."""
    return kid.role is Role.PART and not _is_line(kid)


def _is_line(kid: Box | Run) -> bool:
    """Whether it is a line of words, not a row of elements, that reads as a prompt, whatever of it stays."""
    if not kid.reading.prompt or len(kid.text) > _LINE * 2:
        return False
    words = isinstance(kid, Run) or any(isinstance(each, Run) and LETTER.search(each.text) for each in kid.kids)
    return words and (isinstance(kid, Run) or all(map(inline, kid.kids)))


def _is_module(kid: Box | Run) -> bool:
    """Whether it is a card of its own, with parts: what stands beside it is not of it."""
    return isinstance(kid, Box) and any(isinstance(each, Box) and not each.inline for each in kid.kids)


def _names(kid: Box | Run) -> bool:
    """Whether it is the name of what stands behind it."""
    return isinstance(kid, Box) and kid.tag in ("dt", "th") and kid.role in (Role.OTHER, Role.CALL)


def _describes(term: Box | Run, kid: Box | Run) -> bool:
    """Whether a piece is a sum, or words of credit, under a term."""
    pair = isinstance(term, Box) and isinstance(kid, Box) and (term.tag, kid.tag) == ("dt", "dd")
    return pair and kid.role in (Role.SUM, Role.SUPPORT)


def _stays(kid: Box | Run) -> bool:
    return hails(kid.reading) or closes(kid.text, kid.reading) or (isinstance(kid, Box) and kid.tag == "h1")


def _odds(kids: Sequence[Box | Run], reader: Reader) -> float:
    return reader.read(collapse_lines("\n".join(kid.text for kid in kids))).score


def spread(kids: list[Box | Run], *, root: bool) -> None:
    """Of a box that stays, what supports a prompt and stands beside it goes too, a warning between them or not."""
    kids = [kid for kid in kids if kid.role is not Role.WARNING]
    summed = any(kid.reading.amount for kid in kids if kid.role is Role.PROMPT)
    costs = {id(here) for before, here in pairwise(kids) if is_heading(before) and before.role is Role.OTHER}
    for order in (kids, kids[::-1]):
        priced = False
        for before, here in pairwise(order):
            priced = priced or before.role is Role.SUM
            said = before.role is Role.PROMPT or (before.role is Role.PART and _is_line(before))
            if not said or peers(before, here):
                continue
            if here.role is Role.SUPPORT:
                here.role = Role.PROMPT if not root or _urgent(here.reading) else here.role
            elif (here.role is Role.CALL and order is kids and not priced and (not root or _is_component(here))) or (
                here.role is Role.SUM
                and not summed
                and _ROUND.search(here.text)
                and not _LABEL.search(here.text)
                and id(here) not in costs
                and not (isinstance(before, Box) and before.mute)
            ):
                here.role = Role.PROMPT


def _is_component(kid: Box | Run) -> bool:
    return isinstance(kid, Box) and "-" in kid.tag


def hollow(box: Box, reader: Reader) -> None:
    """A heading under which nothing but prompts stood goes with them: one with words of credit, or that makes them no less of a prompt."""
    kids = [kid for kid in box.kids if isinstance(kid, Box) or LETTER.search(kid.text)]
    for number, heading in enumerate(kids):
        if not _heads(heading) or heading.role not in (Role.SUPPORT, Role.OTHER):
            continue
        under = [*takewhile(lambda kid: not _heads(kid), kids[number + 1 :])]
        if any(kid.role is Role.PROMPT for kid in under) and all(
            kid.role in (Role.PROMPT, Role.WARNING) or (isinstance(kid, Box) and kid.tag in _UNSEEN) for kid in under
        ):
            prompts = [kid for kid in under if kid.role is Role.PROMPT]
            if heading.role is Role.SUPPORT or _belongs(heading, prompts, reader):
                heading.role = Role.PROMPT


def _belongs(heading: Box | Run, prompts: Sequence[Box | Run], reader: Reader) -> bool:
    """Whether a short heading and few prompts read as one no less than the prompts do; a page's main heading does not."""
    if _stays(heading) or len(heading.text) > _LINE or len(prompts) > _GOVERNED:
        return False
    return _odds([heading, *prompts], reader) >= _odds(prompts, reader)


def _heads(kid: Box | Run) -> bool:
    return isinstance(kid, Box) and kid.tag in _TITLES


def _take(kids: Sequence[Box | Run]) -> None:
    for kid in kids:
        if kid.role not in (Role.PART, Role.WARNING, Role.KEPT):
            kid.role = Role.PROMPT


def _lines(kids: list[Box | Run]) -> None:
    """In one line, words that a prompt's sentence runs on into are part of it."""
    for before, after in pairwise(kids):
        if not (inline(before) and inline(after)):
            continue
        if after.role is Role.PROMPT and before.role is Role.OTHER and _GLUE.search(before.text) and _low(after.text):
            before.role = Role.SUPPORT
        if before.role is Role.PROMPT and after.role is Role.OTHER and _low(after.text) and isinstance(after, Run):
            after.role = Role.SUPPORT


def _urgent(reading: Reading) -> bool:
    """Whether a piece is sure to belong to the prompt it stands beside."""
    return bool(reading.signals & (UNASKED | {"decided"} if reading.amount else _URGENT))


def _low(text: str) -> bool:
    text = text.strip()
    return bool(text) and (text[0].islower() or text[0].isdigit() or text[0] in "€£$₹,.;:!?")
