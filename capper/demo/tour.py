"""The tour: two people, three devices, a handful of pages and one day, and what became of the ads."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

from capper.demo.household import Household, TurnedClock
from capper.demo.sites import NEWS, RECIPES, WEATHER
from capper.demo.visitor import Visitor
from capper.domain.decision import Verdict
from capper.journal import Record, parse

POLICY = """\
# The policy of the demo's household.
caps = ["3 per advertiser per day"]
house_ads = ["recipes.example"]           # may know of what was withheld, and show a notice of its own there

[people.anna]
devices = ["127.0.0.2", "127.0.0.3"]      # her laptop and her phone

[people.ben]
devices = ["127.0.0.4"]

[[rules]]
name = "ben has had his holiday"
people = ["ben"]
advertiser = "travel.example"
caps = ["never"]
"""
DEVICES = {"anna's laptop": "127.0.0.2", "anna's phone": "127.0.0.3", "ben's laptop": "127.0.0.4"}
_AGENT = "Mozilla/5.0 (capper demo; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


@dataclass(frozen=True, slots=True)
class Step:
    """A page that somebody opens, so long after the one before."""

    device: str
    site: str
    after: timedelta

    @property
    def person(self) -> str:
        """Whose device it is."""
        return self.device.partition("'")[0]


STEPS = (
    Step("anna's laptop", NEWS.host, timedelta()),
    Step("anna's phone", WEATHER.host, timedelta(minutes=4)),
    Step("anna's laptop", RECIPES.host, timedelta(minutes=3)),
    Step("anna's phone", NEWS.host, timedelta(minutes=6)),
    Step("anna's laptop", WEATHER.host, timedelta(minutes=2)),
    Step("ben's laptop", NEWS.host, timedelta(minutes=1)),
    Step("ben's laptop", WEATHER.host, timedelta(minutes=5)),
    Step("anna's laptop", RECIPES.host, timedelta(minutes=10)),
    Step("anna's phone", NEWS.host, timedelta(hours=24)),
)


@dataclass(frozen=True, slots=True)
class Stop:
    """One page of the tour and what was decided about its ads, in the order they came."""

    at: datetime
    step: Step
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table at the end: a person and an advertiser."""

    person: str
    advertiser: str
    shown: int
    withheld: int
    why: str
    reopens: datetime | None


async def tour(household: Household, clock: TurnedClock) -> AsyncIterator[Stop]:
    """Walk through `STEPS`, one stop at a time, in the household's real proxy."""
    async with AsyncExitStack() as stack:
        browsers = {
            device: await stack.enter_async_context(
                Visitor(household.door(device), household.certificate, _AGENT.format(device))
            )
            for device in DEVICES
        }
        for step in STEPS:
            clock.turn(step.after)
            await browsers[step.device].visit(f"https://{step.site}/")
            yield Stop(clock.now, step, await _decided(household, step.person, clock.now))


async def _decided(household: Household, person: str, at: datetime) -> tuple[Record, ...]:
    """What was decided for `person` at this very time: read from her own record in the ledger, as `explain` does."""
    await household.assembly.journal.drain()
    notes = await household.assembly.ledger.notes(person, at)
    records = (record for record in map(parse, notes) if record.time == at)
    return tuple(record for record in records if record.verdict and not record.repeated)


def summary(stops: Iterable[Stop]) -> list[Row]:
    """The table: by person and advertiser, with the reason and reopening of the last one withheld."""
    counts: Counter[tuple[str, str, Verdict]] = Counter()
    last: dict[tuple[str, str], Record] = {}
    names: dict[tuple[str, str], None] = {}
    for stop in stops:
        for record in stop.records:
            assert record.verdict
            key = (record.viewer, record.label)
            names[key] = None
            counts[*key, record.verdict] += 1
            if record.verdict is Verdict.WITHHOLD:
                last[key] = record
    return [
        Row(
            person,
            advertiser,
            counts[person, advertiser, Verdict.SHOW],
            counts[person, advertiser, Verdict.WITHHOLD],
            reason(last[person, advertiser]) if (person, advertiser) in last else "",
            last[person, advertiser].reopens if (person, advertiser) in last else None,
        )
        for person, advertiser in sorted(names)
    ]


def reason(record: Record) -> str:
    """Why an ad was withheld: the cap, and the rule where one spoke."""
    cap = f"{record.cap}, {record.count} counted" if record.count else f"{record.cap}"
    return cap if record.rule == "caps" else f"{cap}: {record.rule}"
