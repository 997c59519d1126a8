"""XML as bytes: elements with the exact span they were written in, of documents that need not be well-formed.

Why not a library: expat knows offsets but stops at the first fault, lxml recovers but does not know offsets, turbohtml
does neither for XML. Nothing is ever expanded or fetched: a document with a type declaration is refused, and of entities
only XML's own five and numeric references are read. On well-formed documents it agrees with expat (tests).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from capper.domain.errors import Unrewritable
from capper.markup import Span
from capper.rewrite.charset import CODECS

DEEPEST = 256
MOST_TAGS = 100_000
LONGEST_TEXT = 400_000
LONGEST_START = 16_384
"""Characters of a text and of a start tag that are read; what follows is passed over."""

_NAME = r"[A-Za-z_:\x80-\xff][\w:.\x80-\xff-]*+"
_REST = r"(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+"
_TAG = re.compile(rf"</?+{_NAME}{_REST}>", re.ASCII)
_TOKEN = re.compile(
    # What is left open lasts to the end; every part takes what it can once and for all, so that reading stays linear.
    r"<!--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->)?+|<!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+(?:\]\]>)?+"
    r"|<\?[^?]*+(?:\?(?!>)[^?]*+)*+(?:\?>)?+|(?P<type>(?i:<!doctype))"
    rf"|<(?P<slash>/?+)(?P<name>{_NAME})(?P<rest>{_REST})>",
    re.ASCII,
)
_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'])([^\s=\"'<>/]++)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)'|([^\s\"'<>=]++))", re.ASCII
)
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ENCODING = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_WIDE = ("utf-16", "utf16", "ucs-2", "iso-10646-ucs-2", "unicode")
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_MARKED = re.compile(r"<!--|<!\[CDATA\[|<\?")


@dataclass(slots=True, eq=False)
class Element:
    """One element; `name` is without its prefix and in lower case, for players do not agree on either.

    `inner` is what stands between its tags. `closed`: its own end tag stands in the source.
    """

    name: str
    start: int
    inner: Span
    end: int = 0
    closed: bool = False
    written: str = ""
    children: list["Element"] = field(default_factory=list)

    @property
    def span(self) -> Span:
        """From the `<` of its start tag to the `>` of its end tag."""
        return Span(self.start, self.end)

    def child(self, *names: str) -> "Element | None":
        """The first element directly inside that is called one of `names`."""
        return next((each for each in self.children if each.name in names), None)

    def descendants(self) -> Iterator["Element"]:
        """The elements inside, in document order."""
        waiting = self.children[::-1]
        while waiting:
            each = waiting.pop()
            yield each
            waiting += each.children[::-1]


class Tree:
    """A document that was read; its elements know their bytes."""

    def __init__(self, source: str, charset: str, start: int, end: int) -> None:
        self.source = source
        self.charset = charset
        self.root = _Reader(source, start, end).read()

    def inside(self, element: Element) -> "Tree | None":
        """The document that an element holds as a single CDATA section, its spans those of the whole; None: it holds none."""
        text = self.source[element.inner.start : element.inner.end]
        held = re.fullmatch(r"\s*<!\[CDATA\[(.*)\]\]>\s*", text, re.DOTALL)
        if element.children or held is None or "]]>" in held[1]:
            return None
        at = element.inner.start + held.start(1)
        return Tree(self.source, self.charset, at, at + len(held[1]))

    def text(self, element: Element | None) -> str:
        """Its own text with that of the elements inside, CDATA as it stands, white space around it gone."""
        if element is None:
            return ""
        start, end = element.inner
        source, at, pieces = self.source[start : min(end, start + LONGEST_TEXT)].strip(), 0, []
        if "<" not in source:
            return self._read(source).strip()
        if source.startswith("<![CDATA[") and source.find("]]>") == len(source) - 3:
            return self._decoded(source[9:-3]).strip()
        for start, end, kind in _marked(source):
            pieces.append(self._read(_TAG.sub("", source[at:start])))
            if kind == "<![CDATA[":
                pieces.append(self._decoded(source[start + len(kind) : end - 3]))
            at = end
        pieces.append(self._read(_TAG.sub("", source[at:])))
        return "".join(pieces).strip()

    def attribute(self, element: Element, *names: str) -> str:
        """The first attribute, in the order of `names` (lower case), that it has; "" where it has none."""
        found = {
            name.lower().rpartition(":")[2]: values
            for name, *values in _ATTRIBUTE.findall(element.written[:LONGEST_START])
        }
        values = next((found[name] for name in names if name in found), ())
        return self._read("".join(values)).strip()

    def _read(self, text: str) -> str:
        decoded = self._decoded(text)
        return _REFERENCE.sub(_character, decoded) if "&" in decoded else decoded

    def _decoded(self, text: str) -> str:
        return text if text.isascii() else text.encode("latin-1").decode(self.charset, "replace")


def read(data: bytes) -> Tree:
    """Read a document, be it damaged.

    Raises:
        Unrewritable: it declares a type (and with it perhaps entities), is in a charset whose bytes are not ASCII's where
            markup is concerned, or is nested or sown with tags beyond measure.
    """
    if data[:2] in (b"\xfe\xff", b"\xff\xfe") or b"\0" in data[:200]:
        raise Unrewritable("the XML is UTF-16, or no text")
    declared = _ENCODING.search(data[:300])
    label = declared[1].decode("ascii").lower() if declared else "utf-8"
    # A declaration that could be read byte by byte is in no wide charset, whatever it says; scripts' parsers ignore it.
    charset = "utf-8" if label.startswith(_WIDE) else CODECS.get(label)
    if charset is None:
        raise Unrewritable(f"the XML's charset {label!r} cannot be edited as bytes")
    return Tree(data.decode("latin-1"), charset, 0, len(data))


class _Reader:
    """Goes through the tags once, with the elements that are open.

    1. A start tag opens an element in the innermost open one.
    2. An end tag closes the innermost element of its name, and with it whatever is open inside (as HTML and libxml do).
    3. An end tag that nothing open answers to, and a `<` that begins no tag, are text.
    """

    def __init__(self, source: str, start: int, end: int) -> None:
        self.source, self.start, self.end = source, start, end
        self.root = Element("", start, Span(start, end), end)
        self.open: list[Element] = [self.root]

    def read(self) -> Element:
        for tags, token in enumerate(_TOKEN.finditer(self.source, self.start, self.end), 1):
            if tags > MOST_TAGS:
                raise Unrewritable(f"the XML has more than {MOST_TAGS} tags")
            if token["name"] is None:
                if token["type"]:
                    raise Unrewritable("the XML has a document type declaration")
            elif token["slash"]:
                self._close(token)
            else:
                self._open(token)
        for element in self.open[1:]:
            element.inner, element.end = Span(element.inner.start, self.end), self.end
        return self.root

    def _open(self, tag: re.Match[str]) -> None:
        start, end = tag.span()
        written = tag["rest"]
        element = Element(_local(tag["name"]), start, Span(end, end), end, written=written)
        self.open[-1].children.append(element)
        if written.endswith("/"):
            element.closed = True
            return
        if len(self.open) > DEEPEST:
            raise Unrewritable(f"the XML is nested more than {DEEPEST} deep")
        self.open.append(element)

    def _close(self, tag: re.Match[str]) -> None:
        name, at = _local(tag["name"]), len(self.open) - 1
        while at and self.open[at].name != name:
            at -= 1
        if not at:
            return
        start, end = tag.span()
        for element in self.open[at:]:
            element.inner, element.end = Span(element.inner.start, start), start
        self.open[at].end, self.open[at].closed = end, True
        del self.open[at:]


def _marked(source: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and opening mark of the comments, CDATA sections and instructions in `source`."""
    at = 0
    while (found := _MARKED.search(source, at)) is not None:
        end = source.find(_ENDS[found[0]], found.end())
        if end < 0:
            return
        at = end + len(_ENDS[found[0]])
        yield found.start(), at, found[0]


@lru_cache(maxsize=1024)
def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _character(reference: re.Match[str]) -> str:
    if reference[1]:
        return _NAMED[reference[1]]
    code = int(reference[2]) if reference[2] else int(reference[3], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else reference[0]
