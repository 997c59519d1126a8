"""Finds the ads of a video player's answer (VAST 1 to 4, VMAP) and takes some away, byte for byte around them.

Ads with a `sequence` form a pod and play one after the other; those without are a buffet, of which the player takes one.
Dropping one of either is legal, and a `<VAST>` without any means "no ad": the player goes on to its next source.
"""

from collections.abc import Collection

from capper.domain.errors import Unrewritable
from capper.rewrite.video.answer import Break, Stop, Tag, Video, Videos
from capper.rewrite.video.vastad import AdReader
from capper.rewrite.video.xmltree import Element, Tree, read, root_of

__all__ = ["TYPES", "Break", "Stop", "Tag", "Video", "Videos", "apply", "find", "looks", "study"]

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
MOST_TAGS = 300
_VASTS = ("vast", "videoadservingtemplate", "daast")
_ROOTS = (*_VASTS, "vmap")
_MARKS = (b"vast", b"vmap", b"videoad", b"daast")
_PARTS = ("ad", "inline", "wrapper")
_NO = ("false", "0", "no")


def looks(data: bytes | str) -> bool:
    """Whether `data` is such an answer, by its root element, whatever stands before it. Cheap."""
    start = data[:16_384]
    head = start.encode("ascii", "replace") if isinstance(start, str) else start.replace(b"\0", b"")
    head = head.lower()
    return any(mark in head for mark in _MARKS) and root_of(data) in _ROOTS


def find(data: bytes | str, url: str = "", page: str = "") -> Videos:
    """The ads of an answer; `url` is its own address, `page` the publisher's page.

    An ad whose end is anybody's guess is none, and neither is one outside a `<VAST>`. Of an answer that stands as text in
    another (a bid's `adm`) spans count characters.

    Raises:
        Unrewritable: it is in a charset that cannot be edited as bytes, declares entities, or is beyond measure.
    """
    return _Finder(read(data), AdReader(url, page)).find() if looks(data) else Videos()


def study(markup: str, url: str = "", page: str = "") -> Videos:
    """The ads of a bid's markup: an answer, or what bidders leave for others to put into one, an `<Ad>` or `<InLine>` alone.

    Raises:
        Unrewritable: as `find` does.
    """
    root = root_of(markup)
    if root not in _PARTS:
        return find(markup, url, page)
    tree, reader = read(markup), AdReader(url, page)
    if root != "ad":
        return Videos((reader.read(tree, tree.root, 0, 0),))
    ads = [each for each in tree.root.children if each.name == "ad" and each.closed][:MOST_ADS]
    return Videos(tuple(reader.read(tree, ad, number, 0) for number, ad in enumerate(ads)))


def apply[Data: (bytes, str)](data: Data, withheld: Collection[Video]) -> Data:
    """`data` without these ads; every other byte stays. None withheld: the very same object.

    What stands beside them, an `<Error>` above all, stays: its address is the player's to ask for, if it had no ad.
    """
    if not withheld:
        return data
    parts: list[Data] = []
    at = 0
    for span in sorted(video.span for video in withheld):
        if span.start < at or span.end > len(data):
            raise Unrewritable("two video ads overlap")
        parts.append(data[at : span.start])
        at = span.end
    parts.append(data[at:])
    return data[:0].join(parts)


class _Finder:
    """Goes through one answer: an ad break's sources, or the whole where there are no breaks, are one place each."""

    def __init__(self, tree: Tree, reader: AdReader) -> None:
        self.tree, self.reader = tree, reader
        self.ads: list[Video] = []
        self.tags: list[Tag] = []
        self.breaks: list[Break] = []
        self.alone: set[int] = set()
        self.places = 0

    def find(self) -> Videos:
        for root in self.tree.root.children:
            if root.name in _VASTS:
                self._vast(self.tree, root, self.places)
                self.places += 1
            elif root.name == "vmap":
                for stop in (each for each in root.children if each.name == "adbreak"):
                    self._break(stop)
        return Videos(tuple(self.ads), tuple(self.tags), tuple(self.breaks), frozenset(self.alone))

    def _break(self, stop: Element) -> None:
        place, self.places = self.places, self.places + 1
        self.breaks.append(Break(self.tree.attribute(stop, "timeoffset"), self.tree.attribute(stop, "breakid")))
        for source in (each for each in stop.children if each.name == "adsource"):
            several, onward = self._says(source, "allowmultipleads"), self._says(source, "followredirects")
            if not several:
                self.alone.add(place)
            for each in source.children:
                if each.name in ("adtaguri", "vastadtaguri"):
                    self._tag(Tag(self.reader.absolute(self.tree.text(each)), place, several=several, onward=onward))
                elif each.name in ("vastaddata", "vastdata"):
                    # VMAP 1.0 lets the answer stand as text, too.
                    tree = self.tree.inside(each)
                    for root in tree.root.children if tree else each.children:
                        if root.name in _VASTS:
                            self._vast(tree or self.tree, root, place)

    def _says(self, element: Element, name: str, *, unsaid: bool = True) -> bool:
        said = self.tree.attribute(element, name).lower()
        return said not in _NO if said else unsaid

    def _vast(self, tree: Tree, root: Element, place: int) -> None:
        for ad in root.children:
            if ad.name == "ad" and ad.closed and len(self.ads) < MOST_ADS:
                video = self.reader.read(tree, ad, len(self.ads), place)
                self.ads.append(video)
                if video.wrapper:
                    self._tag(self._asked(root, ad, video))

    def _asked(self, root: Element, ad: Element, video: Video) -> Tag:
        """Where a wrapper sends the player."""
        wrapper = ad.child("wrapper") or ad
        # The attribute is of VAST 3, whose default is one ad; before, players took whatever they found.
        older = self.tree.attribute(root, "version")[:2] in ("", "1.", "2.", "1", "2")
        return Tag(
            video.wrapper if "://" in video.wrapper[:8] else "",
            video.place,
            video.number,
            video.sequence,
            several=self._says(wrapper, "allowmultipleads", unsaid=older),
            onward=self._says(wrapper, "followadditionalwrappers"),
            fallback=self._says(wrapper, "fallbackonnoad", unsaid=False),
            beacons=(*video.impressions, *video.beacons),
        )

    def _tag(self, tag: Tag) -> None:
        if tag.url and len(self.tags) < MOST_TAGS:
            self.tags.append(tag)
