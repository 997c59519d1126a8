"""Before an auction: its request is told whom not to ask, so that another pays for the slot."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from capper.domain.exchange import Action, Exchange, Headers, Outcome, Request
from capper.domain.identity import Ad, Level
from capper.domain.offer import Offer
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.limits import Limits
from capper.gate.scene import Scene
from capper.ledger.base import Ledger
from capper.recognise.kind import Kind
from capper.recognise.offer import read_offer
from capper.rewrite.auction import request as auction_request
from capper.rewrite.auction.request import Blocked, suspects
from capper.rewrite.coding import codings_of, put_on, take_off
from capper.trail import Delivery, Recent

_FORMAT = {"application/json", "text/json", "text/plain", "application/x-www-form-urlencoded", ""}
"""Content types that bid requests are sent as: a page avoids a preflight with the latter ones."""
_KINDS = {Kind.XHR, Kind.OTHER, Kind.PING}
_GZIP = b"\x1f\x8b"
LIFE = timedelta(seconds=5)
"""The auctions of one page load begin within seconds of each other: whom they are not to ask is found out once."""


def _recent() -> Recent[bytes, tuple[Ad, ...]]:
    return Recent(2_000, LIFE)


@dataclass(frozen=True, slots=True)
class Asking:
    """Adds `badv` and `bcat` to bid requests, and takes capped bids from what is sent to Google Ad Manager."""

    scene: Scene
    counting: Counting
    ledger: Ledger
    limits: Limits
    capped: Recent[bytes, tuple[Ad, ...]] = field(default_factory=_recent)

    def foresees(self, exchange: Exchange) -> bool:
        """Whether the request may be one to an auction, by its address and headers. Cheap; no I/O."""
        request = exchange.request
        if request.method == "GET":
            return auction_request.names_bids(request.url)
        if request.method != "POST":
            return False
        media_type = request.headers.get("content-type").partition(";")[0].strip().lower()
        return (
            media_type in _FORMAT
            and self.scene.kind(exchange) in _KINDS
            and (auction_request.is_auction(request.url) or self.scene.listed(exchange, Kind.XHR))
        )

    async def before(self, exchange: Exchange) -> Outcome:
        """The request as it goes on.

        Raises:
            Unrewritable: its body is damaged, too large or no JSON.
        """
        request = exchange.request
        asked = await self._query(exchange) if request.method == "GET" else await self._body(exchange)
        return Outcome() if asked is request else Outcome(Action.FORWARD, request=asked)

    async def _body(self, exchange: Exchange) -> Request:
        """With the capped added to its blocklists."""
        request = exchange.request
        codings = codings_of(request.headers.get("content-encoding"))
        if not codings and request.body.startswith(_GZIP):
            # Prebid.js sends gzip without saying so in a header, which would need a preflight.
            codings = ("gzip",)
        body = take_off(codings, request.body, self.limits.decoded)
        if not auction_request.may_ask(body):
            return request
        made = auction_request.block(body, Blocked.of(await self._capped(exchange)))
        if made is body:
            return request
        wire = put_on(codings, made)
        return replace(request, body=wire, headers=_measured(request.headers, wire))

    async def _query(self, exchange: Exchange) -> Request:
        """Without the capped bids that header bidding found."""
        url = exchange.request.url
        ads = dict.fromkeys(self._bidden(keys) for keys in auction_request.bids(url))
        known = [ad for ad in ads if ad.identified]
        gone = set(await self._withheld(exchange, known))
        made = auction_request.without_bids(url, lambda keys: self._bidden(keys) in gone) if gone else url
        return exchange.request if made == url else replace(exchange.request, url=made)

    async def _capped(self, exchange: Exchange) -> tuple[Ad, ...]:
        """Those the viewer is not to be shown on this page now."""
        sighting = self.scene.sighting(exchange, Delivery(Ad(), "", Format.BANNER, self.scene.page(exchange)))
        trail, place = self.scene.trail, (sighting.page or "", sighting.site or "", sighting.network or "")
        key = trail.digest("capped", exchange.viewer.name, *place)
        known = self.capped.get(key, exchange.at)
        if known is None:
            policy = self.counting.policy()
            viewer, now = exchange.viewer.name, exchange.at
            muted, entries = await asyncio.gather(self.ledger.mutes(viewer, now), self.ledger.entries(viewer, now))
            names = [*(mute.name for mute in muted if mute.level is Level.ADVERTISER), *(one.name for one in entries)]
            known = await self._withheld(exchange, suspects(policy, names))
            self.capped.put(key, known, exchange.at)
        return known

    async def _withheld(self, exchange: Exchange, ads: Sequence[Ad]) -> tuple[Ad, ...]:
        here = self.scene.page(exchange)
        sightings = [self.scene.sighting(exchange, Delivery(ad, "", Format.BANNER, here)) for ad in ads]
        decisions = await self.counting.look(exchange, sightings)
        return tuple(ad for ad, decision in zip(ads, decisions, strict=True) if decision.withheld)

    def _bidden(self, keys: Mapping[str, str]) -> Ad:
        """Whose bid the keys speak of."""
        domains = tuple(filter(None, keys.get("hb_adomain", "").split(",")))
        offer = Offer(keys.get("hb_bidder", ""), advertisers=domains, creative=keys.get("hb_crid"))
        return read_offer(self.scene.recogniser.reader, offer)


def _measured(headers: Headers, body: bytes) -> Headers:
    length = "content-length"
    return headers.with_("Content-Length", str(len(body))) if length in headers else headers
