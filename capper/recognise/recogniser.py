"""Everything recognition knows at one moment, in one value that is swapped whole when lists change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capper.recognise.engine import Cosmetics, Engines, Label
from capper.recognise.kind import Kind, kind_of, source_of

if TYPE_CHECKING:
    from capper.domain.evidence import Evidence
    from capper.domain.exchange import Exchange
    from capper.domain.identity import Ad
    from capper.recognise.ad import AdReader


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
        return self.engines.verdict(url, source, kind).label is Label.AD

    def is_click(self, url: str, page: str) -> bool:
        """Whether following `url` would be counted by an ad network on its way to another site."""
        landing = self.reader.landing(url, page)
        return landing is not None and landing.through > 0

    def cosmetics(self, url: str) -> Cosmetics:
        """What hides ads on the page `url`."""
        return self.engines.cosmetics(url)

    def hiding(self, classes: frozenset[str], ids: frozenset[str], page: Cosmetics) -> list[str]:
        """The generic selectors that hide elements of these classes and ids."""
        return self.engines.ads.hiding(classes, ids, page)

    def read(self, evidence: "Evidence") -> "Ad":
        """Whose ad the evidence shows."""
        return self.reader.read(evidence)

    def read_url(self, url: str, page: str) -> "Ad":
        """Whose ad a resource's address shows."""
        return self.reader.read_url(url, page)
