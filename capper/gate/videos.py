"""Players' answers: a pod's ads are all played, so each is a sighting; of a buffet the first that is left is.

1. Why the player asks is remembered: a wrapper or an ad break sent it (`expects`), minutes ago.
2. The ads that play for sure are claimed; those that stand in are asked about, and counted by their beacons.
3. Where this answer sends the player is remembered in its turn.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from capper.domain.decision import OCCASION_LIFE, Decision
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.offered import Offered
from capper.gate.scene import Scene, who
from capper.jsontext import Text, read
from capper.recognise.offer import read_offer
from capper.rewrite.body import Body, encode
from capper.rewrite.video import chain, embedded, vast
from capper.trail import Addresses, Delivery

_MOST_SENT = 20_000
_MOST_COMPARED = 5


@dataclass(frozen=True, slots=True)
class Videos:
    """Judges VAST and VMAP; `sent` is why players ask for what they ask for, for some minutes."""

    scene: Scene
    counting: Counting
    sent: "Addresses[chain.Sending]"

    @classmethod
    def made(cls, scene: Scene, counting: Counting) -> Self:
        """One that knows of nothing yet."""
        return cls(scene, counting, Addresses.made(scene.trail.digest, _MOST_SENT, OCCASION_LIFE))

    def expects(self, exchange: Exchange) -> bool:
        """Whether a wrapper or an ad break sent a player here."""
        return self._why(exchange) is not None

    async def answer(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """Withhold the capped ads of pods and buffets."""
        found = vast.find(body.data, exchange.request.url, self.scene.page_url(exchange))
        decided = await self._judge(exchange, found, "answer")
        withheld = _withheld(found, decided)
        said = tuple(decided[number] for number in sorted(decided))
        if not withheld:
            return Outcome(decisions=said)
        return Outcome(Action.REWRITE, encode(body, response, vast.apply(body.data, withheld)), said)

    async def held(self, exchange: Exchange, response: Response, body: Body, text: Text | None) -> Outcome | None:
        """The same in JSON (`text`, where it was read already), whose strings hold players' answers; None where none does."""
        if text is None and not embedded.may_hold(body.data):
            return None
        text = text or read(body.data)
        found = embedded.find(text, exchange.request.url, self.scene.page_url(exchange))
        if not found:
            return None
        said: list[Decision] = []
        gone = []
        for held in found:
            decided = await self._judge(exchange, held.videos, str(held.path))
            said += [decided[number] for number in sorted(decided)]
            gone.append((held, _withheld(held.videos, decided)))
        if not any(withheld for _, withheld in gone):
            return Outcome(decisions=tuple(said))
        return Outcome(Action.REWRITE, encode(body, response, embedded.apply(text, gone)), tuple(said))

    async def _judge(self, exchange: Exchange, found: "vast.Videos", place: str) -> dict[int, Decision]:
        now = exchange.at
        before = self._why(exchange) or chain.Sending(steps=0)
        answer = Offered.of(self.scene, exchange)
        token = f"{answer.token} {place}"
        stops = found.stops(several=before.several)
        # A wrapper is no sighting yet: the ad is where it leads.
        deliveries = {
            video.number: self._delivery(exchange, answer, video, place, chain.pod_of(video, stop, token, before))
            for stop in stops
            for video in (*stop.pod, *stop.buffet)
            if not video.wrapper
        }
        decided: dict[int, Decision] = {}
        for stop in stops:
            decided |= await self._stop(exchange, stop, deliveries, sure=before.sure)
        gone = {video.number for video in _withheld(found, decided)}
        kept = {number: each for number, each in deliveries.items() if number not in gone}
        self._remember(exchange, found, kept, decided, before.beacons)
        for address, sending in chain.sendings(found, token, gone, before):
            self.sent.put(who(exchange), address, sending, now)
        return decided

    async def _stop(
        self, exchange: Exchange, stop: "vast.Stop", deliveries: dict[int, Delivery], *, sure: bool
    ) -> dict[int, Decision]:
        """What becomes of the ads of one place: those that play are counted, those that stand in are asked about."""
        counting = self.counting
        here = [video.number for video in (*stop.pod, *stop.buffet) if video.number in deliveries]
        pod = [video.number for video in stop.pod if video.number in deliveries] if sure else []
        decided = dict(zip(pod, await counting.claim(exchange, [deliveries[n] for n in pod]), strict=True))
        rest = [number for number in here if number not in decided]
        asked = dict(zip(rest, await counting.peek(exchange, [deliveries[n] for n in rest]), strict=True))
        decided |= {number: decision for number, decision in asked.items() if decision.withheld}
        while sure and (taken := _uncounted(stop, deliveries, decided)):
            decisions = await counting.claim(exchange, [deliveries[number] for number in taken])
            decided |= dict(zip(taken, decisions, strict=True))
        return decided

    def _remember(
        self,
        exchange: Exchange,
        found: "vast.Videos",
        kept: dict[int, Delivery],
        decided: Collection[int],
        beacons: tuple[str, ...],
    ) -> None:
        """What each ad is made of leads back to it, what wrappers count by to the first; an uncounted one counts then."""
        for video in found.ads:
            if video.number in kept:
                delivery = kept[video.number]._replace(candidate=video.number not in decided)
                self.scene.remember(exchange, (*video.impressions, *video.offer.evidence.resources, *beacons), delivery)
                beacons = ()

    def _delivery(
        self, exchange: Exchange, answer: Offered, video: "vast.Video", place: str, pod: str | None
    ) -> Delivery:
        """The ad of an auction whose answer led here keeps the identity and the occasion it has."""
        scene = self.scene
        # A page may keep a bid's video in a cache under an address of its own; what is asked for once it plays is the same.
        beacons = (scene.announced(exchange, url) for url in video.impressions[:_MOST_COMPARED])
        named = (scene.announced(exchange), *(each for each in beacons if each is not None and each.bid))
        offered = next((each for each in named if each is not None and each.candidate), None)
        ad = read_offer(scene.recogniser.reader, video.offer)
        made = answer.candidate(ad, Format.VIDEO, f"{place} {video.number}")
        if offered is not None and video.sequence is None:
            made = made._replace(ad=offered.ad, occasion=offered.occasion)
        return made._replace(pod=pod, candidate=False)

    def _why(self, exchange: Exchange) -> "chain.Sending | None":
        return self.sent.get(who(exchange), exchange.request.url, exchange.at)


def _uncounted(stop: "vast.Stop", deliveries: Collection[int], decided: dict[int, Decision]) -> list[int]:
    """The ads that will play and that nobody has counted yet."""
    gone = {number for number, decision in decided.items() if decision.withheld}
    return [ad.number for ad in stop.playing(gone) if ad.number in deliveries and ad.number not in decided]


def _withheld(found: "vast.Videos", decided: dict[int, Decision]) -> "list[vast.Video]":
    return [video for video in found.ads if video.number in decided and decided[video.number].withheld]
