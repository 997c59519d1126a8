"""Whether an answer's text can hold bids of a format at all: JSON without any is not even parsed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from json import dumps

from capper.rewrite.auction.ways import ANYWHERE, EACH, MEMBERS, Where, folded

_STEPS = (EACH, MEMBERS, ANYWHERE, "")
_ENDING = 3
"""How many letters of a loose name are looked for: separators may stand before them."""
_ESCAPED = b"\\u00"


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in every answer that has bids of a format: one of each of `all_of`; and where it is `loose`, a number
    under a name that ends like one of `endings`."""

    all_of: tuple[tuple[bytes, ...], ...] = ()
    endings: tuple[tuple[bytes, re.Pattern[bytes]], ...] = ()

    @classmethod
    def of(cls, bids: Iterable[Sequence[str]], needs: Sequence[Sequence[Where]], *, loose: bool) -> "Words":
        """Those of a format whose bids stand there and need that."""
        if loose:
            names = {folded(where.names[0])[-_ENDING:].encode() for where in needs[0]} if needs else set()
            return cls(endings=tuple((name, _numbered(name)) for name in sorted(names)))
        steps = [[step for step in pattern if step not in _STEPS] for pattern in bids]
        common = [step for step in dict.fromkeys(steps[0] if steps else ()) if all(step in each for each in steps)]
        first = [common[-1:], *([step] for step in common[:-1])] if common else [[each[0] for each in steps if each]]
        if not common and not all(steps):
            first = []
        named = [[where.names[0] for where in need if where.names and where.names[0] != "#"] for need in needs]
        sure = [names for names, need in zip(named, needs, strict=True) if len(names) == len(need)]
        rows = (*(row for row in first if row), *sure)
        return cls(tuple(tuple(dumps(name).encode() for name in row) for row in rows))

    def ordered(self, often: Mapping[tuple[bytes, ...], int]) -> "Words":
        """The same, looked for in the order that is soonest done for all formats: what many of them need first."""
        return replace(self, all_of=tuple(sorted(self.all_of, key=lambda row: (len(row), -often[row]))))


def _numbered(name: bytes) -> re.Pattern[bytes]:
    return re.compile(re.escape(name) + rb"[_-]*+\"\s*+:\s*+\"?\d")


class Sight:
    """The text of an answer, of which each word is looked for once."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._seen: dict[bytes, bool] = {}

    def fits(self, words: Words) -> bool:
        """Whether the text can hold bids of the format with these words."""
        return (
            all(any(map(self.has, row)) for row in words.all_of)
            and (not words.endings or any(name in self._lower and each.search(self._lower) for name, each in words.endings))
        ) or self._escaped  # fmt: skip

    def has(self, word: bytes) -> bool:
        """Whether the word stands there."""
        seen = self._seen.get(word)
        if seen is None:
            seen = self._seen[word] = word in self.data
        return seen

    @cached_property
    def _escaped(self) -> bool:
        """Whether letters of names may be written as escapes."""
        return b"\\" in self.data and _ESCAPED in self.data

    @cached_property
    def _lower(self) -> bytes:
        return self.data.lower()
