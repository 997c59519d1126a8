"""Which names a page may have at all: one scan of its bytes for all that are asked for, however many these are."""

from collections.abc import Iterator
from functools import lru_cache
from threading import Lock

import hyperscan

_FLAGS = hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH


class Names:
    """Names of attributes, each of letters, digits, `-` and `_` in ASCII, that are looked for together."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = sorted(names)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._turn = Lock()
        """A database has room for one scan at a time."""
        if names:
            count = len(self._names)
            patterns = [name.encode("ascii") for name in self._names]
            self._database.compile(expressions=patterns, ids=range(count), elements=count, flags=_FLAGS)

    def within(self, data: bytes) -> frozenset[str]:
        """Those of the names that stand anywhere in `data`, in capitals or not."""
        return frozenset(self._within(data)) if self._names and data else frozenset()

    def _within(self, data: bytes) -> Iterator[str]:
        found: list[int] = []
        with self._turn:
            self._database.scan(data, match_event_handler=lambda number, *_: found.append(number))
        return map(self._names.__getitem__, found)


names = lru_cache(64)(Names)
"""Compiling takes as long as a page, so they are kept; other names are asked for on few sites only."""
