"""Recordings through the gate twice: with no cap, to see what readers meet, and with the policy, to see what it would have done."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from capper.assembly import Assembly, assemble
from capper.audit.met import Capped, Run
from capper.audit.watching import Watching
from capper.domain.decision import Decision
from capper.domain.identity import HOUSEHOLD, Viewer
from capper.domain.policy import Policy
from capper.domain.sighting import Sighting
from capper.journal import Journal, Level
from capper.ledger.memory import MemoryLedger
from capper.measure.har import Har
from capper.measure.replay import Summary, replay
from capper.settings import Settings

Entry = tuple[int, int | None]
"""A recording's number and an entry's."""
Step = Callable[[], object]


@dataclass
class _Withheld:
    """Counts, by the cap that spoke, what a policy withholds of the ads that were `met`, as the journal tells its tallier.

    Of a withheld ad the recording still holds the parts, which nobody would have asked for: they are no ads of their own.
    """

    met: Counter[Entry]
    journal: Journal = field(init=False)
    recording: int = 0
    by_cap: Counter[str] = field(default_factory=Counter)

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Count what was withheld."""
        del at, sightings
        entry = self.recording, self.journal.entry
        for decision in decisions:
            if self.met[entry] and not decision.repeated:
                self.met[entry] -= 1
                if decision.withheld:
                    self.by_cap[str(decision.cap) if decision.cap else decision.rule] += 1

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Nothing: the first pass sees prompts."""

    async def close(self) -> None:
        """Nothing to write."""


async def gather(
    settings: Settings,
    recordings: Sequence[Har],
    policy: Policy,
    *,
    viewer: str = HOUSEHOLD,
    progress: Step = lambda: None,
) -> Run:
    """What the recordings' readers met, and what `policy` would have made of it.

    Recordings of one person follow each other in the order given; `viewer` is whose an entry is that does not say.
    `progress` is called for each entry, twice.

    Raises:
        ConfigError: a recording or a list cannot be read.
    """
    watching = await _watched(settings, recordings, policy, viewer, progress)
    capped, summaries = await _capped(settings, recordings, policy, viewer, progress, Counter(watching.entries))
    return Run(
        tuple(each.name for each in recordings),
        tuple(watching.loads),
        tuple(watching.meetings),
        capped,
        sum(each.bodiless for each in summaries),
        sum(map(len, recordings)),
    )


async def _watched(
    settings: Settings, recordings: Sequence[Har], policy: Policy, viewer: str, progress: Step
) -> Watching:
    # No cap and no rule: what is met is what the pages do, whoever's policy may be in force.
    uncapped = Policy(people=policy.people, zone=policy.zone, session_gap=policy.session_gap)
    watching = Watching(policy.session_gap)
    journal = watching.journal = Journal(Level.COUNTS, tallier=watching)
    parts = await _assembled(settings, uncapped, journal)
    try:
        watching.gate, watching.recogniser = parts.gate, parts.recogniser.current
        for place, recording in enumerate(recordings):
            watching.recording = place
            await replay(recording, watching, journal, viewer=policy.viewer, unnamed=viewer, progress=progress)
    finally:
        await parts.close()
    return watching


async def _capped(
    settings: Settings,
    recordings: Sequence[Har],
    policy: Policy,
    viewer: str,
    progress: Step,
    met: Counter[Entry],
) -> tuple[Capped, list[Summary]]:
    whole = met.total()
    withheld = _Withheld(met)
    journal = withheld.journal = Journal(Level.COUNTS, tallier=withheld)
    parts = await _assembled(settings, policy, journal)
    summaries = []
    try:
        for withheld.recording, each in enumerate(recordings):
            through = replay(each, parts.gate, journal, viewer=policy.viewer, unnamed=viewer, progress=progress)
            summaries.append((await through).summary)
    finally:
        await parts.close()
    capped = Capped(
        whole,
        withheld.by_cap.total(),
        dict(withheld.by_cap.most_common()),
        _added(each.paid for each in summaries),
        _added(each.lost for each in summaries),
    )
    return capped, summaries


async def _assembled(settings: Settings, policy: Policy, journal: Journal) -> Assembly:
    return await assemble(settings, ledger=MemoryLedger(), policy=lambda: policy, journal=journal)


def _added(amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in amounts:
        for currency, amount in each.items():
            total[currency] = total.get(currency, 0.0) + amount
    return total
