"""The role of everything in a page, from the leaves to the root."""

from capper.rewrite.prompts.base import Reader, Role
from capper.rewrite.prompts.page.adverts import advert
from capper.rewrite.prompts.page.blocks import absorb, gather, hollow, spread
from capper.rewrite.prompts.page.options import judge_hints, judge_option
from capper.rewrite.prompts.page.pieces import judge_frame, judge_run, plain, settle, stays
from capper.rewrite.prompts.page.shapes import LETTER, called, is_option
from capper.rewrite.prompts.page.sparing import hail, spare_own, spare_statement, warn
from capper.rewrite.prompts.page.tree import LONGEST, Box, Run

_SHORT = 8
_QUOTED = frozenset(["blockquote", "q", "cite"])


def resolve(box: Box, reader: Reader) -> None:
    """Give `box` and everything hot inside its role."""
    if _told(box, reader):
        box.role = Role.KEPT
        return
    judge_frame(box, reader)
    if box.new is not None:
        return
    reader = advert(box, reader) or reader
    for kid in box.kids:
        if isinstance(kid, Box) and kid.hot and kid.role is None:
            resolve(kid, reader)
    if box.long:
        box.role = Role.KEPT
        for kid in box.kids:
            if isinstance(kid, Run) and len(kid.text) > _SHORT:
                judge_run(kid, reader)
        spare_statement(box)
        if any(kid.role in (Role.PROMPT, Role.PART) for kid in box.kids):
            box.role = Role.PART
            spread(_around(box, reader), root=True)
            hollow(box, reader)
        return
    text = box.text
    if not LETTER.search(text):
        box.role = Role.EMPTY
        return
    if len(text) <= LONGEST:
        # More is no prompt as a whole, and nobody asks what it says.
        box.reading = reader.read(text, _marks(box, reader))
    if is_option(box):
        judge_option(box, reader)
        return
    settle(box.kids, reader)
    judge_hints(box, reader)
    hail(box, reader)
    spare_statement(box)
    spare_own(box, reader)
    warned = box.reading.warning and len(text) <= LONGEST
    if warned:
        warn(box, reader)
    spoken = any(kid.role in (Role.PROMPT, Role.PART) for kid in box.kids)
    if not spoken and _spoken(box, reader):
        box.mute = True
        _attributes(box, reader)
    elif spoken:
        absorb(box, reader)
    elif len(text) <= LONGEST and box.reading.prompt:
        gather(box, reader)
    else:
        box.role = plain(box, text, box.reading)


def _told(box: Box, reader: Reader) -> bool:
    """Whether somebody tells of something in a box: a quotation, an article whose heading or words are about credit."""
    if box.tag in _QUOTED:
        return True
    heading = next(iter(box.element.descendants("h1")), None) if box.tag == "article" else None
    if heading is None:
        return False
    said = reader.read(heading.raw_text()[:LONGEST])
    return said.prompt or "editorial" in reader.read(box.element.raw_text()[: LONGEST * 2]).signals


def _around(box: Box, reader: Reader) -> list[Box | Run]:
    """What stands beside a prompt in a long box, with roles; the rest of it is not asked."""
    kids = [kid for kid in box.kids if isinstance(kid, Box) or kid.text.strip()]
    near = {
        number + step
        for number, kid in enumerate(kids)
        if kid.role in (Role.PROMPT, Role.PART)
        for step in (-3, -2, -1, 0, 1, 2, 3)
    }
    close = [kid for number, kid in enumerate(kids) if number in near]
    settle(close, reader)
    return [kid for kid in close if kid.role is not Role.EMPTY]


def _marks(box: Box, reader: Reader) -> frozenset[str]:
    """What a box's own names say: where it leads, what its makers call it."""
    element = box.element
    more = element.get("href") if box.tag == "a" else box.tag if "-" in box.tag else ""
    return frozenset(["marked"]) if called(element, reader, more) & {"prompt", "credit"} else frozenset()


def _spoken(box: Box, reader: Reader) -> bool:
    """Whether an attribute of the box itself is a prompt."""
    return any(reader.read(words.text).prompt for words in box.words)


def _attributes(box: Box, reader: Reader) -> None:
    """Attributes of the box make a prompt: do they stand alone?"""
    some = any(stays(words.text, reader) for words in box.words)
    if some and not any(LETTER.search(kid.text) for kid in box.kids):
        box.role = Role.PART
    else:
        absorb(box, reader)
        if some and box.role is Role.PROMPT:
            box.role = Role.PART
