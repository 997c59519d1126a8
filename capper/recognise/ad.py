"""Whose ad is it: from click addresses, markup and the names of files to an `Ad`, by the ladder of identities (docs: identity ladder)."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from capper.domain.evidence import Evidence
from capper.domain.identity import Ad, Basis
from capper.recognise.domains import advertiser_domains, host_of, listed, parted, registrable, site_of
from capper.recognise.networks import Host, Identifier, Networks, Place, Role

DEPTH = 5
"""How many redirectors one behind the other are looked through."""
ENCODED = 3
"""How many times over a destination may be percent-encoded."""
_BUDGET = 200_000
"""How many characters of addresses are looked at for one ad, so that a hostile one costs little more than a long one."""
_LONGEST = 16_384
_CARRIES = 16
"""How many addresses are looked for inside one."""
_SHORT = 600
"""How long the visible text of one ad may be: a longer one names other people's sites too."""
_CLUES = 200
"""How many addresses of one ad are read."""

_CARRIED = re.compile(r"https?(?::|%(?:25){0,3}3a)(?:/|%(?:25){0,3}2f){2}", re.IGNORECASE)
_BASE64 = re.compile(r"([\w.-]+)=(aHR0c[\w-]+)")
_NAME = re.compile(r"(?:^|[?&;/#!|,])([a-z_][\w.-]*)=$", re.IGNORECASE)
_VALUE_END = re.compile(r"[&;\s\"'<>]")
_ESCAPE = re.compile(r"\\{1,2}(?:x|u00)([0-9a-f]{2})", re.IGNORECASE)
_AMPERSAND = re.compile(r"&(?:amp;)+")
_BARE = "?/!*;@|"
_NO_CLICK = (Role.CHOICES, Role.BEACON)
_PLAIN = ("http://", "https://")
_ID = re.compile(r"[A-Za-z0-9][\w.:~-]{1,80}")
_NO_ID = frozenset({"null", "undefined", "none", "nan", "false", "true", "unknown"})
_SHOWN = re.compile(r"(?<![^\s(\[|·•])((?:[\w-]{1,63}\.)+([a-z]{2,10}))(?![^\s)\]|·•,!?])")


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a click leads once all that only count it are looked through, and the advertiser that names.

    `through` counts the redirectors that were looked through. `advertiser` is the registrable domain; a reseller's, with
    what tells its customers apart after a slash.
    """

    url: str
    advertiser: str
    basis: Basis
    through: int


class _Clue(NamedTuple):
    """One address in parts; `rest` is what follows the host, `lower` the same in lower case."""

    url: str
    host: str
    rest: str
    lower: str


class _Names(NamedTuple):
    """Where the ids of one level are found."""

    at: Callable[[Host], tuple[Identifier, ...]]
    rows: Callable[[Networks], tuple[Identifier, ...]]
    parameter: Callable[[Networks], re.Pattern[str]]
    attributes: Callable[[Networks], frozenset[str]]


_CREATIVE = _Names(
    attrgetter("creatives"),
    attrgetter("creatives"),
    attrgetter("creative_parameter"),
    attrgetter("creative_attributes"),
)
_CAMPAIGN = _Names(
    attrgetter("campaigns"),
    attrgetter("campaigns"),
    attrgetter("campaign_parameter"),
    attrgetter("campaign_attributes"),
)


class AdReader:
    """Reads ads' identities; pure, and never raises.

    A publisher, a redirector, an AdChoices host or a host of files is never an advertiser; where nothing else is left the
    advertiser is unknown.
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    # An ad's markup

    def read(self, evidence: Evidence) -> Ad:
        """Whose ad the evidence shows; several advertisers where several stand in it side by side."""
        return self._named(evidence, *self._advertisers(evidence))

    def read_all(self, evidence: Evidence) -> tuple[Ad, ...]:
        """The ads of a grid, one for each advertiser, in order; one where it cannot be told apart.

        Of a grid no file is known to belong to one of its ads, so those ads have no creative and no campaign.
        """
        advertisers, basis = self._advertisers(evidence)
        if len(advertisers) < 2:
            return (self._named(evidence, advertisers, basis),)
        return tuple(Ad((advertiser,), basis=basis) for advertiser in advertisers)

    def _named(self, evidence: Evidence, advertisers: tuple[str, ...], basis: Basis) -> Ad:
        resources = [_clue(url) for url in evidence.resources[:_CLUES]]
        clicks = [_clue(url) for url in evidence.clicks[:_CLUES]]
        return self._ad(resources, clicks, evidence, advertisers, basis)

    def _ad(
        self,
        resources: Sequence[_Clue],
        clicks: Sequence[_Clue],
        evidence: Evidence,
        advertisers: tuple[str, ...],
        basis: Basis,
    ) -> Ad:
        """The ad with its ids; without an advertiser the strongest of those is its rung."""
        networks, clues = self.networks, (*resources, *clicks)
        campaign = self._id(clues, evidence, _CAMPAIGN) if clues or evidence.attributes else None
        creative = self._id(clues, evidence, _CREATIVE) if clues or evidence.attributes else None
        if creative is None:
            file = next((file for clue in resources if (file := _file(networks, clue))), None)
            creative = (file, Basis.URL) if file else None
        if not advertisers:
            basis = min(
                (found[1] for found in (campaign, creative) if found), key=_LADDER.index, default=Basis.UNIDENTIFIED
            )
        return Ad(advertisers, campaign and campaign[0], creative and creative[0], basis=basis)

    def _advertisers(self, evidence: Evidence) -> tuple[tuple[str, ...], Basis]:
        """The advertisers of the strongest rung that names any."""
        publisher = site_of(evidence.page)
        declared = self._declared(evidence, publisher)
        if declared:
            return declared, Basis.DECLARED
        more = (value for name, value in evidence.attributes if name in self.networks.click_attributes)
        walk = _Walk(self.networks, evidence.page)
        found = [walk.follow(_clue(url), 0) for url in dict.fromkeys((*evidence.clicks[:_CLUES], *more))]
        if not any(found):
            found = [walk.inside(_clue(url)) for url in evidence.resources[:_CLUES]]
        landings = [landing for landing in found if landing]
        for trusted in (
            # A click that is counted on its way is the ad's own; a plain link beside it may be anything.
            [landing for landing in landings if landing.basis is Basis.CLICK and landing.through],
            [landing for landing in landings if landing.basis is Basis.CLICK],
            landings,
        ):
            if trusted:
                return tuple(dict.fromkeys(landing.advertiser for landing in trusted)), trusted[0].basis
        shown = self._shown(evidence.text, publisher)
        return ((shown,), Basis.SPONSOR) if shown else ((), Basis.UNIDENTIFIED)

    def _declared(self, evidence: Evidence, publisher: str) -> tuple[str, ...]:
        names = self.networks.advertiser_attributes
        found = (domain for name, value in evidence.attributes if name in names for domain in advertiser_domains(value))
        return tuple(dict.fromkeys(domain for domain in found if self._may_advertise(domain, publisher)))

    def _shown(self, text: str, publisher: str) -> str | None:
        """The one domain that the ad's visible text names as its own (`Comparisons.org`), if it names exactly one."""
        if len(text) > _SHORT or "://" in text or "=" in text:
            return None
        found = {
            domain
            for match in _SHOWN.finditer(text)
            if match[2] in self.networks.endings
            and (domain := listed(match[1]))
            and self._may_advertise(domain, publisher)
        }
        return found.pop() if len(found) == 1 else None

    def _may_advertise(self, domain: str, publisher: str) -> bool:
        return domain != publisher and self.networks.place(domain, "/") is None

    # An address

    def read_url(self, url: str, page: str) -> Ad:
        """Whose ad a loaded file is, by its address alone: the address is the ad's, so its host never is the advertiser."""
        clue = _clue(url)
        landing = _Walk(self.networks, page).inside(clue)
        if landing:
            return self._ad((clue,), (), _NOTHING, (landing.advertiser,), landing.basis)
        return self._ad((clue,), (), _NOTHING, (), Basis.UNIDENTIFIED)

    def landing(self, url: str, page: str) -> Landing | None:
        """Where a click on `url` leads, read from the address itself: nothing is asked of the network. None: unknown."""
        return _Walk(self.networks, page).follow(_clue(url), 0)

    # Ids

    def _id(self, clues: Iterable[_Clue], evidence: Evidence, level: _Names) -> tuple[str, Basis] | None:
        """The id that a network writes in its own way, else one under a common name, in an address or on the element."""
        common = None
        for clue in clues:
            for identifier in level.at(self.networks.about(clue.host)):
                match = identifier.pattern.search(clue.url)
                if match:
                    return f"{identifier.buyer}/{match[1]}", identifier.basis
            match = None if common else level.parameter(self.networks).search(clue.lower)
            if match and _is_id(value := unquote(clue.rest[match.start(1) : match.end(1)])):
                common = f"{registrable(clue.host) or clue.host}/{value}"
        publisher = site_of(evidence.page)
        for name, value in evidence.attributes:
            for identifier in level.rows(self.networks):
                match = identifier.pattern.search(value) if name in identifier.attributes else None
                if match:
                    return f"{identifier.buyer}/{match[1]}", identifier.basis
            if not common and publisher and name in level.attributes(self.networks) and _is_id(value):
                common = f"{publisher}/{value}"
        return (common, Basis.CRID) if common else None


_NOTHING = Evidence()


def _file(networks: Networks, clue: _Clue) -> str | None:
    """The address of a picture or film that is this ad's own, without what changes from load to load."""
    path, _, query = clue.rest.partition("#")[0].partition("?")
    path = path.partition(";")[0]
    lasting = path.rpartition(".")[2].lower() in networks.lasting
    if not lasting or not clue.host or networks.common.search(path):
        return None
    kept = [part for part in query.split("&") if "=" in part and not networks.changes(part.partition("=")[0])]
    return f"{clue.host}{path}?{'&'.join(kept)}" if kept else f"{clue.host}{path}"


class _Walk:
    """The looks through one ad's addresses; `budget` bounds what they cost together."""

    def __init__(self, networks: Networks, page: str) -> None:
        self.networks = networks
        self.page = page
        self.budget = _BUDGET

    @cached_property
    def publisher(self) -> str:
        return site_of(self.page)

    def follow(self, clue: _Clue, depth: int) -> Landing | None:
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
        passes_on = role is Role.REDIRECTOR or (domain or host) == self.publisher
        if depth < DEPTH and role is not Role.RESELLER:
            for target in self._targets(rest, self._everything if passes_on else self._plain):
                found = self.follow(_clue(target), depth + 1)
                if found:
                    return replace(found, through=found.through + passes_on)
        if passes_on:
            return self._origin(rest)
        if domain is None or role is Role.HOSTING:
            return None
        return Landing(clue.url, _name(domain, rest, place), Basis.CLICK, 0)

    def inside(self, clue: _Clue) -> Landing | None:
        """The landing in the address of a file: only what is plainly a click's destination counts."""
        if "http" not in clue.lower and not self._names_origin(clue.rest):
            return None
        place = self.networks.place(clue.host, clue.rest)
        if not clue.host or (place and place.role in _NO_CLICK):
            return None
        for target in self._targets(clue.rest, len(self.networks.carried) - 1):
            found = self.follow(_clue(target), 1)
            if found:
                return replace(found, through=found.through + 1)
        return self._origin(clue.rest) if place and place.role is Role.REDIRECTOR else None

    @property
    def _plain(self) -> int:
        """How far down the ranks any address is trusted to say where it leads."""
        return len(self.networks.carried) + len(self.networks.destination) - 1

    @property
    def _everything(self) -> int:
        """And one that only passes on: an address that stands in it without a name ranks last."""
        return self._plain + 1 + len(self.networks.doubtful)

    def _targets(self, rest: str, trusted: int) -> Iterator[str]:
        """The addresses that the path and query of a URL carry under names of rank `trusted` or better, the best first."""
        rest = _opened(rest)
        rank, last = self.networks.rank, self._everything
        found: list[tuple[int, int]] = []
        for match in islice(_CARRIED.finditer(rest), _CARRIES) if "http" in rest.lower() else ():
            start = match.start()
            before = self.networks.macro.sub("", rest[max(0, start - 80) : start])
            name = _NAME.search(before)
            at = rank.get(name[1].lower(), last + 1) if name else last if before[-1:] in _BARE else last + 1
            if at <= trusted:
                found.append((at, start))
        for _, start in sorted(found):
            yield _value(rest, start)
        if trusted == last and "aHR0c" in rest:
            for match in islice(_BASE64.finditer(rest), _CARRIES):
                if match[1] not in self.networks.origin:
                    yield _base64(match[2])

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
        return Landing(url, domain, Basis.CRD, 1)


def _clue(url: str) -> _Clue:
    url = clean(url)
    host, rest = parted(url)
    return _Clue(url, host, rest, rest.lower())


def clean(url: str) -> str:
    r"""The address as a browser would take it: without white space, HTML's and script's escapes (`&amp;`, `\x26`)."""
    if url.startswith("data:"):
        return ""
    url = url[:_LONGEST].strip()
    if "\\" in url:
        url = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), url).replace("\\/", "/")
    if "&amp;" in url:
        url = _AMPERSAND.sub("&", url)
    if "\n" in url or "\t" in url or "\r" in url:
        url = url.translate({9: None, 10: None, 13: None})
    return f"https:{url}" if url.startswith("//") else url


def _opened(rest: str) -> str:
    """Path and query of which the path holds a query percent-encoded (`/aclk%253Fsa%253DL`), that one decoded."""
    path, mark, query = rest.partition("?")
    for _ in range(ENCODED):
        if "%" not in path or "?" in path:
            break
        path = unquote(path)
    return f"{path}{mark}{query}" if "?" in path else rest


def _value(rest: str, start: int) -> str:
    """The address that begins at `start`, decoded; plain ones run to the end, for they hold `&` of their own."""
    text = rest[start:]
    if not text[:8].lower().startswith(_PLAIN):
        end = _VALUE_END.search(text)
        text = text[: end.start()] if end else text
    for _ in range(ENCODED):
        if text[:8].lower().startswith(_PLAIN) and "%" not in host_of(text):
            return text
        text = unquote(text)
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
    if place.by:
        values = dict(parse_qsl(query[:4_096]))
        detail = next((values[name] for name in place.by if values.get(name)), "")
    return f"{domain}/{' '.join(detail.casefold().split())[:120]}" if detail else domain


def _is_id(value: str) -> bool:
    return bool(_ID.fullmatch(value)) and value.lower() not in _NO_ID and value.strip("0-") != ""


_LADDER = list(Basis)
