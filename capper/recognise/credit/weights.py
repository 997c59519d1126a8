"""How much a piece of text sounds like a prompt: weights of words and signals, learnt from labelled lines."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from capper.domain.errors import ConfigError
from capper.recognise.credit.words import AMOUNT, QUOTE, STOP, WORD, Token

SHARED = "signals.json.gz"
"""What signals weigh, whatever the language; beside it a file for each language."""
STEM = 5
"""Letters that words of one stem share, often enough."""
SCALE = 100
"""Weights are kept as whole numbers, this many to one."""
_MOST = 120
"""Tokens that are looked at: what comes behind them is prose."""
_CENTS = re.compile(r"\d[.,](?!00)\d{1,2}(?![\d.,])")
_ROUND_CENTS = re.compile(r"(?<=\d)[.,]00?(?![\d.,])")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, eq=False)
class Weights:
    """What signals weigh in every language, and words in each; natural logarithms of odds, `SCALE` to one.

    A language's words are read from its file when they are first asked for.
    """

    shared: Mapping[str, int] = field(default_factory=dict)
    folder: Path | None = None
    _words: dict[str, Mapping[str, int]] = field(default_factory=dict)

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
        words, shared = self.words(language), self.shared
        total = shared.get("", 0) + sum(shared.get(name, 0) for name in shared_features(row, signals))
        return (total + sum(words.get(name, 0) for name in word_features(row))) / SCALE


def shared_features(row: Sequence[Token], signals: AbstractSet[str]) -> Iterator[str]:
    """What is the same in every language: signals and what sums look like, two at a time too, and how long the piece is."""
    known = sorted(signals | set(_looks(row)))
    yield from known
    for number, one in enumerate(known):
        for other in known[number + 1 :]:
            yield f"{one}+{other}"
    words = sum(token.kind == WORD for token in row)
    yield f"words {0 if words < 3 else 1 if words < 7 else 2 if words < 14 else 3 if words < 30 else 4}"


def _looks(row: Sequence[Token]) -> Iterator[str]:
    sums = [token for token in row if token.kind == AMOUNT]
    if len(sums) > 1:
        yield "several"
    for token in sums:
        yield _shape(token.text)
    for mark in "?!":
        if any(token.kind == STOP and mark in token.text for token in row):
            yield mark


def word_features(row: Sequence[Token]) -> Iterator[str]:
    """Words, their stems, and words that stand together; each once."""
    seen = set[str]()
    before = ""
    for token in row[:_MOST]:
        if token.kind == QUOTE:
            continue
        if token.kind == STOP:
            before = ""
            continue
        name = token.text if token.kind == WORD else token.kind
        seen.add(name)
        if token.kind == WORD and len(name) > STEM:
            seen.add(f"{name[:STEM]}*")
        if before:
            seen.add(f"{before} {name}")
        before = name
    yield from seen


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
    return Weights(_read(path), folder) if path.exists() else Weights()


def _read(path: Path) -> Mapping[str, int]:
    try:
        table = json.loads(gzip.decompress(path.read_bytes()))
        return {str(name): int(weight) for name, weight in table.items()}
    except (OSError, EOFError, ValueError, TypeError, AttributeError) as exc:
        raise ConfigError(f"read weights of words {path.name}: {exc}") from exc


__all__ = ["SHARED", "Weights", "load_weights", "shared_features", "word_features"]
