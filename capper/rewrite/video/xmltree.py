"""XML as bytes: elements with the exact span they were written in, of documents that need not be well-formed.

Why not a library: expat knows offsets but stops at the first fault, lxml recovers but does not know offsets, turbohtml
does neither for XML. Nothing is ever expanded or fetched: a document that declares entities is refused, and of entities
only XML's own five and numeric references are read. On well-formed documents it agrees with expat (tests).
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from capper.domain.errors import Unrewritable
from capper.markup import Span
from capper.rewrite.charset import CODECS

DEEPEST = 256
MOST_TAGS = 50_000
LONGEST_TEXT = 400_000
LONGEST_START = 16_384
"""Characters of a text and of a start tag that are read; what follows is passed over."""

# By what of ASCII a name has not: all beyond is allowed, and a set of 65,000 characters takes 10 ms to compile, each time.
_NAME = r"[^\x00-9;-@\[-^`{-\x7f][^\x00-,/;-@\[-^`{-\x7f]*+"
_REST = r"(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+"
# What is left open lasts to the end; every part takes what it can once and for all, so that reading stays linear.
_COMMENT = r"!--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->)?+"
_SECTION = r"!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+(?:\]\]>)?+"
_INSTRUCTION = r"\?[^?]*+(?:\?(?!>)[^?]*+)*+(?:\?>)?+"
_TYPE = r"!(?i:doctype)\s(?:[^<>\"'\[]++|\"[^\"<]*+\"|'[^'<]*+')*+>"
_TAG = re.compile(rf"</?+{_NAME}{_REST}>", re.ASCII)
_TOKEN = re.compile(
    # One `<` before all the alternatives, so that the next one is found as fast as a letter is. A start tag comes with
    # the whole element where nothing but text follows: most are such.
    rf"<(?:(?P<name>{_NAME})(?P<rest>{_REST})>(?:(?<!/>)(?P<text>[^<]*+(?:<{_SECTION}[^<]*+)?+)</(?P=name)>)?+"
    rf"|/(?P<end>{_NAME}){_REST}>|{_COMMENT}|{_SECTION}|{_INSTRUCTION}"
    # A type by its name alone is passed over; one that declares entities of its own is refused.
    rf"|{_TYPE}|(?P<type>!(?i:doctype)))",
    re.ASCII,
)
_END, _START, _WHOLE = (_TOKEN.groupindex[name] for name in ("end", "rest", "text"))
_PROLOG = re.compile(
    # Words without a mark among them: what a server's fault leaves before an answer.
    r"[\ufeff\xef\xbb\xbf\w\s.,:/-]{0,300}+"
    rf"(?:\s++|<{_COMMENT}|<{_INSTRUCTION}|<!(?i:doctype)[^\[<>]*+(?:\[[^\]]*+\]\s*+)?+>)*+",
    re.ASCII,
)
_ROOT = re.compile(rf"<({_NAME})", re.ASCII)
_ATTRIBUTE = re.compile(
    r"(?<![^\s\"'])([^\s=\"'<>/]++)\s*+=\s*+(?:\"([^\"<]*+)\"|'([^'<]*+)'|([^\s\"'<>=]++))", re.ASCII
)
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ENCODING = re.compile(r"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.ASCII)
_WIDE = ("utf-16", "utf16", "ucs-2", "iso-10646-ucs-2", "unicode")
_WIDE_STARTS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
"""A byte order mark, or the first `<` of a document without one (XML 1.0, appendix F)."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_MARKED = re.compile(r"<!--|<!\[CDATA\[|<\?")


class Element:
    """One element; `name` is without its prefix and in lower case, for players do not agree on either.

    From `start` to `end` is all of it, from `opened` to `shut` what stands between its tags, counted in characters of
    its document's `source`. `closed`: its own end tag stands there.
    """

    __slots__ = ("children", "closed", "end", "name", "opened", "shut", "start", "written")

    def __init__(self, name: str, start: int, opened: int, shut: int, end: int, written: str = "") -> None:
        self.name, self.written = name, written
        self.start, self.opened, self.shut, self.end = start, opened, shut, end
        self.closed = False
        self.children: Sequence[Element] = ()

    def child(self, *names: str) -> "Element | None":
        """The first element directly inside that is called one of `names`."""
        for each in self.children:
            if each.name in names:
                return each
        return None

    def descendants(self, but: frozenset[str] = frozenset()) -> Iterator["Element"]:
        """The elements inside, in document order; of those called one of `but` not what is inside them."""
        waiting = list(reversed(self.children))
        while waiting:
            each = waiting.pop()
            yield each
            if each.children and each.name not in but:
                waiting += reversed(each.children)


class Tree:
    """A document that was read; its elements know their bytes, of which `width` make a character of its `source`.

    `charset` is what its characters stand for bytes of, "" where they are what they seem.
    """

    def __init__(self, source: str, charset: str, width: int, start: int, end: int) -> None:
        self.source, self.charset, self.width = source, charset, width
        self.root = _Reader(source, start, end).read()

    def span(self, element: Element) -> Span:
        """The bytes from the `<` of its start tag to the `>` of its end tag."""
        return Span(element.start * self.width, element.end * self.width)

    def inside(self, element: Element) -> "Tree | None":
        """The document that an element holds as a single CDATA section, its spans those of the whole; None: it holds none."""
        text = self.source[element.opened : element.shut]
        held = re.fullmatch(r"\s*<!\[CDATA\[(.*)\]\]>\s*", text, re.DOTALL)
        if element.children or held is None or "]]>" in held[1]:
            return None
        at = element.opened + held.start(1)
        return Tree(self.source, self.charset, self.width, at, at + len(held[1]))

    def text(self, element: Element | None) -> str:
        """Its own text with that of the elements inside, CDATA as it stands, white space around it gone."""
        if element is None:
            return ""
        start, end = element.opened, element.shut
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
        written = element.written.lower()
        if not any(name in written for name in names):
            return ""
        found = self.attributes(element)
        return next((found[name] for name in names if name in found), "")

    def attributes(self, element: Element) -> dict[str, str]:
        """Its attributes by name, without a prefix and in lower case."""
        return {
            name.lower().rpartition(":")[2]: self._read(one or other or bare).strip()
            for name, one, other, bare in _ATTRIBUTE.findall(element.written[:LONGEST_START])
        }

    def _read(self, text: str) -> str:
        decoded = self._decoded(text)
        return _REFERENCE.sub(_character, decoded) if "&" in decoded else decoded

    def _decoded(self, text: str) -> str:
        if not self.charset or text.isascii():
            return text
        return text.encode("latin-1").decode(self.charset, "replace")


def root_of(data: bytes | str) -> str:
    """The name of the root element, as `Element` has it; "" where none begins the document. Cheap."""
    head = data[:16_384]
    source = head if isinstance(head, str) else head.decode(_WIDE_STARTS.get(head[:2], "latin-1"), "replace")
    prolog = _PROLOG.match(source)
    root = _ROOT.match(source, prolog.end() if prolog else 0)
    return _local(root[1]) if root else ""


def read(data: bytes | str) -> Tree:
    """Read a document, be it damaged. One that stands as text in another is counted in characters instead of bytes.

    Raises:
        Unrewritable: it declares entities, is in a charset whose bytes are not ASCII's where markup is concerned (UTF-16
            apart), or is nested or sown with tags beyond measure.
    """
    if isinstance(data, str):
        return Tree(data, "", 1, 0, len(data))
    source, width = _characters(data)
    declared = _ENCODING.search(source[:300])
    label = declared[1].lower() if declared and width == 1 else "utf-8"
    # A declaration that could be read byte by byte is in no wide charset, whatever it says; scripts' parsers ignore it.
    charset = "utf-8" if label.startswith(_WIDE) else CODECS.get(label)
    if charset is None:
        raise Unrewritable(f"the XML's charset {label!r} cannot be edited as bytes")
    return Tree(source, charset if width == 1 else "", width, 0, len(source))


def _characters(data: bytes) -> tuple[str, int]:
    """The bytes as characters, each of which stands for so many of them."""
    codec = _WIDE_STARTS.get(data[:2])
    if codec is None:
        if b"\0" in data[:200]:
            raise Unrewritable("the XML is UTF-32, or no text")
        return data.decode("latin-1"), 1
    # What lies beyond the first plane takes two units.
    source = _ASTRAL.sub("\ufffd\ufffd", data.decode(codec, "replace"))
    if len(source) * 2 != len(data) or "\0" in source[:100]:
        raise Unrewritable("the XML is UTF-32, or damaged UTF-16")
    return source, 2


class _Reader:
    """Goes through the tags once, with the elements that are open.

    1. A start tag opens an element in the innermost open one.
    2. An end tag closes the innermost element of its name, and with it whatever is open inside (as HTML and libxml do).
    3. An end tag that nothing open answers to, and a `<` that begins no tag, are text.
    """

    def __init__(self, source: str, start: int, end: int) -> None:
        self.source, self.start, self.end = source, start, end
        self.root = Element("", start, start, end, end)
        self.open: list[Element] = [self.root]
        self.inside: list[Element] = []
        """The children of the innermost open element; `held` are those of all that are open."""
        self.root.children = self.inside
        self.held = [self.inside]

    def read(self) -> Element:
        for tags, token in enumerate(_TOKEN.finditer(self.source, self.start, self.end)):
            kind = token.lastindex
            if kind == _WHOLE:
                name, written = token.group(1, 2)
                start, end = token.span()
                opened, shut = token.span(_WHOLE)
                element = Element(_local(name), start, opened, shut, end, written)
                element.closed = True
                self.inside.append(element)
            elif kind == _START:
                self._open(token)
            elif kind == _END:
                self._close(token)
            elif kind is not None:
                raise Unrewritable("the XML has a document type declaration")
            if tags >= MOST_TAGS:
                raise Unrewritable(f"the XML has more than {MOST_TAGS} tags")
        for element in self.open[1:]:
            element.shut = element.end = self.end
        return self.root

    def _open(self, tag: re.Match[str]) -> None:
        start, end = tag.span()
        written = tag["rest"]
        element = Element(_local(tag["name"]), start, end, end, end, written)
        self.inside.append(element)
        if written.endswith("/"):
            element.closed = True
            return
        if len(self.open) > DEEPEST:
            raise Unrewritable(f"the XML is nested more than {DEEPEST} deep")
        self.open.append(element)
        element.children = self.inside = []
        self.held.append(self.inside)

    def _close(self, tag: re.Match[str]) -> None:
        name, at = _local(tag["end"]), len(self.open) - 1
        while at and self.open[at].name != name:
            at -= 1
        if not at:
            return
        start, end = tag.span()
        for element in self.open[at:]:
            element.shut = element.end = start
        self.open[at].end, self.open[at].closed = end, True
        del self.open[at:], self.held[at:]
        self.inside = self.held[-1]


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
