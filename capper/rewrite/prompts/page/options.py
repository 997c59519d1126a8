"""Ways to pay that can be chosen: each stays, with its name; what recommends it goes, and it is not chosen beforehand."""

import re
from collections.abc import Iterator

from capper.markup import Element, collapse
from capper.rewrite.prompts.base import Reader, Role
from capper.rewrite.prompts.page.shapes import LETTER, is_choice, is_option, spare
from capper.rewrite.prompts.page.tree import Box, Run
from capper.rewrite.prompts.praise import LATER, praise

_HINT = 140
_NAME = 200
"""Characters: more is not the name of a way to pay."""
_BEHIND = re.compile(r"\s+[–—|·•-]\s+|\s*[:;,!]\s+|\.\s+|\s+(?=\()")
"""Between a name and what is said of it."""


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
        praised = praise(kid.text, reader)
        if praised:
            kid.role, kid.reading = Role.PROMPT, praised
            box.role = Role.PART
        elif isinstance(kid, Box):
            kid.role = Role.KEPT
    if _named(label, reader):
        box.role = Role.PART


def _named(label: Box | Run, reader: Reader) -> bool:
    """Whether what holds a way to pay's name also recommends it; the name stays."""
    if isinstance(label, Run):
        return _praised(label, reader)
    if label.tag == "label" or any(isinstance(kid, Box) for kid in label.kids):
        parts = [kid for kid in label.kids if LETTER.search(kid.text)]
    else:
        parts = [*label.kids]
    for number, kid in enumerate(parts):
        if not number:
            if isinstance(kid, Run) and _praised(kid, reader):
                label.role = Role.PART
            continue
        praised = praise(kid.text, reader)
        if praised:
            kid.role, kid.reading = Role.PROMPT, praised
            label.role = Role.PART
    return label.role is Role.PART


def _praised(run: Run, reader: Reader) -> bool:
    """Whether a text goes on behind the name of a way to pay to recommend it; that is noted as what is to go."""
    for mark in _BEHIND.finditer(run.text):
        name = run.text[: mark.start()]
        if not LETTER.search(name):
            continue
        if not reader.read(name).signals & LATER:
            continue
        praised = praise(run.text[mark.end() :], reader)
        if praised:
            run.role, run.reading, run.rest = Role.PART, praised, name
            return True
    return False


def judge_hints(box: Box, reader: Reader) -> None:
    """What stands behind a way to pay later, before the next way to pay, may recommend it."""
    later, chosen = False, False
    # Where what is ticked stands beside its words, so may a block that is about it.
    among = sum(isinstance(kid, Box) and is_choice(kid.element) for kid in box.kids) > 1
    for kid in box.kids:
        if isinstance(kid, Box) and is_option(kid):
            named = reader.read(kid.text).signals | _called(kid, reader)
            later = bool(named & LATER)
            chosen = later and _is_chosen(kid)
            continue
        if not later or not LETTER.search(kid.text):
            continue
        if isinstance(kid, Run) or not (kid.inline or among) or len(kid.text) > _HINT or kid.role is Role.WARNING:
            later = False
            continue
        praised = praise(kid.text, reader, chosen=chosen)
        if praised:
            kid.role, kid.reading = Role.PROMPT, praised


def _is_chosen(option: Box) -> bool:
    named = option.soil.choices.get(option.element.get("for"))
    return any(each.has("checked") for each in ([named] if named else option.element.descendants("input")))


def _called(option: Box, reader: Reader) -> frozenset[str]:
    """What a way to pay is called by the makers of the page."""
    named: set[str] = set()
    for each in option.element.descendants("input"):
        called = f"{each.get('value')} {each.get('id')}"[:80]
        named |= (reader.member(called) & {"credit"}) | (reader.read(called).signals & {"later"})
    return frozenset(named)


def unselected(root: Box, reader: Reader) -> Iterator[tuple[int, int, bytes]]:
    """The edits after which no way to pay later is chosen beforehand; all of them can still be chosen.

    What only a script or a class says is chosen is left: without its script's word it would look otherwise than it is.
    """
    labels = {each.get("for"): each for each in root.element.descendants("label") if each.get("for")}
    inputs = [each for each in root.element.descendants("input") if is_choice(each)]
    for each in inputs:
        span = each.attribute_span("checked")
        if span is None or not _is_later(root, _label_of(each, labels), reader):
            continue
        # The only one of its kind stays chosen, but for a box to tick.
        alone = not any(other is not each and other.get("name") == each.get("name") for other in inputs)
        if each.get("type").lower() == "checkbox" or not alone:
            yield *span, b""
    for select in root.element.descendants("select"):
        yield from _unselected(root, select, reader)


def _unselected(root: Box, select: Element, reader: Reader) -> Iterator[tuple[int, int, bytes]]:
    """A list's first entry is chosen where no other is: if that is to pay later, the first that is not is chosen instead."""
    options = [*select.descendants("option")]
    chosen = [each for each in options if each.has("selected")]
    later = [_is_later(root, each, reader) for each in options]
    if len(chosen) > 1 or select.has("multiple") or all(later):
        return
    first = chosen[0] if chosen else next((each for each in options if not each.has("disabled")), None)
    if first is None or not later[options.index(first)]:
        return
    other = next(each for each, credit in zip(options, later, strict=True) if not credit)
    span, tag = first.attribute_span("selected"), other.start_tag
    if span is not None:
        yield *span, b""
    if tag is not None and options[0] is first:
        at = tag.start + 1 + len("option")
        yield at, at, b" selected"


def _label_of(each: Element, labels: dict[str, Element]) -> Element | None:
    """What names a thing to choose: its label, else the nearest thing around it that says anything and holds no other."""
    label = labels.get(each.get("id")) or each.closest("label")
    if label is not None:
        return label
    for around in each.ancestors():
        if len([*around.descendants("input")]) > 1:
            return None
        if LETTER.search(around.raw_text()):
            return around
    return None


def _is_later(root: Box, label: Element | None, reader: Reader) -> bool:
    if label is None:
        return False
    text = root.soil.document.decode(collapse(label.raw_text()))
    return len(text) <= _NAME and bool(reader.read(text).signals & LATER)
