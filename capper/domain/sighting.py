"""One ad about to be shown to one viewer in one place."""

from enum import StrEnum
from typing import NamedTuple

from capper.domain.identity import Ad, Viewer


class Format(StrEnum):
    """How the ad is delivered, as a policy's `format` names it."""

    BANNER = "banner"
    FRAME = "frame"
    IMAGE = "image"
    VIDEO = "video"
    NATIVE = "native"
    POST = "post"


# One is made for each ad; a dataclass takes three times as long to make.
class Sighting(NamedTuple):
    """What the ledger is asked about.

    `occasion` is what makes two sightings the same one: an auction or impression token, else the page load and the ad.
    `site` (registrable domain of the page) and `network` serve the policy's rules only and are never stored.
    """

    viewer: Viewer
    ad: Ad
    occasion: str
    format: Format = Format.BANNER
    page: str | None = None
    pod: str | None = None
    site: str | None = None
    network: str | None = None
