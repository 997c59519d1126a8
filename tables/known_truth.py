"""Capper's measurements beside what the demo's retargeter says it did: the same days, told by both.

People in blocks of four look at a product and go on reading. Half-way they look again, and half of each block opt out. One more buys.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from capper.demo.household import Household, TurnedClock, running_household
from capper.demo.retargeter import BOUGHT, HOSTS, OPT_OUT, PRODUCT, PUBLISHERS, Retargeter
from capper.demo.sites import SHOES
from capper.demo.world import running_world
from capper.domain.window import to_ms
from capper.journal import Level
from capper.study.experiment import Effect, Rate, Unit, against_itself, effect
from capper.study.metrics import pairs
from capper.study.register import (
    Participant,
    Study,
    StudyKeys,
    change_study,
    data_file,
    joined,
    key_file,
    make_key,
    register_file,
)
from capper.study.retargeting import Retargeting, retargeting
from capper.study.statistics import Interval, of_mean
from capper.study.store import Store
from capper.study.table import Exposures, Visits
from tables.row import Row, at_most, exactly

BEGUN = datetime(2026, 3, 2, 8, tzinfo=UTC)
STUDY = "known"
BUYER = "buyer"
CAPS = 'caps = ["4 per advertiser per day"]\n'
CONTROL = 0.2
"""The share of days on which caps are off: what was withheld must not change what was measured."""

Go = Callable[[str, str], Awaitable[None]]
"""Somebody opens an address in her browser, and waits until all of it is there."""
Browsing = Callable[[Household, Sequence[str]], AbstractAsyncContextManager[Go]]
"""A browser for each of these people, whose name for itself ends with the person's."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is browsed: blocks of four, two spells of `days`, so many pages a day."""

    blocks: int = 6
    days: int = 3
    pages: int = 4

    @property
    def people(self) -> list[str]:
        """Everybody, by name: `b2p3` is the fourth of the third block."""
        return [*(f"b{block}p{place}" for block in range(self.blocks) for place in range(4)), BUYER]

    @property
    def spell(self) -> timedelta:
        """Before the opt-out, and after it."""
        return timedelta(days=self.days)


def block_of(person: str) -> str:
    """The block's name; "" for who is in none."""
    return person[: person.index("p")] if person != BUYER else ""


def treated(person: str) -> bool:
    """Whether she opts out: two of each block do."""
    return person.endswith(("p0", "p1"))


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody opens an address."""

    at: datetime
    person: str
    url: str


def steps(size: Size, seed: int) -> list[Step]:
    """Who opens what when, in the order of time; no two at the same second."""
    rng = random.Random(f"steps {seed}")  # noqa: S311  nothing is secret here
    found = []
    for person in size.people:
        for spell in range(2):
            begun = BEGUN + spell * size.spell
            found.append(Step(begun + timedelta(minutes=rng.uniform(1, 20)), person, PRODUCT))
            if spell and treated(person):
                found.append(Step(begun + timedelta(minutes=rng.uniform(21, 30)), person, OPT_OUT))
            # At any time of the day or night: so a decay is the shop's, not the reader's.
            whole = size.spell - timedelta(minutes=35)
            found += [
                Step(begun + timedelta(minutes=31) + whole * rng.random(), person, f"https://{rng.choice(PUBLISHERS)}/")
                for _ in range(size.days * size.pages)
            ]
    found.append(Step(BEGUN + 0.6 * size.spell, BUYER, BOUGHT))
    found.sort(key=lambda step: step.at)
    return [
        Step(step.at.replace(microsecond=0) + timedelta(seconds=place), *_rest(step))
        for place, step in enumerate(found)
    ]


def _rest(step: Step) -> tuple[str, str]:
    return step.person, step.url


@dataclass(frozen=True)
class Run:
    """What capper recorded, and what the world says it did."""

    size: Size
    exposures: Exposures
    visits: Visits
    world: Retargeter
    names: Mapping[str, str]
    """What the study calls each person, and each advertiser by domain."""

    @property
    def until(self) -> datetime:
        """When it was over."""
        return BEGUN + 2 * self.size.spell

    @cached_property
    def met(self) -> dict[tuple[str, str], tuple[int, int]]:
        """By capper: for each person and advertiser how many exposures, on how many sites."""
        found = pairs(self.exposures, "advertiser")
        people, ads = self.exposures.person.names, self.exposures.advertiser.names
        told = zip(found.person, found.ad, found.observed.tolist(), found.sites.tolist(), strict=True)
        return {(people[who], ads[what]): (number, sites) for who, what, number, sites in told}

    @cached_property
    def really_met(self) -> dict[tuple[str, str], tuple[int, int]]:
        """The same by the world."""
        sites: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        numbers: Counter[tuple[str, str]] = Counter()
        for each in self.world.delivered:
            pair = self.names[person_of(each.agent)], self.names[each.advertiser.domain]
            numbers[pair] += 1
            sites[pair].add(each.site)
        return {pair: (number, len(sites[pair])) for pair, number in numbers.items()}

    @property
    def exposure_error(self) -> float:
        """Exposures that capper has too many or too few of, as a share of all."""
        off = sum(
            abs(self.met.get(pair, (0, 0))[0] - self.really_met.get(pair, (0, 0))[0])
            for pair in {*self.met, *self.really_met}
        )
        return off / len(self.world.delivered)

    @property
    def sites_wrong(self) -> int:
        """Pairs of a person and an advertiser whose number of sites is not the world's."""
        return sum(
            self.met.get(pair, (0, 0))[1] != self.really_met.get(pair, (0, 0))[1]
            for pair in {*self.met, *self.really_met}
        )

    def retargeting(self, people: Sequence[str]) -> Retargeting:
        """By capper, of these people."""
        chosen = np.isin(self.exposures.person.codes, _codes(self.exposures, [self.names[each] for each in people]))
        return retargeting(self.exposures.only(chosen), self.visits_of(people), to_ms(self.until))

    def visits_of(self, people: Sequence[str]) -> Visits:
        """What these people opened."""
        names = {self.names[each] for each in people}
        chosen = np.isin(
            self.visits.person.codes, [at for at, name in enumerate(self.visits.person.names) if name in names]
        )
        visits = self.visits
        return Visits(visits.time[chosen], visits.person[chosen], visits.site[chosen], visits.kind[chosen])

    @cached_property
    def lags(self) -> dict[str, timedelta]:
        """By the world: from each person's last look to the first of the shop's ads after one."""
        found: dict[str, timedelta] = {}
        for each in self.world.delivered:
            person = person_of(each.agent)
            if each.advertiser is SHOES and person not in found:
                looked = [
                    look.at
                    for look in self.world.looked
                    if person_of(look.agent) == person and look.at <= each.at and not look.bought
                ]
                if looked:
                    found[person] = each.at - max(looked)
        return found

    @property
    def unopted(self) -> list[str]:
        """The people of the blocks who never opt out."""
        return [person for person in self.size.people if person != BUYER and not treated(person)]

    def units(self) -> list[Unit]:
        """Each person of the blocks as capper measured her."""
        rows = self.exposures
        turn, shop = to_ms(BEGUN + self.size.spell + timedelta(minutes=31)), self.names[SHOES.domain]
        hers = rows.advertiser.codes == _codes(rows, [shop], "advertiser")[0]
        units = []
        for person in self.size.people:
            if person == BUYER:
                continue
            own = rows.person.codes == _codes(rows, [self.names[person]])[0]
            before, after = (
                Rate(int(np.count_nonzero(own & spell & hers)), int(np.count_nonzero(own & spell)))
                for spell in (rows.time < turn, rows.time >= turn)
            )
            units.append(Unit(block_of(person), treated(person), before, after))
        return units

    @property
    def planted(self) -> float:
        """The opt-out's effect as the world's own chances have it."""
        chances: defaultdict[tuple[str, bool], list[float]] = defaultdict(list)
        for each in self.world.delivered:
            after = each.at >= BEGUN + self.size.spell + timedelta(minutes=31)
            chances[person_of(each.agent), after].append(each.chance)
        by_block: defaultdict[tuple[str, bool], list[float]] = defaultdict(list)
        for person in self.size.people:
            if person != BUYER:
                change = np.mean(chances[person, True]) - np.mean(chances[person, False])
                by_block[block_of(person), treated(person)].append(float(change))
        blocks = {block for block, _ in by_block}
        return float(np.mean([np.mean(by_block[each, True]) - np.mean(by_block[each, False]) for each in blocks]))

    def effect(self, seed: int) -> Effect:
        """The opt-out's effect as capper measured it."""
        return effect(self.units(), seed)

    def against_itself(self, seed: int) -> Effect:
        """The same where nobody opted out."""
        return against_itself(self.units(), seed)


def half_life(found: Run) -> tuple[float, Interval]:
    """In days, of those who never opt out; the interval at 95 % by leaving out one after the other (the jackknife, on its logarithm)."""
    people, number = found.unopted, len(found.unopted)
    whole = _half_life(found, people)
    without = np.array([_half_life(found, [each for each in people if each != out]) for out in people])
    reach = of_mean(number * np.log(whole) - (number - 1) * np.log(without))
    return whole, Interval(float(np.exp(reach.low)), float(np.exp(reach.high)))


def _half_life(found: Run, people: Sequence[str]) -> float:
    return (found.retargeting(people).half_life or float("nan")) / 86_400_000


def rows(found: Run, seed: int) -> list[Row]:
    """What capper measured beside the truth, and whether it agrees."""
    measured = found.retargeting(found.size.people)
    lags = sorted(found.lags.values())
    lag = lags[(len(lags) - 1) // 2] / timedelta(milliseconds=1) if lags else 0.0
    days, reach = half_life(found)
    planted_days = found.world.habit.half_life / timedelta(days=1)
    opted, itself = found.effect(seed), found.against_itself(seed)
    return [
        at_most(f"exposures, of {len(found.world.delivered)}: too many or too few, %", 100 * found.exposure_error, 1),
        exactly("pairs of a person and an advertiser whose number of sites is not the world's", found.sites_wrong, 0),
        exactly(f"of {len(found.size.people)} who looked at the product, followed", measured.retargeted, len(lags)),
        at_most("lag, median: off by so many minutes", abs((measured.lag or 0) - lag) / 60_000, 1, "{:.1f}"),
        _inside("half-life, days", days, reach, planted_days),
        _inside("effect of opting out", opted.effect, opted.interval, found.planted),
        Row("the same, p", f"{opted.p:.4f}", "below 0.05", opted.p < 0.05),
        Row("the same where nobody opted out (A/A), p", f"{itself.p:.2f}", "0.05 or more", itself.p >= 0.05),
    ]


def _inside(what: str, measured: float, interval: Interval, truth: float) -> Row:
    told = f"{measured:.2f} ({interval.low:.2f} to {interval.high:.2f})"
    return Row(what, told, f"{truth:.2f} in its interval", truth in interval)


def person_of(agent: str) -> str:
    """Whose browser calls itself that."""
    return agent.rpartition(" ")[2]


def _codes(rows: Exposures, names: Sequence[str], column: str = "person") -> list[int]:
    known = getattr(rows, column).names
    return [known.index(name) for name in names if name in known]


async def run(folder: Path, size: Size, seed: int, browsing: Browsing, ledger: str = "memory") -> Run:
    """Everybody reads in the world, through a real proxy that records a study of all of them."""
    clock = TurnedClock(BEGUN)
    world = Retargeter(clock, seed=seed)
    people = size.people
    keys = _begin(folder / "state", people, seed, 2 * size.spell)
    devices = {person: f"127.0.1.{2 + place}" for place, person in enumerate(people)}
    policy = CAPS + "".join(f'[people.{person}]\ndevices = ["{devices[person]}"]\n' for person in people)
    behind = partial(running_world, answers=world, hosts=HOSTS)
    async with (
        running_household(
            folder, policy, devices, ledger=ledger, clock=clock, world=behind, journal_level=Level.RESEARCH
        ) as household,
        browsing(household, people) as go,
    ):
        for step in steps(size, seed):
            clock.now = step.at
            await go(step.person, step.url)
    store = Store.open(data_file(folder / "state", STUDY))
    exposures, visits = store.exposures(), store.visits()
    store.close()
    names = {person: keys.of("person", person) for person in people}
    domains = {each.advertiser.domain for each in world.delivered}
    return Run(size, exposures, visits, world, names | {domain: keys.of("advertiser", domain) for domain in domains})


def _begin(state: Path, people: Sequence[str], seed: int, length: timedelta) -> StudyKeys:
    state.mkdir(mode=0o700, parents=True)
    keys = StudyKeys(make_key(key_file(state, STUDY)))
    study = Study(STUDY, BEGUN, BEGUN + length, "All of it is made up.", seed, control=CONTROL)
    for person in people:
        study = joined(study, keys.of("person", person), Participant(BEGUN, study.text))
    change_study(register_file(state), STUDY, lambda _: study)
    return keys
