"""What a box's other pieces say for or against those that look like prompts: her own money, her account, a warning."""

from itertools import pairwise

from capper.rewrite.prompts.base import UNASKED, Reader, Role
from capper.rewrite.prompts.page.shapes import ROOTS, alike, are_peers, spare
from capper.rewrite.prompts.page.tree import Box, collapse_lines

_FIRM = frozenset(["credit", "preapproved", "later", "headroom", "raise", "borrow"])
_MARKED = frozenset(["marked"])
_GREETED = frozenset(["greeted"])
_ROWS = frozenset(["table", "tbody", "dl"])
_CARD = 400


def warn(box: Box, reader: Reader) -> None:
    """A warning the law asks for says that what stands in a small block with it is credit; what it says itself is set aside."""
    kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
    rest = [kid for kid in kids if kid.role not in (Role.WARNING, Role.KEPT)]
    if len(rest) == len(kids) or not rest or box.tag in ROOTS or are_peers([k for k in rest if isinstance(k, Box)]):
        return
    box.reading = reader.read(collapse_lines("\n".join(kid.text for kid in rest)), _MARKED)


def hail(box: Box, reader: Reader) -> None:
    """A sum that stands directly behind a greeting is told to whoever is greeted."""
    kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
    for before, here in pairwise(kids):
        if not before.reading.greeting or before.reading.amount or here.role is not Role.SUPPORT:
            continue
        if here.reading.amount:
            reading = reader.read(here.text, _GREETED | (here.reading.signals & _MARKED))
            if reading.prompt:
                here.role, here.reading = Role.PROMPT, reading


def spare_own(box: Box, reader: Reader) -> None:
    """Beside words of the person's own money a sum that is there for her is that, unless credit is named."""
    if box.tag in ROOTS or len(box.text) > _CARD:
        return
    if are_peers([kid for kid in box.kids if isinstance(kid, Box) and not kid.inline]):
        return
    own = any("own" in kid.reading.signals for kid in box.kids if kid.role not in (Role.PROMPT, Role.WARNING))
    own = own or any("own" in reader.read(words.text).signals for words in box.words)
    if not own:
        return
    for kid in box.kids:
        if kid.role in (Role.PROMPT, Role.PART) and not kid.reading.signals & _FIRM:
            spare(kid)


def spare_statement(box: Box) -> None:
    """Among rows of a person's own account a sum that is available is one of them."""
    blocks = [kid for kid in box.kids if isinstance(kid, Box) and not kid.inline]
    if box.tag not in _ROWS and (box.tag in ROOTS or len(blocks) < 2 or not alike(blocks)):
        return
    told = sum("statement" in kid.reading.signals and kid.role not in (Role.PROMPT, Role.PART) for kid in box.kids)
    if told < (1 if box.tag in _ROWS else 2):
        return
    for kid in box.kids:
        if kid.role in (Role.PROMPT, Role.PART) and not kid.reading.signals & UNASKED:
            spare(kid)
