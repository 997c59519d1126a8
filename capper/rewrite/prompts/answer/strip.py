"""Prompts in JSON: the module, list entry or member goes; what stands around stays as it was written, to the byte."""

from collections.abc import Callable, Iterator

from capper.jsontext import Edit, Text, splice
from capper.rewrite.prompts.answer.cuts import Cuts
from capper.rewrite.prompts.answer.flat import Flat, is_flat
from capper.rewrite.prompts.answer.layout import Json, Layout
from capper.rewrite.prompts.answer.modules import moved
from capper.rewrite.prompts.answer.nodes import Node, is_element
from capper.rewrite.prompts.answer.references import follow
from capper.rewrite.prompts.answer.walk import Walk
from capper.rewrite.prompts.base import ANYWHERE, Found, Heat, Reader, Role


def strip(text: Text, reader: Reader, found: Found, markup: Callable[[str], str | None], heat: Heat = ANYWHERE) -> str:
    """The source of `text` without its prompts; the same object where there are none.

    `markup` takes prompts out of HTML in a string: "" where nothing is left, None where it stays as it is.

    Raises:
        Unrewritable: it is so deep or large that editing it would cost too much.
    """
    edits = edits_of(Json(text), reader, found, markup, heat)
    return splice(text.source, edits) if edits else text.source


def edits_of(
    layout: Layout, reader: Reader, found: Found, markup: Callable[[str], str | None], heat: Heat = ANYWHERE
) -> list[Edit]:
    """The edits that take the prompts out of a document in any notation.

    Raises:
        Unrewritable: as of `strip`.
    """
    if is_element(layout.value):
        root = _walk(reader, found, markup).node(layout.value, "", (), 0)
        if root.role is Role.PROMPT:
            found.add(root.reading, root.text)
            return [Edit(layout.at, layout.stop, "null")]
    return [*_edits(layout, reader, found, markup, heat)]


def _walk(
    reader: Reader,
    found: Found,
    markup: Callable[[str], str | None],
    layout: Layout | None = None,
    heat: Heat = ANYWHERE,
) -> Walk:
    def nested(inner: Text) -> str:
        # What holds it is noted as a whole.
        return strip(inner, reader, found.aside(), markup)

    return Walk(reader, markup, nested, found, layout.spots if layout else None, heat)


def _edits(
    layout: Layout, reader: Reader, found: Found, markup: Callable[[str], str | None], heat: Heat
) -> Iterator[Edit]:
    if not isinstance(layout, Flat) and is_flat(layout.value):
        layout = Flat(layout, layout.at, layout.value)
    walk = _walk(reader, found, markup, None if layout.shared else layout, heat)
    root = walk.node(layout.value, "", (), 0, (layout.at, layout.at + len(layout.source)))
    _keep(root)
    if walk.touched:
        follow(root)
        found.moved += moved(root)
        cuts = Cuts(layout, found)
        cuts.collect(root, layout.at)
        yield from cuts.edits
        yield from cuts.orphans()
    for path in walk.flats:
        at = layout.at
        for step in path:
            spots = layout.spots(at)
            at = (spots[step] if isinstance(step, int) else [s for s in spots if s.place.key == step][-1]).at
        yield from _edits(Flat(layout, at, walk.flats[path]), reader, found, markup, heat)


def _keep(root: Node) -> None:
    """The document itself stays, whatever it holds."""
    if root.role is Role.PROMPT:
        root.role = Role.PART
        for kid in root.kids:
            if kid.text and kid.role in (Role.SUPPORT, Role.SUM, Role.OTHER):
                kid.role = Role.PROMPT
