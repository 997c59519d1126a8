"""Which pictures and links of a page are worth a closer look: a page has hundreds, and none or ten of them are ads."""

import re
from collections.abc import Iterable, Iterator

from capper.markup import Document, Element
from capper.rewrite.base import Judge
from capper.rewrite.html.hiding import Values, joined

PICTURES = ("img", "video", "object", "embed", "input", "amp-img")
_CLICKED = ", ".join(f"[onclick] {tag}, {tag}[onclick]" for tag in PICTURES)
_LONGEST_LOOK = 4096
_TELLING_WORDS = tuple(
    "webad textad annons anzeige affil banner spons promo reklam werbung publicit campag campai mainos".split()  # noqa: SIM905
)
_TELLING = (
    # Each begins with letters of its own, by which `re` finds where to look.
    re.compile(r"ad(?<![a-z]ad)(?:s|v|vert\w*|server|image|img|pic|s?\d+)?(?![a-z])"),
    re.compile(r"aff(?<![a-z]aff)(?![a-z])"),
    re.compile(r"x(?<=(?:728|300|160|320|970|468|336|980)x)\d"),
)
"""What the address of an ad's picture on the publisher's own site has in it: EasyList's own rules for such are of these."""
_TO = re.compile(r"\0(\s*(?:[hH][tT]{2}[pP][sS]?:)?//([^/?#\\\s\0]+)[^\0]*)")
_FROM = re.compile(r"\0((?:[^\0/]++|/(?!/))*+//([^/?#\\\s\0]+)[^\0]*)")
"""A link, and a file, that name a host: of values that were joined."""
FILES = (
    "src",
    "srcset",
    "data-src",
    "data-srcset",
    "data-original",
    "data-lazy-src",
    "data-lazy-srcset",
    "data-lazy",
    "data",
    "poster",
)
_CARRYING = ("http", "ahr0c", "crd=")


class Nearby:
    """What stands in a document's markup that may be an ad by its attributes as written, before anything is resolved."""

    def __init__(self, document: Document, judge: Judge, values: Values) -> None:
        self.document = document
        self.judge = judge
        self._values = values
        self._based_elsewhere = judge.is_elsewhere(document.base)
        self._hosts: dict[str, bool] = {}
        self._links: list[Element] | None = None

    def promising(self) -> Iterator[Element]:
        """The pictures worth a closer look, by their attributes as written: a page has hundreds, and none or ten are ads.

        A picture of the page's own site whose address has no telling word is left to its own request, which names it too.
        """
        found = dict.fromkeys((*self._linked(), *self._told(), *self._handled(), *self._styled()))
        return (each for each in found if _is_picture(each))

    def _linked(self) -> Iterator[Element]:
        """What stands in a link that may be counted on its way."""
        covered: set[Element] = set()
        for link in self.links():
            if link in covered:
                continue
            for each in link.descendants("a", *PICTURES):
                if each.tag == "a":
                    covered.add(each)
                else:
                    yield each

    def links(self) -> list[Element]:
        """Links that may be counted on their way."""
        if self._links is None:
            found = self.document.holding("href", self._counted())
            self._links = [link for link in found if link.tag == "a"]
        return self._links

    def _counted(self) -> set[str]:
        """The links, as written, that may be counted on their way: they lead elsewhere, or carry where they go."""
        different = self.document.different("href")
        found = self._elsewhere(_TO, different) if "//" in self._values.joined("href") else set()
        rest = different - found
        text = "\0".join(rest).lower()
        if any(sign in text for sign in _CARRYING):
            found.update(href for href in rest if _carries(href))
        return found

    def _told(self) -> Iterator[Element]:
        """What has a file that may be an ad's, or an alternative that has."""
        for name in filter(self._values.has, FILES):
            files = self.document.different(name)
            for each in self.document.holding(name, self._telling(files)) if files else ():
                around = each.closest("picture, video") if each.tag == "source" else each
                if around is not None and around.tag == "picture":
                    yield from around.descendants(*PICTURES)
                elif around is not None:
                    yield around

    def _telling(self, different: set[str]) -> set[str]:
        """The files, as written, that come from elsewhere or have a telling word in their address."""
        looks = different
        if max(map(len, different), default=0) > _LONGEST_LOOK:
            looks = {file[:_LONGEST_LOOK] for file in different}
        text = joined(looks)
        far = self._elsewhere(_FROM, looks) if "//" in text else set()
        if self._based_elsewhere:
            far.update([look for look in looks if "//" not in look])
        if far:
            text = joined(looks - far)
        # The one letter that would be two in lower case.
        telling = far | _pieces(text, _places(text.replace("\u0130", "I").lower()))
        return telling if looks is different else {file for file in different if file[:_LONGEST_LOOK] in telling}

    def _handled(self) -> list[Element]:
        """What a script may take somewhere."""
        return self.document.select(_CLICKED) if self._values.has("onclick") and self.document.values("onclick") else []

    def _styled(self) -> Iterator[Element]:
        """Pictures that show one more as their background."""
        return (each for each in self._values.painted if each.tag in PICTURES)

    def _elsewhere(self, naming: re.Pattern[str], values: Iterable[str]) -> set[str]:
        """Of some values those that name a host, and one elsewhere as the judge says, who is asked once for each."""
        named = naming.findall(joined([value for value in values if "//" in value]))
        for host in {host for _, host in named} - self._hosts.keys():
            self._hosts[host] = self.judge.is_elsewhere(f"http://{host}/")
        return {value for value, host in named if self._hosts[host]}


def _places(text: str) -> Iterator[int]:
    """Where telling words stand in a text in lower case."""
    for word in _TELLING_WORDS:
        at = text.find(word)
        while at >= 0:
            yield at
            at = text.find(word, at + len(word))
    for pattern in _TELLING:
        yield from (match.start() for match in pattern.finditer(text))


def _pieces(text: str, places: Iterable[int]) -> set[str]:
    """The pieces of a text, each between two zeros, in which `places` are."""
    return {text[text.rindex("\0", 0, at) + 1 : text.index("\0", at)] for at in places}


def _carries(href: str) -> bool:
    """Whether a link carries where it goes, as one does that is counted on its way."""
    text = href.lower()
    return text.find("http", 4) >= 0 or "ahr0c" in text or "crd=" in text


def _is_picture(element: Element) -> bool:
    return element.tag in PICTURES and (element.tag != "input" or element.get("type").lower() == "image")
