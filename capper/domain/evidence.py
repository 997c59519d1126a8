"""What an ad's markup or address gives away about whose it is, before anyone has read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """Raw clues of one ad, in document order; URLs are absolute where the page allowed it.

    `page` is the publisher's page: never the advertiser.
    """

    clicks: tuple[str, ...] = ()
    """Where a click would lead: href, data-* click URLs, onclick targets, still wrapped in redirects."""
    resources: tuple[str, ...] = ()
    """What the ad is made of: src of images, frames, scripts, media."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Other attributes that may hold ids (data-dcm-placement, data-creative-id, id, class)."""
    text: str = ""
    """Visible text, white space collapsed."""
    page: str = ""
    sponsors: tuple[str, ...] = ()
    """Names of who pays, where a network's markup says which words they are."""
