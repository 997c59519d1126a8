"""What is decided reaches a person's days beside the traffic, once, and is lost rather than waited for."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from capper.domain.daily import EVERYBODY, Daily, Follower, day_of
from capper.domain.decision import Decision, Verdict
from capper.domain.errors import LedgerUnavailable
from capper.domain.identity import Ad, Viewer
from capper.journal import Journal, Level, ListSink
from capper.ledger.memory import MemoryLedger
from capper.ledger.tallying import Tallying
from capper.testing import NOON, a_sighting, an_ad

ANNA = Viewer("anna")
TODAY = day_of(NOON, UTC)


def decided(ad: Ad, *, withheld: bool = False, repeated: bool = False) -> Decision:
    verdict = Verdict.WITHHOLD if withheld else Verdict.SHOW
    return Decision(verdict, ANNA, ad, "caps", repeated=repeated)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


def journal(ledger, level=Level.OWN, zone=UTC) -> Journal:
    return Journal(level, ListSink(), tallier=Tallying(ledger, lambda: zone, every=0))


async def days(ledger) -> dict[str, Follower]:
    return {each.name: each for each in await ledger.followers("anna", TODAY)}


async def test_each_advertiser_has_its_days(ledger):
    """An ad counts for every advertiser it declares, once in the sum; a repeated sighting is counted already."""
    kept = journal(ledger)
    both = Ad(("shoes.example", "bikes.example", "shoes.example"))
    for decision in (decided(both), decided(both, withheld=True), decided(both, repeated=True), decided(Ad())):
        kept.decided(NOON, [a_sighting(both)], [decision])
    await kept.close()

    expected = {TODAY: Daily(1, 1)}
    assert {
        EVERYBODY: Follower(EVERYBODY, {TODAY: Daily(2, 1)}),
        "shoes.example": Follower("shoes.example", expected, 1),
        "bikes.example": Follower("bikes.example", expected, 1),
    } == await days(ledger)


async def test_nothing_is_kept_at_level_0(ledger):
    """Who wants nothing written down has no days either."""
    kept = journal(ledger, Level.NOTHING)
    kept.decided(NOON, [a_sighting()], [decided(an_ad())])
    await kept.close()

    assert {} == await days(ledger)


async def test_days_are_those_of_the_policys_clock(ledger):
    """Half past eleven at night in London is tomorrow in Stockholm."""
    late = NOON + timedelta(hours=11, minutes=30)
    kept = journal(ledger, zone=ZoneInfo("Europe/Stockholm"))
    kept.decided(late, [a_sighting()], [decided(an_ad())])
    await kept.close()

    assert [TODAY + 1] * 2 == [day for each in await ledger.followers("anna", TODAY + 1) for day in each.days]


async def test_a_ledger_that_is_gone_costs_days_and_nothing_else():
    """What it does not take is lost; the journal goes on and closes."""

    class Gone(MemoryLedger):
        async def tally(self, viewer, additions, today):
            raise LedgerUnavailable("gone")

    kept = journal(Gone())
    kept.decided(NOON, [a_sighting()], [decided(an_ad())])

    assert await kept.close() is None


async def test_what_a_second_brings_is_written_together(ledger):
    """One call for each person, whatever happened."""
    calls = []

    class Counting(MemoryLedger):
        async def tally(self, viewer, additions, today):
            calls.append((viewer, len(additions)))

    tallying = Tallying(Counting(), lambda: UTC)
    for _ in range(10):
        tallying.decided(NOON, [a_sighting()], [decided(an_ad())])
    await tallying.close()

    assert [("anna", 2)] == calls
