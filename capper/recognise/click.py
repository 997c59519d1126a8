"""Where a click leads, read from its address: redirectors looked through, nothing asked of the network."""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from capper.domain.identity import Basis
from capper.recognise.domains import host_of, parted, registrable, site_of
from capper.recognise.knowledge import Networks, Place, Role

DEPTH = 5
"""How many redirectors one behind the other are looked through."""
ENCODED = 3
"""How many times over a destination may be percent-encoded."""
_BUDGET = 200_000
"""How many characters of addresses are looked at for one ad, so that a hostile one costs little more than a long one."""
_LONGEST = 16_384
_CARRIES = 16
"""How many addresses are looked for inside one."""
_CARRIED = re.compile(r"https?(?::|%(?:25){0,3}3a)(?:/|%(?:25){0,3}2f){2}")
_BASE64 = re.compile(r"([\w.-]+)=(aHR0c[\w-]+)")
_NAME = re.compile(r"[a-z_][\w.-]*", re.IGNORECASE)
_BEFORE_NAME = "?&;/#!|,"
_VALUE_END = re.compile(r"[&;\s\"'<>]")
_ESCAPE = re.compile(r"\\{1,2}(?:x|u00)([0-9a-f]{2})", re.IGNORECASE)
_AMPERSAND = re.compile(r"&(?:amp;)+")
_BARE = "?/!*;@|"
_NO_CLICK = (Role.CHOICES, Role.BEACON, Role.TEASER)
_PASSING = (Role.REDIRECTOR, Role.COUNTER)
_NETWORKS = (Role.REDIRECTOR, Role.BEACON)
_PLAIN = ("http://", "https://")


# One is made for each address that leads on; a dataclass takes twice as long to make.
class Landing(NamedTuple):
    """Where a click leads once all that only count it are looked through, and the advertiser that names.

    `through` counts all that was looked through, and `paid` says that an ad network was among it. `advertiser` is the
    registrable domain; a reseller's, with what tells its customers apart after a slash.
    """

    url: str
    advertiser: str
    basis: Basis
    through: int
    paid: bool = False


class Clue(NamedTuple):
    """One address in parts; `rest` is what follows the host, `lower` the same in lower case."""

    url: str
    host: str
    rest: str
    lower: str


class Walk:
    """The looks through one ad's addresses; `budget` bounds what they cost together."""

    __slots__ = ("budget", "networks", "publisher")

    def __init__(self, networks: Networks, page: str) -> None:
        self.networks = networks
        self.publisher = site_of(page)
        self.budget = _BUDGET

    def follow(self, clue: Clue, depth: int) -> Landing | None:
        """The landing at the end of an address: what it carries first, itself last."""
        host, rest = clue.host, clue.rest
        self.budget -= len(rest)
        if not host or self.budget < 0:
            return None
        place = self.networks.place(host, rest)
        role = place.role if place else None
        if role in _NO_CLICK:
            return None
        domain = registrable(host)
        passes_on = role in _PASSING or (domain or host) == self.publisher
        carries = "http" in clue.lower or "%" in rest or "aHR0c" in rest
        if carries and depth < DEPTH and role is not Role.RESELLER:
            for target in self._targets(rest, everything=passes_on):
                found = self.follow(clue_of(target), depth + 1)
                if found:
                    paid = found.paid or role is Role.REDIRECTOR
                    return Landing(found.url, found.advertiser, found.basis, found.through + passes_on, paid)
        if passes_on:
            return self._origin(rest)
        if domain is None or role is Role.HOSTING or (carries and self._counts(rest)):
            return None
        return Landing(clue.url, _name(domain, rest, place), Basis.CLICK, 0)

    def _counts(self, rest: str) -> bool:
        """Whether an address sends the click on to an ad network: who counts clicks is not the advertiser."""
        targets = map(clue_of, self._targets(rest, everything=True))
        places = (self.networks.place(clue.host, clue.rest) for clue in targets if clue.host)
        return any(place and place.role in _NETWORKS for place in places)

    def inside(self, clue: Clue) -> Landing | None:
        """The landing in the address of a file: only what is plainly a click's destination counts."""
        if "http" not in clue.lower and not self._names_origin(clue.rest):
            return None
        place = self.networks.place(clue.host, clue.rest)
        if not clue.host or (place and place.role in _NO_CLICK):
            return None
        for target in self._carried(clue.rest, len(self.networks.carried) - 1):
            found = self.follow(clue_of(target), 1)
            if found:
                return found._replace(through=found.through + 1)
        return self._origin(clue.rest) if place and place.role in _PASSING else None

    def _targets(self, rest: str, *, everything: bool) -> Iterator[str]:
        """The addresses that the path and query of a URL carry where any is trusted to say where it leads; or `everything`."""
        if not everything:
            yield from self._carried(rest, self.networks.trusted)
            return
        yield from self._carried(rest, self.networks.doubted)
        rest = _opened(rest)
        if "aHR0c" in rest:
            for match in islice(_BASE64.finditer(rest), _CARRIES):
                if match[1] not in self.networks.origin:
                    yield _base64(match[2])

    def _carried(self, rest: str, trusted: int) -> Iterator[str]:
        """Those that stand there as they are, or percent-encoded, under names of rank `trusted` or better, the best first."""
        rest = _opened(rest)
        lower = rest.lower()
        if "http" not in lower:
            return
        if len(lower) != len(rest):  # as with a dotted capital I: places in one are none in the other
            rest = lower
        rank, last = self.networks.rank, self.networks.doubted
        found: list[tuple[int, int]] = []
        for match in islice(_CARRIED.finditer(lower), _CARRIES):
            start = match.start()
            before = self.networks.macro.sub("", rest[max(0, start - 80) : start])
            name = _named(before)
            at = rank.get(name, last + 1) if name else last if before[-1:] in _BARE else last + 1
            if at <= trusted:
                found.append((at, start))
        for _, start in sorted(found):
            yield _value(rest, start)

    def _names_origin(self, rest: str) -> bool:
        return any(f"{name}=" in rest for name in self.networks.origin)

    def _origin(self, rest: str) -> Landing | None:
        """The advertiser's origin that Google writes beside a click without a destination."""
        match = self.networks.origin_parameter.search(rest) if self._names_origin(rest) else None
        url = _base64(match[1]) if match else ""
        host = host_of(url)
        domain = registrable(host)
        if not domain or domain == self.publisher or self.networks.place(host, "/"):
            return None
        return Landing(url, domain, Basis.CRD, 1, paid=True)


def clue_of(url: str) -> Clue:
    url = clean(url)
    host, rest = parted(url)
    return Clue(url, host, rest, rest.lower())


def clean(url: str) -> str:
    r"""The address as a browser would take it: without white space, HTML's and script's escapes (`&amp;`, `\x26`)."""
    if url.startswith("data:"):
        return ""
    url = url[:_LONGEST].strip()
    if "\\" in url:
        url = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), url).replace("\\/", "/")
    if ";" in url and "&amp;" in url:  # a single letter is found ten times as fast
        url = _AMPERSAND.sub("&", url)
    if "\n" in url or "\t" in url or "\r" in url:
        url = url.translate({9: None, 10: None, 13: None})
    return f"https:{url}" if url.startswith("//") else url


def unquoted(text: str) -> str:
    """As `unquote`, which takes twice as long where only ASCII is encoded, as in most addresses."""
    first, *parts = text.split("%")
    try:
        return first + "".join([_ENCODED[part[:2]] + part[2:] for part in parts])
    except KeyError:
        return unquote(text)


_ENCODED = {spelled: chr(code) for code in range(128) for spelled in (f"{code:02x}", f"{code:02X}")}


def _opened(rest: str) -> str:
    """Path and query of which the path holds a query percent-encoded (`/aclk%253Fsa%253DL`), that one decoded."""
    path, mark, query = rest.partition("?")
    for _ in range(ENCODED):
        if "%" not in path or "?" in path:
            break
        path = unquoted(path)
    return f"{path}{mark}{query}" if "?" in path else rest


def _named(before: str) -> str:
    """The parameter that what follows `before` is the value of, in lower case; "" where it is none."""
    if before[-1:] != "=":
        return ""
    name = before[max(map(before.rfind, _BEFORE_NAME)) + 1 : -1]
    return name.lower() if _NAME.fullmatch(name) else ""


def _value(rest: str, start: int) -> str:
    """The address that begins at `start`, decoded; plain ones run to the end, for they hold `&` of their own."""
    text = rest[start:]
    if not text[:8].lower().startswith(_PLAIN):
        end = _VALUE_END.search(text)
        text = text[: end.start()] if end else text
    for _ in range(ENCODED):
        if text[:8].lower().startswith(_PLAIN) and ("%" not in text or "%" not in host_of(text)):
            return text
        text = unquoted(text)
    return text if text[:8].lower().startswith(_PLAIN) else ""


def _base64(text: str) -> str:
    text = unquote(text).rstrip("=").rstrip(".")[:2_048]
    try:
        url = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return url if url[:8].lower().startswith(_PLAIN) else ""


def _name(domain: str, rest: str, place: Place | None) -> str:
    """The advertiser's key: the registrable domain, and behind a reseller's what tells its customers apart."""
    if place is None:
        return domain
    path, _, query = rest.partition("#")[0].partition("?")
    detail = unquote(path).strip("/")
    if place.steps:
        detail = "/".join(detail.split("/")[: place.steps])
    if place.by:
        values = dict(parse_qsl(query[:4_096]))
        detail = next((values[name] for name in place.by if values.get(name)), "")
    return f"{domain}/{' '.join(detail.casefold().split())[:120]}" if detail else domain
