"""The start tag that is kept of a withheld element: what its site's own layout hangs on, and nothing that leads anywhere."""

import re

from capper.markup import Document, Element
from capper.rewrite.drawing import ascii_text

_DRESS = ("class", "id", "style")
_LAYOUT = (*_DRESS, "width", "height", "align", "valign", "colspan", "rowspan", "hidden", "dir", "slot", "role")
WITHHELD = 'data-capper="withheld"'
"""What a page is told of a slot, where it may be told: this, and nothing of whose, why, how often or until when."""
_NO_HOUSE = frozenset(["a", "img", "amp-img", "picture", "video", "object", "embed", "input", "iframe"])
_NAME = re.compile(r"<([^\s/>]+)")
_HARMLESS = re.compile(r"\s*[\w-]+\s*:[\x20-\x7e]*")


def reopened(document: Document, element: Element) -> bytes:
    """The element's start tag as written, with the attributes that layout may hang on alone."""
    start = element.start_tag
    name = _NAME.match(document.source, start.start) if start else None
    tag = name[1] if name else element.tag
    return f"<{tag}{_kept(document, element, _LAYOUT)}>".encode("latin-1")


def furnished(document: Document, element: Element) -> tuple[str, str]:
    """The tags around a house ad that takes the element's place: what a page's own style sheets and scripts know it by.

    A link or a picture cannot hold another, so a block stands for it.
    """
    same = element.tag not in _NO_HOUSE
    tag = element.tag if same else "div"
    return f"<{tag} {WITHHELD}{_kept(document, element, _LAYOUT if same else _DRESS)}>", f"</{tag}>"


def dress(document: Document, element: Element) -> bytes:
    """The attributes by which style sheets know a picture, for the placeholder that takes its place."""
    return _kept(document, element, _DRESS).encode("latin-1")


def _kept(document: Document, element: Element, names: tuple[str, ...]) -> str:
    kept = []
    for name, span in element.attribute_spans(names).items():
        value = element.get(name).lower() if name == "style" else ""
        if "url(" in value or "image" in value or "\\" in value:
            kept.append(f' style="{ascii_text(_without_pictures(element.get("style")))}"')
        else:
            kept.append(f" {document.source[span.start : span.end]}")
    return "".join(kept)


def _without_pictures(style: str) -> str:
    """The declarations that surely load nothing: an ad may be its container's background."""
    parts = (part for part in style.split(";") if _HARMLESS.fullmatch(part))
    return ";".join(part.strip() for part in parts if not re.search(r"[(\\@]|image|src|content", part, re.IGNORECASE))
