"""Whose ad is it: from click addresses, markup and the names of files to an `Ad`, by the ladder of identities (docs: identity ladder)."""

import re
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from capper.domain.evidence import Evidence
from capper.domain.identity import Ad, Basis
from capper.recognise.click import ENCODED, Clue, Landing, Walk, clue_of, unquoted
from capper.recognise.domains import advertiser_domains, listed, registrable, site_of
from capper.recognise.knowledge import Host, Identifier, Networks, Parameter
from capper.recognise.sponsor import sponsor_key
from capper.remembered import remembered

_SHORT = 600
"""How long the visible text of one ad may be: a longer one names other people's sites too."""
_CLUES = 200
"""How many addresses of one ad are read."""

_MOST_FILES = 1_024
_LONGEST_KEPT = 2_048

_LETTERS = re.compile(r"[\W_]+|^the\s")
_ID = re.compile(r"[A-Za-z0-9][\w.:~-]{1,80}")
_NO_ID = frozenset({"null", "undefined", "none", "nan", "false", "true", "unknown"})
_SHOWN = re.compile(r"(?<![^\s(\[|·•])((?:[\w-]{1,63}\.)+([a-z]{2,10}))(?![^\s)\]|·•,!?])")


class _Names(NamedTuple):
    """Where the ids of one level are found."""

    at: Callable[[Host], tuple[Identifier, ...]]
    rows: Callable[[Networks], tuple[Identifier, ...]]
    parameter: Callable[[Networks], Parameter]
    attributes: Callable[[Networks], frozenset[str]]


class _Layers(NamedTuple):
    """An address that may hold an id, and what is known of its host."""

    clue: Clue
    about: Host
    urls: Sequence[str]
    """Where it is looked for."""


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
        self._read_again = remembered(_MOST_FILES)(self._read_url)

    # An ad's markup

    def read(self, evidence: Evidence) -> Ad:
        """Whose ad the evidence shows; several advertisers where several stand in it side by side."""
        clicks = _clues(evidence.clicks)
        return self._named(evidence, clicks, *self._advertisers(evidence, clicks))

    def ids(self, evidence: Evidence) -> Ad:
        """The campaign and the creative that the evidence shows, whosesoever they are."""
        if not (evidence.resources or evidence.clicks or evidence.attributes):
            return _NOBODY
        return self._named(evidence, _clues(evidence.clicks), (), Basis.UNIDENTIFIED)

    def read_all(self, evidence: Evidence) -> tuple[Ad, ...]:
        """The ads of a grid, one for each advertiser, in order; one where it cannot be told apart.

        Of a grid no file is known to belong to one of its ads, so those ads have no creative and no campaign.
        """
        clicks = _clues(evidence.clicks)
        advertisers, basis = self._advertisers(evidence, clicks)
        if len(advertisers) < 2:
            return (self._named(evidence, clicks, advertisers, basis),)
        return tuple(Ad((advertiser,), basis=basis) for advertiser in advertisers)

    def _named(self, evidence: Evidence, clicks: Sequence[Clue], advertisers: tuple[str, ...], basis: Basis) -> Ad:
        return self._ad(_clues(evidence.resources), clicks, evidence, advertisers, basis)

    def _ad(
        self,
        resources: Sequence[Clue],
        clicks: Sequence[Clue],
        evidence: Evidence,
        advertisers: tuple[str, ...],
        basis: Basis,
    ) -> Ad:
        """The ad with its ids; without an advertiser the strongest of those is its rung."""
        networks = self.networks
        layers = [_layers(networks, clue) for clue in (*resources, *clicks) if networks.may_name(clue.host, clue.lower)]
        told = [pair for pair in evidence.attributes if pair[0] in networks.telling]
        campaign = creative = None
        if layers or told:
            publisher = site_of(evidence.page)
            campaign, creative = (self._id(layers, told, publisher, level) for level in (_CAMPAIGN, _CREATIVE))
        if creative is None:
            file = next((file for clue in resources if (file := _file(networks, clue))), None)
            creative = (file, Basis.URL) if file else None
        if not advertisers:
            basis = min(
                (found[1] for found in (campaign, creative) if found), key=_LADDER.index, default=Basis.UNIDENTIFIED
            )
        return Ad(advertisers, campaign and campaign[0], creative and creative[0], basis=basis)

    def _advertisers(self, evidence: Evidence, clicks: Sequence[Clue]) -> tuple[tuple[str, ...], Basis]:
        """The advertisers of the strongest rung that names any."""
        publisher = site_of(evidence.page)
        declared = self._declared(evidence, publisher)
        if declared:
            return declared, Basis.DECLARED
        more = [clue_of(value) for name, value in evidence.attributes if name in self.networks.click_attributes]
        walk = Walk(self.networks, evidence.page)
        found = [
            walk.follow(clue, 0) for clue in (dict.fromkeys((*clicks, *more)) if more or len(clicks) > 1 else clicks)
        ]
        if not any(found):
            found = [walk.inside(clue) for clue in _clues(evidence.resources)]
        landings = [landing for landing in found if landing]
        if landings:
            clicked = [landing for landing in landings if landing.basis is Basis.CLICK]
            # A click that is counted on its way is the ad's own; a plain link beside it may be anything.
            trusted = [landing for landing in clicked if landing.through] or clicked or landings
            return tuple(dict.fromkeys([landing.advertiser for landing in trusted])), trusted[0].basis
        named = self._shown(evidence.text, publisher) or self._sponsor(evidence.sponsors, publisher)
        return ((named,), Basis.SPONSOR) if named else ((), Basis.UNIDENTIFIED)

    def _declared(self, evidence: Evidence, publisher: str) -> tuple[str, ...]:
        names = self.networks.advertiser_attributes
        found = [domain for name, value in evidence.attributes if name in names for domain in advertiser_domains(value)]
        return tuple(dict.fromkeys([domain for domain in found if self._may_advertise(domain, publisher)]))

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

    def _sponsor(self, names: Iterable[str], publisher: str) -> str | None:
        """The name that the ad says pays for it, if it is neither the publisher's nor that of who delivers the ad."""
        key = sponsor_key(names)
        if key is None or not key.startswith("sponsor/"):
            return key if key and self._may_advertise(key, publisher) else None
        ours = {_LETTERS.sub("", name) for name in (publisher, publisher.partition(".")[0]) if name}
        return None if _LETTERS.sub("", key.removeprefix("sponsor/")) in ours else key

    def _may_advertise(self, domain: str, publisher: str) -> bool:
        return domain != publisher and self.networks.place(domain, "/") is None

    # An address

    def read_url(self, url: str, page: str) -> Ad:
        """Whose ad a loaded file is, by its address alone: the address is the ad's, so its host never is the advertiser."""
        # An ad is shown again and again; longer addresses must not fill the memory.
        read = self._read_again if len(url) + len(page) <= _LONGEST_KEPT else self._read_url
        return read(url, page)

    def _read_url(self, url: str, page: str) -> Ad:
        clue = clue_of(url)
        landing = Walk(self.networks, page).inside(clue)
        if landing:
            return self._ad((clue,), (), _NOTHING, (landing.advertiser,), landing.basis)
        return self._ad((clue,), (), _NOTHING, (), Basis.UNIDENTIFIED)

    def landing(self, url: str, page: str) -> Landing | None:
        """Where a click on `url` leads, read from the address itself: nothing is asked of the network. None: unknown."""
        return Walk(self.networks, page).follow(clue_of(url), 0)

    # Ids

    def _id(
        self, layers: Iterable[_Layers], told: Iterable[tuple[str, str]], publisher: str, level: _Names
    ) -> tuple[str, Basis] | None:
        """The id that a network writes in its own way, else one under a common name, in an address or on the element."""
        common = None
        for clue, about, urls in layers:
            for url in urls:
                for identifier in level.at(about):
                    match = identifier.pattern.search(url)
                    if match:
                        return f"{identifier.buyer}/{match[1]}", identifier.basis
            match = None if common else level.parameter(self.networks).search(clue.lower)
            if match and _is_id(value := unquoted(clue.rest[match.start(1) : match.end(1)])):
                common = f"{registrable(clue.host) or clue.host}/{value}"
        for name, value in told:
            for identifier in level.rows(self.networks):
                match = identifier.pattern.search(value) if name in identifier.attributes else None
                if match:
                    return f"{identifier.buyer}/{match[1]}", identifier.basis
            if not common and publisher and name in level.attributes(self.networks) and _is_id(value):
                common = f"{publisher}/{value}"
        return (common, Basis.CRID) if common else None


_NOTHING = Evidence()
_NOBODY = Ad()


def _layers(networks: Networks, clue: Clue) -> _Layers:
    """An address, and the same with what is encoded in it decoded, where a network writes ids: its click may pass through itself."""
    about = networks.about(clue.host)
    if not (about.creatives or about.campaigns):
        return _Layers(clue, about, ())
    url = clue.url
    urls = [url]
    for _ in range(ENCODED):
        if "%25" not in url and "%2f" not in url.lower():
            break
        url = unquoted(url)
        urls.append(url)
    return _Layers(clue, about, urls)


def _clues(urls: Sequence[str]) -> list[Clue]:
    return [clue_of(url) for url in urls[:_CLUES]]


def _file(networks: Networks, clue: Clue) -> str | None:
    """The address of a picture or film that is this ad's own, without what changes from load to load."""
    path, _, query = clue.rest.partition("#")[0].partition("?")
    path = path.partition(";")[0]
    lasting = path.rpartition(".")[2].lower() in networks.lasting
    if not lasting or not clue.host or networks.common.search(path.lower()):
        return None
    kept = [part for part in query.split("&") if "=" in part and not networks.changes(part.partition("=")[0])]
    return f"{clue.host}{path}?{'&'.join(kept)}" if kept else f"{clue.host}{path}"


def _is_id(value: str) -> bool:
    return bool(_ID.fullmatch(value)) and value.lower() not in _NO_ID and value.strip("0-") != ""


_LADDER = list(Basis)
