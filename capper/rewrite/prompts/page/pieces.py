"""The role of a piece of a page by what it says itself, nothing around it asked."""

import re
from collections.abc import Sequence

from capper.domain.prompt import Place, Reading
from capper.rewrite.prompts.base import UNASKED, Found, Reader, Role
from capper.rewrite.prompts.page.shapes import LETTER, has_fields, is_call
from capper.rewrite.prompts.page.tree import LONGEST, Box, Run
from capper.rewrite.prompts.text import PROSE, without

_CALL = 60
LONGEST_FRAME = 200_000
"""Characters: a longer document in an attribute is left."""
_SHOWN = re.compile(
    r"<(?:img|svg|picture|video|audio|canvas|object|embed|iframe|input|button|select|textarea)\b", re.IGNORECASE
)
_HIDDEN = re.compile(r"<(?:title|style|script)\b[^>]*>[^<]*|<!--(?:[^-]|-(?!->))*-->|<[^>]*>|&\w+;", re.IGNORECASE)
"""What of a document shows no words."""
_DISMISS = 40
"""Characters: what closes something says no more."""
_SAYS = UNASKED | {"preapproved", "ready", "decided", "prompt"}
"""What a greeting does not say by itself."""


def settle(kids: Sequence[Box | Run], reader: Reader) -> None:
    """Give those a role that have none: nothing in them speaks of credit."""
    for kid in kids:
        if kid.role is not None:
            continue
        if isinstance(kid, Run):
            judge_run(kid, reader)
        elif kid.long:
            kid.role = Role.KEPT
        elif not LETTER.search(kid.text):
            kid.role = Role.EMPTY
        else:
            kid.reading = reader.read(kid.text)
            kid.role = plain(kid, kid.text, kid.reading)


def judge_run(run: Run, reader: Reader) -> None:
    """Give a piece of text its role."""
    text = run.text.strip()
    if not LETTER.search(text):
        run.role = Role.EMPTY
        return
    if len(text) > LONGEST:
        run.role = Role.KEPT
        return
    run.reading = reader.read(text)
    run.role = Role.PROMPT if run.reading.prompt and len(text) <= LONGEST else plain(None, text, run.reading)
    if len(text) <= PROSE and (run.role is Role.PROMPT or len(text) > 80):
        rest = without(run.text, reader, Found(Place.PAGE))
        if rest is not None:
            run.role = Role.PART if LETTER.search(rest) else Role.PROMPT
        elif run.role is Role.PROMPT:
            run.role = Role.OTHER


def judge_frame(box: Box, reader: Reader) -> None:
    """Give a frame its role whose document stands in its attribute; none where there is none, or no prompt in it."""
    if box.tag != "iframe" or box.soil.markup is None or not box.element.has("srcdoc"):
        return
    html = box.soil.document.decode(box.element.get("srcdoc"))
    box.new = box.soil.markup(html) if len(html) <= LONGEST_FRAME else None
    if box.new is not None:
        shown = _SHOWN.search(box.new) or LETTER.search(_HIDDEN.sub(" ", box.new))
        box.role = Role.PART if shown else Role.PROMPT
        box.reading = reader.read(" ".join(_HIDDEN.sub(" ", html).split())[:LONGEST])


def plain(box: Box | None, text: str, reading: Reading) -> Role:
    """What a piece is that holds no prompt."""
    if len(text) > LONGEST:
        return Role.KEPT
    if reading.warning:
        return Role.WARNING
    if reading.against or reading.foreign:
        return Role.KEPT
    if (hails(reading) and not (reading.support and reading.score >= 1)) or closes(text, reading):
        return Role.KEPT
    if reading.bare:
        return Role.SUM
    if reading.action and not reading.signals & {"credit", "headroom", "later", "borrow"}:
        return Role.KEPT
    if box is not None and (reading.support or is_call(box)) and has_fields(box):
        return Role.KEPT
    if reading.support:
        due = reading.amount and "later" in reading.signals and not reading.signals & UNASKED
        return Role.OTHER if due else Role.SUPPORT
    if box is not None and is_call(box) and len(text) <= _CALL:
        return Role.CALL
    if "aside" in reading.signals and len(text) <= _CALL:
        return Role.ASIDE
    return Role.OTHER


def hails(reading: Reading) -> bool:
    """Whether a piece greets, and says nothing else."""
    return reading.greeting and not reading.signals & _SAYS


def closes(text: str, reading: Reading) -> bool:
    """Whether a piece is what something is closed with."""
    return "dismiss" in reading.signals and len(text) <= _DISMISS and not reading.support


def stays(text: str, reader: Reader) -> bool:
    """Whether words of an attribute stay, whatever stands beside them."""
    return plain(None, text, reader.read(text)) in (Role.KEPT, Role.WARNING)
