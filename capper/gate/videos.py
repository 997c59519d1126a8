"""Players' answers: a pod's ads are all played, so each is a sighting; of a buffet the first that is left is."""

from dataclasses import dataclass, replace

from capper.domain.decision import Decision
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.sighting import Format
from capper.gate.auctions import candidate
from capper.gate.counting import Counting
from capper.gate.scene import Scene
from capper.recognise.offer import read_offer
from capper.rewrite import vast
from capper.rewrite.body import Body, encode
from capper.rewrite.vast import Video
from capper.trail import Delivery


@dataclass(frozen=True, slots=True)
class Videos:
    """Judges VAST and VMAP."""

    scene: Scene
    counting: Counting

    async def answer(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """Withhold the capped ads of pods and buffets."""
        found = vast.find(body.data, exchange.request.url, self.scene.page_url(exchange))
        pods = self._pods(exchange, found)
        # A wrapper is no sighting yet: the ad is where it leads.
        playing = {video.number: video for video in found.ads if not video.wrapper}
        deliveries = {number: self._delivery(exchange, video, pods.get(number)) for number, video in playing.items()}
        decided: dict[int, Decision] = {}
        for stop in found.stops():
            decided |= await self._stop(exchange, stop, deliveries)
        for number, delivery in deliveries.items():
            if number not in decided or not decided[number].withheld:
                video = playing[number]
                parts = (*video.impressions, *video.offer.evidence.resources)
                self.scene.remember(exchange, parts, delivery)
        said = tuple(decided[number] for number in sorted(decided))
        withheld = [playing[number] for number, decision in decided.items() if decision.withheld]
        if not withheld:
            return Outcome(decisions=said)
        return Outcome(Action.REWRITE, encode(body, response, vast.apply(body.data, withheld)), said)

    async def _stop(self, exchange: Exchange, stop: vast.Stop, deliveries: dict[int, Delivery]) -> dict[int, Decision]:
        """What becomes of the ads of one place. Beside a pod a buffet's ads only stand in, so they are not counted."""
        counting = self.counting
        pod = [video.number for video in stop.pod if video.number in deliveries]
        buffet = [video.number for video in stop.buffet if video.number in deliveries]
        decided = dict(zip(pod, await counting.claim(exchange, [deliveries[n] for n in pod]), strict=True))
        asked = dict(zip(buffet, await counting.peek(exchange, [deliveries[n] for n in buffet]), strict=True))
        decided |= {number: decision for number, decision in asked.items() if decision.withheld}
        first = next((number for number in buffet if number not in decided), None)
        if first is None or stop.pod:
            return decided
        (decision,) = await counting.claim(exchange, [deliveries[first]])
        return decided | {first: decision}

    def _pods(self, exchange: Exchange, found: vast.Videos) -> dict[int, str]:
        """The pod of each ad that is part of one: a wrapper's answer plays in the pod that the wrapper stood in."""
        trail, url = self.scene.trail, exchange.request.url
        who, now = (exchange.viewer.name, exchange.device), exchange.at
        around = trail.pod(*who, url, now)
        token = trail.digest("answer", url, now.isoformat()).hex()
        pods = {
            video.number: around or f"{token} {video.place}"
            for video in found.ads
            if around or video.sequence is not None
        }
        for video in found.ads:
            if video.wrapper and video.number in pods:
                trail.asked_on(*who, video.wrapper, pods[video.number], now)
        return pods

    def _delivery(self, exchange: Exchange, video: Video, pod: str | None) -> Delivery:
        """The ad of an auction whose answer led here keeps the identity and the occasion it has."""
        scene = self.scene
        offered = scene.announced(exchange)
        ad = read_offer(scene.recogniser.reader, video.offer)
        made = candidate(scene, exchange, scene.page(exchange), ad, Format.VIDEO, f"video {video.number}")
        if offered is not None and offered.candidate and video.sequence is None:
            made = replace(made, ad=offered.ad, occasion=offered.occasion)
        return replace(made, pod=pod, candidate=False)
