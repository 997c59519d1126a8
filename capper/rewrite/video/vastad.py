"""What one `<Ad>` of a video player's answer says: whose it is, what it is made of, where its clicks and icons lead."""

import re
from collections.abc import Container, Iterable, Iterator
from itertools import islice

from capper.clues import evidence_of_document
from capper.domain.errors import Unrewritable
from capper.domain.evidence import Evidence
from capper.domain.offer import Offer
from capper.markup import join, parse, unique
from capper.rewrite.video.answer import Video
from capper.rewrite.video.xmltree import Element, Tree

MOST_URLS = 200
_LONGEST = 8192
_LONGEST_ID = 120
_LONGEST_HTML = 100_000
_MOST_HTML = 10
_MOST_WORDS = 50
"""Ids, categories, sizes of each kind that are read."""

_TAG_URIS = ("vastadtaguri", "vastadtagurl", "daastadtaguri")
_CLICKS = ("clickthrough", "nonlinearclickthrough", "companionclickthrough")
_MEDIA = ("mediafile", "mezzanine", "interactivecreativefile", "flashresource", "staticresource", "iframeresource")
_IMPRESSIONS = ("impression", "viewable")
_BEACONS = (
    "notviewable",
    "viewundetermined",
    "tracking",
    "clicktracking",
    "nonlinearclicktracking",
    "companionclicktracking",
)
_FOREIGN = frozenset(["extensions", "creativeextensions", "adverifications", "adparameters", "icons", "icon"])
"""What stands in these speaks of others than the advertiser: sellers' notes, those who measure, the way to opt out; what
a creative's own program is told is in whatever form that program likes."""
_RANDOM = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{24,}")
_NO_SYSTEM = re.compile(r"[\d.]*|vast|daast|ad ?server|unknown", re.IGNORECASE)
_NO_ID = re.compile(r".{0,3}|0+|unknown|undefined|null|none|n/a|test|[\[{$%].*", re.IGNORECASE)
_TELLING = re.compile(r"(?:[^0-9]*[0-9]){3}")
"""An ad server's id has some digits; `preroll-1` and `video` are names that any ad goes by."""
_SIDE = re.compile(r"\s(width|height)\s{0,9}=\s{0,9}[\"']?\s{0,9}(\d{1,5})(?![\d.])")
_SITE = re.compile(r"^https?://(?:www\.)?([^/?#:]+).*$", re.IGNORECASE)


class AdReader:
    """Reads the ads of one answer; `url` is its own address, `page` the publisher's page."""

    def __init__(self, url: str, page: str) -> None:
        self.url, self.page = url, page

    def read(self, tree: Tree, ad: Element, number: int, place: int) -> Video:
        """What one ad says."""
        body = ad.child("inline", "wrapper") or ad
        inside = _Inside(tree, body)
        asked = next(iter(inside.texts(*_TAG_URIS)), "")
        wrapper = self.absolute(asked)
        system, turn = _line(tree.text(body.child("adsystem"))), tree.attribute(ad, "sequence")
        impressions = self._urls(inside.texts(*_IMPRESSIONS))
        files, beacons = self._urls(inside.texts(*_MEDIA)), self._urls(inside.texts(*_BEACONS))
        clicks, counted = self._clicks(inside, _sites((*impressions, *beacons)))
        evidence = Evidence(
            clicks=clicks,
            # What is counted on its way says no less than a beacon does.
            resources=unique((*files, *impressions, *beacons, wrapper, *counted), MOST_URLS),
            attributes=tuple(_ids(inside, tree.attribute(ad, "id"), system)),
            page=self.page,
        )
        sponsors = [_SITE.sub(r"\1", _line(text)) for text in islice(inside.texts("advertiser"), _MOST_WORDS)]
        return Video(
            number=number,
            offer=Offer(sponsors=tuple(sponsors), categories=tuple(_categories(inside)), evidence=evidence),
            span=tree.span(ad),
            place=place,
            sequence=int(turn) if turn.isdecimal() and len(turn) < 6 else None,
            wrapper=wrapper or (asked if body.name == "wrapper" else ""),
            impressions=impressions,
            size=_size(inside),
            title=_line(tree.text(body.child("adtitle"))),
            system=system,
            beacons=beacons,
            choices=self._urls(inside.choices()),
        )

    def absolute(self, text: str) -> str:
        """An address as the player asks for it, "" where there is none or nobody knows what it is relative to."""
        text = text[:_LONGEST]
        return join(self.url or "https:", text) if self.url or text[:2] == "//" or "://" in text[:8] else ""

    def _clicks(self, inside: "_Inside", counting: Container[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where clicks lead, those of the film itself before those of what stands over or beside it; and where not."""
        counted: tuple[str, ...] = ()
        for name in _CLICKS:
            found = self._urls(inside.texts(name))
            leading = tuple(each for each in found if not _counted(each, counting))
            if leading:
                return leading, counted
            counted += found
        html = (text[:_LONGEST_HTML] for text in islice(inside.texts("htmlresource"), _MOST_HTML))
        return unique((url for text in html for url in self._linked(text)), MOST_URLS), counted

    def _linked(self, html: str) -> tuple[str, ...]:
        """Where the links of a piece of HTML lead; a script's addresses only where it has none, for it counts clicks too."""
        try:
            document = parse(html.encode("utf-8", "replace"), self.url, "utf-8")
        except Unrewritable:
            return ()
        links = (document.absolute(each.get("href")) for each in document.select("a[href], area[href]"))
        return unique(links, MOST_URLS) or evidence_of_document(document, self.page).clicks

    def _urls(self, texts: Iterable[str]) -> tuple[str, ...]:
        return unique(map(self.absolute, texts), MOST_URLS)


class _Inside:
    """The elements of one ad by name, gathered once, each list in document order."""

    def __init__(self, tree: Tree, body: Element) -> None:
        self.tree, self.body = tree, body
        self.named: dict[str, list[Element]] = {}
        named = self.named
        for each in body.descendants(_FOREIGN):
            if each.name in named:
                named[each.name].append(each)
            else:
                named[each.name] = [each]

    def all(self, *names: str) -> list[Element]:
        """The elements called one of `names`, those of the first name first."""
        return [each for name in names for each in self.named.get(name, ())]

    def texts(self, *names: str) -> Iterator[str]:
        """Their texts."""
        return self._read(self.all(*names))

    def noted(self, name: str) -> Iterator[Element]:
        """The elements of that name in what older versions hold apart, as extensions."""
        for each in self.all("extensions", "creativeextensions"):
            yield from (one for one in each.descendants() if one.name == name)

    def choices(self) -> Iterator[str]:
        """Where its icons lead."""
        for each in self.all("icons", "icon"):
            yield from self._read(one for one in each.descendants() if one.name == "iconclickthrough")

    def _read(self, elements: Iterable[Element]) -> Iterator[str]:
        for each in elements:
            # VAST 1 holds several addresses of one kind in `<URL>`.
            parts = [child for child in each.children if child.name == "url"] if each.children else None
            if parts:
                yield from map(self.tree.text, parts)
            else:
                yield self.tree.text(each)


def _ids(inside: _Inside, own: str, system: str) -> Iterator[tuple[str, str]]:
    """The ids a creative goes by, the most telling first, as attributes that config/networks/video.toml speaks of."""
    tree = inside.tree
    creatives = [each for each in inside.all("creative") if each.children or each.written]
    creatives.sort(key=lambda creative: creative.child("linear") is None)
    owner = "" if _NO_SYSTEM.fullmatch(system) else _folded(system)
    registered = [each for creative in creatives for each in creative.children if each.name == "universaladid"]
    others = (*inside.all("universaladid"), *inside.noted("universaladid"))
    for each in islice(dict.fromkeys((*registered, *others)), _MOST_WORDS):
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
    for each in inside.all("category")[:_MOST_WORDS]:
        if "iab" in inside.tree.attribute(each, "authority").lower():
            yield from re.split(r"[\s,;|]+", inside.tree.text(each)[:200])


def _size(inside: _Inside) -> tuple[int, int] | None:
    """The largest of the film's sizes."""
    sizes = []
    for each in inside.all("mediafile", "nonlinear")[:_MOST_WORDS]:
        sides = dict(_SIDE.findall(each.written[:_LONGEST].lower()))
        if len(sides) == 2:
            sizes.append((int(sides["width"]), int(sides["height"])))
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _counted(click: str, counting: Container[str]) -> bool:
    """Whether a click only goes by the site that counts the ad's showing: where it then leads is not in it.

    A site's own front (`www.shoes.example`, or no name before it at all) is an advertiser that counts for itself.
    """
    host = _host(_authority(click))
    site = _site(host)
    if site not in counting or host.removesuffix(site) in ("", "www.", "m."):
        return False
    rest = click.partition("://")[2].partition("/")[2]
    return bool(rest) and "http" not in rest


def _sites(urls: Iterable[str]) -> set[str]:
    return {_site(_host(authority)) for authority in set(map(_authority, urls))}


def _authority(url: str) -> str:
    return url.split("/", 3)[2]


def _host(authority: str) -> str:
    return authority.partition("?")[0].rpartition("@")[2].partition(":")[0].lower()


def _site(host: str) -> str:
    """Roughly the registrable domain of a host: good enough to tell whose click counter it is."""
    parts = host.split(".")
    length = 3 if len(parts) > 2 and len(parts[-1]) == 2 and len(parts[-2]) <= 3 else 2
    return ".".join(parts[-length:])


def _line(text: str) -> str:
    return " ".join(text[:300].split())


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())[:_LONGEST_ID].replace("/", " ")
