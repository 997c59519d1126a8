"""Ways to pay that can be chosen: each stays, with its name; what recommends it goes, and it is not chosen beforehand."""

from collections.abc import Iterator
from dataclasses import replace

from capper.markup import Span
from capper.rewrite.prompts.base import LATER, OPTION, STRONG, Reader, Role
from capper.rewrite.prompts.page.shapes import LETTER, is_option, spare
from capper.rewrite.prompts.page.tree import Box, Run

_HINTING = frozenset("you yours urge ease spend borrow ready need decided available fanfare room credit raise".split())
_SPARED = frozenset(["editorial", "statement", "set", "intent", "warning", "business"])
_HINT = 140


def judge_option(box: Box, reader: Reader) -> None:
    """A way to pay that can be chosen: it stays, with its name; what recommends it goes."""
    kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
    kids = [kid for kid in kids if LETTER.search(kid.text)]
    box.role = Role.KEPT
    if not kids:
        return
    label = next((kid for kid in kids if isinstance(kid, Box) and kid.tag == "label"), kids[0])
    named = reader.read(label.text)
    if not named.signals & LATER:
        return
    spare(label)
    for kid in kids:
        if kid is label:
            continue
        reading = reader.read(kid.text, OPTION)
        if reading.prompt and reading.signals & STRONG:
            kid.role, kid.reading = Role.PROMPT, reading
            box.role = Role.PART
        elif isinstance(kid, Box):
            kid.role = Role.KEPT
    if isinstance(label, Box) and label.tag == "label":
        _label(label, box, reader)


def _label(label: Box, box: Box, reader: Reader) -> None:
    parts = [kid for kid in label.kids if LETTER.search(kid.text)]
    for kid in parts[1:]:
        reading = reader.read(kid.text, OPTION)
        if reading.prompt and reading.signals & STRONG:
            kid.role, kid.reading = Role.PROMPT, reading
            label.role = box.role = Role.PART


def judge_hints(box: Box, reader: Reader) -> None:
    """What stands behind a way to pay later, before the next way to pay, may recommend it."""
    later, chosen = False, False
    for kid in box.kids:
        if isinstance(kid, Box) and is_option(kid):
            named = reader.read(kid.text).signals | _called(kid, reader)
            later = bool(named & LATER)
            chosen = later and any(each.has("checked") for each in kid.element.descendants("input"))
            continue
        if not later or not LETTER.search(kid.text):
            continue
        if isinstance(kid, Run) or not kid.inline or len(kid.text) > _HINT or kid.role is Role.WARNING:
            later = False
            continue
        reading = reader.read(kid.text, OPTION)
        pushed = reading.signals & STRONG
        if chosen and not reading.amount and not reading.signals & _SPARED:
            said = len(reading.signals & _HINTING) + ("!" in kid.text) * 2 + ("?" in kid.text)
            if said >= 2 or "popular" in pushed:
                kid.role, kid.reading = Role.PROMPT, replace(reading, prompt=True, against=False)
        elif reading.prompt and pushed:
            kid.role, kid.reading = Role.PROMPT, reading


def _called(option: Box, reader: Reader) -> frozenset[str]:
    """What a way to pay is called by the makers of the page."""
    named: set[str] = set()
    for each in option.element.descendants("input"):
        called = f"{each.get('value')} {each.get('id')}"[:80]
        named |= (reader.member(called) & {"credit"}) | (reader.read(called).signals & {"later"})
    return frozenset(named)


def unselected(root: Box, reader: Reader) -> Iterator[Span]:
    """Where ways to pay later are chosen beforehand; all of them can still be chosen without."""
    options = [box for box in root.boxes() if is_option(box)]
    if len(options) < 2:
        # The only one of its kind stays chosen, but for a box to tick.
        options = [box for box in options if _ticked(box)]
    for box in options:
        label = next((kid for kid in box.kids if isinstance(kid, Box) and kid.tag == "label"), box)
        if not reader.read(label.text).signals & LATER:
            continue
        for inner in box.element.descendants("input"):
            span = inner.attribute_span("checked")
            if span is not None:
                yield span


def _ticked(box: Box) -> bool:
    return any(each.get("type").lower() == "checkbox" for each in box.element.descendants("input"))
