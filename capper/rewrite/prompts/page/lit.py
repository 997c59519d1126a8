"""What Lit goes by when it takes over a page: comments around each value of a template, and before each element with bindings.

`<!--lit-part DIGEST-->` stands before what a template made, `<!--lit-part-->` before text or the parts of a list; both end with
`<!--/lit-part-->`. Lit takes them in order and counts: one more or fewer than its templates have, and the element stays dead.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MARK = b"<!--lit-part"
DEEPEST = 200
"""Parts and templates nested deeper are left: no page a person reads is so deep."""
_TOKEN = re.compile(
    rb"<!--(?P<kind>lit-part|lit-node|/lit-part)(?P<digest> [^ >]{1,80})?-->|<(?P<template>/?template)\b", re.IGNORECASE
)
_SILENT = re.compile(rb"<!--/?lit-(?:part|node)(?: [^ >]{1,80})?-->|<\?>|\s+")
"""What shows nothing."""
_NODE = re.compile(rb"<!--lit-node \d{1,9}-->\s{0,9}\Z")
_NODE_LENGTH = 40
_NOTHING = b"<!--lit-part BRUAAAUVAAA=--><!--/lit-part-->"
"""What an empty template makes; where the script expects none at all, Lit does not mind."""
_STAND_IN = b"<i hidden></i>"
"""For an element that Lit is to give its bindings to."""

type Edit = tuple[int, int, bytes]


@dataclass(eq=False, slots=True)
class _Part:
    """What stands between two comments; `template`: made by a template, else text or a list."""

    start: int
    begin: int
    template: bool
    around: "_Part | None"
    """None where it is all that an element's own tree holds."""
    stop: int = 0
    end: int = 0

    @property
    def entry(self) -> bool:
        """Whether it is one of a list."""
        return self.around is not None and not self.around.template


def closed(data: bytes, edits: Sequence[Edit]) -> list[Edit]:
    """`edits` as Lit would have left the places; the same where its comments do not close each other."""
    parts = _parts(data)
    if parts is None:
        return [*edits]
    outer = [*_outermost(edits)]
    whole = {*_whole(data, parts, outer)}
    rest = (edit for edit in outer if not any(start <= edit[0] and edit[1] <= end for start, end, _ in whole))
    return [*whole, *(_counted(data, edit) for edit in rest)]


def _parts(data: bytes) -> list[_Part] | None:
    """Every part, what is inside before what is around it; each element's own tree begins anew."""
    parts: list[_Part] = []
    frames: list[_Part | None] = []
    for token in _TOKEN.finditer(data):
        kind = (token["kind"] or token["template"]).lower()
        if kind == b"template":
            frames.append(None)
        elif kind == b"lit-part":
            frames.append(_Part(*token.span(), bool(token["digest"]), frames[-1] if frames else None))
        elif kind != b"lit-node":
            part = frames.pop() if frames else None
            if (part is None) is (kind == b"/lit-part"):
                return None
            if part is not None:
                part.stop, part.end = token.span()
                parts.append(part)
        if len(frames) > DEEPEST:
            return None
    return None if frames else parts


def _outermost(edits: Sequence[Edit]) -> Iterator[Edit]:
    """`edits` in order, without those inside others."""
    reached = 0
    for edit in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if edit[0] >= reached:
            reached = edit[1]
            yield edit


def _whole(data: bytes, parts: Sequence[_Part], edits: Sequence[Edit]) -> Iterator[Edit]:
    """The edits of parts of which nothing is left: a list's goes, another says nothing from now on."""
    settled: set[_Part] = set()
    for part in parts:
        if part not in settled and not _emptied(data, part, edits):
            continue
        if part not in settled:
            out = part
            while not out.entry and out.around is not None and _emptied(data, out.around, edits):
                out = out.around
            if out.entry:
                yield out.start, out.end, b""
            elif part.template and part.around is not None:
                yield part.start, part.end, _NOTHING
            else:
                continue
        if part.around is not None:
            settled.add(part.around)


def _emptied(data: bytes, part: _Part, edits: Sequence[Edit]) -> bool:
    """Whether nothing is left of a part that showed something."""
    inside = [edit for edit in edits if part.begin <= edit[0] and edit[1] <= part.stop]
    if not inside or any(text.strip() for *_, text in inside):
        return False
    at = part.begin
    for start, end, _ in inside:
        if _SILENT.sub(b"", data[at:start]):
            return False
        at = end
    return not _SILENT.sub(b"", data[at : part.stop])


def _counted(data: bytes, edit: Edit) -> Edit:
    """An edit that keeps the comments of the place, and an element for each that is to have bindings."""
    start, end, text = edit
    if start == end:
        return edit
    own = [*_own(data, start, end)]
    bound = _STAND_IN if _NODE.search(data, max(start - _NODE_LENGTH, 0), start) else b""
    kept = b"".join(own[1:] if text.strip() else own)
    # What stays of a text stays in its part.
    return start, end, bound + (own[0] if own and text.strip() else b"") + text + kept


def _own(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """The comments in a range, but for those in trees of elements inside."""
    depth = 0
    for token in _TOKEN.finditer(data, start, end):
        if token["template"]:
            depth += -1 if token["template"].startswith(b"/") else 1
        elif not depth:
            yield token[0] + (_STAND_IN if token["kind"].lower() == b"lit-node" else b"")
