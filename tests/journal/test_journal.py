"""The journal: levels, a queue that never delays, sinks."""

import asyncio
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.decision import Verdict
from capper.domain.errors import LedgerUnavailable
from capper.domain.identity import Viewer
from capper.domain.prompt import Place, Prompt
from capper.journal import (
    LIFE,
    FileSink,
    Journal,
    LedgerSink,
    Level,
    ListSink,
    parse,
    read,
)
from capper.testing import NOON, a_sighting


class SlowSink(ListSink):
    """A sink that keeps nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def keep(self, records):
        await self.gate.wait()
        return await super().keep(records)


class BrokenSink(ListSink):
    async def keep(self, records):
        raise OSError("disk full")


class GoneLedger:
    async def note(self, viewer, records, now, life):
        raise LedgerUnavailable("gone")


class NotingLedger:
    def __init__(self):
        self.notes = []

    async def note(self, viewer, records, now, life):
        self.notes.append((viewer, records, now, life))


@pytest.mark.parametrize(("level", "site"), [(Level.OWN, None), (Level.RESEARCH, "news.example")])
async def test_site_only_for_research(level, site, a_decision):
    """A record names the site only at the research level."""
    sink = ListSink()
    journal = Journal(level, sink)
    journal.decided(NOON, [a_sighting()], [a_decision()])
    await journal.close()

    assert [record.site for record in sink.records] == [site]
    assert (b"news.example" in sink.records[0].line()) == (site is not None)


@pytest.mark.parametrize(("level", "counts", "kept"), [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 1, 1)])
async def test_levels(level, counts, kept, a_decision):
    """Level 0 notes nothing, 1 counts, 2 and 3 keep records."""
    sink = ListSink()
    journal = Journal(Level(level), sink)
    journal.decided(NOON, [a_sighting()], [a_decision()])
    await journal.close()

    assert journal.totals.withheld == counts
    assert len(sink.records) == kept


@pytest.mark.parametrize(
    ("chosen", "tallied", "kept"),
    [
        (0, 0, ["ben"]),
        (1, 2, ["ben"]),
        (2, 2, ["anna", "anna", "anna", "ben"]),
        (3, 2, ["anna", "anna", "anna", "ben"]),
    ],
)
async def test_a_person_chooses_less_than_the_household(chosen, tallied, kept, a_decision):
    """Of anna no more is written down than she chose, nor than the household's level; of ben all that it says."""
    sink, anna, ben, days = ListSink(), Viewer("anna"), Viewer("ben"), []

    class Tallier:
        def decided(self, _, sightings, decisions):
            days.append(decisions[0].viewer.name)

        def cut(self, _, viewer, __):
            days.append(viewer.name)

        async def close(self):
            pass

    journal = Journal(Level.OWN, sink, tallier=Tallier(), chosen={"anna": chosen}.get)
    journal.decided(NOON, [a_sighting()], [a_decision()])
    journal.cut(NOON, anna, [Prompt(Place.PAGE, "loan offered", "en", ())])
    journal.untouched(NOON, anna, "larger than the limit")
    journal.decided(NOON, [a_sighting()], [replace(a_decision(), viewer=ben)])
    await journal.close()

    assert (tallied, 1) == (days.count("anna"), days.count("ben"))
    assert kept == [record.viewer for record in sink.records]
    assert [None] * len(kept) == [record.site for record in sink.records]


async def test_no_sink_counts_only(a_decision):
    """A journal with nowhere to write counts and queues nothing."""
    journal = Journal(Level.OWN)
    journal.decided(NOON, [a_sighting()], [a_decision(Verdict.SHOW)])
    journal.untouched(NOON, Viewer("anna"), "larger than the limit")
    await journal.close()

    assert (journal.totals.shown, journal.totals.untouched, journal.waiting) == (1, 1, 0)


async def test_totals(a_decision):
    """A repeated sighting counts as neither shown nor withheld; an uncounted one is counted as such."""
    journal = Journal(Level.COUNTS)
    decisions = [
        a_decision(Verdict.SHOW),
        a_decision(Verdict.SHOW, repeated=True),
        a_decision(),
        a_decision(Verdict.SHOW, counted=False),
    ]
    journal.decided(NOON, [a_sighting()] * 4, decisions)
    totals = journal.totals

    assert (totals.shown, totals.withheld, totals.repeated, totals.uncounted) == (2, 1, 1, 1)


async def test_full_queue_drops_and_counts(a_decision):
    """With a sink that does not keep up, records beyond the queue are dropped and counted, and the flow goes on."""
    sink = SlowSink()
    journal = Journal(Level.OWN, sink, most=5)
    for _ in range(8):
        journal.decided(NOON, [a_sighting()], [a_decision()])
    dropped = journal.totals.dropped
    sink.gate.set()
    await journal.drain()

    assert dropped == 3
    assert len(sink.records) == 5
    assert journal.waiting == 0


def test_without_a_loop(a_decision):
    """Records noted before an event loop runs wait for the drain."""
    sink = ListSink()
    journal = Journal(Level.OWN, sink)
    journal.decided(NOON, [a_sighting()], [a_decision()])
    asyncio.run(journal.drain())

    assert len(sink.records) == 1


@pytest.mark.parametrize("sink", [BrokenSink(), LedgerSink(GoneLedger())])
async def test_broken_sink(sink, a_decision):
    """A sink that fails costs its records, which are counted, and nothing else."""
    journal = Journal(Level.OWN, sink)
    journal.decided(NOON, [a_sighting()], [a_decision()])
    journal.decided(NOON, [a_sighting()], [a_decision()])
    await journal.drain()

    assert journal.totals.dropped == 2


async def test_ledger_sink(a_decision):
    """The ledger keeps what was decided together under the viewer's name for a day, in one call."""
    ledger = NotingLedger()
    journal = Journal(Level.OWN, LedgerSink(ledger))
    later = NOON + timedelta(seconds=1)
    journal.decided(NOON, [a_sighting()] * 2, [a_decision()] * 2)
    journal.decided(later, [a_sighting()], [a_decision()])
    await journal.close()
    calls = [(viewer, len(lines), now, life) for viewer, lines, now, life in ledger.notes]

    assert calls == [("anna", 2, NOON, LIFE), ("anna", 1, later, LIFE)]
    assert {parse(line).label for _, lines, _, _ in ledger.notes for line in lines} == {"shoes.example"}


async def test_file_sink_and_reader(tmp_path, a_decision):
    """A journal file is read back in its order, notes and entry indexes included."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(Level.OWN, FileSink.appending(path))
    for entry in range(3):
        journal.entry = entry
        journal.decided(NOON, [a_sighting()], [a_decision()])
    journal.untouched(NOON, Viewer("anna"), "an unknown charset")
    await journal.close()
    found = list(read(path))

    assert [record.entry for record in found] == [0, 1, 2, 2]
    assert found[-1].note == "an unknown charset"
    assert found[-1].verdict is None
    assert path.stat().st_mode & 0o777 == 0o600


async def test_order_is_kept(a_decision):
    """Records are written in the order in which they were noted, over many batches."""
    file = io.BytesIO()
    journal = Journal(Level.OWN, FileSink(file))
    for entry in range(1000):
        journal.entry = entry
        journal.decided(NOON, [a_sighting()], [a_decision()])
    await journal.close()

    assert [json.loads(line)["entry"] for line in file.getvalue().splitlines()] == list(range(1000))
