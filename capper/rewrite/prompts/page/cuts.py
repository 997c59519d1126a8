"""What is cut of a page whose pieces have their roles, or outlined."""

from collections.abc import Iterator
from html import escape

from capper.domain.prompt import Place
from capper.rewrite.prompts.base import Found, Reader, Role, bare
from capper.rewrite.prompts.page.options import unselected
from capper.rewrite.prompts.page.pieces import stays
from capper.rewrite.prompts.page.shapes import LETTER
from capper.rewrite.prompts.page.tree import LONGEST, Box, Run
from capper.rewrite.prompts.text import without

_CELLS = frozenset(["td", "th", "caption"])
_OUTLINE = b"outline:3px dashed #b58900;outline-offset:2px"


_FREE = frozenset("p div small span em strong b i aside section footer blockquote figure img ul ol dl table".split())


def said_in(box: Box) -> Iterator[str]:
    """What is said in what is to go of a box: each piece of text, and each line made of several."""
    for kid in box.kids:
        gone = Role.PROMPT in (box.role, kid.role)
        if gone and kid.role is not Role.WARNING and len(kid.text) <= LONGEST and LETTER.search(kid.text):
            yield bare(kid.text)
        if isinstance(kid, Box) and (gone or kid.role is Role.PART):
            yield from (bare(each.text) for each in kid.pieces()) if gone else said_in(kid)


def _warnings(box: Box) -> Iterator[Box | Run]:
    if box.role is Role.WARNING:
        yield box
        return
    for kid in box.kids:
        if isinstance(kid, Box):
            yield from _warnings(kid)
        elif kid.role is Role.WARNING:
            yield kid


class Cuts:
    """The edits of one page, as they are noted on the way down from its root."""

    def __init__(self, reader: Reader, data: bytes, *, apart: bool = False) -> None:
        """Of `data`; `apart`: warnings in what is cut do not stay where they are."""
        self.reader, self.data, self.apart = reader, data, apart
        self.moved: list[bytes] = []
        """Those warnings, as elements."""
        self.found = Found(Place.PAGE)
        self.edits: list[tuple[int, int, bytes]] = []

    def outline(self, box: Box) -> None:
        """Draw a line around what would be cut."""
        if box.role is Role.PROMPT or (box.role is Role.PART and box.new is not None):
            self.found.add(box.reading, box.text)
            self._dress(box)
        elif box.role is Role.PART:
            for kid in box.kids:
                if isinstance(kid, Box):
                    self.outline(kid)
                elif kid.role in (Role.PROMPT, Role.PART):
                    self.found.add(kid.reading, kid.text.strip())
                    self.edits.append((kid.start, kid.end, b"<mark>%s</mark>" % self.data[kid.start : kid.end]))

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
        if box.new is not None:
            self._frame(box, box.new)
            return
        for words in box.words:
            reading = self.reader.read(words.text)
            if reading.prompt:
                self.found.add(reading)
            if reading.prompt or (box.mute and "-" in box.tag and not stays(words.text, self.reader)):
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

    def _frame(self, box: Box, new: str) -> None:
        """Write the document of a frame that stays."""
        span = box.element.attribute_span("srcdoc")
        if span is not None:
            self.found.add(box.reading, box.text)
            self.edits.append((*span, b'srcdoc="%s"' % escape(new).encode("ascii", "xmlcharrefreplace")))

    def _note(self, kid: Box | Run, noted: bool) -> None:  # noqa: FBT001
        if kid.reading.prompt or not noted:
            self.found.add(kid.reading, kid.text.strip())

    def _sentences(self, run: Run) -> None:
        rest = run.rest
        if rest is None:
            rest = without(run.text, self.reader, self.found)
        else:
            self.found.add(run.reading, run.text[len(rest) :])
        if rest is not None:
            self.edits.append((run.start, run.end, escape(rest, quote=False).encode("ascii", "xmlcharrefreplace")))

    def _cut(self, box: Box) -> None:
        """Cut a box, but for warnings in it, and for a table's cell, without which the others would move."""
        if box.role is Role.WARNING or box.start < 0:
            return
        warnings = [*_warnings(box)]
        if box.tag not in _CELLS and (self.apart or not warnings):
            self.moved += map(self._alone, warnings)
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

    def _alone(self, warning: Box | Run) -> bytes:
        """A warning as an element that may stand anywhere."""
        if isinstance(warning, Box) and warning.tag in _FREE:
            return self.data[warning.start : warning.end]
        tags = (warning.element.start_tag, warning.element.end_tag) if isinstance(warning, Box) else (None, None)
        start = tags[0].end if tags[0] else warning.start
        end = tags[1].start if tags[1] else warning.end
        return b"<p>%s</p>" % self.data[start:end]

    def unselect(self, root: Box) -> None:
        """Where a prompt for paying later was cut, no such way to pay is chosen beforehand."""
        if any({"later", "option"} & set(prompt.signals) for prompt in self.found.prompts):
            self.edits += unselected(root, self.reader)
