"""How an advertiser in a person's record stands against the caps that hold for it: counts, and when it opens again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from capper.domain.cap import Cap, spell_window
from capper.domain.identity import Ad, Basis, Level
from capper.domain.policy import Policy, Rule
from capper.domain.sighting import Sighting
from capper.domain.window import SESSION_LIMIT, Session, Within, reopens, since, to_ms
from capper.ledger.base import Entry


@dataclass(frozen=True, slots=True)
class Standing:
    """One cap against one advertiser: how many count now, and when it opens if it is full (None: it is not, or with no hour)."""

    cap: Cap
    count: int
    full: bool
    reopens: datetime | None = None

    def __str__(self) -> str:
        if self.cap.count == 0 or self.cap.level is None:
            return "never"
        return f"{self.count} of {self.cap.count} {spell_window(self.cap.window)}"


def standings(policy: Policy, person: str, entry: Entry, now: datetime) -> tuple[Rule, tuple[Standing, ...]]:
    """The rule that speaks about the entry on a site no rule names, and where each of its caps stands.

    Caps of other levels and those within a page or a pod say nothing about a record and are left out.
    """
    ad = Ad((entry.name,), basis=Basis.REMEMBERED)
    rule = policy.rule_for(Sighting(policy.viewer(person), ad, ""))
    held = [cap for cap in rule.caps if cap.level in (None, Level.ADVERTISER) and not isinstance(cap.window, Within)]
    return rule, tuple(_standing(cap, entry.times, policy, now) for cap in held)


def _standing(cap: Cap, times: Sequence[datetime], policy: Policy, now: datetime) -> Standing:
    if cap.count == 0:
        return Standing(cap, 0, full=True)
    inside = _inside(cap, sorted(times, reverse=True), policy, now)
    if len(inside) < cap.count:
        return Standing(cap, len(inside), full=False)
    opens = reopens(cap.window, inside[cap.count - 1], now, policy.zone, policy.session_gap)
    return Standing(cap, len(inside), full=True, reopens=opens)


def _inside(cap: Cap, newest_first: Sequence[datetime], policy: Policy, now: datetime) -> list[datetime]:
    start = since(cap.window, now, policy.zone)
    if start is not None:
        return [time for time in newest_first if to_ms(time) > start]
    assert isinstance(cap.window, Session), "only a session's beginning is not known from the clock"
    return _session(newest_first, policy.session_gap, now)


def _session(newest_first: Sequence[datetime], gap: timedelta, now: datetime) -> list[datetime]:
    """The sightings since the last idle gap."""
    found: list[datetime] = []
    later = now
    for time in newest_first:
        if later - time >= gap or now - time >= SESSION_LIMIT:
            break
        found.append(time)
        later = time
    return found
