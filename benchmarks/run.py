"""What one run of the benchmarks was asked for; every part is given it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.lists import NamedList


@dataclass(frozen=True, slots=True)
class Run:
    """A folder for whatever is written, how many interleaved rounds, and which share of a full run's work each has."""

    folder: Path
    rounds: int = 5
    scale: float = 1.0
    lists: tuple[NamedList, ...] = ()
    """Loaded beside those that travel with capper."""

    def scaled(self, count: int, least: int = 1) -> int:
        """So many in a full run, here."""
        return max(least, round(count * self.scale))


type Part = Callable[[Run, Collection[str]], Iterator[Figure]]
"""Measures those of its rows whose keys are asked for."""
