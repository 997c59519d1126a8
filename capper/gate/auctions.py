"""Auctions' answers: each bid is asked about as if it were the only one, and counted once it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.identity import Ad
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.scene import Scene
from capper.recognise.domains import host_of
from capper.recognise.hosts import HostSet
from capper.recognise.kind import Kind
from capper.recognise.offer import read_offer
from capper.rewrite import admanager, payload
from capper.rewrite.auction_request import is_auction
from capper.rewrite.body import Body, encode
from capper.rewrite.layout import Layout
from capper.trail import Delivery, Page


def candidate(scene: Scene, exchange: Exchange, here: Page | None, ad: Ad, form: Format, place: str) -> Delivery:
    """An ad that an answer offers; its occasion is this answer and its place there."""
    occasion = scene.trail.digest(place, exchange.request.url, exchange.at.isoformat(), str(list(ad))).hex()
    return Delivery(ad, occasion, form, here, candidate=True)


@dataclass(frozen=True, slots=True)
class Auctions:
    """Judges the answers of exchanges and of Google Ad Manager."""

    scene: Scene
    counting: Counting
    layouts: Sequence[Layout]
    hosts: HostSet

    @classmethod
    def made(cls, scene: Scene, counting: Counting, layouts: Sequence[Layout]) -> Self:
        """With the hosts of the layouts, looked up at once however many they are."""
        return cls(scene, counting, layouts, HostSet(name for layout in layouts for name, _ in layout.hosts))

    def speaks(self, exchange: Exchange, kind: Kind) -> bool:
        """Whether an exchange answers, by its host, its path, or because a list says so."""
        url = exchange.request.url
        return self.hosts.covers(host_of(url)) or is_auction(url) or self.scene.delivers_ad(exchange, kind)

    def find(self, exchange: Exchange, body: Body) -> payload.Found:
        """The bids in the body; none where it is no auction's answer."""
        here, known = self.scene.page_url(exchange), self.speaks(exchange, self.scene.kind(exchange))
        return payload.find(body.data, exchange.request.url, self.layouts, page=here, exchange=known)

    async def bids(self, exchange: Exchange, response: Response, body: Body, found: payload.Found) -> Outcome:
        """The bids of an auction are candidates; one that is the ad itself, fetched because it won, is a sighting."""
        scene = self.scene
        reader, here = scene.recogniser.reader, scene.page(exchange)
        deliveries = [
            candidate(scene, exchange, here, read_offer(reader, bid.offer), bid.format, f"bid {bid.number}")
            for bid in found.bids
        ]
        decisions = await self.counting.peek(exchange, deliveries)
        withheld = {bid.number for bid, decision in zip(found.bids, decisions, strict=True) if decision.withheld}
        for bid, delivery in zip(found.bids, deliveries, strict=True):
            if bid.number not in withheld:
                scene.remember(exchange, bid.urls, delivery)
        if not withheld:
            return Outcome()
        said = tuple(decision for decision in decisions if decision.withheld)
        return Outcome(Action.REWRITE, encode(body, response, payload.apply(found, withheld)), said)

    async def slots(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """Ad Manager has chosen: each slot's ad is about to be shown."""
        scene = self.scene
        found = admanager.find(body.data, response.headers, exchange.request.url, page=scene.page_url(exchange))
        if not found.slots:
            return Outcome()
        reader, here = scene.recogniser.reader, scene.page(exchange)
        deliveries = [
            replace(
                candidate(scene, exchange, here, read_offer(reader, slot.offer), Format.FRAME, f"slot {slot.number}"),
                candidate=False,
            )
            for slot in found.slots
        ]
        decisions = await self.counting.claim(exchange, deliveries)
        withheld = {slot.number for slot, decision in zip(found.slots, decisions, strict=True) if decision.withheld}
        for slot, delivery in zip(found.slots, deliveries, strict=True):
            if slot.number not in withheld:
                scene.remember(exchange, slot.offer.evidence.resources, delivery)
        if not withheld:
            return Outcome(decisions=tuple(decisions))
        headers = admanager.emptied(response.headers, found, withheld)
        made = encode(body, replace(response, headers=headers), admanager.apply(found, withheld))
        return Outcome(Action.REWRITE, made, tuple(decisions))
