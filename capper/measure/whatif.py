"""What another policy would have done: shown and withheld by advertiser, reach and frequency, before and after.

Two ways to know. Recordings go through both policies, and every number is exact. From the ledger's days (how often each advertiser
was shown and withheld) only upper bounds can be told (`capper.domain.reckoning`), so both policies are reckoned in the same way.

    reach        how many people an advertiser was shown to at all
    frequency    of those pairs of a person and an advertiser, the share that met exactly n times
    distance     between two frequencies (`capper.domain.frequency`)
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from capper.domain.cap import Cap
from capper.domain.daily import EVERYBODY, SPAN, Daily, Follower
from capper.domain.frequency import distance, shares
from capper.domain.policy import Policy
from capper.domain.reckoning import Speaking, at_most, speaking, untold
from capper.measure.replay import Count, Summary

Pair = tuple[str, str]
"""A person and an advertiser."""


PAID_ASSUMES = (
    "This assumes that each auction seen is won by its highest bid, that each win is shown and paid at its price, and that"
    " others would bid as they did. Bids without a price, and auctions held elsewhere, are left out."
)
"""What stands beside every sum of what auctions pay."""


@dataclass(frozen=True, slots=True)
class Side:
    """What a policy makes of an advertiser: how many are shown (at most, if reckoned) and withheld, and to how many people."""

    shown: int = 0
    withheld: int = 0
    reach: int = 0

    @property
    def frequency(self) -> float:
        """How often each of those who were reached was, on average."""
        return self.shown / self.reach if self.reach else 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One advertiser: what was met in all, and both policies' sides. `perhaps`: rules that may speak, of which counts do not tell."""

    advertiser: str
    met: int
    before: Side
    after: Side
    perhaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Money:
    """What the winning bids of the auctions pay in one currency ("" where none is named): as recorded, and under each policy."""

    currency: str
    recorded: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two policies over the same ads; `exact` unless reckoned from counts, of which `untold` caps were left out."""

    rows: tuple[Row, ...]
    before: Mapping[int, int]
    """How many pairs of a person and an advertiser met exactly so often, under the policy of before."""
    after: Mapping[int, int]
    people: int
    exact: bool
    counted: Daily | None = None
    """What was in fact shown and withheld, where that is known."""
    untold: tuple[str, ...] = ()
    money: tuple[Money, ...] = ()
    """Of recordings whose auctions carry prices."""

    @property
    def distance(self) -> float:
        """Between the two frequencies."""
        return distance(shares(self.before), shares(self.after))

    def total(self, side: str) -> Side:
        """The sum over all advertisers; `reach` is how many pairs met at all."""
        sides: list[Side] = [getattr(row, side) for row in self.rows]
        return Side(*(sum(getattr(one, name) for one in sides) for name in ("shown", "withheld", "reach")))


# Recordings


def of_replays(before: Sequence[Summary], after: Sequence[Summary]) -> Comparison:
    """The same recordings under two policies; several are one after the other."""
    sides = [_counts(summaries) for summaries in (before, after)]
    names = sorted({advertiser for counts in sides for _, advertiser in counts})
    rows = [
        Row(name, old.shown + old.withheld, old, new)
        for name in names
        for old, new in [tuple(_side(counts, name) for counts in sides)]
    ]
    people = len({person for counts in sides for person, _ in counts})
    histograms = [Counter(count.shown for count in counts.values()) for counts in sides]
    return Comparison(_ranked(rows), histograms[0], histograms[1], people, exact=True, money=_money(before, after))


def _money(before: Sequence[Summary], after: Sequence[Summary]) -> tuple[Money, ...]:
    def total(amounts: Iterable[Mapping[str, float]], currency: str) -> float:
        return sum(each.get(currency, 0.0) for each in amounts)

    found = []
    for currency in sorted({name for summary in before for name in summary.paid}):
        paid = total((each.paid for each in before), currency)
        left = (paid - total((each.lost for each in side), currency) for side in (before, after))
        found.append(Money(currency, paid, *left))
    return tuple(found)


def _counts(summaries: Iterable[Summary]) -> dict[Pair, Count]:
    found: dict[Pair, Count] = {}
    for summary in summaries:
        for person, advertisers in summary.viewers.items():
            for advertiser, count in advertisers.items():
                known = found.setdefault((person, advertiser), Count())
                known.shown += count.shown
                known.withheld += count.withheld
    return found


def _side(counts: Mapping[Pair, Count], advertiser: str) -> Side:
    mine = [count for (_, name), count in counts.items() if name == advertiser]
    return Side(
        sum(count.shown for count in mine),
        sum(count.withheld for count in mine),
        sum(count.shown > 0 for count in mine),
    )


# The ledger's days


def of_days(
    followers: Sequence[Follower], person: str, before: Policy, after: Policy, today: int, span: int = SPAN
) -> Comparison:
    """What two policies would have made of a person's last `span` days; what was withheld is taken to come again."""
    rows: list[Row] = []
    left_out: dict[str, None] = {}
    for each in followers:
        met = {day: counts.met for day, counts in each.days.items() if today - span < day <= today and counts.met}
        if each.name == EVERYBODY or not met:
            continue
        found = [speaking(policy, person, each.name) for policy in (before, after)]
        old, new = (_reckoned(met, one.rule.caps) for one in found)
        rows.append(Row(each.name, sum(met.values()), old, new, _names(found)))
        left_out |= dict.fromkeys(str(cap) for one in found for cap in untold(one.rule.caps))
    return Comparison(
        _ranked(rows),
        Counter(row.before.shown for row in rows),
        Counter(row.after.shown for row in rows),
        people=1,
        exact=False,
        counted=sum((each.within(today, span) for each in followers if each.name == EVERYBODY), Daily()),
        untold=tuple(left_out),
    )


def _reckoned(met: Mapping[int, int], caps: Sequence[Cap]) -> Side:
    shown = sum(at_most(met, caps).values())
    return Side(shown, sum(met.values()) - shown, int(shown > 0))


def _names(found: Sequence[Speaking]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.name for one in found for rule in one.perhaps))


def _ranked(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Those first of whom the most is different, then those met most."""
    return tuple(sorted(rows, key=lambda row: (-abs(row.before.shown - row.after.shown), -row.met, row.advertiser)))
