"""Everything recognition knows at one moment, in one value that is swapped whole when lists change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capper.recognise import labels, networks, pagejudge
from capper.recognise.engine import Engines
from capper.recognise.kind import Kind

if TYPE_CHECKING:
    from capper.domain.evidence import Evidence
    from capper.domain.identity import Ad
    from capper.recognise.ad import AdReader


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Is this an ad, and whose: the filter engines and the reader of ad identities."""

    engines: Engines
    given: "AdReader | None" = None
    """None: that of the networks that travel with capper, which are read when they are first asked about."""

    @property
    def reader(self) -> "AdReader":
        """The reader of ad identities."""
        return self.given or networks.packaged_reader()

    @property
    def labels(self) -> "labels.Labels":
        """The words that mark an item as paid for."""
        return labels.load_labels()

    def is_ad(self, url: str, source: str, kind: Kind) -> bool:
        """Whether an ad list names this request, and no exception frees it; trackers are not ads."""
        match = self.engines.ads.match(url, source, kind)
        return match is not None and match.blocks()

    def page(self, url: str) -> "pagejudge.PageJudge":
        """What is known about the ads of one page."""
        return pagejudge.PageJudge(self, url)

    def read(self, evidence: "Evidence") -> "Ad":
        """Whose ad the evidence shows."""
        return self.reader.read(evidence)

    def read_url(self, url: str, page: str) -> "Ad":
        """Whose ad a resource's address shows."""
        return self.reader.read_url(url, page)
