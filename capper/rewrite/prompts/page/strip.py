"""Finds the prompts in a page: the smallest block that makes each, whole, and nothing of what stands beside it."""

from collections.abc import Sequence

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Prompt
from capper.markup import Document, parse
from capper.rewrite.prompts.base import ANYWHERE, Heat, Reader
from capper.rewrite.prompts.page.cuts import Cuts
from capper.rewrite.prompts.page.gap import closed
from capper.rewrite.prompts.page.roles import resolve
from capper.rewrite.prompts.page.tree import Box, Soil

type Edit = tuple[int, int, bytes]
"""What to write instead of a range of bytes."""


def find(
    data: bytes, url: str, reader: Reader, charset: str = "", heat: Heat = ANYWHERE, *, mark: bool = False
) -> tuple[list[Edit], list[Prompt]]:
    """The edits that take the prompts out of `data`, and what they were; with `mark` those that outline them.

    Raises:
        Unrewritable: the document is of a kind that editing would cost too much.
    """
    document = parse(data, url, charset)
    root = Soil(document, heat).root()
    if root is None:
        return [], []
    resolve(root, reader)
    cuts = Cuts(reader)
    if mark:
        cuts.outline(root, data)
    else:
        cuts.collect(root)
        cuts.unselect(root)
    unscripted, prompts = _unscripted(data, document, root, reader, mark=mark)
    edits = cuts.edits if mark or not cuts.edits else closed(data, root, cuts.edits)
    return [*edits, *unscripted], [*cuts.found.prompts, *prompts]


def _unscripted(
    data: bytes, document: Document, root: Box, reader: Reader, *, mark: bool
) -> tuple[list[Edit], list[Prompt]]:
    """The edits within what is shown where scripts do not run: to a browser that runs them it is but text."""
    edits: list[Edit] = []
    prompts: list[Prompt] = []
    for element in document.select("body noscript"):
        opening, closing = element.start_tag, element.end_tag
        if opening is None or closing is None or not root.soil.heat.near(opening.end, closing.start):
            continue
        inside = data[opening.end : closing.start]
        made, found = find(inside, document.url, reader, document.charset, mark=mark)
        if made:
            edits.append((opening.end, closing.start, splice(inside, made)))
            prompts += found
    return edits, prompts


def in_string(html: str, reader: Reader) -> str | None:
    """HTML in a string without its prompts; None where it has none."""
    data = html.encode("utf-8", "surrogatepass")
    try:
        edits, _ = find(data, "", reader, "utf-8")
        return splice(data, edits).decode("utf-8", "surrogatepass") if edits else None
    except (Unrewritable, UnicodeDecodeError):
        return None


def splice(data: bytes, edits: Sequence[Edit]) -> bytes:
    """`data` with ranges replaced; of nested ranges the outer one counts.

    Raises:
        Unrewritable: two ranges overlap otherwise, so that the outcome would be another than meant.
    """
    parts, at = [], 0
    for start, end, text in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start < at:
            if end > at:
                raise Unrewritable("two cuts of a page overlap")
            continue
        parts += [data[at:start], text]
        at = end
    return b"".join((*parts, data[at:]))
