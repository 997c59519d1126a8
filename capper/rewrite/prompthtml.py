"""Finds the prompts in a page: the smallest block that makes each, whole, and nothing of what stands beside it."""

import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from itertools import pairwise

from capper.domain.errors import Unrewritable
from capper.domain.prompt import Place, Prompt, Reading
from capper.markup import parse
from capper.rewrite.promptbase import Found, Reader, Role
from capper.rewrite.promptgap import closed
from capper.rewrite.prompttext import PROSE, without
from capper.rewrite.prompttree import LONGEST, Box, Run, Soil, collapse_lines

_ROOTS = frozenset(
    "html body main header footer nav ul ol dl table tbody thead tfoot menu select datalist template frameset".split()
)
"""Never cut whole: they hold other things on every page."""
_PEERS = frozenset("li tr article section dialog aside dt option details tbody".split())
"""Of several beside each other each speaks for itself."""
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6 legend summary caption strong b header th dt".split())
_CELLS = frozenset(["td", "th", "caption"])
_FIELDS = frozenset(["input", "select", "textarea"])
_FIRM = frozenset(["credit", "preapproved", "later", "headroom", "raise"])
_MARKED, _OPTION = frozenset(["marked"]), frozenset(["option", "later"])
_HINTING = frozenset("you yours urge ease spend borrow ready need decided available fanfare room credit raise".split())
_SPARED = frozenset(["editorial", "statement", "set", "intent", "warning", "business"])
_HINT, _CARD = 140, 400
_GONE = (Role.PROMPT, Role.SUPPORT, Role.SUM)
_CALL = 60
_GOVERNED, _GOVERNED_TEXT = 3, 220
_STRONG = frozenset(["popular", "decided", "yours", "urge", "raise", "fanfare", "ready"])
_UNASKED = frozenset(["preapproved", "raise", "yours", "urge", "fanfare", "headroom"])
_URGENT = frozenset(["preapproved", "decided", "raise", "yours", "urge", "headroom", "later", "credit", "fanfare"])
_ROWS = frozenset(["table", "tbody", "dl"])
_OUTLINE = b"outline:3px dashed #b58900;outline-offset:2px"
_CALLED = re.compile(r"[\s/?&=.#]+")
_SHORT = 8
_LETTER = re.compile(r"\w")
_LABEL = re.compile(
    r"\b(?!(?:euro\w*|kron\w*|rea(?:is|l)|pesos?|d[oó]l\w+|dollars?|pounds?|rupees?|fran[ck]\w*|z[lł]\w+|lakhs?|mil\w*|tus\w*)\b)[^\W\d_]{3,}",
    re.IGNORECASE,
)
"""A sum with words before it is the sum of something."""
_GLUE = re.compile(r"[\w,;:–—-]\s*$")


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
    page = _Page(reader)
    page.resolve(root)
    if mark:
        page.outline(root, data)
    else:
        page.collect(root)
        page.unselect(root)
    if not page.edits:
        return data, ()
    edits = page.edits if mark else closed(data, root, page.edits)
    return splice(data, edits), tuple(page.found.prompts)


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


class _Page:
    """One page being read.

    1. `resolve` goes from the leaves to the root and gives every box its role.
    2. `collect` goes back down and notes what is cut.
    """

    def __init__(self, reader: Reader, place: Place = Place.PAGE) -> None:
        self.reader = reader
        self.found = Found(place)
        self.edits: list[tuple[int, int, bytes]] = []

    # 1. Roles

    def resolve(self, box: Box) -> None:
        """Give `box` and everything hot inside its role."""
        for kid in box.kids:
            if isinstance(kid, Box) and kid.hot:
                self.resolve(kid)
        if box.long:
            box.role = Role.KEPT
            for kid in box.kids:
                if isinstance(kid, Run) and len(kid.text) > _SHORT:
                    self._run(kid)
            self._spare_statement(box)
            if any(kid.role in (Role.PROMPT, Role.PART) for kid in box.kids):
                box.role = Role.PART
                self._beside(self._around(box), root=True)
            return
        text = box.text
        if not _LETTER.search(text):
            box.role = Role.EMPTY
            return
        box.reading = self.reader.read(text, self._marks(box))
        if _is_option(box):
            self._option(box)
            return
        self._settle(box.kids)
        self._hints(box)
        self._spare_statement(box)
        self._spare_own(box)
        warned = box.reading.warning and len(text) <= LONGEST
        if warned:
            self._warned(box)
        spoken = any(kid.role in (Role.PROMPT, Role.PART) for kid in box.kids)
        if not spoken and self._spoken(box):
            box.mute = True
            self._words(box)
        elif spoken:
            self._absorb(box)
        elif len(text) <= LONGEST and box.reading.prompt:
            self._together(box)
        else:
            box.role = self._plain(box, text, box.reading)

    def _around(self, box: Box) -> "list[Box | Run]":
        """What stands beside a prompt in a long box, with roles; the rest of it is not asked."""
        kids = [kid for kid in box.kids if isinstance(kid, Box) or kid.text.strip()]
        near = {
            number + step
            for number, kid in enumerate(kids)
            if kid.role in (Role.PROMPT, Role.PART)
            for step in (-3, -2, -1, 0, 1, 2, 3)
        }
        close = [kid for number, kid in enumerate(kids) if number in near]
        self._settle(close)
        return [kid for kid in close if kid.role is not Role.EMPTY]

    def _settle(self, kids: "Sequence[Box | Run]") -> None:
        """Give those a role that have none: nothing in them speaks of credit."""
        for kid in kids:
            if kid.role is not None:
                continue
            if isinstance(kid, Run):
                self._run(kid)
            elif kid.long:
                kid.role = Role.KEPT
            elif not _LETTER.search(kid.text):
                kid.role = Role.EMPTY
            else:
                kid.reading = self.reader.read(kid.text)
                kid.role = self._plain(kid, kid.text, kid.reading)

    def _marks(self, box: Box) -> frozenset[str]:
        """What a box's own names say: where it leads, what its makers call it."""
        element = box.element
        called = " ".join(
            element.get(name) for name in ("class", "id", "data-testid", "data-module", "data-type", "data-component")
        )
        if box.tag == "a":
            called += " " + element.get("href")
        if "-" in box.tag:
            called += " " + box.tag
        if not called.strip():
            return frozenset()
        found: set[str] = set()
        for word in _CALLED.split(called[:300]):
            if word:
                found |= self.reader.member(word) & {"prompt", "credit"}
        return frozenset(["marked"]) if found else frozenset()

    def _run(self, run: Run) -> None:
        text = run.text.strip()
        if not _LETTER.search(text):
            run.role = Role.EMPTY
            return
        if len(text) > LONGEST:
            run.role = Role.KEPT
            return
        run.reading = self.reader.read(text)
        run.role = Role.PROMPT if run.reading.prompt and len(text) <= LONGEST else self._plain(None, text, run.reading)
        if len(text) <= PROSE and (run.role is Role.PROMPT or len(text) > 80):
            rest = without(run.text, self.reader, Found(Place.PAGE))
            if rest is not None:
                run.role = Role.PART if _LETTER.search(rest) else Role.PROMPT
            elif run.role is Role.PROMPT:
                run.role = Role.OTHER

    def _plain(self, box: Box | None, text: str, reading: Reading) -> Role:
        """What a piece is that holds no prompt."""
        if len(text) > LONGEST:
            return Role.KEPT
        if reading.warning:
            return Role.WARNING
        if reading.against or "business" in reading.signals:
            return Role.KEPT
        if reading.greeting and not (reading.support and reading.score >= 1):
            return Role.KEPT
        if reading.bare:
            return Role.SUM
        if reading.action and not reading.signals & {"credit", "headroom", "later", "borrow"}:
            return Role.KEPT
        if box is not None and (reading.support or _is_call(box)) and _has_fields(box):
            return Role.KEPT
        if reading.support:
            due = reading.amount and "later" in reading.signals and not reading.signals & _UNASKED
            return Role.OTHER if due else Role.SUPPORT
        if box is not None and _is_call(box) and len(text) <= _CALL:
            return Role.CALL
        if "aside" in reading.signals and len(text) <= _CALL:
            return Role.ASIDE
        return Role.OTHER

    def _spoken(self, box: Box) -> bool:
        """Whether an attribute of the box itself is a prompt."""
        return any(self.reader.read(words.text).prompt for words in box.words)

    def _words(self, box: Box) -> None:
        """Attributes of the box make a prompt: do they stand alone?"""
        stays = any(self._stays(words.text) for words in box.words)
        if stays and not any(_LETTER.search(kid.text) for kid in box.kids):
            box.role = Role.PART
        else:
            self._absorb(box)
            if stays and box.role is Role.PROMPT:
                box.role = Role.PART

    def _stays(self, text: str) -> bool:
        return self._plain(None, text, self.reader.read(text)) in (Role.KEPT, Role.WARNING)

    def _warned(self, box: Box) -> None:
        """A warning the law asks for says that what stands in a small block with it is credit; what it says itself is set aside."""
        kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
        rest = [kid for kid in kids if kid.role not in (Role.WARNING, Role.KEPT)]
        if (
            len(rest) == len(kids)
            or not rest
            or box.tag in _ROOTS
            or _are_peers([k for k in rest if isinstance(k, Box)])
        ):
            return
        box.reading = self.reader.read(collapse_lines("\n".join(kid.text for kid in rest)), _MARKED)

    def _spare_own(self, box: Box) -> None:
        """Beside words of the person's own money a sum that is there for her is that, unless credit is named."""
        if box.tag in _ROOTS or len(box.text) > _CARD:
            return
        if _are_peers([kid for kid in box.kids if isinstance(kid, Box) and not kid.inline]):
            return
        own = any("own" in kid.reading.signals for kid in box.kids if kid.role not in (Role.PROMPT, Role.WARNING))
        own = own or any("own" in self.reader.read(words.text).signals for words in box.words)
        if not own:
            return
        for kid in box.kids:
            if kid.role in (Role.PROMPT, Role.PART) and not kid.reading.signals & _FIRM:
                spare(kid)

    def _hints(self, box: Box) -> None:
        """What stands behind a way to pay later, before the next way to pay, may recommend it."""
        later, chosen = False, False
        for kid in box.kids:
            if isinstance(kid, Box) and _is_option(kid):
                named = self.reader.read(kid.text).signals | self._called(kid)
                later = bool(named & {"later", "credit", "headroom"})
                chosen = later and any(each.has("checked") for each in kid.element.descendants("input"))
                continue
            if not later or not _LETTER.search(kid.text):
                continue
            if isinstance(kid, Run) or not kid.inline or len(kid.text) > _HINT or kid.role is Role.WARNING:
                later = False
                continue
            reading = self.reader.read(kid.text, _OPTION)
            pushed = reading.signals & _STRONG
            if chosen and not reading.amount and not reading.signals & _SPARED:
                said = len(reading.signals & _HINTING) + ("!" in kid.text) * 2 + ("?" in kid.text)
                if said >= 2 or "popular" in pushed:
                    kid.role, kid.reading = Role.PROMPT, replace(reading, prompt=True, against=False)
            elif reading.prompt and pushed:
                kid.role, kid.reading = Role.PROMPT, reading

    def _called(self, option: Box) -> frozenset[str]:
        """What a way to pay is called by the makers of the page."""
        named: set[str] = set()
        for each in option.element.descendants("input"):
            called = f"{each.get('value')} {each.get('id')}"[:80]
            named |= (self.reader.member(called) & {"credit"}) | (self.reader.read(called).signals & {"later"})
        return frozenset(named)

    @staticmethod
    def _spare_statement(box: Box) -> None:
        """Among rows of a person's own account a sum that is available is one of them."""
        blocks = [kid for kid in box.kids if isinstance(kid, Box) and not kid.inline]
        if box.tag not in _ROWS and (box.tag in _ROOTS or len(blocks) < 2 or not _alike(blocks)):
            return
        told = sum("statement" in kid.reading.signals and kid.role not in (Role.PROMPT, Role.PART) for kid in box.kids)
        if told < (1 if box.tag in _ROWS else 2):
            return
        for kid in box.kids:
            if kid.role in (Role.PROMPT, Role.PART) and not kid.reading.signals & _UNASKED:
                spare(kid)

    def _together(self, box: Box) -> None:
        """No part of the box is a prompt by itself, the whole is."""
        kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
        kept = [kid for kid in kids if kid.role in (Role.KEPT, Role.WARNING)]
        blocks = [kid for kid in kids if isinstance(kid, Box) and not kid.inline]
        if not blocks and not kept:
            box.role = Role.PROMPT if box.tag not in _ROOTS else Role.PART
            if box.role is Role.PART:
                self._take(kids)
            return
        if _are_peers(blocks) or len(kids) > 10:
            box.role = Role.OTHER
            return
        said = [kid for kid in kids if kid.role in (Role.SUPPORT, Role.SUM) or (not blocks and kid.role is Role.OTHER)]
        reading = self.reader.read(collapse_lines("\n".join(kid.text for kid in said)))
        if not reading.prompt:
            box.role = Role.KEPT if box.reading.against or kept else Role.OTHER
            return
        box.reading = reading
        self._take(said)
        self._absorb(box)

    @staticmethod
    def _take(kids: "Sequence[Box | Run]") -> None:
        for kid in kids:
            if kid.role not in (Role.PART, Role.WARNING, Role.KEPT):
                kid.role = Role.PROMPT

    def _absorb(self, box: Box) -> None:
        """The box holds a prompt: what beside it belongs to it, and is there anything else?"""
        kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
        self._lines(kids)
        for before, after in pairwise(kids):
            # A greeting with a comma is the beginning of the sentence behind it.
            if after.role is Role.PROMPT and before.reading.greeting and before.text.rstrip().endswith(","):
                after_text = after.text.lstrip()
                before.role = Role.SUPPORT if after_text[:1].islower() else before.role
        blocks = [kid for kid in kids if isinstance(kid, Box) and not kid.inline]
        headed = bool(kids) and _is_heading(kids[0]) and kids[0].role in _GONE
        if headed and box.tag not in ("body", "main", "html") and not _are_peers(blocks):
            governed = [kid for kid in kids[1:] if kid.role in (Role.OTHER, Role.CALL) and not kid.reading.amount]
            if len(governed) <= _GOVERNED and all(len(kid.text) <= _GOVERNED_TEXT for kid in governed):
                for kid in governed:
                    kid.role = Role.SUPPORT
        others = [kid for kid in kids if kid.role in (Role.OTHER, Role.KEPT, Role.PART)]
        said = [kid for kid in kids if kid.role in (Role.PROMPT, Role.SUPPORT)]
        if (
            len(others) == 1
            and others[0] is kids[0]
            and _is_heading(others[0])
            and others[0].role is Role.OTHER
            and said
        ):
            others = []
        sums = [kid for kid in kids if kid.role is Role.SUM]
        if sums and not any(not (isinstance(kid, Box) and kid.mute) for kid in said):
            # What speaks of credit is an attribute; what stands inside is a price.
            others += sums
        if sums and others and any(kid.reading.amount for kid in kids if kid.role is Role.PROMPT):
            others += sums
        if (
            not others
            and box.tag not in _ROOTS
            and not _has_fields(box)
            and not (_are_peers(blocks) and any(kid.role is not Role.PROMPT for kid in blocks))
        ):
            box.role = Role.PROMPT
            return
        box.role = Role.PART
        self._beside(kids, root=box.tag in _ROOTS)

    def _lines(self, kids: "list[Box | Run]") -> None:
        """In one line, words that a prompt's sentence runs on into are part of it."""
        for before, after in pairwise(kids):
            if not (_inline(before) and _inline(after)):
                continue
            if (
                after.role is Role.PROMPT
                and before.role is Role.OTHER
                and _GLUE.search(before.text)
                and _low(after.text)
            ):
                before.role = Role.SUPPORT
            if before.role is Role.PROMPT and after.role is Role.OTHER and _low(after.text) and isinstance(after, Run):
                after.role = Role.SUPPORT

    def _beside(self, kids: "list[Box | Run]", *, root: bool) -> None:
        """Of a box that stays, what supports a prompt and stands beside it goes too."""
        summed = any(kid.reading.amount for kid in kids if kid.role is Role.PROMPT)
        for order in (kids, kids[::-1]):
            priced = False
            for before, here in pairwise(order):
                priced = priced or before.role is Role.SUM
                if before.role is not Role.PROMPT or _peer(before, here):
                    continue
                if here.role is Role.SUPPORT:
                    here.role = Role.PROMPT if not root or _urgent(here.reading) else here.role
                elif (here.role is Role.CALL and order is kids and not priced) or (
                    here.role is Role.SUM
                    and not summed
                    and not _LABEL.search(here.text)
                    and not (isinstance(before, Box) and before.mute)
                ):
                    here.role = Role.PROMPT

    # Pay-later options

    def _option(self, box: Box) -> None:
        """A way to pay that can be chosen: it stays, with its name; what recommends it goes."""
        kids = [kid for kid in box.kids if kid.role is not Role.EMPTY]
        kids = [kid for kid in kids if _LETTER.search(kid.text)]
        box.role = Role.KEPT
        if not kids:
            return
        label = next((kid for kid in kids if isinstance(kid, Box) and kid.tag == "label"), kids[0])
        named = self.reader.read(label.text)
        if not named.signals & {"later", "credit", "headroom"}:
            return
        spare(label)
        for kid in kids:
            if kid is label:
                continue
            reading = self.reader.read(kid.text, frozenset(["option", "later"]))
            if reading.prompt and reading.signals & _STRONG:
                kid.role, kid.reading = Role.PROMPT, reading
                box.role = Role.PART
            elif isinstance(kid, Box):
                kid.role = Role.KEPT
        if isinstance(label, Box) and label.tag == "label":
            self._option_label(label, box)

    def _option_label(self, label: Box, box: Box) -> None:
        parts = [kid for kid in label.kids if _LETTER.search(kid.text)]
        for kid in parts[1:]:
            reading = self.reader.read(kid.text, frozenset(["option", "later"]))
            if reading.prompt and reading.signals & _STRONG:
                kid.role, kid.reading = Role.PROMPT, reading
                label.role = box.role = Role.PART

    # 2. Marks, or cuts

    def outline(self, box: Box, data: bytes) -> None:
        """Draw a line around what would be cut."""
        if box.role is Role.PROMPT:
            self.found.add(box.reading, box.text)
            self._dress(box)
        elif box.role is Role.PART:
            for kid in box.kids:
                if isinstance(kid, Box):
                    self.outline(kid, data)
                elif kid.role in (Role.PROMPT, Role.PART):
                    self.found.add(kid.reading, kid.text.strip())
                    self.edits.append((kid.start, kid.end, b"<mark>%s</mark>" % data[kid.start : kid.end]))

    def _dress(self, box: Box) -> None:
        tag, style = box.element.start_tag, box.element.attribute_span("style")
        if tag is None:
            return
        if style is not None:
            worn = escape(box.element.get("style").rstrip("; "), quote=True).encode("latin-1", "replace")
            self.edits.append((*style, b'style="%s;%s"' % (worn, _OUTLINE)))
        else:
            at = tag.start + 1 + len(box.element.node.tag)
            self.edits.append((at, at, b' style="%s"' % _OUTLINE))

    def collect(self, box: Box) -> None:
        """Note what is cut of a box that stays."""
        if box.role is Role.PROMPT:
            self.found.add(box.reading, box.text)
            self._cut(box)
            return
        if box.role is not Role.PART:
            return
        for words in box.words:
            reading = self.reader.read(words.text)
            if reading.prompt:
                self.found.add(reading)
            if reading.prompt or (box.mute and "-" in box.tag and not self._stays(words.text)):
                self.edits.append((*words.span, b'alt=""' if words.name == "alt" else b""))
        noted = False
        for kid in box.kids:
            if isinstance(kid, Run):
                if kid.role is Role.PROMPT:
                    self._note(kid, noted)
                    noted = True
                    self.edits.append((kid.start, kid.end, b" "))
                elif kid.role is Role.PART:
                    self._sentences(kid)
            elif kid.role is Role.PROMPT:
                self._note(kid, noted)
                noted = True
                self._cut(kid)
            else:
                self.collect(kid)

    def _note(self, kid: Box | Run, noted: bool) -> None:  # noqa: FBT001
        if kid.reading.prompt or not noted:
            self.found.add(kid.reading, kid.text.strip())

    def _sentences(self, run: Run) -> None:
        rest = without(run.text, self.reader, self.found)
        if rest is not None:
            self.edits.append((run.start, run.end, escape(rest, quote=False).encode("ascii", "xmlcharrefreplace")))

    def _cut(self, box: Box) -> None:
        """Cut a box, but for warnings in it, and for a table's cell, without which the others would move."""
        if box.role is Role.WARNING or box.start < 0:
            return
        warned = any(inner.role is Role.WARNING for inner in box.boxes()) or any(
            isinstance(kid, Run) and kid.role is Role.WARNING for inner in box.boxes() for kid in inner.kids
        )
        if not warned and box.tag not in _CELLS:
            self.edits.append((box.start, box.end, b""))
            return
        for words in box.words:
            if not self.reader.read(words.text).warning:
                self.edits.append((*words.span, b""))
        for kid in box.kids:
            if isinstance(kid, Box):
                self._cut(kid)
            elif kid.role is not Role.WARNING:
                self.edits.append((kid.start, kid.end, b" "))

    def unselect(self, root: Box) -> None:
        """Where a prompt for paying later was cut, no such way to pay is chosen beforehand; all of them can be chosen."""
        if not any({"later", "option"} & set(prompt.signals) for prompt in self.found.prompts):
            return
        options = [box for box in root.boxes() if _is_option(box)]
        if len(options) < 2:
            # The only one of its kind stays chosen, but for a box to tick.
            options = [box for box in options if _ticked(box)]
        for box in options:
            label = next((kid for kid in box.kids if isinstance(kid, Box) and kid.tag == "label"), box)
            if not self.reader.read(label.text).signals & {"later", "credit", "headroom"}:
                continue
            for inner in box.element.descendants("input"):
                span = inner.attribute_span("checked")
                if span is not None:
                    self.edits.append((*span, b""))


def spare(kid: Box | Run) -> None:
    """Nothing of this is cut."""
    kid.role = Role.KEPT
    if isinstance(kid, Box):
        for inner in kid.kids:
            spare(inner)


def _urgent(reading: Reading) -> bool:
    """Whether a piece is sure to belong to the prompt it stands beside."""
    return bool(reading.signals & (_UNASKED | {"decided"} if reading.amount else _URGENT))


def _inline(kid: Box | Run) -> bool:
    return isinstance(kid, Run) or kid.inline


def _low(text: str) -> bool:
    text = text.strip()
    return bool(text) and (text[0].islower() or text[0].isdigit() or text[0] in "€£$₹,.;:!?")


def _is_option(box: Box) -> bool:
    if box.tag in _ROOTS:
        return False
    if any(
        isinstance(kid, Box) and kid.tag == "input" and kid.element.get("type").lower() in ("radio", "checkbox")
        for kid in box.kids
    ):
        return True
    return box.element.get("role") in ("radio", "option")


def _ticked(box: Box) -> bool:
    return any(each.get("type").lower() == "checkbox" for each in box.element.descendants("input"))


def _has_fields(box: Box) -> bool:
    return any(
        inner.tag in _FIELDS and inner.element.get("type").lower() not in ("hidden", "submit", "button", "image")
        for inner in box.boxes()
    )


def _is_call(box: Box) -> bool:
    return box.tag in ("a", "button", "input") or box.element.get("role") == "button"


def _is_heading(kid: Box | Run) -> bool:
    return isinstance(kid, Box) and kid.tag in _HEADINGS


def _alike(blocks: Sequence[Box]) -> bool:
    return all(one.tag == blocks[0].tag for one in blocks)


def _are_peers(blocks: Sequence[Box]) -> bool:
    """Whether several blocks are of one kind, each for itself: items of a list, rows, cards."""
    return any(_peer(one, other) for one, other in pairwise(blocks))


def _peer(one: Box | Run, other: Box | Run) -> bool:
    if isinstance(one, Run) or isinstance(other, Run) or one.tag != other.tag:
        return False
    if one.tag in _PEERS:
        return True
    same = one.element.get("class").split()[:1] == other.element.get("class").split()[:1]
    if one.tag != "div" or not same:
        return False
    return bool(one.element.get("class")) or all(
        any(isinstance(kid, Box) for kid in each.kids) for each in (one, other)
    )
