"""Which pages are told that an ad was withheld, by the house ad in its place, so that nobody can count by it what she has seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from capper.domain.decision import Decision
from capper.domain.exchange import Exchange
from capper.domain.identity import Ad
from capper.domain.mute import chosen
from capper.domain.policy import Policy
from capper.gate.scene import Scene
from capper.recognise.domains import host_of, registrable
from capper.recognise.kind import is_own_visit
from capper.rewrite.base import House, Slot
from capper.trail import Recent

VISIT: Final = timedelta(minutes=30)
"""Without a page of a site for this long, her next one begins another visit."""
MOST_ANSWERS: Final = 20
"""Advertisers that a site is told of within a visit."""


def _answers() -> Recent[bytes, Mapping[str, bool]]:
    return Recent(20_000, VISIT)


@dataclass(frozen=True, slots=True)
class Telling:
    """Says which house ads may stand in a page.

    A site that shows her an advertiser's ad is told nothing of that advertiser until her next visit. So neither reloads nor copies
    of an ad on one page tell it when her count is full.
    """

    policy: Callable[[], Policy]
    scene: Scene
    answers: Recent[bytes, Mapping[str, bool]] = field(default_factory=_answers)
    """By site: whose ads it had for her within this visit, and whether all of them were withheld."""

    def houses(self, exchange: Exchange, slots: Sequence[Slot], decisions: Sequence[Decision]) -> dict[int, House]:
        """By the number of its slot each house ad that takes the place of a withheld ad, in a page of its own window."""
        host = host_of(exchange.request.url)
        if not self.policy().houses(exchange.viewer.name, host):
            return {}
        key = self.scene.trail.digest("told", exchange.viewer.name, registrable(host) or host)
        answers = dict(self.answers.get(key, exchange.at) or {})
        told = {}
        for slot, decision in zip(slots, decisions, strict=True):
            if _stands(answers, decision) and slot.house:
                told[slot.number] = slot.house
        self.answers.put(key, answers, exchange.at)
        return told if is_own_visit(exchange.request) else {}


def _stands(answers: dict[str, bool], decision: Decision) -> bool:
    """Whether an ad is withheld and so was all of its advertiser's until now; `answers` learns of it."""
    names = _names(decision.ad)
    for name in names:
        if name in answers or len(answers) < MOST_ANSWERS:
            answers[name] = answers.get(name, True) and decision.withheld
    return decision.withheld and all(answers.get(name, False) for name in names)


def _names(ad: Ad) -> list[str]:
    """Whom it is of, as a page would tell ads apart."""
    return [name for _, name in chosen(ad)] or [""]
