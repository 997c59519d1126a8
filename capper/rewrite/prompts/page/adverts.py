"""What is labelled as an advertisement within a page that somebody opened for something else."""

from capper.rewrite.prompts.base import Reader, Role
from capper.rewrite.prompts.page.shapes import LETTER, ROOTS, called
from capper.rewrite.prompts.page.tree import Box

_LABEL = 90
"""Characters: a longer text is no label."""
_TOLD = ("aria-label", "data-label", "data-badge", "title")
"""Attributes that say what an element is."""


def advert(box: Box, reader: Reader) -> Reader | None:
    """Who reads a box that is labelled as an advertisement; None where it is not. Its label stays, as a warning does."""
    if box.tag in ROOTS or box.inline or box.long or reader.apart() is None:
        return None
    said = [kid for kid in box.kids if LETTER.search(kid.text)]
    for kid in (*said[:2], *said[-1:]) if len(said) > 1 else ():
        if len(kid.text) <= _LABEL and (inside := reader.apart(kid.text)) is not None:
            kid.role = Role.WARNING
            return inside
    for name in _TOLD:
        told = box.element.get(name)
        if 0 < len(told) <= _LABEL and (inside := reader.apart(told)) is not None:
            return inside
    return reader.apart() if "advert" in called(box.element, reader) else None
