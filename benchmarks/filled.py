"""How much memory a ledger takes for each (person, ad), by the server's own account (INFO memory).

What only lasts for a page or for minutes is taken out first: it is not kept for an ad, and the number of ads met within
minutes is another question.
"""

import asyncio
from collections.abc import Collection, Iterator
from datetime import timedelta

from benchmarks.asked import NOON, STARTER, batches, policy, served
from benchmarks.figures import Figure
from benchmarks.run import Run
from capper.domain.decision import prepare_all
from capper.domain.policy import Policy
from capper.ledger.embedded import EmbeddedLedger
from capper.testing import a_sighting, an_ad

ADS = 1000
"""That each person has met."""
PEOPLE = 1000
_AT_ONCE = 100
_LASTS = 3_600_000
"""Milliseconds: what goes sooner is not kept for an ad."""
_UNLINK_SOON = """
local cursor, keys = unpack(redis.call('SCAN', ARGV[1], 'COUNT', 2000))
for _, key in ipairs(keys) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left < tonumber(ARGV[2]) then redis.call('DEL', key) end
end
return cursor
"""


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """One row for each (person, ad); then all that the starter policy has a ledger keep."""
    if "memory-entry" in keys:
        one_level = policy("5 per advertiser per day")
        yield Figure.plain("memory-entry", [asyncio.run(_bytes_each(run, "one", one_level, run.scaled(PEOPLE)))])
    if "memory-starter" in keys:
        people = run.scaled(PEOPLE // 5)
        yield Figure.plain("memory-starter", [asyncio.run(_bytes_each(run, "all", policy(*STARTER), people))])


async def _bytes_each(run: Run, name: str, held: Policy, people: int) -> float:
    """Bytes for each ad of each of so many people."""
    async with served(run.folder / name) as ledger:
        before = await _used(ledger)
        for person in range(people):
            for numbers in batches(ADS, _AT_ONCE):
                await _claim(ledger, held, f"person{person}", numbers)
            if person % 20 == 0 or person == people - 1:
                await _forget_what_goes_soon(ledger)
        return (await _used(ledger) - before) / (people * ADS)


async def _claim(ledger: EmbeddedLedger, held: Policy, person: str, numbers: range) -> None:
    """So many ads, each another advertiser's, in one call."""
    now = NOON + timedelta(seconds=numbers[0])
    sightings = [
        a_sighting(an_ad(f"brand{n}.example", f"ads.example/{n}"), viewer=person, occasion=f"{person}{n}", page=f"p{n}")
        for n in numbers
    ]
    await ledger.claim(person, [claim for _, claim in prepare_all(held, sightings, now)], now, held.gap)


async def _forget_what_goes_soon(ledger: EmbeddedLedger) -> None:
    cursor = b"0"
    while True:
        cursor = await ledger.link("EVAL", _UNLINK_SOON, "0", cursor, str(_LASTS))
        if cursor == b"0":
            return


async def _used(ledger: EmbeddedLedger) -> int:
    """What the server says it uses."""
    info: bytes = await ledger.link("INFO", "memory")
    return int(info.partition(b"used_memory:")[2].split()[0])
