"""What is remembered for minutes, in memory only, to tell one page load and one delivery of an ad from the next.

Nothing here is written anywhere. URLs are kept as digests under a key made at start, and of a page its origin; what auctions
offered stays as it came until something of it is asked for (offers.py). Everything is bounded and expires.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from capper.domain.decision import OCCASION_LIFE
from capper.domain.exchange import origin_of
from capper.domain.window import SCOPE_LIFE
from capper.trail.addresses import Addresses
from capper.trail.delivery import Delivery, Page
from capper.trail.offers import Offers, Sheaf
from capper.trail.recent import Recent
from capper.trail.seen import Shown

PAUSE = timedelta(seconds=30)
"""A page that asked for no ad this long and asks again is another, as far as can be told from outside."""


@dataclass
class Trail:
    """Page loads and deliveries of the last minutes, each person's apart from every other's.

    1. `opened`: a document arrives; it is a new page load.
    2. `page_of`: a request made from a document (or a frame in it) leads back to that load.
    3. `delivered`: an ad was shown; its files are remembered as belonging to it.
    4. `delivery`: a request for one of those files leads back to the ad.

    Of a page that is not decrypted nothing is seen but what it asks of others: `supposed` tells its loads by the pauses.
    """

    most: int = 20_000
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def __post_init__(self) -> None:
        self._keyed = blake2b(key=self._key, digest_size=16)
        self._pages: Recent[bytes, Page] = Recent(self.most, SCOPE_LIFE)
        self._deliveries: Addresses[Delivery] = Addresses.made(self.digest, self.most, OCCASION_LIFE)
        self._offers = Offers(self.most, OCCASION_LIFE)
        self._inside: Recent[bytes, Delivery] = Recent(self.most, OCCASION_LIFE)
        self._supposed: Recent[bytes, Page] = Recent(self.most, PAUSE)
        self.changes = 0
        """How often a page, a delivery or an offer came to be remembered."""
        self.shown = Shown(self.digest)
        """The ads of the last hour, for when she says of one that it was enough."""

    def digest(self, *parts: str) -> bytes:
        """A keyed digest of `parts`, 16 bytes."""
        # Copied, because taking the key in is half the work.
        digest = self._keyed.copy()
        digest.update("\0".join(parts).encode("utf-8", "surrogatepass"))
        return digest.digest()

    def opened(self, viewer: str, device: str, url: str, hint: str | None, now: datetime) -> Page:
        """A top-level document was delivered: a new load of its page."""
        page = Page(self.digest("page", viewer, device, url, hint or "", now.isoformat()).hex(), _home(url))
        self._name(viewer, device, page, url, hint, now)
        return page

    def framed(self, viewer: str, device: str, url: str, page: Page, now: datetime) -> None:
        """A frame's document was delivered inside `page`; what it asks for belongs to that load."""
        self._name(viewer, device, page, url, None, now)

    def page_of(self, viewer: str, device: str, source: str, hint: str | None, now: datetime) -> Page | None:
        """The load that a request belongs to, by its browser's `hint` or its Referer: the exact URL, else the origin."""
        for name in _names(source, hint):
            page = self._pages.get(self.digest(viewer, device, name), now)
            if page is not None:
                return page
        return None

    def supposed(self, viewer: str, device: str, source: str, now: datetime) -> Page:
        """The load of a page that was not seen itself: all that one site's page asks for until it pauses is one load."""
        name = _names(source, None)[-1:] or [source]
        whose = self.digest(viewer, device, "supposed", *name)
        page = self._supposed.get(whose, now)
        if page is None:
            page = Page(self.digest("supposed", viewer, device, *name, now.isoformat()).hex(), _home(source))
        self._supposed.put(whose, page, now)
        return page

    def loaded(self, viewer: str, device: str, hint: str, now: datetime) -> bool:
        """Whether a document of the load that the browser calls `hint` was seen."""
        return self._pages.get(self.digest(viewer, device, f"hint {hint}"), now) is not None

    def delivered(self, viewer: str, device: str, urls: tuple[str, ...], delivery: Delivery, now: datetime) -> None:
        """Remember that each of `urls`, whatever its macros are filled with, is part of `delivery`."""
        self.changes += 1
        who = f"{viewer}\0{device}"
        for url in urls:
            # What was offered before is read before, or it would take the place of what came of it.
            self._open(who, url, now)
        for url in urls:
            self._deliveries.put(who, url, delivery, now)

    def offered(self, viewer: str, device: str, sheaf: Sheaf, now: datetime) -> None:
        """Remember what an answer offered; its addresses are read once its host is asked."""
        self.changes += 1
        self._offers.put(f"{viewer}\0{device}", sheaf, now)

    def delivery(self, viewer: str, device: str, url: str, now: datetime) -> Delivery | None:
        """The ad that `url` was part of when it was let through to this device some minutes ago."""
        who = f"{viewer}\0{device}"
        self._open(who, url, now)
        return self._deliveries.get(who, url, now)

    def filled(self, viewer: str, device: str, frame: str, delivery: Delivery, now: datetime) -> None:
        """Remember that the frame whose document is at `frame` holds this ad and nothing else."""
        self._inside.put(self.digest(viewer, device, "inside", frame), delivery, now)

    def inside(self, viewer: str, device: str, source: str, now: datetime) -> Delivery | None:
        """The ad of the frame that a request comes from, where its Referer is the frame's whole URL."""
        return self._inside.get(self.digest(viewer, device, "inside", source), now)

    def _open(self, who: str, url: str, now: datetime) -> None:
        """Read the addresses of what the host of `url` was named in."""
        if len(self._offers):
            for delivery, urls in self._offers.opened(who, url, now):
                for each in urls:
                    self._deliveries.put(who, each, delivery, now)

    def _name(self, viewer: str, device: str, page: Page, url: str, hint: str | None, now: datetime) -> None:
        self.changes += 1
        for name in _names(url, hint):
            self._pages.put(self.digest(viewer, device, name), page, now)


def _home(url: str) -> str:
    """Where a page is from: of its address all that anybody asks for later."""
    origin = origin_of(url)
    return f"{origin}/" if origin else ""


def _names(url: str, hint: str | None) -> list[str]:
    """What a document may be called by those who refer to it, most exact first.

    A Referer lacks the fragment, and by default (strict-origin-when-cross-origin) all but the origin on other sites.
    """
    names = [f"hint {hint}"] if hint else []
    origin = origin_of(url)
    return [*names, f"url {url.partition('#')[0]}", f"origin {origin}"] if origin else names
