"""One exposure: an ad that was about to be shown to somebody who takes part in a study, whether it then was or not.

Names are this study's own: keyed digests that no other study's can be joined with. The columns of every export are listed here once.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format


class Arm(StrEnum):
    """What was done about repeats at the time: caps held, or nothing was withheld."""

    CAPPED = "capped"
    CONTROL = "control"


class Kind(StrEnum):
    """What a visit to an advertiser's own site was, as far as its address tells."""

    PAGE = "page"
    PRODUCT = "product"
    CART = "cart"
    BOUGHT = "bought"


@dataclass(frozen=True, slots=True)
class Exposure:
    """An ad delivered to a participant's screen, or withheld from it; repeats of one occasion are none."""

    time: datetime
    person: str
    load: str
    """The page load."""
    site: str
    """The page's registrable domain; "" where it is not known."""
    format: Format
    network: str
    """The network's registrable domain in the clear; "" where it is not known."""
    basis: Basis
    creative: str = ""
    campaign: str = ""
    advertiser: str = ""
    """Each "" where it is not known."""
    verdict: Verdict = Verdict.SHOW
    before: int = 0
    """How often she had been shown it in the deciding cap's window."""
    cap: str = ""
    arm: Arm = Arm.CAPPED
    name: str = ""
    """The advertiser's domain in the clear; "" unless the study asks for names and she agreed to that."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A participant opened a page of a site's: what retargeting is reckoned from. `site` is in the names of `Exposure.advertiser`."""

    time: datetime
    person: str
    site: str
    kind: Kind = Kind.PAGE


class Column(NamedTuple):
    """A column of an export: its name, its type as Arrow calls it, and what it means."""

    name: str
    type: str
    meaning: str


EXPOSURES = (
    Column("time", "timestamp[ms, tz=UTC]", "when the ad was delivered; releases give the hour"),
    Column("person", "string", "who, as this study calls her"),
    Column("load", "string", "the page load"),
    Column("site", "string", "the page's registrable domain, keyed; empty where not known"),
    Column("format", "string", "banner, frame, image, video, native or post"),
    Column("network", "string", "the network's registrable domain; empty where not known"),
    Column("basis", "string", "by which rung of the identity ladder the ad is known"),
    Column("creative", "string", "the creative, keyed; empty where not known"),
    Column("campaign", "string", "the campaign, keyed; empty where not known"),
    Column("advertiser", "string", "the advertiser, keyed; empty where not known"),
    Column("verdict", "string", "show or withhold"),
    Column("before", "int32", "how often she had been shown it in the deciding cap's window"),
    Column("cap", "string", "the deciding cap; empty where there was none"),
    Column("arm", "string", "capped or control"),
    Column("name", "string", "the advertiser's domain; empty unless the study asks for names and she agreed"),
)
VISITS = (
    Column("time", "timestamp[ms, tz=UTC]", "when the page was opened"),
    Column("person", "string", "who, as this study calls her"),
    Column("site", "string", "the page's registrable domain, keyed as advertisers are"),
    Column("kind", "string", "page, product, cart or bought"),
)
