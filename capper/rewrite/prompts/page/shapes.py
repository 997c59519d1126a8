"""What the shape of a box tells: what it is for, and whether what stands beside it is of its kind."""

import re
from collections.abc import Sequence
from itertools import pairwise

from capper.markup import Element
from capper.rewrite.prompts.base import Reader, Role
from capper.rewrite.prompts.page.tree import Box, Run

ROOTS = frozenset(
    "html body main header footer nav ul ol dl table tbody thead tfoot menu select datalist template frameset".split()
)
"""Never cut whole: they hold other things on every page."""
_PEERS = frozenset("li tr article section dialog aside dt option details tbody".split())
"""Of several beside each other each speaks for itself."""
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend summary caption strong b header th dt".split())
_FIELDS = frozenset(["input", "select", "textarea"])
_OPTION = 300
"""Characters: a box with more text holds other things than one way to pay."""
LETTER = re.compile(r"\w")
_NAMES = ("class", "id", "data-testid", "data-module", "data-type", "data-component")
_CALLED = re.compile(r"[\s/?&=.#]+")


def spare(kid: Box | Run) -> None:
    """Nothing of this is cut."""
    kid.role = Role.KEPT
    if isinstance(kid, Box):
        for inner in kid.kids:
            spare(inner)


def called(element: Element, reader: Reader, more: str = "") -> frozenset[str]:
    """What a page's makers call an element, and `more` says of it; `store-credit` is her own money, and no credit."""
    names = f"{' '.join(map(element.get, _NAMES))} {more}".strip()
    said = (reader.member(word) for word in _CALLED.split(names[:300]) if word)
    return frozenset[str]().union(*(each - {"credit", "prompt"} if "own" in each else each for each in said))


def is_option(box: Box) -> bool:
    """Whether a box is one way to pay of several, or anything else to choose."""
    if box.tag == "option":
        return True
    if box.tag in ROOTS:
        return False
    if box.element.get("role") in ("radio", "option"):
        return True
    if not box.soil.choosing:
        return False
    if box.tag == "label" and box.element.get("for") in box.soil.choices:
        return True
    kids = [kid for kid in box.kids if isinstance(kid, Box)]
    own = sum(is_choice(kid.element) for kid in kids)
    labels = sum(kid.tag == "label" and kid.element.get("for") in box.soil.choices for kid in kids)
    if own or labels:
        return max(own, labels) == 1 or not labels
    return len(box.text) <= _OPTION and _holds_one(box, kids)


def is_choice(element: Element) -> bool:
    """Whether an element is what is ticked to choose."""
    return element.tag == "input" and element.get("type").lower() in ("radio", "checkbox")


def _holds_one(box: Box, kids: Sequence[Box]) -> bool:
    """Whether one thing to choose stands in a cell or box of its own beside its words."""
    if sum(is_choice(each) for each in box.element.descendants("input")) != 1:
        return False
    return any(
        not LETTER.search(kid.text) and any(is_choice(each) for each in kid.element.descendants("input"))
        for kid in kids
    )


def has_fields(box: Box) -> bool:
    """Whether a person fills in anything in a box."""
    return any(
        inner.tag in _FIELDS and inner.element.get("type").lower() not in ("hidden", "submit", "button", "image")
        for inner in box.boxes()
    )


def is_call(box: Box) -> bool:
    """Whether a box leads somewhere or does something when it is pressed."""
    if box.tag in ("a", "button", "input") or box.element.get("role") == "button":
        return True
    # A component that is given a few words and nothing else.
    return "-" in box.tag and len(box.words) == 1 and not any(LETTER.search(kid.text) for kid in box.kids)


def is_heading(kid: Box | Run) -> bool:
    """Whether it stands over what follows."""
    return isinstance(kid, Box) and kid.tag in _HEADINGS


def inline(kid: Box | Run) -> bool:
    """Whether it stands in a line with what is around it."""
    return isinstance(kid, Run) or kid.inline


def alike(blocks: Sequence[Box]) -> bool:
    """Whether all are elements of one name."""
    return all(one.tag == blocks[0].tag for one in blocks)


def are_peers(blocks: Sequence[Box]) -> bool:
    """Whether several blocks are of one kind, each for itself: items of a list, rows, cards."""
    return any(peers(one, other) for one, other in pairwise(blocks))


def peers(one: Box | Run, other: Box | Run) -> bool:
    """Whether two are of one kind, each for itself."""
    if isinstance(one, Run) or isinstance(other, Run) or one.tag != other.tag:
        return False
    if one.tag == "tr":
        # Rows of one cell are lines of one thing.
        return any(sum(isinstance(kid, Box) for kid in each.kids) > 1 for each in (one, other))
    if one.tag in _PEERS or "-" in one.tag:
        return True
    same = one.element.get("class").split()[:1] == other.element.get("class").split()[:1]
    if one.tag != "div" or not same:
        return False
    return bool(one.element.get("class")) or all(
        any(isinstance(kid, Box) for kid in each.kids) for each in (one, other)
    )
