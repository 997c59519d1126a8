"""How often: the share of pairs of a person and an ad that met exactly n times, and how far two such curves are apart."""

import sys
from collections.abc import Mapping
from typing import Final


def shares(times: Mapping[int, int]) -> dict[int, float]:
    """The share of pairs that met exactly n times, by n; those that never met are left out."""
    met = {count: pairs for count, pairs in times.items() if count > 0 and pairs > 0}
    total = sum(met.values())
    return {count: pairs / total for count, pairs in sorted(met.items())}


def distance(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Half of the sum of differences (shuffle distance): 0 the same, 1 nothing in common, or only one of them has anything."""
    if not one or not other:
        return float(bool(one) != bool(other))
    return sum(abs(one.get(count, 0.0) - other.get(count, 0.0)) for count in {*one, *other}) / 2


BINS: Final = {
    "1": range(1, 2),
    "2": range(2, 3),
    "3": range(3, 4),
    "4": range(4, 5),
    "5": range(5, 6),
    "6-7": range(6, 8),
    "8-10": range(8, 11),
    "11-20": range(11, 21),
    "21-50": range(21, 51),
    "51+": range(51, sys.maxsize),
}
"""How often is drawn together, and what it is called."""


def binned(found: Mapping[int, float]) -> dict[str, float]:
    """Shares put together by `BINS`."""
    return {name: sum(share for count, share in found.items() if count in together) for name, together in BINS.items()}


def reach(times: Mapping[int, int]) -> dict[str, float]:
    """Of all pairs, those that were never shown too, the share that was shown so often or more, by the least of each of `BINS`."""
    whole = sum(times.values()) or 1
    least = {f"{together.start}+": together.start for together in BINS.values()}
    return {name: sum(n for count, n in times.items() if count >= start) / whole for name, start in least.items()}
