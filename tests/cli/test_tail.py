"""What `capper tail` shows: each decision once, in its order."""

import asyncio

from capper.cli.tail import follow
from capper.domain.decision import Verdict
from capper.journal import Record
from capper.testing import NOON


def note(advertiser: str) -> bytes:
    return Record(NOON, "anna", Verdict.SHOW, (advertiser,)).line()


async def followed(answers: list[list[bytes]], last: int = 0) -> list[str]:
    """What is shown while the ledger answers so, and then no more."""
    shown: list[str] = []
    left = iter(answers)

    async def ask():
        try:
            return next(left)
        except StopIteration:
            raise asyncio.CancelledError from None

    task = asyncio.create_task(follow(ask, last, lambda record: shown.append(record.label), every=0))
    await asyncio.gather(task, return_exceptions=True)
    return shown


async def test_what_comes_is_shown_once():
    """What was there before is not; what comes is, once, whatever else expires."""
    a, b, c = map(note, "abc")

    assert ["b", "c"] == await followed([[a], [a], [a, b], [a, b], [b, c]])


async def test_some_of_what_was_before():
    """So many of the newest, if asked for."""
    a, b, c = map(note, "abc")

    assert ["b", "c"] == await followed([[a, b, c]], last=2)
    assert ["a"] == await followed([[a]], last=5)


async def test_another_versions_records_are_left_out():
    """What cannot be read is not shown."""
    assert ["a"] == await followed([[], [b"\xff", b"{}", note("a")]])
