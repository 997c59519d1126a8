"""Recordings through the gate twice: with no cap, to see what readers meet, and with the policy, to see what it would have done."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from capper.assembly import Assembly, Knowledge, assemble, utc_now
from capper.audit import choices
from capper.audit.met import Capped, Choice, Refusal, Run
from capper.audit.watching import Watching
from capper.domain.decision import OCCASION_LIFE, Decision
from capper.domain.identity import HOUSEHOLD, Ad, Viewer
from capper.domain.policy import Policy
from capper.domain.sighting import Sighting
from capper.journal import Journal, Level
from capper.ledger.memory import MemoryLedger
from capper.measure.har import Har
from capper.measure.replay import Admitting, Summary, replay
from capper.settings import Settings
from capper.settings.version import ready_state

Entry = tuple[int, int | None]
"""A recording's number and an entry's."""
Step = Callable[[], object]


@dataclass
class _Withheld:
    """Counts, by the cap that spoke, what a policy withholds of the ads that were `met`, as the journal tells its tallier.

    Of a withheld ad the recording still holds the parts, which nobody would have asked for: they are no ads of their own. A bid is
    withheld where it was offered, and met where the page told that it was shown.
    """

    met: dict[Entry, list[tuple[str, Ad, datetime]]]
    """Reader, ad, and when its page was loaded, by where it was met."""
    journal: Journal = field(init=False)
    recording: int = 0
    by_cap: Counter[str] = field(default_factory=Counter)
    _offered: dict[tuple[str, Ad], list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """Count what was withheld."""
        del sightings
        here = self.met.get((self.recording, self.journal.entry), [])
        for decision in decisions:
            if decision.repeated:
                continue
            cap = str(decision.cap) if decision.cap else decision.rule
            if here:
                here.pop(0)
                self.by_cap[cap] += decision.withheld
            elif decision.withheld:
                self._offered[decision.viewer.name, decision.ad].append((at, cap))

    def ended(self) -> dict[str, int]:
        """How many, by cap, the most first: of what was not met any more, that which was withheld where it was offered."""
        for person, ad, at in chain.from_iterable(self.met.values()):
            offered = self._offered[person, ad]
            place = next((n for n, (when, _) in enumerate(offered) if abs(when - at) < OCCASION_LIFE), None)
            if place is not None:
                self.by_cap[offered.pop(place)[1]] += 1
        return {cap: count for cap, count in self.by_cap.most_common() if count}

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Nothing: the first pass sees prompts."""

    async def close(self) -> None:
        """Nothing to write."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A recording of one reader who refused ads by their own notices, and loaded the page again."""

    recording: Har
    refusals: Sequence[Refusal]


async def gather(
    settings: Settings,
    recordings: Sequence[Har],
    policy: Policy,
    *,
    trials: Sequence[Trial] = (),
    viewer: str = HOUSEHOLD,
    progress: Step = lambda: None,
) -> Run:
    """What the recordings' readers met, and what `policy` would have made of it.

    Recordings of one person follow each other in the order given; `viewer` is whose an entry is that does not say. Of `trials`
    it is only told whether refusals were kept to. `progress` is called for each entry, twice.

    Raises:
        ConfigError: a recording or a list cannot be read.
    """
    ready_state(settings.state)
    knowledge = await asyncio.to_thread(Knowledge.load, settings, utc_now())
    through = _Through(settings, knowledge, policy, viewer, progress)
    watching, said = await through.watched(recordings)
    capped, summaries = await through.capped(recordings, watching)
    found = [choice for each in trials for choice in await through.tried(each)]
    return Run(
        tuple(each.name for each in recordings),
        tuple(watching.loads),
        tuple(watching.meetings),
        capped,
        sum(each.bodiless for each in summaries),
        sum(map(len, recordings)),
        (*said, *filter(None, found)),
        found.count(None),
    )


@dataclass(frozen=True, slots=True)
class _Through:
    """Recordings through a gate that is made for it, with a ledger in memory."""

    settings: Settings
    knowledge: Knowledge
    policy: Policy
    viewer: str
    progress: Step

    async def watched(self, recordings: Sequence[Har]) -> tuple[Watching, list[Choice]]:
        """With no cap and no rule: what is met is what the pages do, whoever's policy may be in force."""
        policy = Policy(people=self.policy.people, zone=self.policy.zone, session_gap=self.policy.session_gap)
        watching = Watching(policy.session_gap)
        journal = watching.journal = Journal(Level.COUNTS, tallier=watching)
        # To open what an ad's "i" leads to is not yet to refuse it.
        parts = await self._assembled(policy, journal, replace(self.knowledge, optouts=self.knowledge.optouts.pings))
        try:
            watching.gate, watching.recogniser = parts.gate, parts.recogniser.current
            for watching.recording, recording in enumerate(recordings):
                await self._replayed(recording, watching, journal)
            ends = {load.person: load.at for load in watching.loads}
            mutes = {person: await parts.ledger.mutes(person, at) for person, at in ends.items()}
        finally:
            await parts.close()
        return watching, [*choices.recorded(mutes, watching.refused, watching.loads)]

    async def tried(self, trial: Trial) -> list[Choice | None]:
        """Whether what was said there was kept to."""
        quiet = replace(self, progress=lambda: None)
        seen, _ = await quiet.watched([trial.recording])
        return [*choices.tried(trial.refusals, seen.framed, seen.loads, seen.meetings)]

    async def capped(self, recordings: Sequence[Har], seen: Watching) -> tuple[Capped, list[Summary]]:
        """With the policy, of what was seen without."""
        met: dict[Entry, list[tuple[str, Ad, datetime]]] = defaultdict(list)
        for entry, each in zip(seen.entries, seen.meetings, strict=True):
            load = seen.loads[each.load]
            met[entry].append((load.person, each.ad, load.at))
        withheld = _Withheld(met)
        journal = withheld.journal = Journal(Level.COUNTS, tallier=withheld)
        parts = await self._assembled(self.policy, journal, self.knowledge)
        summaries = []
        try:
            for withheld.recording, recording in enumerate(recordings):
                summaries.append(await self._replayed(recording, parts.gate, journal))
        finally:
            await parts.close()
        by_cap = withheld.ended()
        capped = Capped(
            len(seen.meetings),
            sum(by_cap.values()),
            by_cap,
            _added(each.paid for each in summaries),
            _added(each.lost for each in summaries),
        )
        return capped, summaries

    async def _replayed(self, recording: Har, gate: Admitting, journal: Journal) -> Summary:
        named = self.policy.viewer
        found = await replay(recording, gate, journal, viewer=named, unnamed=self.viewer, progress=self.progress)
        return found.summary

    async def _assembled(self, policy: Policy, journal: Journal, knowledge: Knowledge) -> Assembly:
        ledger = MemoryLedger()
        return await assemble(self.settings, ledger=ledger, policy=lambda: policy, journal=journal, knowledge=knowledge)


def _added(amounts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for each in amounts:
        for currency, amount in each.items():
            total[currency] = total.get(currency, 0.0) + amount
    return total
