"""What thousands of homes cost one cluster: their peak hour, four weeks of some of them, and their connections; for docs/scale.md.

    python -m benchmarks.scale [--homes 10000] [--long 12] [--days 28] [--server redis-server] [--write docs/scale.md]

The masters are real and run here; time is compressed, because the ledger takes `now` from its caller. The masters' own clocks are
not: what would have expired by the simulation's clock is deleted when its memory is measured. Every home has a secret of its own.
Figures are CPU time and bytes as the masters tell them, so that a busy machine changes them little. Linux only.
"""

import argparse
import asyncio
import itertools
import shutil
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.cluster import MASTERS, NOTHING, Cluster, Meter, started, version
from benchmarks.homes import ADS, AT_ONCE, HOURS, PEAK, PERSONS, POLICY, Meeting, Person, homes
from benchmarks.machine import machine
from benchmarks.report import write
from capper.domain.daily import EVERYBODY, Addition, Daily, day_of
from capper.domain.decision import Decision, conclude, prepare_all
from capper.domain.window import to_ms
from capper.journal import LIFE, LedgerSink, Record
from capper.ledger.entries import stored
from capper.ledger.link import Link, connect
from capper.ledger.redis import RedisLedger
from capper.ledger.secret import Secret
from capper.ledger.versions import Version
from capper.ledger.wire import stored_counter
from capper.policies.following import POLL

MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)
STARTER = (Path(__file__).parents[1] / "config" / "policy.toml").read_text("utf-8")
TOGETHER = 64
"""People who are served at the same time."""
CHUNK = 500
"""Homes that are gone through at a time."""


@dataclass
class Sum:
    """What one kind of work took."""

    calls: int = 0
    ours: float = 0.0
    """CPU seconds of this process: the cappers' side."""
    theirs: Meter = NOTHING

    def us(self) -> float:
        """Microseconds of a master for one call."""
        return self.theirs.cpu / self.calls * 1e6

    def line(self, name: str) -> str:
        """Its row of the table."""
        bytes_each = (
            f"{whole / self.calls:,.0f}" for whole in (self.theirs.received, self.theirs.sent, self.theirs.file)
        )
        return row(name, f"{self.calls:,}", f"{self.us():.0f}", f"{self.ours / self.calls * 1e6:.0f}", *bytes_each)


class Home:
    """One home's capper, as far as the ledger sees it."""

    def __init__(self, people: list[Person], link: Link) -> None:
        self.people = people
        self.ledger = RedisLedger(link, Secret())
        self.sink = LedgerSink(self.ledger)


Claimed = list[tuple[Home, Person, Meeting, list[Decision]]]


class Simulation:
    """Homes before a cluster; `sums` tells what each kind of work has taken."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.sums = {name: Sum() for name in ("claim", "journal record", "day's tally")}
        self.ads = self.withheld = 0

    async def hour(self, residents: list[Home], begins: datetime) -> None:
        """An hour of these homes: claims, then what they leave behind, each kind by itself to be measured."""
        claimed: Claimed = []
        await self._all(
            "claim", [self._claims(home, person, begins, claimed) for home in residents for person in home.people]
        )
        self.ads += sum(len(decisions) for *_, decisions in claimed)
        self.withheld += sum(decision.withheld for *_, decisions in claimed for decision in decisions)
        await self._all("journal record", [self._notes(*each) for each in claimed])
        await self._all("day's tally", [self._tally(*each) for each in claimed])

    async def _all(self, kind: str, work: list[Coroutine[Any, Any, int]]) -> None:
        found, before = self.sums[kind], await self.cluster.meter()
        began, places = time.process_time(), asyncio.Semaphore(TOGETHER)

        async def placed(one: Coroutine[Any, Any, int]) -> int:
            async with places:
                return await one

        found.calls += sum(await asyncio.gather(*map(placed, work)))
        found.ours += time.process_time() - began
        found.theirs += await self.cluster.meter() - before

    async def _claims(self, home: Home, person: Person, begins: datetime, claimed: Claimed) -> int:
        count = 0
        for meeting in person.hour(begins):
            prepared = prepare_all(POLICY, meeting.sightings, meeting.at)
            asked = [claim for _, claim in prepared]
            answers = await home.ledger.claim(person.name, asked, meeting.at, POLICY.gap)
            decisions = [
                conclude(POLICY, sighting, rule, claim, answer, meeting.at)
                for sighting, (rule, claim), answer in zip(meeting.sightings, prepared, answers, strict=True)
            ]
            claimed.append((home, person, meeting, decisions))
            count += 1
        return count

    async def _notes(self, home: Home, person: Person, meeting: Meeting, decisions: list[Decision]) -> int:
        del person
        return await home.sink.keep([Record.of(decision, meeting.at) for decision in decisions])

    async def _tally(self, home: Home, person: Person, meeting: Meeting, decisions: list[Decision]) -> int:
        """What `Tallying` writes within a second of an exchange."""
        day, shown = day_of(meeting.at, UTC), Counter[str]()
        for decision in decisions:
            for name in (EVERYBODY, *decision.ad.advertisers):
                shown[name] += not decision.withheld
        site = frozenset(sighting.site for sighting in meeting.sightings if sighting.site)
        additions = [
            Addition(name, day, Daily(count, 0), site if name else frozenset()) for name, count in shown.items()
        ]
        await home.ledger.tally(person.name, additions, day)
        return 1


async def peak_hour(cluster: Cluster, links: list[Link], count: int, seed: int) -> tuple[Simulation, list[Home]]:
    """The busiest hour of all homes; and some of them, to be asked again."""
    simulation, some = Simulation(cluster), []
    population = homes(count, seed)
    while people := list(itertools.islice(population, CHUNK)):
        residents = [Home(each, link) for each, link in zip(people, itertools.cycle(links), strict=False)]
        await simulation.hour(residents, MIDNIGHT + timedelta(hours=PEAK))
        some.append(residents[0])
    return simulation, some


async def weeks(cluster: Cluster, link: Link, count: int, days: int, seed: int) -> list[str]:
    """Four weeks of some homes: what is kept of a person, by the day."""
    residents = [Home(people, link) for people in homes(count, seed)]
    persons = sum(len(home.people) for home in residents)
    simulation, empty = Simulation(cluster), (await cluster.meter()).memory
    lines = [
        row("after days", "keys a person", "bytes a person", *KINDS.values()),
        "|--:|--:|--:|" + "--:|" * len(KINDS),
    ]
    for day in range(days):
        for hour in range(24):
            await simulation.hour(residents, MIDNIGHT + timedelta(days=day, hours=hour))
        if day + 1 in {1, 7, 14, 21, days}:
            kept = await expire(link, MIDNIGHT + timedelta(days=day + 1))
            size = (await cluster.meter()).memory - empty
            shares = (f"{kept[letter] / persons:,.0f}" for letter in KINDS)
            lines.append(row(day + 1, f"{kept.total() / persons:,.0f}", f"{size / persons:,.0f}", *shares))
    return [
        f"{persons} people in {count} homes, {simulation.ads:,} ads, {simulation.withheld / simulation.ads:.0%} withheld:",
        "",
        *lines,
    ]


KINDS = {b"C": "creatives", b"A": "advertisers", b"d": "tallies", b"j": "journal"}


async def expire(link: Link, now: datetime) -> Counter[bytes]:
    """Delete what has expired by the simulation's clock; returns how many of each kind are left."""
    left: Counter[bytes] = Counter()
    async for portion in stored(link):
        gone = []
        for key, value, _ in portion:
            kind = key.partition(b"}")[2][:1]
            if expired(kind, key, value, to_ms(now)):
                gone.append(key)
            else:
                left[kind] += 1
        by_tag = itertools.groupby(sorted(gone), lambda key: key.partition(b"}")[0])
        for _, keys in by_tag:
            await link("UNLINK", *keys)
    return left


def expired(kind: bytes, key: bytes, value: bytes, now: int) -> bool:
    """Whether an entry has, at midnight: sessions, occasions and what counts within a page live for minutes."""
    if kind in KINDS and kind in b"CA":
        return stored_counter(value)[0] <= now
    if kind == b"j":
        return int(key.partition(b"}j")[2][:12], 16) <= now - LIFE // timedelta(milliseconds=1)
    return kind not in KINDS


async def connections(cluster: Cluster, count: int) -> list[str]:
    """So many homes that listen for their policy, each on a connection and a channel of its own."""
    lines = [row("what", "connections", "bytes each", "masters' CPU, us"), "|---|--:|--:|--:|"]
    before = await cluster.meter()
    opened = []
    for number in range(count):
        port = cluster.ports[number % MASTERS]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"SUBSCRIBE cap{%012d}v\r\n" % number)
        await reader.readline()
        opened.append((reader, writer))
    taken = await cluster.meter() - before
    lines.append(
        row("a subscriber comes", f"{count:,}", f"{taken.memory / count:,.0f}", f"{taken.cpu / count * 1e6:.0f}")
    )
    lines.append(await announced(cluster, count, "PUBLISH"))
    lines.append(await announced(cluster, count, "SPUBLISH"))
    for _, writer in opened:
        writer.close()
    return lines


async def announced(cluster: Cluster, count: int, command: str) -> str:
    """Its row: an announcement to every home's channel."""
    before, link = await cluster.meter(), connect(cluster.address, 60)
    for number in range(count):
        await link(command, b"cap{%012d}v" % number, "1")
    await link.close()
    await asyncio.sleep(1)  # until the masters have told each other
    taken = await cluster.meter() - before
    return row(f"`{command}` to a home", "", "", f"{taken.cpu / count * 1e6:.0f}")


async def policies(cluster: Cluster, link: Link, count: int) -> tuple[list[str], float]:
    """What following a policy takes: putting one in force, and looking whether there is another (microseconds)."""
    found = [RedisLedger(link, Secret()) for _ in range(count)]
    start = await cluster.meter()
    for each in found:
        await each.versions.add(Version(1, MIDNIGHT, "owner", "", STARTER), 0)
    applied = await cluster.meter()
    for each in found:
        await each.versions.newest()
    adding, looking = applied - start, await cluster.meter() - applied
    look = looking.cpu / count * 1e6
    return [
        row("the starter policy is applied", "", f"{adding.memory / count:,.0f}", f"{adding.cpu / count * 1e6:.0f}"),
        row(f"a look for another policy (each {POLL:g} s)", "", "", f"{look:.0f}"),
    ], look


async def records(cluster: Cluster, some: list[Home]) -> list[str]:
    """What it takes to show one person her record, beside all the others' entries."""
    keys = sum([await link("DBSIZE") for link in cluster.links])
    before, began = await cluster.meter(), time.perf_counter()
    asked = some[:10]
    for home in asked:
        await home.ledger.entries(home.people[0].name, MIDNIGHT)
    took, taken = time.perf_counter() - began, await cluster.meter() - before
    each = len(asked)
    return [
        row(f"{keys:,}", f"{taken.commands / each:,.0f}", f"{taken.cpu / each * 1e3:,.2f}", f"{took / each * 1e3:,.1f}")
    ]


async def measured(cluster: Cluster, args: argparse.Namespace) -> list[str]:
    """All tables."""
    link = connect(cluster.address, 60)
    lines = [
        f"Machine: {machine()}. {datetime.now(UTC):%Y-%m-%d}, {MASTERS} masters of {version(args.server)}, {args.homes:,} homes.",
        "",
    ]
    # As many connections as are served at a time: on one, requests come together and cost a master less than homes' do.
    links = [connect(cluster.address, 60) for _ in range(TOGETHER)]
    peak, some = await peak_hour(cluster, links, args.homes, args.seed)
    lines += [
        row("peak hour", "calls", "master's CPU, us", "capper's CPU, us", "bytes in", "bytes out", "bytes of file")
    ]
    lines += ["|---|--:|--:|--:|--:|--:|--:|", *(found.line(name) for name, found in peak.sums.items()), ""]
    lines += [row("entries in the cluster", "commands", "masters' CPU, ms", "time, ms"), "|--:|--:|--:|--:|"]
    lines += [*await records(cluster, some), ""]
    # Before there are thousands of connections, whose end takes the masters time.
    followed, look = await policies(cluster, link, 1000)
    lines += [*await connections(cluster, min(args.homes, 12_000)), *followed, ""]
    for node in cluster.links:
        await node("FLUSHALL", "SYNC")
    lines += [*await weeks(cluster, link, args.long, args.days, args.seed), ""]
    lines += per_day(peak, look)
    for each in (link, *links):
        await each.close()
    await cluster.close()
    return lines


def per_day(peak: Simulation, look: float) -> list[str]:
    """What a person's day costs, from what each call does and a look for another policy takes (microseconds)."""
    exchanges = ADS / AT_ONCE
    polls = 86_400 / POLL / PERSONS
    often = dict(zip(peak.sums, (exchanges, ADS, exchanges), strict=True))
    cpu = {name: often[name] * found.us() / 1e6 for name, found in peak.sums.items()}
    moved = sum(
        often[name] * (found.theirs.received + found.theirs.sent) / found.calls for name, found in peak.sums.items()
    )
    file = sum(often[name] * found.theirs.file / found.calls for name, found in peak.sums.items())
    return [
        row("a person's day", ""),
        "|---|--:|",
        row("ads, exchanges, looks for a policy", f"{ADS:.0f}, {exchanges:.0f}, {polls:,.0f}"),
        row("masters' CPU for her ads, ms", f"{sum(cpu.values()) * 1e3:.0f}"),
        row("masters' CPU for her share of the looks, ms", f"{polls * look / 1e3:.0f}"),
        row("bytes to and from the masters", f"{moved:,.0f}"),
        row("bytes written to the append-only file", f"{file:,.0f}"),
        row("share of the day in its busiest hour", f"{HOURS[PEAK]:g} %"),
    ]


def row(*cells: object) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Start the cluster, let the homes live, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--homes", type=int, default=10_000)
    parser.add_argument("--long", type=int, default=12, help="homes that are followed for weeks")
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--server", default=shutil.which("redis-server"), help="the redis-server or valkey-server to start"
    )
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    args = parser.parse_args()
    with started(args.server) as cluster:
        table = "\n".join(asyncio.run(measured(cluster, args)))
    print(table)
    if args.write:
        write(args.write, table)


if __name__ == "__main__":
    main()
