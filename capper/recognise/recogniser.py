"""Everything recognition knows at one moment, in one value that is swapped whole when lists change."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capper.recognise.domains import parted, site_of
from capper.recognise.engine import Engines
from capper.recognise.kind import Kind, kind_of, source_of
from capper.recognise.knowledge import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from capper.domain.evidence import Evidence
    from capper.domain.exchange import Exchange
    from capper.domain.identity import Ad
    from capper.recognise.ad import AdReader


_CARRIES = re.compile("http|aHR0c|crd=", re.IGNORECASE)
"""An address that is counted on its way carries where it goes: as it is, in base64, or as `crd` does."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Is this an ad, and whose: the filter engines and the reader of ad identities."""

    engines: Engines
    reader: "AdReader"

    def kind(self, exchange: "Exchange") -> Kind:
        """The resource type of the exchange."""
        return kind_of(exchange)

    def source(self, exchange: "Exchange") -> str:
        """The document that made the request, never empty."""
        return source_of(exchange)

    def is_ad(self, url: str, source: str, kind: Kind) -> bool:
        """Whether an ad list names this request, and no exception frees it; trackers are not ads."""
        match = self.engines.ads.match(url, source, kind)
        return match is not None and match.blocks()

    def page(self, url: str) -> "PageJudge":
        """What is known about the ads of one page."""
        return PageJudge(self, url)

    def read(self, evidence: "Evidence") -> "Ad":
        """Whose ad the evidence shows."""
        return self.reader.read(evidence)

    def read_url(self, url: str, page: str) -> "Ad":
        """Whose ad a resource's address shows."""
        return self.reader.read_url(url, page)


class PageJudge:
    """What recognition says of the elements of one page; `capper.rewrite.base.Judge` to those who find them."""

    __slots__ = ("_recogniser", "_site", "_url")

    def __init__(self, recogniser: Recogniser, url: str) -> None:
        self._recogniser, self._url, self._site = recogniser, url, site_of(url)

    def is_ad(self, url: str, kind: str) -> bool:
        """Whether a request from this page for `url` as `kind` (`image`, `media`, `object`) fetches an ad."""
        return self._recogniser.is_ad(url, self._url, Kind(kind))

    def is_click(self, url: str) -> bool:
        """Whether a click on `url` is counted by an ad network, wherever it then leads."""
        reader = self._recogniser.reader
        host, path = parted(url)
        place = reader.networks.place(host, path)
        if place is not None and place.role is Role.REDIRECTOR:
            return True
        if not _CARRIES.search(path):
            return False
        landing = reader.landing(url, self._url)
        return landing is not None and landing.through > 0

    def is_elsewhere(self, url: str) -> bool:
        """Whether `url` leads away from the page's site."""
        return site_of(url) != self._site

    def selectors(self, classes: "Collection[str]", ids: "Collection[str]") -> "tuple[Sequence[str], Sequence[str]]":
        """CSS selectors that hide ads on this page: those of its whole site, and those for the classes and ids it has."""
        engines = self._recogniser.engines
        page = engines.cosmetics(self._url)
        return page.selectors, engines.ads.hiding(classes, ids, page)
