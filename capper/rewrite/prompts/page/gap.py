"""What frameworks go by where something is not shown: an empty comment in place of a block that was cut, where they look for one.

Vue looks for one where `v-if` shows nothing, and for none where a list has an entry less. Angular counts: it keeps how many nodes each
block and list has been drawn with, takes them in order, and clears away those that are left over.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from capper.markup import Element
from capper.rewrite.prompts.base import Role
from capper.rewrite.prompts.page import lit
from capper.rewrite.prompts.page.tree import Box, Run

_SIGNS = (b"<!--[-->", b"<!---->", b"__NUXT__", b"data-server-rendered=")
_NAMED = ((b"data-v-", re.compile(rb"\sdata-v-[0-9a-f]{6}")), (b"__nuxt", re.compile(rb"\bid=[\"']?__nuxt\b")))
"""What a page rendered by Vue on a server has, and others have not."""
_COUNTED = b'"__nghData__"'
"""Where Angular keeps its counts."""
_OPEN, _CLOSE = b"<!--[-->", b"<!--]-->"
"""Around what a loop, a slot or several roots of a component made."""
_NOTHING = b"<!---->"
"""What `v-if` writes for a block that is not there; without it hydration complains and renders the page anew."""

Edit = tuple[int, int, bytes]


def closed(data: bytes, root: Box, edits: Sequence[Edit]) -> list[Edit]:
    """`edits` as the page's framework would have left the places; the same where no framework goes by them."""
    if lit.MARK in data:
        return lit.closed(data, edits)
    if _COUNTED in data:
        return list(_counted(root, edits))
    if not any(sign in data for sign in _SIGNS) and not any(
        name in data and sign.search(data) for name, sign in _NAMED
    ):
        return [*edits]
    vacant = {(kid.start, kid.end) for kid in _vacancies(data, root)}
    return [(start, end, _NOTHING if not text and (start, end) in vacant else text) for start, end, text in edits]


def _counted(root: Box, edits: Sequence[Edit]) -> Iterator[Edit]:
    """`edits` with a node for each block that was cut: in its place, or behind the last of several alike."""
    cut = {(box.start, box.end): box for box in _cut(root)}
    for start, end, text in edits:
        box = cut.get((start, end)) if not text else None
        last = _last_alike(box) if box is not None else None
        if last is None:
            yield start, end, _NOTHING if box is not None else text
        else:
            yield start, end, text
            yield last, last, _NOTHING


def _cut(box: Box) -> Iterator[Box]:
    for kid in box.kids:
        if isinstance(kid, Box) and kid.role is Role.PROMPT:
            yield kid
        elif isinstance(kid, Box) and kid.role is Role.PART:
            yield from _cut(kid)


def _last_alike(box: Box) -> int | None:
    """Where the last of those that stand behind a box and look like it ends; None where none does."""
    end = None
    for other in box.element.after():
        if isinstance(other, str):
            if other.strip():
                break
            continue
        if other.span is None or not _same(box.element, other):
            break
        end = other.span.end
    return end


def _vacancies(data: bytes, box: Box) -> Iterator[Box]:
    """The boxes inside that, once cut, leave a place that Vue expects to be marked."""
    if box.role not in (Role.PART, Role.PROMPT):
        return
    kids = box.kids
    # What stands inside a kid opens and closes there: only what stands between them is looked at.
    ends = [box.start, *(kid.end for kid in kids)]
    gaps = [data[end:start] for end, start in zip(ends, [*(kid.start for kid in kids), box.end], strict=True)]
    within = 0
    for kid, before, after, (left, right) in zip(kids, [None, *kids], [*kids[1:], None], pairwise(gaps), strict=False):
        within += left.count(_OPEN) - left.count(_CLOSE)
        if not isinstance(kid, Box):
            continue
        first, last = _OPEN in left, _CLOSE in right
        peers = (None if first else before), (None if last else after)
        looped = within > 0 and ((first and last) or any(_alike(kid, peer) for peer in peers))
        if kid.role is Role.PROMPT and not looped:
            yield kid
        yield from _vacancies(data, kid)


def _alike(kid: Box, other: Box | Run | None) -> bool:
    return isinstance(other, Box) and _same(kid.element, other.element)


def _same(one: Element, other: Element) -> bool:
    return other.tag == one.tag and other.get("class").split()[:1] == one.get("class").split()[:1]
