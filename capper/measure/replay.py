"""Saved traffic through the same gate as live traffic, by the recording's own clock.

Entries are judged in the order of their times (of equal times, in the order of the file, which need not be the order in
time) and stand in the result in the order of the file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from capper.domain.decision import Decision
from capper.domain.exchange import Action, Exchange, Outcome
from capper.domain.identity import HOUSEHOLD, Viewer
from capper.journal import BATCH, Journal, Record
from capper.measure import entry as har_entry
from capper.measure.har import Har, dump

_ELSEWHERE = ("time", "viewer", "entry", "format")
"""What the entry or the journal says already."""


class Admitting(Protocol):
    """What of a Gate a replay uses."""

    def foresees(self, exchange: Exchange) -> bool:
        """Whether to ask before the origin is asked."""
        ...

    def wants(self, exchange: Exchange) -> bool:
        """Whether the body may hold an ad."""
        ...

    async def admit(self, exchange: Exchange) -> Outcome:
        """Decide."""
        ...


@dataclass
class Count:
    """How often one advertiser's ads were shown and withheld."""

    shown: int = 0
    withheld: int = 0
    reopens: datetime | None = None
    """When the last of those withheld may be shown again; None where none was, or at no hour."""


@dataclass
class Summary:
    """What a replay found."""

    entries: int = 0
    answered: int = 0
    rewritten: int = 0
    forwarded: int = 0
    """Requests that went on as others: auctions told whom not to ask."""
    bodiless: int = 0
    """Responses whose body the recording does not hold; an ad in them cannot be seen."""
    repeated: int = 0
    lost: dict[str, float] = field(default_factory=dict)
    """What publishers were paid less, by currency: the winning bids' prices less those of who won instead."""
    paid: dict[str, float] = field(default_factory=dict)
    """What the winning bids of all auctions paid, by currency, before any was withheld."""
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    untouched: dict[str, int] = field(default_factory=dict)
    """Why exchanges were left alone although there may have been an ad in them, and how many."""
    first: datetime | None = None
    last: datetime | None = None
    viewers: dict[str, dict[str, Count]] = field(default_factory=dict)
    """Per viewer, per advertiser (the ad's label)."""

    @property
    def shown(self) -> int:
        """Sightings shown, of all viewers."""
        return sum(count.shown for counts in self.viewers.values() for count in counts.values())

    @property
    def withheld(self) -> int:
        """Sightings withheld, of all viewers."""
        return sum(count.withheld for counts in self.viewers.values() for count in counts.values())

    def take(self, recorded: har_entry.Recorded, outcome: Outcome) -> None:
        """Count what became of one exchange."""
        self.bodiless += recorded.missing
        for decision in outcome.decisions:
            self.add(decision)
        for total, amounts in ((self.lost, outcome.lost), (self.paid, outcome.paid)):
            for currency, amount in amounts:
                total[currency] = total.get(currency, 0.0) + amount / 1000
        if outcome.note:
            self.untouched[outcome.note] = self.untouched.get(outcome.note, 0) + 1

    def add(self, decision: Decision) -> None:
        """Count one decision; a repeated sighting counts as the one it repeats."""
        if decision.repeated:
            self.repeated += 1
            return
        counts = self.viewers.setdefault(decision.viewer.name, {})
        count = counts.setdefault(decision.ad.label, Count())
        if decision.withheld:
            count.withheld += 1
            count.reopens = decision.reopens
        else:
            count.shown += 1


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay gives: the entries that are another now, as JSON by index, and the summary."""

    changes: Mapping[int, bytes]
    summary: Summary


async def replay(
    har: Har,
    gate: Admitting,
    journal: Journal,
    *,
    viewer: Callable[[str], Viewer] = Viewer,
    unnamed: str = HOUSEHOLD,
    progress: Callable[[], object] = lambda: None,
) -> Replayed:
    """Run every entry of `har` through `gate`.

    Args:
        journal: the gate's own; told which entry each record belongs to.
        viewer: from a name to the viewer the policy knows.
        unnamed: the viewer of entries without a `_viewer`.
        progress: called after each entry.

    Raises:
        ConfigError: an entry cannot be read as JSON.
    """
    times = har_entry.clock([span.started for span in har.spans])
    order = sorted(range(len(har)), key=times.__getitem__)
    summary = Summary(len(har))
    if times:
        summary.first, summary.last = times[order[0]], times[order[-1]]
    changes: dict[int, bytes] = {}

    def recorded(index: int, raw: dict[str, Any]) -> har_entry.Recorded | None:
        return har_entry.read(raw, times[index], lambda name: viewer(name or unnamed))

    for index in order:
        journal.entry = index
        try:
            found = recorded(index, har.entry(index))
        except har_entry.Unreadable as reason:
            summary.unreadable.append((index, str(reason)))
            journal.untouched(times[index], viewer(unnamed), f"a damaged entry: {reason}")
            found = None
        if found is not None:
            outcome = await _through(gate, found.exchange)
            summary.take(found, outcome)
            if outcome.response is not None or outcome.request is not None:
                raw = har.entry(index, exact=True)
                if changed := _changed(raw, recorded(index, raw), outcome):
                    changes[index] = dump(changed)
                    summary.answered += outcome.action is Action.ANSWER
                    summary.rewritten += outcome.action is Action.REWRITE
                    summary.forwarded += outcome.request is not None
        if journal.waiting >= BATCH:
            await journal.drain()
        progress()
    journal.entry = None
    await journal.drain()
    summary.unreadable.sort()
    return Replayed(changes, summary)


async def _through(gate: Admitting, exchange: Exchange) -> Outcome:
    """As a proxy asks the gate: before the origin if the ad is foreseen, then with the response."""
    asking = replace(exchange, response=None)
    before = await gate.admit(asking) if gate.foresees(asking) else Outcome()
    if before.action is Action.ANSWER or not gate.wants(exchange):
        return before
    after = await gate.admit(exchange)
    # What was decided before the origin was asked comes up again with the response, as a repeated sighting.
    new = (each for each in after.decisions if not (before.decisions and each.repeated))
    action = before.action if after.action is Action.PASS else after.action
    decisions, note = (*before.decisions, *new), after.note or before.note
    return after._replace(action=action, decisions=decisions, note=note, request=before.request)


def _changed(raw: dict[str, Any], recorded: har_entry.Recorded | None, outcome: Outcome) -> dict[str, Any] | None:
    """The entry as delivered; None where it stays as it is."""
    if recorded is None:
        return None
    return har_entry.delivered(raw, recorded, outcome, [_row(each, recorded) for each in outcome.decisions])


def _row(decision: Decision, recorded: har_entry.Recorded) -> dict[str, object]:
    """A decision as `_capper` shows it, in the journal's words."""
    row = Record.of(decision, recorded.exchange.at).row()
    return {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in _ELSEWHERE
    }
