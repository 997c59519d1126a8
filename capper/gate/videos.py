"""Players' answers: a pod's ads are all played, so each is a sighting; of a buffet the first that is left is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from capper.domain.decision import OCCASION_LIFE, Decision
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.sighting import Format
from capper.gate.auctions import candidate
from capper.gate.counting import Counting
from capper.gate.scene import Scene
from capper.jsontext import Locator, Text, read, splice
from capper.recognise.offer import read_offer
from capper.rewrite import chain, embedded, vast
from capper.rewrite.body import Body, encode
from capper.rewrite.chain import Sending
from capper.rewrite.video import Stop, Video
from capper.rewrite.video import Videos as Answer
from capper.trail import Addresses, Delivery

_TOLD = re.compile(rb"vast|vmap|daast|videoad", re.IGNORECASE)
_MOST_SENDINGS = 5_000


@dataclass(frozen=True, slots=True)
class Videos:
    """Judges VAST and VMAP. `sent` are the addresses that wrappers and ad breaks sent players to, and why."""

    scene: Scene
    counting: Counting
    sent: Addresses[Sending]

    @classmethod
    def made(cls, scene: Scene, counting: Counting) -> Self:
        """With an empty memory."""
        return cls(scene, counting, Addresses.made(scene.trail.digest, _MOST_SENDINGS, OCCASION_LIFE))

    async def answer(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """Withhold the capped ads of an answer to a player."""
        found = vast.find(body.data, exchange.request.url, self.scene.page_url(exchange))
        decided = await self._decide(exchange, found, "")
        withheld = _withheld(found, decided)
        said = tuple(decided[number] for number in sorted(decided))
        if not withheld:
            return Outcome(decisions=said)
        return Outcome(Action.REWRITE, encode(body, response, vast.apply(body.data, withheld)), said)

    async def told(self, exchange: Exchange, response: Response, body: Body, text: Text | None) -> Outcome | None:
        """The same of answers that stand as strings in JSON, `text` where it was read; None where there are none."""
        if text is None and not _TOLD.search(body.data):
            return None
        text = text or read(body.data)
        held = embedded.find(text, exchange.request.url, self.scene.page_url(exchange))
        if not held:
            return None
        locator = Locator(text)
        edits, said = [], []
        for place, each in enumerate(held):
            decided = await self._decide(exchange, each.videos, f"string {place} ")
            edits += embedded.cuts(locator, each, _withheld(each.videos, decided))
            said += [decided[number] for number in sorted(decided)]
        if not edits:
            return Outcome(decisions=tuple(said))
        data = text.encode(splice(text.source, edits))
        return Outcome(Action.REWRITE, encode(body, response, data), tuple(said))

    async def _decide(self, exchange: Exchange, found: Answer, where: str) -> dict[int, Decision]:
        """What becomes of the ads that are decided on, by number; the addresses of the others are remembered."""
        scene = self.scene
        who, url, now = f"{exchange.viewer.name}\0{exchange.device}", exchange.request.url, exchange.at
        before = self.sent.get(who, url, now)
        token = scene.trail.digest("answer", where, url, now.isoformat()).hex()
        # A wrapper is no sighting yet: the ad is where it leads.
        playing = {video.number: video for video in found.ads if not video.wrapper}
        deliveries: dict[int, Delivery] = {}
        decided: dict[int, Decision] = {}
        for stop in found.stops(several=before is None or before.several):
            for video in (*stop.pod, *stop.buffet):
                if video.number in playing:
                    pod = chain.pod_of(video, stop, token, before)
                    deliveries[video.number] = self._delivery(exchange, video, pod, where)
            decided |= await self._stop(exchange, stop, deliveries, sure=before is None or before.sure)
        withheld = {number for number, decision in decided.items() if decision.withheld}
        for number, delivery in deliveries.items():
            if number not in withheld:
                video = playing[number]
                beacons = before.beacons if before else ()
                counted = replace(delivery, candidate=number not in decided)
                scene.remember(exchange, (*beacons, *video.impressions, *video.offer.evidence.resources), counted)
        for address, sending in chain.sendings(found, token, withheld, before):
            self.sent.put(who, address, sending, now)
        return decided

    async def _stop(
        self, exchange: Exchange, stop: Stop, deliveries: Mapping[int, Delivery], *, sure: bool
    ) -> dict[int, Decision]:
        """What becomes of the ads of one place.

        Beside a pod a buffet's ads only stand in, and so does what is found where nothing is `sure` to be played: they are
        asked about, and count once they begin to play.
        """
        counting = self.counting
        pod = [video.number for video in stop.pod if video.number in deliveries] if sure else []
        others = [video.number for video in (*(() if sure else stop.pod), *stop.buffet) if video.number in deliveries]
        decided = dict(zip(pod, await counting.claim(exchange, [deliveries[n] for n in pod]), strict=True))
        asked = dict(zip(others, await counting.peek(exchange, [deliveries[n] for n in others]), strict=True))
        decided |= {number: decision for number, decision in asked.items() if decision.withheld}
        first = next((video.number for video in stop.buffet if video.number not in decided), None)
        if first is None or not sure or stop.pod or first not in deliveries:
            return decided
        (decision,) = await counting.claim(exchange, [deliveries[first]])
        return decided | {first: decision}

    def _delivery(self, exchange: Exchange, video: Video, pod: str | None, where: str) -> Delivery:
        """The ad of an auction whose answer led here keeps the identity and the occasion it has."""
        scene = self.scene
        offered = scene.announced(exchange)
        ad = read_offer(scene.recogniser.reader, video.offer)
        made = candidate(scene, exchange, scene.page(exchange), ad, Format.VIDEO, f"{where}video {video.number}")
        if offered is not None and offered.candidate and video.sequence is None:
            made = replace(made, ad=offered.ad, occasion=offered.occasion)
        return replace(made, pod=pod)


def _withheld(found: Answer, decided: Mapping[int, Decision]) -> Sequence[Video]:
    return [video for video in found.ads if video.number in decided and decided[video.number].withheld]
