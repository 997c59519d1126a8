"""Finds the prompts in a page: the smallest block that makes each, whole, and nothing of what stands beside it."""

from collections.abc import Sequence

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Prompt
from capper.markup import parse
from capper.rewrite.prompts.base import Reader
from capper.rewrite.prompts.page.cuts import Cuts
from capper.rewrite.prompts.page.gap import closed
from capper.rewrite.prompts.page.roles import resolve
from capper.rewrite.prompts.page.tree import Soil


def strip(
    data: bytes, url: str, reader: Reader, charset: str = "", hits: Sequence[int] = (), *, mark: bool = False
) -> tuple[bytes, tuple[Prompt, ...]]:
    """`data` without its prompts, and what they were; the very same object where there are none.

    With `mark` they stay and are outlined.

    Raises:
        Unrewritable: the document is of a kind that editing would cost too much, or would come out otherwise than meant.
    """
    document = parse(data, url, charset)
    root = Soil(document, hits or range(len(data))).root()
    if root is None:
        return data, ()
    resolve(root, reader)
    cuts = Cuts(reader)
    if mark:
        cuts.outline(root, data)
    else:
        cuts.collect(root)
        cuts.unselect(root)
    if not cuts.edits:
        return data, ()
    edits = cuts.edits if mark else closed(data, root, cuts.edits)
    return splice(data, edits), tuple(cuts.found.prompts)


def in_string(html: str, reader: Reader) -> str | None:
    """HTML in a string without its prompts; None where it has none."""
    data = html.encode("utf-8", "surrogatepass")
    try:
        stripped, prompts = strip(data, "", reader, "utf-8")
    except Unrewritable:
        return None
    return stripped.decode("utf-8", "surrogatepass") if prompts else None


def splice(data: bytes, edits: Sequence[tuple[int, int, bytes]]) -> bytes:
    """`data` with ranges replaced; of nested ranges the outer one counts."""
    parts, at = [], 0
    for start, end, text in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if start < at:
            if end > at:
                raise Unrewritable("two cuts of a page overlap")
            continue
        parts += [data[at:start], text]
        at = end
    return b"".join((*parts, data[at:]))
