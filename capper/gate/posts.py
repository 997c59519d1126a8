"""Feeds in JSON: the posts in them that somebody has paid for are sightings, each once for an answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.offered import delivered
from capper.gate.scene import Scene
from capper.rewrite import feeds
from capper.rewrite.body import Body, encode


@dataclass(frozen=True, slots=True)
class Posts:
    """Judges the feeds that the household has named; by default none."""

    scene: Scene
    counting: Counting
    feeds: Sequence["feeds.Feed"] = ()

    def speaks(self, exchange: Exchange) -> bool:
        """Whether one of these feeds may answer there."""
        return bool(self.feeds) and feeds.speaks(self.feeds, exchange.request.url)

    async def answer(self, exchange: Exchange, response: Response, body: Body) -> Outcome | None:
        """Withhold the capped posts; None where there are none that are paid for."""
        scene = self.scene
        found = feeds.find(body.data, exchange.request.url, self.feeds, page=scene.page_url(exchange))
        if not found.posts:
            return None
        offers = [post.offer for post in found.posts]
        decisions = await delivered(scene, self.counting, exchange, offers, Format.POST, "post")
        withheld = {post.number for post, decision in zip(found.posts, decisions, strict=True) if decision.withheld}
        if not withheld:
            return Outcome(decisions=tuple(decisions))
        return Outcome(Action.REWRITE, encode(body, response, feeds.apply(found, withheld)), tuple(decisions))
