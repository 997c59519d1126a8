"""Where a journal's records go: each person's own part of the ledger, a file, or a list."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from capper.domain.errors import LedgerUnavailable
from capper.journal.record import Record

LIFE = timedelta(hours=24)
"""How long a person can read her own decisions."""


class Sink(Protocol):
    """Where records go."""

    async def keep(self, records: Sequence[Record]) -> int:
        """Keep `records` and return how many were kept."""
        ...

    async def close(self) -> None:
        """Let go of what is held."""
        ...


class Keeper(Protocol):
    """What of a ledger `LedgerSink` uses."""

    async def note(self, viewer: str, records: Sequence[bytes], now: datetime, life: timedelta) -> None:
        """Keep records of the viewer's; see `capper.ledger.base.Ledger`."""
        ...


class LedgerSink:
    """Keeps each record with its viewer's own things in the ledger, as ciphertext, for `LIFE`."""

    def __init__(self, ledger: Keeper, life: timedelta = LIFE) -> None:
        self._ledger, self._life = ledger, life

    async def keep(self, records: Sequence[Record]) -> int:
        """Keep what the ledger takes, those of one answer in one call; a ledger that does not reply costs records, never a flow."""
        kept = 0
        for (viewer, time), found in groupby(records, lambda record: (record.viewer, record.time)):
            lines = [record.line() for record in found]
            try:
                await self._ledger.note(viewer, lines, time, self._life)
            except LedgerUnavailable:
                break
            kept += len(lines)
        return kept

    async def close(self) -> None:
        """Nothing: whoever opened the ledger closes it."""


class FileSink:
    """Writes JSONL to an open binary file, and closes it only if it opened it."""

    def __init__(self, file: BinaryIO, *, owned: bool = False) -> None:
        self._file, self._owned = file, owned

    @classmethod
    def appending(cls, path: Path) -> Self:
        """A sink at the end of `path`, which only its owner may read."""
        return cls(os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab"), owned=True)

    async def keep(self, records: Sequence[Record]) -> int:
        """Write the lines, off the event loop."""
        await asyncio.to_thread(self._file.write, b"".join(record.line() for record in records))
        return len(records)

    async def close(self) -> None:
        """Write out what is buffered."""
        await asyncio.to_thread(self._file.close if self._owned else self._file.flush)


class ListSink:
    """Keeps records in memory: for tests and for whoever reads them in the same process."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def keep(self, records: Sequence[Record]) -> int:
        """Keep them all."""
        self.records += records
        return len(records)

    async def close(self) -> None:
        """Nothing to let go."""
