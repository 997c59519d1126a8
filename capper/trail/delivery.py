"""A page load, and an ad that was let through to somebody."""

from dataclasses import dataclass
from typing import NamedTuple

from capper.domain.identity import Ad
from capper.domain.sighting import Format


@dataclass(frozen=True, slots=True)
class Page:
    """One load of a page: a token that means nothing outside this process, and the URL of its origin."""

    token: str
    url: str
    """Without a path: which of a site's pages somebody reads is nobody's business."""


# One is made for each ad; a dataclass takes three times as long to make.
class Delivery(NamedTuple):
    """An ad that was let through to a viewer: its further files and beacons belong to the same occasion."""

    ad: Ad
    occasion: str
    format: Format
    page: Page | None
    file: bytes = b""
    """The digest of the file's URL, where the ad is a file of its own and no element of a page."""
    pod: str | None = None
    """What tells one pod of video ads from the next."""
    candidate: bool = False
    """An auction offered it: it is counted when something of it is asked for."""
    bid: bool = False
    """A bid: what is fetched for it may come by an address that its answer did not tell."""
