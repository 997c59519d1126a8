"""A publisher's own notice for a slot whose ad is withheld: which templates of a page hold one, and whether it may stand there.

What a page declares is a still notice of its own: nothing of it is a script, loads from anywhere but the page's origin, or leads
to another site. So nobody but the page's own publisher can learn by it that an ad was withheld.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from capper.domain.exchange import origin_of
from capper.markup import Document, Element, Span
from capper.rewrite.base import House, Judge, Slot
from capper.rewrite.html.opening import furnished
from capper.rewrite.html.sizes import own_size

MARK = "data-capper-house"
LONGEST = 20_000
MOST = 20
"""Templates of one page that are looked at."""
_MOST_ELEMENTS = 200
TEMPLATE = f"template[{MARK}]"

_TAGS = frozenset("a abbr aside b bdi bdo blockquote br cite code div em figcaption figure footer h2 h3 h4 h5 h6 header hr i img li mark ol p picture q s section small source span strong sub sup time u ul wbr".split())  # fmt: skip  # noqa: SIM905  a row of words
"""What a still notice is made of."""
_ON_ALL = frozenset(["align", "class", "dir", "hidden", "id", "lang", "role", "style", "title"])
_ON = {
    "a": frozenset(["href", "hreflang", "rel", "target"]),
    "img": frozenset(["alt", "decoding", "fetchpriority", "height", "loading", "sizes", "src", "srcset", "width"]),
    "source": frozenset(["height", "media", "sizes", "srcset", "type", "width"]),
    "time": frozenset(["datetime"]),
}
_CLOSED_BY_OURS = frozenset(["a", "button", "nobr", "p", "select"])
"""Within these a block, or a link, would end what is open around it."""
_LOADING_STYLE = re.compile(r"url|image|src|element|[\\@]", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://[\w.:-]+(?=[/?#]|\Z)|(?!//|[a-z][a-z0-9+.-]*:))[^\\\x00-\x20]*", re.IGNORECASE)
"""An address that every reader takes for the same: browsers read backslashes, blanks and more slashes their own way."""
_SET = re.compile(r"\s*[^\s,]+(?:\s+[\d.]+[wxh])?(?:\s*,\s*[^\s,]+(?:\s+[\d.]+[wxh])?)*\s*")


def insides(document: Document, data: bytes) -> dict[Span, str]:
    """What `data` has inside the first templates that are marked as house ads, by where it stands; of one never closed nothing."""
    found = {}
    # One within another has no parent.
    for template in islice((each for each in document.select(TEMPLATE) if each.parent), MOST):
        start, end = template.start_tag, template.end_tag
        if start and end:
            found[Span(start.end, end.start)] = data[start.end : end.start].decode("latin-1")
    return found


def cleared(data: bytes, spans: Sequence[Span]) -> bytes:
    """The page with blanks in these places: what a template holds is no part of it, and says nothing of the ad beside it."""
    parts: list[bytes] = []
    at = 0
    for start, end in sorted(spans):
        parts += (data[at:start], b" " * (end - start))
        at = end
    return b"".join((*parts, data[at:]))


def furnish(
    document: Document, judge: Judge, held: Mapping[Span, str], found: Sequence[tuple[Element, Slot]]
) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
    """The slots, those with the house ad that stands beside them for it, and of each template that cannot be used why.

    Args:
        document: the page, as `cleared` left it.
        held: what `insides` found.
    """
    slots = [slot for _, slot in found]
    refused = []
    templates = document.select(TEMPLATE)
    more, templates = len(templates) - MOST, templates[:MOST]
    for number, template in enumerate(templates, 1):
        place = _beside(template, templates, found)
        start = template.start_tag
        content = next((text for span, text in held.items() if start and span.start == start.end), None)
        house = _house(document, judge, place, content) if isinstance(place, tuple) else place
        if isinstance(house, House) and isinstance(place, tuple):
            slots[place[1].number] = replace(place[1], house=house)
        else:
            refused.append(f"house ad {number} is not used: {house}")
    if more > 0:
        refused.append(f"{more} house ads are not used: a page may have {MOST}")
    return tuple(slots), tuple(refused)


def _beside(
    template: Element, templates: Sequence[Element], found: Sequence[tuple[Element, Slot]]
) -> tuple[Element, Slot] | str:
    """The one ad in the element that the template stands in, or why there is none."""
    around = template.parent
    if around is None or template.span is None:
        return "its <template> is never closed"
    if any(other is not template and other.parent is around for other in templates):
        return f"the <{around.tag}> around it holds another"
    # Of an ad in a container that lists hide, the template is a part.
    holding = [each for each in found if template.inside(each[0])]
    if holding and any(other is not template and other.inside(holding[0][0]) for other in templates):
        return "its ad holds another"
    near = holding or [each for each in found if each[0].inside(around)]
    if len(near) == 1:
        return near[0]
    return f"the <{around.tag}> around it holds {len(near) or 'no'} ad{'s' if len(near) > 1 else ''} that capper knows"


def _house(document: Document, judge: Judge, place: tuple[Element, Slot], content: str | None) -> House | str:
    element, slot = place
    if content is None or element.span is None or not element.sound(document):
        return "where its ad ends cannot be told"
    if len(content) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    around = next((above.tag for above in element.ancestors() if above.tag in _CLOSED_BY_OURS), "")
    if around:
        return f"its ad stands in <{around}>, where nothing else may stand"
    opening, closing = furnished(document, element)
    markup = f"{opening}{content}{closing}"
    whole = element.replaced(markup)
    reason = "its elements are not closed as they are opened" if whole is None else _unfit(document, judge, whole, slot)
    return reason or House(element.span, markup.encode("latin-1"))


def _unfit(document: Document, judge: Judge, whole: Element, slot: Slot) -> str:
    """Why an element is no still notice of the page's own; "" where it is one."""
    inside = list(islice(whole.descendants(), _MOST_ELEMENTS + 1))
    if len(inside) > _MOST_ELEMENTS:
        return f"it holds more than {_MOST_ELEMENTS} elements"
    reasons = (reason for each in inside for reason in _faults(document, judge, each, slot))
    return next(reasons, "")


def _faults(document: Document, judge: Judge, element: Element, slot: Slot) -> Iterator[str]:
    tag = element.tag
    if tag not in _TAGS:
        yield f"it holds a <{tag}>"
    elif tag == "li" and not (element.within("ul") or element.within("ol")):
        yield "it holds an <li> outside of a list"
    for name, value in element.attributes():
        if name not in _ON_ALL and name not in _ON.get(tag, ()) and not name.startswith("aria-"):
            yield f"it holds a <{tag}> with {name}"
        elif name == "style" and _LOADING_STYLE.search(value):
            yield "a style in it may load something"
        elif name == "href":
            yield from _astray(document, judge, value)
        elif name in ("src", "srcset"):
            yield from _foreign(document, name, value)
    if tag == "img":
        yield from _oversize(element, slot)


def _oversize(picture: Element, slot: Slot) -> Iterator[str]:
    size = own_size(picture)
    if size is None:
        yield "a picture in it does not say its width and height, so the page would move"
    elif slot.size and (size[0] > slot.size[0] or size[1] > slot.size[1]):
        yield f"a picture in it is larger than its ad, {size[0]}x{size[1]} for {slot.size[0]}x{slot.size[1]}"


def _astray(document: Document, judge: Judge, link: str) -> Iterator[str]:
    target = _resolved(document, link)
    if not target or judge.is_elsewhere(target) or judge.is_click(target):
        yield f"it leads to {link[:80] or 'nowhere'}, which is not of the page's own site"


def _foreign(document: Document, name: str, value: str) -> Iterator[str]:
    if name == "srcset" and not _SET.fullmatch(value):
        yield "a srcset in it cannot be read"
        return
    addresses = [part.split()[0] for part in value.split(",")] if name == "srcset" else [value]
    home = origin_of(document.url).lower()
    for address in addresses:
        if name == "src" and address.strip()[:11].lower() == "data:image/":
            continue
        if origin_of(_resolved(document, address)).lower() != home or not home:
            yield f"it loads {address.strip()[:80]}, which is not of the page's own origin"


def _resolved(document: Document, address: str) -> str:
    """The whole address; "" for one that is of another kind than http, or that somebody may take for another."""
    written = address.strip(" ")
    return document.absolute(written) if _ADDRESS.fullmatch(written) else ""
