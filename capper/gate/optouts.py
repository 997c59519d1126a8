"""What a person says to an ad, or to a shop, becomes a mute: on every site, network and device of hers.

Which ad she meant is told by the request alone: an address that stands in one ad, a token it shares with one, the frame or the page
it comes from, the network it is about. Where that leaves several advertisers none is muted, and the journal says so.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from capper.domain.exchange import Exchange, origin_of
from capper.domain.identity import Level
from capper.domain.mute import Mute, Name, Why, chosen
from capper.domain.policy import Policy
from capper.gate.scene import Scene, who
from capper.journal import Journal
from capper.ledger.base import Ledger
from capper.recognise.domains import host_of, registrable
from capper.recognise.kind import UNKNOWN_SOURCE, source_of
from capper.recognise.optout import By, OptOuts, Shape, What
from capper.trail import Seen


@dataclass(frozen=True, slots=True)
class Heeding:
    """Listens for opt-outs and purchases; the requests themselves go on as they came."""

    scene: Scene
    ledger: Ledger
    policy: Callable[[], Policy]
    journal: Journal
    shapes: OptOuts = field(default_factory=lambda: OptOuts(()))

    def foresees(self, exchange: Exchange) -> bool:
        """Whether the request says that she has had enough, or that she bought. Cheap; no I/O."""
        return self._shape(exchange) is not None

    async def heed(self, exchange: Exchange) -> None:
        """Do as it says, where it is certain what is meant."""
        shape = self._shape(exchange)
        if shape is None:
            return
        match shape.what:
            case What.MUTE:
                await self._mute(exchange, shape, self._meant(exchange, shape))
            case What.UNDO:
                await self._undo(exchange, shape, self._meant(exchange, shape))
            case What.BOUGHT:
                await self._bought(exchange, shape)

    def _shape(self, exchange: Exchange) -> Shape | None:
        return self.shapes.match(exchange.request, bought=self.policy().stop_when_bought)

    async def _mute(self, exchange: Exchange, shape: Shape, meant: set[tuple[Name, ...]]) -> None:
        viewer, now = exchange.viewer, exchange.at
        if len(meant) != 1:
            several = f"nothing tells which of {len(meant)} ads was meant" if meant else "nothing tells of which ad"
            note = f"she has had enough ({shape.name}), and {several}: none is muted"
            self.journal.unsure(now, viewer, len(meant), note)
            return
        (names,) = meant
        until = now + self.policy().mute_for
        later = {(one.level, one.name) for one in await self.ledger.mutes(viewer.name, now) if one.until >= until}
        for level, name in names:
            if (level, name) not in later:
                await self.ledger.mute(viewer.name, Mute(level, name, Why.CLICKED, now, until), now)
        self.journal.muted(now, viewer, names, Why.CLICKED, f"by its own opt-out ({shape.name})")

    async def _undo(self, exchange: Exchange, shape: Shape, meant: set[tuple[Name, ...]]) -> None:
        viewer, now = exchange.viewer, exchange.at
        muted = await self.ledger.mutes(viewer.name, now)
        clicked = {(one.level, one.name) for one in muted if one.why is Why.CLICKED}
        for names in meant if len(meant) == 1 else ():
            for name in clicked.intersection(names):
                await self.ledger.unmute(viewer.name, name, now)
            self.journal.muted(now, viewer, names, None, f"taken back by its own undo ({shape.name})")

    async def _bought(self, exchange: Exchange, shape: Shape) -> None:
        """The shop's chase ends, if it has chased her at all."""
        viewer, now, shop = exchange.viewer, exchange.at, shape.shop(exchange.request)
        if shop is None or all(entry.name != shop for entry in await self.ledger.entries(viewer.name, now)):
            return
        name = (Level.ADVERTISER, shop)
        if any((one.level, one.name) == name for one in await self.ledger.mutes(viewer.name, now)):
            return
        await self.ledger.mute(viewer.name, Mute(*name, Why.BOUGHT, now, now + self.policy().mute_for), now)
        self.journal.muted(now, viewer, (name,), Why.BOUGHT, f"she bought there ({shape.name})")

    # Which ad was meant

    def _meant(self, exchange: Exchange, shape: Shape) -> set[tuple[Name, ...]]:
        """What a mute would name; several where it cannot be told, none where nothing leads anywhere."""
        shown = self.scene.trail.shown
        seen = shown.of(who(exchange), exchange.at)
        about = frozenset(map(shown.network, shape.networks))
        if about:
            seen = tuple(each for each in seen if each.networks & about)
        named = self._named(exchange, seen)
        if shape.by is By.PING:
            # Anybody can ask for an address; the token in it is the ad's own.
            return {chosen(each.ad) for each in named}
        return {chosen(each.ad) for each in self._nearest(exchange, named or seen, tied=bool(named))}

    def _named(self, exchange: Exchange, seen: Iterable[Seen]) -> list[Seen]:
        """Those that hold the address itself, else share a token with it."""
        shown, url = self.scene.trail.shown, exchange.request.url
        link, tokens = shown.link(url), frozenset(shown.tokens(url))
        seen = list(seen)
        return [each for each in seen if link in each.links] or [each for each in seen if tokens & each.tokens]

    def _nearest(self, exchange: Exchange, seen: Iterable[Seen], *, tied: bool) -> list[Seen]:
        """Those of the frame, the page and the network that the request comes from, as far as it says so."""
        source, seen = source_of(exchange), list(seen)
        if source == UNKNOWN_SOURCE:
            return seen if tied else []
        around = self.scene.trail.inside(exchange.viewer.name, exchange.device, source, exchange.at)
        here = self.scene.page(exchange)
        if around is None and here is None:
            return seen if tied else []
        kept = [each for each in seen if around and each.ad == around.ad] if around else []
        if not kept and here:
            kept = [each for each in seen if each.page == here.token]
        if here and origin_of(source) != origin_of(here.url):
            # It comes from a frame of which no more than its origin is told.
            domain = registrable(host_of(source)) or ""
            network = self.scene.trail.shown.network(domain)
            kept = [each for each in kept if network in each.networks] or kept
        return kept or (seen if tied else [])
