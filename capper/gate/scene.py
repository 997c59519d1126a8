"""Where an exchange stands: what kind it is, which load of which page it belongs to, and which ad it was announced by."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from capper.domain.evidence import Evidence
from capper.domain.exchange import Exchange
from capper.domain.identity import Ad
from capper.domain.sighting import Format, Sighting
from capper.recognise.domains import host_of, registrable
from capper.recognise.kind import UNKNOWN_SOURCE, Kind, kind_of, source_of
from capper.recognise.recogniser import Recogniser
from capper.trail import Delivery, Page, Sheaf, Trail

DOCUMENTS = {Kind.DOCUMENT, Kind.SUBDOCUMENT}
PICTURES = {Kind.IMAGE, Kind.OBJECT}
ASKED = {Kind.XHR, Kind.MEDIA, Kind.OTHER}
"""What players and auctions ask by."""


NOTHING = Evidence()


class Around(NamedTuple):
    """What stands around the request for a file: the document that asks, the load of its page, and the ad that it is part of."""

    source: str
    page: Page | None
    part: Delivery | None
    """The delivery of the last minutes that named this file, or that filled the frame it is asked for by."""

    @property
    def url(self) -> str:
        """The address of the page, else what the request says it was made from."""
        return self.page.url if self.page else self.source


def who(exchange: Exchange) -> str:
    """The viewer's device that makes the exchange."""
    return f"{exchange.viewer.name}\0{exchange.device}"


@dataclass
class Scene:
    """What recognition and the trail of the last minutes say together about one exchange."""

    current: Callable[[], Recogniser]
    trail: Trail = field(default_factory=Trail)

    @property
    def recogniser(self) -> Recogniser:
        """What is known about ads now."""
        return self.current()

    # What it is

    def kind(self, exchange: Exchange) -> Kind:
        """The resource type; an ad's document whose browser does not say what it is for is a frame if it has a referrer."""
        kind = kind_of(exchange)
        headers = exchange.request.headers
        if kind is not Kind.DOCUMENT or "sec-fetch-dest" in headers:
            return kind
        # A browser that calls all documents so may still say that this one is part of a load under way.
        inside = exchange.page and self.trail.loaded(exchange.viewer.name, exchange.device, exchange.page, exchange.at)
        if not inside and (exchange.kind or "referer" not in headers):
            return kind
        framed = self.recogniser.is_ad(exchange.request.url, self._source(exchange), Kind.SUBDOCUMENT)
        return Kind.SUBDOCUMENT if framed else kind

    def delivers_ad(self, exchange: Exchange, kind: Kind) -> bool:
        """Whether an ad let through some minutes ago named this address, or a list does."""
        return self.announced(exchange) is not None or self.listed(exchange, kind)

    def listed(self, exchange: Exchange, kind: Kind) -> bool:
        """Whether a list says that this address serves ads."""
        return self.recogniser.is_ad(exchange.request.url, self._source(exchange), kind)

    def elsewhere(self, exchange: Exchange) -> bool:
        """Whether another site is asked than the one that asks, or nobody says who asks."""
        return registrable(host_of(exchange.request.url)) != registrable(host_of(self._source(exchange)))

    # Which page it belongs to

    def opened(self, exchange: Exchange) -> Page:
        """The load of a page that this document begins."""
        url, viewer = exchange.request.url, exchange.viewer.name
        return self.trail.opened(viewer, exchange.device, url, exchange.page, exchange.at)

    def framed(self, exchange: Exchange) -> Page:
        """The load that this frame's document is part of."""
        viewer, device, now = exchange.viewer.name, exchange.device, exchange.at
        if exchange.page and not self.trail.loaded(viewer, device, exchange.page, now):
            # Its browser calls this a load of its own: a visit by a link from another site, not a frame.
            return self.opened(exchange)
        # A frame made for a bid may say nothing of who made it.
        offered = self.announced(exchange)
        here = self.page(exchange) or (offered and offered.page) or self._supposed(exchange) or self.opened(exchange)
        self.trail.framed(viewer, device, exchange.request.url, here, now)
        return here

    def page(self, exchange: Exchange) -> Page | None:
        """The load of a page that was seen and that this request belongs to."""
        return self._page_of(exchange, source_of(exchange))

    def _page_of(self, exchange: Exchange, source: str) -> Page | None:
        return self.trail.page_of(exchange.viewer.name, exchange.device, source, exchange.page, exchange.at)

    def page_url(self, exchange: Exchange) -> str:
        """The address of the page, else what the request says it was made from."""
        here = self.page(exchange)
        return here.url if here else source_of(exchange)

    def _supposed(self, exchange: Exchange) -> Page | None:
        """The load that a request from a page that was not seen belongs to; None where no page is named."""
        source = source_of(exchange)
        if source == UNKNOWN_SOURCE:
            return None
        return self.trail.supposed(exchange.viewer.name, exchange.device, source, exchange.at)

    def _source(self, exchange: Exchange) -> str:
        """The document that made the request: what the request says, else the page whose load it is part of."""
        source = source_of(exchange)
        here = self.page(exchange) if source == UNKNOWN_SOURCE and exchange.page else None
        return here.url if here else source

    # Which ad it is part of

    def sighting(self, exchange: Exchange, delivery: Delivery) -> Sighting:
        """The delivery as the policy and the ledger see it."""
        return self.sightings(exchange, (delivery,))[0]

    def sightings(self, exchange: Exchange, deliveries: Iterable[Delivery]) -> list[Sighting]:
        """The same of several, whose page and network are looked up once."""
        network = registrable(host_of(exchange.request.url))
        last: Page | None = None
        page = site = None
        made: list[Sighting] = []
        for each in deliveries:
            if not made or each.page is not last:
                last = each.page
                here = last or self._supposed(exchange)
                page = here.token if here else None
                site = registrable(host_of(here.url if here else source_of(exchange)))
            made.append(
                Sighting(
                    exchange.viewer, each.ad, each.occasion, each.format, page, each.pod, site=site, network=network
                )
            )
        return made

    def around(self, exchange: Exchange) -> Around:
        """What stands around the request for a file, as of now."""
        return self.around_named(exchange, self.announced(exchange))

    def around_named(self, exchange: Exchange, named: Delivery | None) -> Around:
        """The same where it was just asked which ad `announced` the file."""
        source = source_of(exchange)
        here = self._page_of(exchange, source)
        filled = self.trail.inside(exchange.viewer.name, exchange.device, source, exchange.at)
        # Named by an earlier load, asked for in a frame of this one.
        newer = filled is not None and filled.page is not None and filled.page == here
        return Around(source, here, filled if newer else named or filled)

    def delivery(self, exchange: Exchange, around: Around, ad: Ad, form: Format) -> Delivery:
        """The delivery this file belongs to: one of the last minutes that named it, else a new one of its own."""
        url, here, part = exchange.request.url, around.page, around.part
        file = self.trail.digest("file", url)
        if part is not None:
            known = part if part.ad.identified else part._replace(ad=ad)
            unseen = here is None or part.page is None
            if (unseen and part.file != file) or (here and part.page and part.page.token == here.token):
                return known
            # Another load of a page, seen or not, asks for the same file: a sighting of its own, and of the same ad unless the file
            # says that it is another's now: an ad server that rotates what stands at one address.
            if not ad.advertisers or not set(ad.advertisers).isdisjoint(known.ad.advertisers or ad.advertisers):
                ad, form = known.ad, known.format
        where = here.token if here else f"{around.source} {exchange.at.isoformat()}"
        return Delivery(ad, self.trail.digest("file", where, ad.told, url).hex(), form, here, file)

    def announced(self, exchange: Exchange, url: str = "") -> Delivery | None:
        """The ad let through some minutes ago that named this address, by default the one that is asked for."""
        return self.trail.delivery(exchange.viewer.name, exchange.device, url or exchange.request.url, exchange.at)

    def ad_of_file(self, exchange: Exchange, around: Around) -> Ad:
        """Whose file this is: the ad's that named it, else what its address says."""
        if around.part and around.part.ad.identified:
            return around.part.ad
        return self.recogniser.read_url(exchange.request.url, around.url)

    def remember(self, exchange: Exchange, urls: tuple[str, ...], delivery: Delivery) -> None:
        """For some minutes these addresses lead back to this ad."""
        if delivery.ad.identified:
            self.trail.delivered(exchange.viewer.name, exchange.device, urls, delivery, exchange.at)

    def offered(
        self, exchange: Exchange, data: bytes, offers: Iterable[tuple[Delivery, Callable[[], tuple[str, ...]]]]
    ) -> None:
        """The same for all that one answer offers, whose addresses are read once one of its hosts is asked."""
        known = tuple((delivery, urls) for delivery, urls in offers if delivery.ad.identified)
        if known:
            self.trail.offered(exchange.viewer.name, exchange.device, Sheaf(data, known), exchange.at)

    def keep(self, exchange: Exchange, ids: tuple[str, ...], delivery: Delivery) -> None:
        """For some minutes these ids, under which a cache keeps an ad, lead back to it."""
        self.remember(exchange, tuple(f"kept:{name}" for name in ids), delivery)

    def kept(self, exchange: Exchange, ids: tuple[str, ...]) -> Delivery | None:
        """The ad that a cache keeps under one of these ids."""
        viewer, device, now = exchange.viewer.name, exchange.device, exchange.at
        found = (self.trail.delivery(viewer, device, f"kept:{name}", now) for name in ids)
        return next((delivery for delivery in found if delivery), None)

    def shows(
        self, exchange: Exchange, delivery: Delivery, evidence: Evidence = NOTHING, links: tuple[str, ...] = ()
    ) -> None:
        """For an hour this ad can be found again by what it is made of, when she says that it was enough.

        `links` are more addresses that stand in it.
        """
        if delivery.ad.identified:
            hosts = {host_of(url) for url in (exchange.request.url, *evidence.clicks, *evidence.resources)}
            networks = {domain for host in hosts if (domain := registrable(host))}
            page = delivery.page.token if delivery.page else None
            self.trail.shown.put(who(exchange), delivery.ad, page, (*links, *evidence.clicks), networks, exchange.at)

    def fills(self, exchange: Exchange, around: Around, delivery: Delivery) -> None:
        """An ad's frame is filled with one ad: what else the frame asks for is part of it."""
        source = around.source
        if delivery.ad.identified and self.recogniser.is_ad(source, around.url, Kind.SUBDOCUMENT):
            self.trail.filled(exchange.viewer.name, exchange.device, source, delivery, exchange.at)
