"""Trying what a policy expects of itself: each of its `[[tests]]` through a ledger in memory, by the very code that decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from capper.domain.decision import Decision, Verdict, conclude, prepare
from capper.domain.identity import Ad, Basis
from capper.domain.policy import Policy, Rule
from capper.domain.sighting import Sighting
from capper.ledger.memory import MemoryLedger
from capper.recognise.domains import registrable
from capper.settings.expectations import Expectation
from capper.settings.policy import Reading

NOON = datetime(2026, 1, 14, 12)  # noqa: DTZ001  in the policy's own zone
"""When every test is: a Wednesday in the middle of a month, so that no calendar window is about to turn."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One expectation, and what came of it."""

    expectation: Expectation
    decision: Decision
    rule: Rule

    @property
    def problem(self) -> str:
        """What is otherwise than expected; empty where nothing is."""
        asked, found = self.expectation, self.decision
        if found.verdict is not asked.expect:
            return f"expected {asked.expect}, found {self.outcome}"
        if asked.rule is not None and found.rule != asked.rule:
            return f"{found.verdict} as expected, but {_name(found.rule)} spoke instead of {_name(asked.rule)}"
        if asked.cap is not None and found.cap != asked.cap:
            return f"{found.verdict} as expected, but by {_spelled(found)} instead of {asked.cap}"
        return ""

    @property
    def outcome(self) -> str:
        """What became of it, and by which rule."""
        return f"{self.decision.verdict} {_why(self.decision)}"


async def try_out(reading: Reading) -> list[Tried]:
    """Every test of a policy, in the file's order."""
    return [await _tried(reading.policy, each) for each in reading.tests]


def failures(tried: Sequence[Tried]) -> list[str]:
    """What is otherwise than expected, a sentence for each test that fails."""
    return [f"line {one.expectation.line}: {one.expectation.name}: {one.problem}" for one in tried if one.problem]


async def _tried(policy: Policy, expected: Expectation) -> Tried:
    ledger, now = MemoryLedger(), _noon(policy.zone)
    for place, ago in enumerate(sorted(expected.seen, reverse=True)):
        _, claim = prepare(policy, _sighting(policy, expected, f"before {place}"), now - ago)
        # It was shown then, whatever this policy would have said.
        shown = claim._replace(checks=(), refused=False)
        await ledger.claim(expected.person, [shown], now - ago, policy.gap)
    sighting = _sighting(policy, expected, "now")
    rule, claim = prepare(policy, sighting, now)
    [answer] = await ledger.claim(expected.person, [claim], now, policy.gap)
    return Tried(expected, conclude(policy, sighting, rule, claim, answer, now), rule)


def _noon(zone: tzinfo) -> datetime:
    return NOON.replace(tzinfo=zone)


def _sighting(policy: Policy, expected: Expectation, occasion: str) -> Sighting:
    """Each on a page of its own."""
    advertisers = tuple(registrable(each) or each for each in expected.advertiser)
    ad = Ad(advertisers, expected.campaign, expected.creative, expected.category, Basis.DECLARED)
    site = (registrable(expected.site) or expected.site) if expected.site else None
    viewer = policy.viewer(expected.person)
    return Sighting(viewer, ad, occasion, expected.format, occasion, occasion, site, expected.network)


def _why(found: Decision) -> str:
    if found.verdict is Verdict.WITHHOLD:
        return f"by {_name(found.rule)}: {_spelled(found)}"
    return f"by {_name(found.rule)}" + (f": {found.count} of {found.cap}" if found.cap else ": no cap holds")


def _name(rule: str) -> str:
    return "the caps at the top" if rule == "caps" else f'"{rule}"'


def _spelled(found: Decision) -> str:
    return str(found.cap) if found.cap else "no cap"
