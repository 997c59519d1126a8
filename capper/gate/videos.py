"""Players' answers: a pod's ads are all played, so each is a sighting; of a buffet the first that is left is."""

from dataclasses import dataclass, replace

from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.sighting import Format
from capper.gate.auctions import candidate
from capper.gate.counting import Counting
from capper.gate.scene import Scene
from capper.recognise.offer import read_offer
from capper.rewrite import vast
from capper.rewrite.body import Body, encode


@dataclass(frozen=True, slots=True)
class Videos:
    """Judges VAST and VMAP."""

    scene: Scene
    counting: Counting

    async def answer(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """Withhold the capped ads of pods and buffets."""
        scene = self.scene
        videos = vast.find(body.data, exchange.request.url, scene.page_url(exchange))
        playing = [video for video in videos.ads if not video.wrapper]
        reader, here = scene.recogniser.reader, scene.page(exchange)
        token = scene.trail.digest("answer", exchange.request.url, exchange.at.isoformat()).hex()
        deliveries = [
            replace(
                candidate(
                    scene, exchange, here, read_offer(reader, video.offer), Format.VIDEO, f"video {video.number}"
                ),
                pod=None if video.sequence is None else f"{token} {video.place}",
                candidate=False,
            )
            for video in playing
        ]
        pods = [n for n, video in enumerate(playing) if video.sequence is not None]
        counting = self.counting
        decided = dict(zip(pods, await counting.claim(exchange, [deliveries[n] for n in pods]), strict=True))
        buffet = [n for n, video in enumerate(playing) if video.sequence is None]
        asked = dict(zip(buffet, await counting.peek(exchange, [deliveries[n] for n in buffet]), strict=True))
        decided |= {n: decision for n, decision in asked.items() if decision.withheld}
        # Beside a pod a buffet's ads only stand in.
        podded = {playing[n].place for n in pods}
        first = {playing[n].place: n for n in reversed(buffet) if n not in decided and playing[n].place not in podded}
        taken = sorted(first.values())
        decided |= dict(zip(taken, await counting.claim(exchange, [deliveries[n] for n in taken]), strict=True))
        for n, delivery in enumerate(deliveries):
            if n not in decided or not decided[n].withheld:
                parts = (*playing[n].impressions, *playing[n].offer.evidence.resources)
                scene.remember(exchange, parts, delivery)
        withheld = [playing[n] for n, decision in decided.items() if decision.withheld]
        said = tuple(decided[n] for n in sorted(decided))
        if not withheld:
            return Outcome(decisions=said)
        return Outcome(Action.REWRITE, encode(body, response, vast.apply(body.data, withheld)), said)
