"""One record per decision, so that every decision can be explained to the person it was made for; and the records' reader."""

from capper.journal.journal import BATCH, Journal, Totals
from capper.journal.record import Level, Record, parse, read
from capper.journal.sinks import LIFE, FileSink, LedgerSink, ListSink

__all__ = [
    "BATCH",
    "LIFE",
    "FileSink",
    "Journal",
    "LedgerSink",
    "Level",
    "ListSink",
    "Record",
    "Totals",
    "parse",
    "read",
]
