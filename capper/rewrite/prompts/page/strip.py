"""Finds the prompts in a page: the smallest block that makes each, whole, and nothing of what stands beside it."""

from collections.abc import Iterator, Sequence
from functools import partial
from html import escape

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Prompt
from capper.markup import parse
from capper.rewrite.prompts.base import ANYWHERE, Heat, Reader, bare
from capper.rewrite.prompts.page.cuts import Cuts, said_in
from capper.rewrite.prompts.page.gap import closed
from capper.rewrite.prompts.page.roles import resolve
from capper.rewrite.prompts.page.tree import Box, Soil

type Edit = tuple[int, int, bytes]
"""What to write instead of a range of bytes."""


class Page:
    """A page that was read: every box of it has its role.

    Raises:
        Unrewritable: the document is of a kind that editing would cost too much.
    """

    def __init__(
        self, data: bytes, url: str, reader: Reader, charset: str = "", heat: Heat = ANYWHERE, *, framed: bool = False
    ) -> None:
        """`data` is in `charset`, and read where it is hot; `framed`: it is the document of a frame, whose own frames stay."""
        self.data, self.reader = data, reader
        self._document = parse(data, url, charset)
        markup = None if framed else partial(in_string, reader=reader, framed=True)
        self._root = Soil(self._document, heat, markup).root()
        if self._root is not None:
            resolve(self._root, reader)

    def said(self) -> frozenset[str]:
        """What it says in its prompts, piece by piece, as `bare` words."""
        return frozenset(said_in(self._root)) if self._root is not None else frozenset()

    def edits(self, moved: Sequence[str] | None = None, *, mark: bool = False) -> tuple[list[Edit], list[Prompt]]:
        """The edits that take its prompts out, and what they were; with `mark` those that outline them.

        With `moved`, warnings that the page's state lost with prompts, warnings stand at the page's end rather than where
        prompts stood: what is left of the page must agree with what is left of its state.
        """
        if self._root is None:
            return [], []
        cuts = Cuts(self.reader, self.data, apart=moved is not None)
        if mark:
            cuts.outline(self._root)
        else:
            cuts.collect(self._root)
            cuts.unselect(self._root)
        unscripted, prompts = self._unscripted(self._root, mark=mark)
        edits = cuts.edits if mark or not cuts.edits else closed(self.data, self._root, cuts.edits)
        warnings = [*cuts.moved, *self._unsaid(moved or ())]
        if warnings:
            edits.append((self._end(), self._end(), b"".join(warnings)))
        return [*edits, *unscripted], [*cuts.found.prompts, *prompts]

    def _unsaid(self, warnings: Sequence[str]) -> Iterator[bytes]:
        """Those of the warnings that the page says nowhere, as elements."""
        if not warnings or self._root is None:
            return
        said = bare(self._document.decode(" ".join(self._root.element.texts())))
        for warning in dict.fromkeys(warnings):
            if bare(warning) not in said:
                yield b"<p>%s</p>" % escape(warning, quote=False).encode("ascii", "xmlcharrefreplace")

    def _end(self) -> int:
        """Where the body ends: no script that takes over a page minds what stands there."""
        closing = self._root.element.end_tag if self._root is not None else None
        return closing.start if closing is not None else len(self.data)

    def _unscripted(self, root: Box, *, mark: bool) -> tuple[list[Edit], list[Prompt]]:
        """The edits within what is shown where scripts do not run: to a browser that runs them it is but text."""
        edits: list[Edit] = []
        prompts: list[Prompt] = []
        for element in self._document.select("body noscript"):
            opening, closing = element.start_tag, element.end_tag
            if opening is None or closing is None or not root.soil.heat.near(opening.end, closing.start):
                continue
            inside = self.data[opening.end : closing.start]
            made, found = Page(inside, "", self.reader, self._document.charset).edits(mark=mark)
            if made:
                edits.append((opening.end, closing.start, splice(inside, made)))
                prompts += found
        return edits, prompts


def in_string(html: str, reader: Reader, *, framed: bool = False) -> str | None:
    """HTML in a string without its prompts; None where it has none. `framed`: it is the document of a frame."""
    data = html.encode("utf-8", "surrogatepass")
    try:
        edits, _ = Page(data, "", reader, "utf-8", framed=framed).edits()
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
