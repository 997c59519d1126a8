"""Finds the ads of a video player's answer (VAST 1 to 4, VMAP) and takes some away, byte for byte around them.

Ads with a `sequence` form a pod and play one after the other; those without are a buffet, of which the player takes one.
Dropping one of either is legal, and a `<VAST>` without any means "no ad": the player goes on to its next source.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice

from capper.clues import evidence_of_document
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.offer import Offer
from capper.markup import Span, join, parse, unique
from capper.rewrite.xmltree import Element, Tree, read

TYPES = (
    "application/xml",
    "text/xml",
    "application/vast+xml",
    "text/vast+xml",
    "application/vmap+xml",
    "application/x-vast+xml",
    "video/vast",
    "video/vast+xml",
)
"""Content types that such answers come in; servers also say `text/html` or `text/plain`, so `looks` is asked of those."""

MOST_ADS = 100
MOST_URLS = 200
_LONGEST = 8192
_LONGEST_ID = 120
_LONGEST_HTML = 100_000
_MOST_HTML = 10

_ROOTS = ("vast", "videoadservingtemplate", "daast")
_MARK = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:vast|vmap|videoadservingtemplate|daast)[\s>/]", re.IGNORECASE)
_JSON = re.compile(rb"\s*[\[{\"]")
_TAG_URIS = ("vastadtaguri", "vastadtagurl", "daastadtaguri")
_CLICKS = ("clickthrough", "nonlinearclickthrough", "companionclickthrough")
_MEDIA = ("mediafile", "mezzanine", "interactivecreativefile", "flashresource", "staticresource", "iframeresource")
_IMPRESSIONS = ("impression", "viewable")
_BEACONS = ("tracking", "clicktracking", "nonlinearclicktracking", "companionclicktracking")
_RANDOM = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{24,}")
_NO_SYSTEM = re.compile(r"[\d.]*|vast|daast|ad ?server|unknown", re.IGNORECASE)
_NO_ID = re.compile(r".{0,3}|0+|unknown|undefined|null|none|n/a|test|[\[{$%].*", re.IGNORECASE)
_TELLING = re.compile(r"(?:[^0-9]*[0-9]){3}")
"""An ad server's id has some digits; `preroll-1` and `video` are names that any ad goes by."""
_SITE = re.compile(r"^https?://(?:www\.)?([^/?#:]+).*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Video:
    """One `<Ad>`: what it says about itself and the bytes it would cost.

    `place` tells the ad breaks of one document apart: with the document it makes the token of a pod. `wrapper` is where
    the player asks on for the real ad (so this one is no sighting yet), "" for an ad that plays itself. `sequence` is its
    turn in a pod, None in a buffet. `impressions` are asked for once it plays; they and all its other files and beacons
    are the resources of the offer's evidence. A macro such as `[CACHEBUSTING]` stands in them as it is.
    """

    number: int
    offer: Offer
    span: Span
    place: int
    sequence: int | None = None
    wrapper: str = ""
    impressions: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    title: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """Where the player asks on, for the ads of which `place`."""

    url: str
    place: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The ads of one place as a player takes them.

    All of `pod` play, in this order. Of `buffet` the first that works plays: alone where there is no pod, else in place of
    a pod's ad that does not. So a pod's ads are sightings, and of a buffet without a pod only the first that is let through
    is; the others are asked about, not counted.
    """

    place: int
    pod: tuple[Video, ...]
    buffet: tuple[Video, ...]


@dataclass(frozen=True, slots=True)
class Videos:
    """The ads of one answer in its order, and all addresses where the player asks on: of wrappers and of ad breaks."""

    ads: tuple[Video, ...] = ()
    tags: tuple[Tag, ...] = ()

    def stops(self) -> tuple[Stop, ...]:
        """The ads by place, each place's as they play."""
        return tuple(_stop(place, self.ads) for place in dict.fromkeys(ad.place for ad in self.ads))


def _stop(place: int, ads: tuple[Video, ...]) -> Stop:
    here = [ad for ad in ads if ad.place == place]
    pod = sorted((ad for ad in here if ad.sequence is not None), key=lambda ad: ad.sequence or 0)
    return Stop(place, tuple(pod), tuple(ad for ad in here if ad.sequence is None))


def looks(data: bytes) -> bool:
    """Whether `data` begins as such an answer does. Cheap."""
    return _MARK.search(data, 0, 2048) is not None and not _JSON.match(data)


def find(data: bytes, url: str = "", page: str = "") -> Videos:
    """The ads of an answer; `url` is its own address, `page` the publisher's page.

    An ad whose end is anybody's guess is none, and neither is one outside a `<VAST>`.

    Raises:
        Unrewritable: it is in a charset that cannot be edited as bytes, declares a document type, or is beyond measure.
    """
    return _Finder(read(data), url, page).find() if looks(data) else Videos()


def apply(data: bytes, withheld: Collection[Video]) -> bytes:
    """`data` without these ads; every other byte stays. None withheld: the very same object.

    What stands beside them, an `<Error>` above all, stays: its address is the player's to ask for, if it had no ad.
    """
    if not withheld:
        return data
    parts, at = [], 0
    for span in sorted(video.span for video in withheld):
        if span.start < at or span.end > len(data):
            raise Unrewritable("two video ads overlap")
        parts.append(data[at : span.start])
        at = span.end
    return b"".join((*parts, data[at:]))


class _Finder:
    """Reads one answer: an ad break's sources, or the whole where there are no breaks, are one place each."""

    def __init__(self, tree: Tree, url: str, page: str) -> None:
        self.tree, self.url, self.page = tree, url, page
        self.ads: list[Video] = []
        self.tags: list[Tag] = []

    def find(self) -> Videos:
        places = count()
        for root in self.tree.root.children:
            if root.name in _ROOTS:
                self._vast(self.tree, root, next(places))
            elif root.name == "vmap":
                for stop in root.children:
                    if stop.name == "adbreak":
                        self._break(stop, next(places))
        return Videos(tuple(self.ads), tuple(self.tags))

    def _break(self, stop: Element, place: int) -> None:
        for source in (each for each in stop.children if each.name == "adsource"):
            for each in source.children:
                if each.name == "adtaguri":
                    self._tag(self.tree.text(each), place)
                elif each.name in ("vastaddata", "vastdata"):
                    # VMAP 1.0 lets the answer stand as text, too.
                    tree = self.tree.inside(each)
                    for root in tree.root.children if tree else each.children:
                        if root.name in _ROOTS:
                            self._vast(tree or self.tree, root, place)

    def _vast(self, tree: Tree, root: Element, place: int) -> None:
        for ad in root.children:
            if ad.name == "ad" and ad.closed and len(self.ads) < MOST_ADS:
                self.ads.append(self._ad(tree, ad, place))

    def _tag(self, text: str, place: int) -> str:
        url = self._absolute(text)
        if url:
            self.tags.append(Tag(url, place))
        return url

    def _ad(self, tree: Tree, ad: Element, place: int) -> Video:
        body = ad.child("inline", "wrapper") or ad
        inside = _Inside(tree, body)
        asked = next(iter(inside.texts(*_TAG_URIS)), "")
        wrapper = self._tag(asked, place)
        system, turn = _line(tree.text(body.child("adsystem"))), tree.attribute(ad, "sequence")
        impressions = self._urls(inside.texts(*_IMPRESSIONS))
        files, beacons = self._urls(inside.texts(*_MEDIA)), self._urls(inside.texts(*_BEACONS))
        evidence = Evidence(
            clicks=self._clicks(inside),
            resources=unique((*files, *impressions, *beacons, wrapper), MOST_URLS),
            attributes=tuple(_ids(inside, tree.attribute(ad, "id"), system)),
            page=self.page,
        )
        sponsors = [_SITE.sub(r"\1", _line(text)) for text in inside.texts("advertiser")]
        return Video(
            number=len(self.ads),
            offer=Offer(sponsors=tuple(sponsors), categories=tuple(_categories(inside)), evidence=evidence),
            span=ad.span,
            place=place,
            sequence=int(turn) if turn.isdecimal() and len(turn) < 6 else None,
            wrapper=wrapper or (asked if body.name == "wrapper" else ""),
            impressions=impressions,
            size=_size(inside),
            title=_line(tree.text(body.child("adtitle"))),
            system=system,
        )

    def _clicks(self, inside: "_Inside") -> tuple[str, ...]:
        """Where clicks lead: those of the film itself, else those of what stands over or beside it."""
        for name in _CLICKS:
            found = self._urls(inside.texts(name))
            if found:
                return found
        html = (text[:_LONGEST_HTML] for text in islice(inside.texts("htmlresource"), _MOST_HTML))
        return unique((url for text in html for url in self._linked(text)), MOST_URLS)

    def _linked(self, html: str) -> tuple[str, ...]:
        try:
            return evidence_of_document(parse(html.encode("utf-8", "replace"), self.url), self.page).clicks
        except Unrewritable:
            return ()

    def _urls(self, texts: Iterable[str]) -> tuple[str, ...]:
        return unique(map(self._absolute, texts), MOST_URLS)

    def _absolute(self, text: str) -> str:
        text = text[:_LONGEST]
        return join(self.url or "https:", text) if self.url or text[:2] == "//" or "://" in text[:8] else ""


class _Inside:
    """The elements of one ad by name, gathered once, each list in document order."""

    def __init__(self, tree: Tree, body: Element) -> None:
        self.tree, self.body = tree, body
        self.named: dict[str, list[Element]] = {}
        for each in body.descendants():
            self.named.setdefault(each.name, []).append(each)

    def all(self, *names: str) -> list[Element]:
        """The elements called one of `names`, those of the first name first."""
        return [each for name in names for each in self.named.get(name, ())]

    def texts(self, *names: str) -> Iterator[str]:
        """Their texts; VAST 1 holds several addresses of one kind in `<URL>`."""
        for each in self.all(*names):
            parts = [child for child in each.children if child.name == "url"] or [each]
            yield from map(self.tree.text, parts)


def _ids(inside: _Inside, own: str, system: str) -> Iterator[tuple[str, str]]:
    """The ids a creative goes by, the most telling first, as attributes that config/networks/video.toml speaks of."""
    tree = inside.tree
    creatives = [each for each in inside.all("creative") if each.children or each.written]
    creatives.sort(key=lambda creative: creative.child("linear") is None)
    owner = "" if _NO_SYSTEM.fullmatch(system) else _folded(system)
    registered = [each for creative in creatives for each in creative.children if each.name == "universaladid"]
    for each in dict.fromkeys((*registered, *inside.all("universaladid"))):
        value = tree.text(each) or tree.attribute(each, "idvalue", "value")
        registry = tree.attribute(each, "idregistry", "registry")
        by = owner if _NO_ID.fullmatch(registry) else _folded(registry)
        if by and not _NO_ID.fullmatch(value):
            yield "vast-universal-ad-id", f"{by}/{value[:_LONGEST_ID]}"
    for creative in creatives[:1]:
        parts = [own, tree.attribute(creative, "id") or tree.attribute(creative, "adid")]
        # An id that is made up for each request is none.
        kept = [part[:_LONGEST_ID] for part in parts if _TELLING.match(part) and not _RANDOM.search(part)]
        if owner and kept:
            yield "vast-creative", "/".join((owner, *dict.fromkeys(kept)))


def _categories(inside: _Inside) -> Iterator[str]:
    """The codes of IAB's taxonomy; other authorities' words mean what they like."""
    for each in inside.all("category"):
        if "iab" in inside.tree.attribute(each, "authority").lower():
            yield from re.split(r"[\s,;|]+", inside.tree.text(each)[:200])


def _size(inside: _Inside) -> tuple[int, int] | None:
    """The largest of the film's sizes."""
    sizes = []
    for each in inside.all("mediafile", "nonlinear"):
        width, height = inside.tree.attribute(each, "width"), inside.tree.attribute(each, "height")
        if width.isdecimal() and height.isdecimal() and len(width) < 6 and len(height) < 6:
            sizes.append((int(width), int(height)))
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _line(text: str) -> str:
    return " ".join(text[:300].split())


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())[:_LONGEST_ID].replace("/", " ")
