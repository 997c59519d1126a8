"""What an answer offers, as deliveries: candidates of an auction, or ads that are shown because the answer came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from capper.domain.decision import Decision
from capper.domain.exchange import Exchange
from capper.domain.identity import Ad
from capper.domain.offer import Offer
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.scene import Scene
from capper.recognise.offer import read_offer
from capper.trail import Delivery, Page


@dataclass(frozen=True, slots=True)
class Offered:
    """One answer, and the load of the page it came for: what makes its ads' deliveries."""

    token: str
    here: Page | None

    @classmethod
    def of(cls, scene: Scene, exchange: Exchange) -> Self:
        """The answer to this exchange, told from the same one a moment later."""
        token = scene.trail.digest("answer", exchange.request.url, exchange.at.isoformat())
        return cls(token.hex(), scene.page(exchange))

    def candidate(self, ad: Ad, form: Format, place: str, *, bid: bool = False) -> Delivery:
        """An ad that it offers; the occasion is this answer and the ad's place there."""
        return Delivery(ad, f"{self.token} {place}", form, self.here, candidate=True, bid=bid)


async def delivered(
    scene: Scene, counting: Counting, exchange: Exchange, offers: Sequence[Offer], form: Format, what: str
) -> list[Decision]:
    """Claim the ads that are shown with this answer, and remember what those that pass are made of.

    `what` is what a place in the answer is called, so that one answer's slots and posts are told apart.
    """
    reader, answer = scene.recogniser.reader, Offered.of(scene, exchange)
    candidates = [answer.candidate(read_offer(reader, offer), form, f"{what} {n}") for n, offer in enumerate(offers)]
    deliveries = [each._replace(candidate=False) for each in candidates]
    decisions = await counting.claim(exchange, deliveries)
    for offer, delivery, decision in zip(offers, deliveries, decisions, strict=True):
        if not decision.withheld:
            scene.remember(exchange, offer.evidence.resources, delivery)
            scene.shows(exchange, delivery, offer.evidence)
    return decisions
