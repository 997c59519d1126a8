"""How much a piece of text sounds like a prompt: weights of words and signals, learnt from labelled lines."""

import gzip
import json
import re
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from capper.domain.errors import ConfigError
from capper.recognise.credit.words import AMOUNT, QUOTE, STOP, WORD, Token

SHARED = "signals.json.gz"
"""What signals weigh, whatever the language; beside it a file for each language."""
SUBWORDS = "subwords.gz"
"""What words and parts of words weigh whatever the language: whole numbers of 16 bits by their checksums."""
BUCKETS = 1 << 18
SHARE = 0.5
"""How much a part of a word tells beside a word, before anything is learnt."""
STEM = 5
"""Letters that words of one stem share, often enough."""
SCALE = 100
"""Weights are kept as whole numbers, this many to one."""
_GRAM = 5
"""Bytes of a part of a word: compounds are made of words that were met elsewhere."""
_MOST = 120
"""Tokens that are looked at: what comes behind them is prose."""
_CENTS = re.compile(r"\d[.,](?!00)\d{1,2}(?![\d.,])")
_ROUND_CENTS = re.compile(r"(?<=\d)[.,]00?(?![\d.,])")
_DIGIT = re.compile(r"\d")
_PLAIN = frozenset[str]()
_SEVERAL = frozenset(["several"])
_LENGTHS = (3, 7, 14, 30)
_MEMORY = 2_000
"""Sets of signals whose weight is remembered."""


class Traits(NamedTuple):
    """What of a piece is weighed."""

    words: Mapping[str, int]
    """Its words, stems and neighbours that weigh anything, with what they weigh."""
    looks: frozenset[str]
    sums: int
    length: int
    """In words."""
    size: int
    """Tokens."""


@dataclass(frozen=True, eq=False)
class Weights:
    """What signals weigh in every language, and words in each; natural logarithms of odds, `SCALE` to one.

    A language's words are read from its file when they are first asked for.
    """

    shared: Mapping[str, int] = field(default_factory=dict)
    folder: Path | None = None
    _words: dict[str, Mapping[str, int]] = field(default_factory=dict)
    parts: Sequence[int] = ()
    """What words and parts of words weigh in any language, by `subwords`; none where there are none."""
    _together: dict[frozenset[str], int] = field(default_factory=dict)
    """What signals and looks weigh that were met together."""

    def words(self, language: str) -> Mapping[str, int]:
        """What words weigh in a language; nothing where there is no file for it.

        Raises:
            ConfigError: the file is damaged.
        """
        known = self._words.get(language)
        if known is None:
            path = self.folder / f"{language}.json.gz" if self.folder else None
            known = self._words[language] = _read(path) if path is not None and path.exists() else {}
        return known

    def odds(self, language: str, row: Sequence[Token], signals: AbstractSet[str]) -> float:
        """The logarithm of the odds that a piece is a prompt; 0.0 is as likely as not."""
        return self.weigh([self.traits(language, row)], signals)

    def traits(self, language: str, row: Sequence[Token], met: dict[str, int] | None = None) -> Traits:
        """What of a piece in a language is weighed; `met` remembers what the parts of words weigh."""
        met = {} if met is None else met
        known = self.words(language)
        kinds = [token.kind for token in row]
        words = {name: known[name] for name in known.keys() & word_features(row)}
        for word in distinct(row) if self.parts else ():
            parts = met.get(word)
            if parts is None:
                parts = met[word] = sum([self.parts[bucket] for bucket in subwords(word)])
            words[word] = words.get(word, 0) + parts
        return Traits(
            words,
            frozenset(_looks(row)) if STOP in kinds or AMOUNT in kinds else _PLAIN,
            kinds.count(AMOUNT),
            kinds.count(WORD),
            len(row),
        )

    def weigh(self, pieces: Sequence[Traits], signals: AbstractSet[str]) -> float:
        """The odds of pieces that are read as one, with a stop behind each; they must `fit`."""
        words: dict[str, int] = {}
        for piece in pieces:
            words |= piece.words
        known = frozenset(signals).union(*(piece.looks for piece in pieces))
        if sum(piece.sums for piece in pieces) > 1:
            known |= _SEVERAL
        length = _length(sum(piece.length for piece in pieces))
        return (self.shared.get("", 0) + self._of(known) + self.shared.get(length, 0) + sum(words.values())) / SCALE

    def _of(self, known: frozenset[str]) -> int:
        weight = self._together.get(known)
        if weight is None:
            if len(self._together) >= _MEMORY:
                self._together.clear()
            weight = self._together[known] = sum(self.shared.get(name, 0) for name in _paired(known))
        return weight


def fit(pieces: Sequence[Traits]) -> bool:
    """Whether all tokens of some pieces are looked at when they are read as one."""
    return sum(piece.size for piece in pieces) + len(pieces) <= _MOST


def shared_features(row: Sequence[Token], signals: AbstractSet[str]) -> Iterator[str]:
    """What is the same in every language: signals and what sums look like, two at a time too, and how long the piece is."""
    yield from _paired(signals | set(_looks(row)))
    yield _length(sum(token.kind == WORD for token in row))


def _paired(known: AbstractSet[str]) -> Iterator[str]:
    names = sorted(known)
    yield from names
    for number, one in enumerate(names, 1):
        for other in names[number:]:
            yield f"{one}+{other}"


def _length(words: int) -> str:
    return f"words {bisect_right(_LENGTHS, words)}"


def _looks(row: Sequence[Token]) -> Iterator[str]:
    sums = [token.text for token in row if token.kind == AMOUNT]
    if len(sums) > 1:
        yield from _SEVERAL
    yield from map(_shape, sums)
    stops = "".join(token.text for token in row if token.kind == STOP)
    yield from (mark for mark in "?!" if mark in stops)


def word_features(row: Sequence[Token]) -> set[str]:
    """Words, their stems, and words that stand together."""
    seen = set[str]()
    before = ""
    for kind, text in row[:_MOST]:
        if kind == QUOTE:
            continue
        if kind == STOP:
            before = ""
            continue
        name = text if kind == WORD else kind
        seen.add(name)
        if kind == WORD and len(name) > STEM:
            seen.add(f"{name[:STEM]}*")
        if before:
            seen.add(f"{before} {name}")
        before = name
    return seen


def distinct(row: Sequence[Token]) -> set[str]:
    """The words that are looked at."""
    return {token.text for token in row[:_MOST] if token.kind == WORD}


def subwords(word: str) -> list[int]:
    """Where a word and the parts of it have their weights: languages that are kin share them."""
    whole = f"^{word}$".encode("utf-8", "replace")
    parts = [whole, *[whole[start : start + _GRAM] for start in range(len(whole) - _GRAM + 1)]]
    return [zlib.crc32(part) % BUCKETS for part in parts]


def _shape(text: str) -> str:
    """What a sum looks like: in words, with cents as a price, round as a limit, or neither, by its size."""
    if not _DIGIT.search(text):
        return "worded"
    if _CENTS.search(text):
        return "cents"
    digits = "".join(_DIGIT.findall(_ROUND_CENTS.sub("", text)))
    even = digits.endswith(("50", "00"))
    return f"{'round' if even else 'odd'}{min(len(digits), 6)}"


def load_weights(folder: Path) -> Weights:
    """The weights in one folder; none where there is no such folder: then nothing is told apart.

    Raises:
        ConfigError: what signals weigh is damaged.
    """
    path = folder / SHARED
    return Weights(_read(path), folder, parts=_read_parts(folder / SUBWORDS)) if path.exists() else Weights()


def _read(path: Path) -> Mapping[str, int]:
    try:
        table = json.loads(gzip.decompress(path.read_bytes()))
        return {str(name): int(weight) for name, weight in table.items()}
    except (OSError, EOFError, ValueError, TypeError, AttributeError) as exc:
        raise ConfigError(f"read weights of words {path.name}: {exc}") from exc


def _read_parts(path: Path) -> Sequence[int]:
    parts = array("h")
    if not path.exists():
        return parts
    try:
        parts.frombytes(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error) as exc:
        raise ConfigError(f"read weights of words {path.name}: {exc}") from exc
    if len(parts) != BUCKETS:
        raise ConfigError(f"read weights of words {path.name}: it holds {len(parts)} numbers, not {BUCKETS}")
    if sys.byteorder == "big":
        parts.byteswap()
    return parts
