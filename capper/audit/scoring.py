"""One figure for how pages treat their readers, from 0 to 100, by the documented formula; and what was measured besides."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from capper.audit.findings import Finding
from capper.audit.met import Run
from capper.audit.yardstick import Of, Yardstick
from capper.domain.identity import Level


@dataclass(frozen=True, slots=True)
class Loss:
    """What one kind of finding costs: `share` of what it is `Of` is affected."""

    code: str
    affected: int
    whole: int
    points: float
    most: float

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.affected / self.whole if self.whole else 0.0


def losses(run: Run, findings: Sequence[Finding], yardstick: Yardstick) -> list[Loss]:
    """Of each kind that was found: `points * (1 + min(1, share / full)) / 2`; what several findings of a kind affect counts once."""
    wholes = {
        Of.ADS: len(run.meetings),
        Of.LOADS: len(run.loads),
        Of.NOTICES: sum(len(load.look.notices) for load in run.loads if load.look),
        Of.CHOICES: len(run.choices),
    }
    found = []
    for fault in yardstick.faults.values():
        affected = frozenset[int]().union(*(each.affected for each in findings if each.code == fault.code))
        if affected:
            whole = wholes[fault.of]
            lost = fault.points * (1 + min(1.0, len(affected) / whole / fault.full)) / 2
            found.append(Loss(fault.code, len(affected), whole, lost, fault.points))
    return found


def score(lost: Sequence[Loss]) -> int:
    """100 less what was lost, rounded half up; 0 at the least."""
    return max(0, int(100 - sum(each.points for each in lost) + 0.5))


def metrics(run: Run) -> dict[str, float]:
    """Figures of the run by the names of the limits, where they can be told, and some that have none."""
    per_load = Counter(each.load for each in run.meetings)
    looks = [load.look for load in run.loads if load.look]
    people = {load.person for load in run.loads}
    sessions = {(load.person, load.session) for load in run.loads}
    sizes = [load.ad_size / 1024 for load in run.loads]
    whole = sum(load.size for load in run.loads)
    found: dict[str, float] = {
        "people": len(people),
        "sessions": len(sessions),
        "loads": len(run.loads),
        "ads": len(run.meetings),
        "ads_identified": sum(each.ad.identified for each in run.meetings),
        "advertisers": len({name for each in run.meetings for name in each.ad.advertisers}),
        "ads_per_page": max(per_load.values(), default=0),
        "ads_per_page_mean": len(run.meetings) / len(run.loads) if run.loads else 0.0,
        "ad_weight_kb": max(sizes, default=0.0),
        "ad_weight_kb_median": median(sizes) if sizes else 0.0,
        "ad_share_of_bytes": sum(load.ad_size for load in run.loads) / whole if whole else 0.0,
    }
    for level in (Level.CREATIVE, Level.CAMPAIGN, Level.ADVERTISER):
        found[f"repeats_per_{level}_per_session"] = max(repeats(run, level).values(), default=0)
    if looks:
        notices = [notice for look in looks for notice in look.notices]
        found["marks_tried"] = len(notices)
        found["dead_choices"] = sum(not notice.works for notice in notices)
        found["ads_per_screen"] = max(look.most_on_screen for look in looks)
        found["ad_share_of_screen"] = max(look.share for look in looks)
    if run.choices:
        found["refusals"] = len(run.choices)
        found["unkept_choices"] = max(choice.again for choice in run.choices)
    return found


def repeats(run: Run, level: Level) -> Mapping[tuple[str, int, str], int]:
    """How often each name of that level was met, by person and session."""
    return Counter(
        (run.loads[each.load].person, run.loads[each.load].session, name)
        for each in run.meetings
        for name in each.ad.keys(level)
    )


def over_budget(findings: Sequence[Finding], budget: Collection[str]) -> list[Finding]:
    """Those findings that break one of the limits which the budget names."""
    return [each for each in findings if each.rule in budget]
