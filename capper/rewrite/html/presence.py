"""Which words stand in bytes at all: one scan for all that are asked for, however many these are."""

from collections.abc import Iterator
from threading import Lock

import hyperscan

from capper.remembered import remembered

_FLAGS = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH
_FEW = 8
"""So many words are looked for one by one: compiling takes as long as a page, and sites ask for few of their own."""


class Words:
    """Words that are looked for together, in capitals or not."""

    def __init__(self, words: frozenset[str]) -> None:
        self._words = sorted(words)
        self._bytes = [word.encode("utf-8", "surrogatepass").lower() for word in self._words]
        self._database = _compiled(self._bytes) if len(words) > _FEW else None
        self._turn = Lock()
        """A database has room for one scan at a time."""

    def within(self, data: bytes) -> frozenset[str]:
        """Those of the words that stand anywhere in `data`."""
        return frozenset(map(self._words.__getitem__, self._within(data)))

    def _within(self, data: bytes) -> Iterator[int]:
        if self._database is None:
            lower = data.lower() if self._words else b""
            return (number for number, word in enumerate(self._bytes) if word in lower)
        found: list[int] = []
        with self._turn:
            self._database.scan(data, match_event_handler=lambda number, *_: found.append(number))
        return iter(found)


def _compiled(words: list[bytes]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    patterns = [b"".join(b"\\x%02x" % byte for byte in word) for word in words]
    database.compile(expressions=patterns, ids=range(len(words)), elements=len(words), flags=_FLAGS)
    return database


words = remembered(64)(Words)
