"""What recognition says of the elements of one page."""

import re
from typing import TYPE_CHECKING

from capper.recognise.domains import parted, site_of
from capper.recognise.kind import Kind
from capper.recognise.knowledge import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from capper.clues import Shapes
    from capper.recognise.knowledge import Place
    from capper.recognise.labels import Labels
    from capper.recognise.recogniser import Recogniser


_SHORT = 3
"""A name no longer than this may stand in anyone's address."""
_NOWHERE = (Role.TEASER, Role.CHOICES)
_CARRIES = re.compile("http|aHR0c|crd=", re.IGNORECASE)
"""An address that is counted on its way carries where it goes: as it is, in base64, or as `crd` does."""


class PageJudge:
    """What recognition says of the elements of one page; `capper.rewrite.base.Judge` to those who find them."""

    __slots__ = ("_clicks", "_name", "_networks", "_places", "_reader", "_recogniser", "_site", "_url")

    def __init__(self, recogniser: "Recogniser", url: str) -> None:
        self._recogniser, self._url, self._site = recogniser, url, site_of(url)
        self._reader, self._networks = recogniser.reader, recogniser.reader.networks
        self._name = self._site.partition(".")[0]
        # Each address is asked about in several ways, and by several searches.
        self._places: dict[str, tuple[str, Place | None]] = {}
        self._clicks: dict[str, bool] = {}

    def is_ad(self, url: str, kind: str) -> bool:
        """Whether a request from this page for `url` as `kind` (`image`, `media`, `object`) fetches an ad."""
        return self._recogniser.is_ad(url, self._url, Kind(kind))

    def is_click(self, url: str) -> bool:
        """Whether a click on `url` is counted by an ad network, wherever it then leads."""
        known = self._clicks.get(url)
        if known is None:
            known = self._clicks[url] = self._counts(url)
        return known

    def _counts(self, url: str) -> bool:
        path, place = self._about(url)
        if path == "/":
            # A network's own front page: its name stands beside its ads.
            return False
        role = place.role if place else None
        if role is Role.REDIRECTOR or (role is Role.RESELLER and self.is_ad(url, Kind.OTHER)):
            return True
        if role is Role.TEASER or not _CARRIES.search(path):
            return False
        landing = self._reader.landing(url, self._url)
        return landing is not None and landing.paid

    def is_sold(self, url: str) -> bool:
        """Whether an ad server counts clicks on ads there, and on nothing else: a link in words is an ad too."""
        place = self._about(url)[1]
        return place is not None and place.sold

    def is_profile(self, url: str) -> bool:
        """Whether `url` is one of many on a site of profiles, apps or searches: an ad's, or a "follow us"."""
        return self._role(url) is Role.RESELLER

    def is_notice(self, url: str) -> bool:
        """Whether `url` explains or refuses ads: it is beside an ad, and never where the ad leads."""
        return self._role(url) is Role.CHOICES

    @property
    def labels(self) -> "Labels":
        """The words that mark an item as paid for."""
        return self._recogniser.labels

    @property
    def shapes(self) -> "Shapes":
        """How networks' ads look in markup."""
        return self._networks.shapes

    def is_teaser(self, url: str) -> bool:
        """Whether `url` leads to another page of the same publisher, through a network that counts the click."""
        return self._role(url) is Role.TEASER

    def is_elsewhere(self, url: str) -> bool:
        """Whether `url` leads away from the page's site, and neither to its own profile in a social network nor to a notice."""
        if site_of(url) == self._site:
            return False
        path, place = self._about(url)
        role = place.role if place else None
        return role not in _NOWHERE and not (role is Role.RESELLER and self._is_ours(path.lower()))

    def _is_ours(self, path: str) -> bool:
        """Whether an address on a site of profiles and searches is the publisher's own: its name, or its site in a query."""
        profile, _, query = path.partition("?")
        return len(self._name) > _SHORT and (self._name in profile or self._site in query)

    def _role(self, url: str) -> Role | None:
        place = self._about(url)[1]
        return place.role if place else None

    def _about(self, url: str) -> "tuple[str, Place | None]":
        """What follows the host in an address, and what is known of the place."""
        known = self._places.get(url)
        if known is None:
            host, path = parted(url)
            known = self._places[url] = path, self._networks.place(host, path)
        return known

    def selectors(self, classes: "Collection[str]", ids: "Collection[str]") -> "Sequence[Sequence[str]]":
        """CSS selectors that hide ads here: those of all pages, its site's own, and those for the classes and ids it has."""
        engines = self._recogniser.engines
        page = engines.cosmetics(self._url)
        return page.common, page.own, engines.ads.hiding(classes, ids, page)
