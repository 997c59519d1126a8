"""Asks the ledger about the ads of an exchange, in one call, and writes down what was decided."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from capper.domain.decision import Answer, Claim, Decision, conclude, prepare_all
from capper.domain.exchange import Exchange
from capper.domain.policy import Policy
from capper.domain.sighting import Sighting
from capper.gate.observing import Nobody, Observer
from capper.gate.scene import Scene
from capper.journal import Journal
from capper.ledger.base import Ledger
from capper.trail import Delivery


@dataclass(frozen=True, slots=True)
class Counting:
    """The policy in force, the ledger and the journal, as one desk."""

    ledger: Ledger
    policy: Callable[[], Policy]
    journal: Journal
    scene: Scene
    observer: Observer = field(default_factory=Nobody)

    async def claim(self, exchange: Exchange, deliveries: Sequence[Delivery]) -> list[Decision]:
        """Ask and count: one ledger call for all the ads of an exchange."""
        sightings = self.scene.sightings(exchange, deliveries)
        decisions = await self._decide(exchange, sightings, look=False)
        self._tell(exchange, sightings, decisions)
        return decisions

    async def peek(self, exchange: Exchange, deliveries: Sequence[Delivery]) -> list[Decision]:
        """What would become of each ad if it alone were shown; only what is to be withheld is written down."""
        sightings = self.scene.sightings(exchange, deliveries)
        decisions = await self.look(exchange, sightings)
        told = [(each, decision) for each, decision in zip(sightings, decisions, strict=True) if decision.withheld]
        self._tell(exchange, [each for each, _ in told], [decision for _, decision in told])
        return decisions

    async def look(self, exchange: Exchange, sightings: Sequence[Sighting]) -> list[Decision]:
        """The same, and nothing is written down."""
        first = {sighting.ad: sighting for sighting in reversed(sightings)}
        found = {decision.ad: decision for decision in await self._decide(exchange, [*first.values()], look=True)}
        return [found[sighting.ad] for sighting in sightings]

    def _tell(self, exchange: Exchange, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        self.journal.decided(exchange.at, sightings, decisions)
        self.observer.decided(exchange.at, sightings, decisions)

    async def _decide(self, exchange: Exchange, sightings: Sequence[Sighting], *, look: bool) -> list[Decision]:
        """What neither a cap of the policy nor a mute could speak about is not asked."""
        policy, now, viewer = self.policy(), exchange.at, exchange.viewer
        prepared = prepare_all(policy, sightings, now)
        if self.observer.control(viewer.name, now):
            # Counted as ever, and no count is asked about.
            prepared = [(rule, claim._replace(checks=())) for rule, claim in prepared]
        asked = [claim for _, claim in prepared if _open(claim)]
        ask = self.ledger.peek if look else self.ledger.claim
        answers = iter(await ask(viewer.name, asked, now, policy.gap) if asked else ())
        decisions = []
        for sighting, (rule, claim) in zip(sightings, prepared, strict=True):
            answer = next(answers) if _open(claim) else Answer(shown=not claim.refused)
            decisions.append(conclude(policy, sighting, rule, claim, answer, now))
        return decisions


def _open(claim: Claim) -> bool:
    """Whether the ledger has a say in it."""
    return not claim.refused and bool(claim.counters or claim.names)
