"""Prompts in JSON: the module, list entry or member goes; what stands around stays as it was written, to the byte."""

from collections.abc import Callable

from capper.jsontext import Locator, Text, splice
from capper.rewrite.prompts.answer.cuts import edits
from capper.rewrite.prompts.answer.nodes import Node, is_element
from capper.rewrite.prompts.answer.walk import Walk
from capper.rewrite.prompts.base import Found, Reader, Role


def strip(text: Text, reader: Reader, found: Found, markup: Callable[[str], str | None]) -> str:
    """The source of `text` without its prompts; the same object where there are none.

    `markup` takes prompts out of HTML in a string: "" where nothing is left, None where it stays as it is.

    Raises:
        Unrewritable: it is so deep or large that editing it would cost too much.
    """

    def nested(inner: Text) -> str:
        # What holds it is noted as a whole.
        return strip(inner, reader, Found(found.place), markup)

    walk = Walk(reader, markup, nested)
    root = walk.node(text.value, "", (), 0)
    if root.role is Role.PROMPT and is_element(text.value):
        found.add(root.reading, root.text)
        return "null"
    _keep(root)
    if not walk.touched:
        return text.source
    made = edits(root, Locator(text), found)
    return splice(text.source, made) if made else text.source


def _keep(root: Node) -> None:
    """The document itself stays, whatever it holds."""
    if root.role is Role.PROMPT:
        root.role = Role.PART
        for kid in root.kids:
            if kid.text and kid.role in (Role.SUPPORT, Role.SUM, Role.OTHER):
                kid.role = Role.PROMPT
