"""Pages and frames: an ad's own document is one sighting, in any other the ads are elements."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.identity import Ad
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.files import Creative, Files
from capper.gate.limits import Limits
from capper.gate.scene import Scene
from capper.gate.speaking import Speaking
from capper.gate.telling import Telling
from capper.recognise.domains import site_of
from capper.recognise.kind import Kind
from capper.recognise.optout import OptOuts
from capper.rewrite.base import Slot
from capper.rewrite.body import decode, encode
from capper.rewrite.html import page
from capper.trail import Delivery, Page


@dataclass(frozen=True, slots=True)
class Documents:
    """Judges HTML."""

    scene: Scene
    counting: Counting
    speaking: Speaking
    telling: Telling
    files: Files
    limits: Limits
    optouts: OptOuts

    async def creative(self, exchange: Exchange, response: Response) -> Outcome:
        """A frame's document from an ad server: one ad and nothing else, if it says whose."""
        scene = self.scene
        body = decode(response.headers, response.body, self.limits.decoded)
        evidence = page.find_creative(body.data, exchange.request.url, scene.page_url(exchange), body.charset)
        offered = scene.announced(exchange)
        ad = offered.ad if offered and offered.candidate else scene.recogniser.read(evidence)
        if not ad.identified:
            return await self.document(exchange, response, Kind.SUBDOCUMENT)
        scene.framed(exchange)
        creative, links = Creative(ad, Format.FRAME, None), self.optouts.named_in(body.data)
        around = scene.around(exchange)
        return await self.files.deliver(exchange, response, creative, around, evidence, links)

    async def document(self, exchange: Exchange, response: Response, kind: Kind) -> Outcome:
        """A page, or a frame that is not one ad as a whole: its ads are elements."""
        scene, url = self.scene, exchange.request.url
        if kind is Kind.SUBDOCUMENT:
            here = scene.framed(exchange)
        else:
            here = scene.opened(exchange)
            self.counting.observer.opened(exchange)
        body = decode(response.headers, response.body, self.limits.decoded)
        found = page.find(body.data, url, scene.recogniser.page(url), body.charset)
        if not found.slots:
            return Outcome(read=body.data)
        deliveries = self._deliveries(here, found.slots)
        decisions = await self.counting.claim(exchange, deliveries)
        for slot, delivery, decision in zip(found.slots, deliveries, decisions, strict=True):
            scene.remember(exchange, slot.evidence.resources, delivery)
            if not decision.withheld:
                scene.shows(exchange, delivery, slot.evidence)
        # A frame is told nothing, whoever's it is.
        houses = self.telling.houses(exchange, found.slots, decisions) if kind is Kind.DOCUMENT else {}
        withheld = [
            (slot, houses.get(slot.number) or self.speaking.words(exchange, decision))
            for slot, decision in zip(found.slots, decisions, strict=True)
            if decision.withheld
        ]
        if not withheld:
            return Outcome(decisions=tuple(decisions), read=body.data)
        data = page.apply(body.data, withheld)
        return Outcome(Action.REWRITE, encode(body, response, data), tuple(decisions), read=data)

    def _deliveries(self, here: Page, slots: Sequence[Slot]) -> list[Delivery]:
        """The ads of one document; an ad that stands there twice is two occasions."""
        recogniser, trail, seen = self.scene.recogniser, self.scene.trail, Counter[Ad]()
        site = site_of(here.url)
        deliveries = []
        for slot in slots:
            evidence = slot.evidence
            # Of the page only its site is read; a frame's is that of the page around it.
            ad = recogniser.read(evidence if site_of(evidence.page) == site else replace(evidence, page=here.url))
            occasion = trail.digest("slot", here.token, ad.told, str(seen[ad])).hex()
            seen[ad] += 1
            deliveries.append(Delivery(ad, occasion, slot.format, here))
        return deliveries
