"""Auctions' answers: each bid is asked about as if it were the only one, and counted once it is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from capper.domain.decision import Decision
from capper.domain.errors import Unrewritable
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.offered import Offered, delivered
from capper.gate.scene import Scene
from capper.jsontext import read
from capper.recognise.domains import host_of
from capper.recognise.hosts import HostSet
from capper.recognise.kind import Kind
from capper.recognise.offer import read_offer
from capper.rewrite.auction import admanager, payload, targeting
from capper.rewrite.auction.layout import Layout, known_to_auction
from capper.rewrite.auction.request import is_auction
from capper.rewrite.body import Body, encode
from capper.trail import Delivery

if TYPE_CHECKING:
    from capper.rewrite.auction.bids import Bid

_LARGEST_REQUEST = 1024 * 1024


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

    def calls(self, exchange: Exchange) -> bool:
        """Whether an exchange is known to answer there, so that a script may be an answer too (`cb({...})`)."""
        url = exchange.request.url
        return self.hosts.covers(host_of(url)) and known_to_auction(self.layouts, url)

    def find(self, exchange: Exchange, body: Body) -> "payload.Found":
        """The bids in the body; none where it is no auction's answer."""
        here, known = self.scene.page_url(exchange), self.speaks(exchange, self.scene.kind(exchange))
        asked = targeting.Asked.of(_sent(exchange.request.body))
        return payload.find(body.data, exchange.request.url, self.layouts, page=here, exchange=known, asked=asked)

    async def bids(self, exchange: Exchange, response: Response, body: Body, found: "payload.Found") -> Outcome:
        """The bids of an auction are candidates, each asked about as if it were the only one.

        One that wins and of which nothing will be seen when it is shown is a sighting now; so is what is no auction's
        answer but the ad that won one.
        """
        scene = self.scene
        deliveries = self._deliveries(exchange, found)
        decisions = await self.counting.peek(exchange, deliveries)
        decided = {number: decision for number, decision in enumerate(decisions) if decision.withheld}
        while settled := [
            n for n in sorted(found.best(_withheld(decided)) - decided.keys()) if _settles(found.bids[n])
        ]:
            shown = [deliveries[n]._replace(candidate=False) for n in settled]
            decided |= dict(zip(settled, await self.counting.claim(exchange, shown), strict=True))
        withheld = _withheld(decided)
        left = [(bid, deliveries[bid.number]) for bid in found.bids if bid.number not in decided]
        for bid, delivery in left:
            if bid.kept:
                scene.keep(exchange, bid.kept, delivery)
        scene.offered(exchange, found.data, [(delivery, partial(getattr, bid, "urls")) for bid, delivery in left])
        said = tuple(decided[number] for number in sorted(decided))
        paid = tuple(found.paid().items())
        if not withheld:
            return Outcome(decisions=said, paid=paid)
        made = encode(body, response, payload.apply(found, withheld))
        return Outcome(Action.REWRITE, made, said, lost=tuple(found.lost(withheld).items()), paid=paid)

    def _deliveries(self, exchange: Exchange, found: "payload.Found") -> list[Delivery]:
        """The bids as they would be delivered; what a cache kept is the bid that it was when it was offered."""
        scene = self.scene
        reader, told, answer = scene.recogniser.reader, scene.announced(exchange), Offered.of(scene, exchange)
        alone = told if len(found.bids) == 1 and told is not None and told.candidate else None
        deliveries = []
        for bid in found.bids:
            ad = read_offer(reader, bid.offer)
            known = scene.kept(exchange, bid.kept) if bid.kept and not ad.advertisers else None
            made = answer.candidate(known.ad if known else ad, bid.format, f"bid {bid.number}", bid=True)
            deliveries.append(made._replace(ad=alone.ad, occasion=alone.occasion) if alone else made)
        return deliveries

    async def slots(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """Ad Manager has chosen: each slot's ad is about to be shown."""
        scene = self.scene
        found = admanager.find(body.data, response.headers, exchange.request.url, page=scene.page_url(exchange))
        if not found.slots:
            return Outcome()
        offers = [slot.offer for slot in found.slots]
        decisions = await delivered(scene, self.counting, exchange, offers, Format.FRAME, "slot")
        withheld = {slot.number for slot, decision in zip(found.slots, decisions, strict=True) if decision.withheld}
        if not withheld:
            return Outcome(decisions=tuple(decisions))
        headers = admanager.emptied(response.headers, found, withheld)
        made = encode(body, replace(response, headers=headers), admanager.apply(found, withheld))
        return Outcome(Action.REWRITE, made, tuple(decisions))


def _withheld(decided: Mapping[int, Decision]) -> set[int]:
    return {number for number, decision in decided.items() if decision.withheld}


def _settles(bid: "Bid") -> bool:
    """Whether the bid's winning is all that will be seen of it."""
    return bid.won or bid.silent


def _sent(body: bytes) -> object:
    """The request of the auction; None where that was not kept or is no JSON."""
    try:
        return read(body).value if body and len(body) < _LARGEST_REQUEST else None
    except Unrewritable:
        return None
