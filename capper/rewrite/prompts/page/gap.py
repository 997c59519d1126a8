"""What Vue goes by where something is not shown: an empty comment in place of a block that was cut, but for a list's entry."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from capper.rewrite.prompts.base import Role
from capper.rewrite.prompts.page.tree import Box, Run

_SIGNS = (b"<!--[-->", b"<!---->", b"__NUXT__", b"data-server-rendered=")
_NAMED = ((b"data-v-", re.compile(rb"\sdata-v-[0-9a-f]{6}")), (b"__nuxt", re.compile(rb"\bid=[\"']?__nuxt\b")))
"""What a page rendered by Vue on a server has, and others have not."""
_OPEN, _CLOSE = b"<!--[-->", b"<!--]-->"
"""Around what a loop, a slot or several roots of a component made."""
_NOTHING = b"<!---->"
"""What `v-if` writes for a block that is not there; without it hydration complains and renders the page anew."""

Edit = tuple[int, int, bytes]


def closed(data: bytes, root: Box, edits: Sequence[Edit]) -> list[Edit]:
    """`edits` as the page's framework would have left the places; the same where no framework goes by them."""
    if not any(sign in data for sign in _SIGNS) and not any(
        name in data and sign.search(data) for name, sign in _NAMED
    ):
        return [*edits]
    vacant = {(kid.start, kid.end) for kid in _vacancies(data, root)}
    return [(start, end, _NOTHING if not text and (start, end) in vacant else text) for start, end, text in edits]


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
    return (
        isinstance(other, Box)
        and other.tag == kid.tag
        and other.element.get("class").split()[:1] == kid.element.get("class").split()[:1]
    )
