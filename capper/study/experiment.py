"""Whether opting out helps: treated against untreated profiles, before and after, with a test that assumes nothing of their shape.

After AdFisher (Datta and others 2015): profiles come in blocks that run at the same time; in each, some get the treatment between two
measurements. The statistic is the difference in differences of a rate. Under "it does nothing" the treatment could as well have gone to
the others of its block, so it is dealt anew within blocks, many times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capper.study.statistics import Interval, clopper_pearson, holm, of_mean, permuted_within

PERMUTATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many hits of so many: retargeted exposures of all exposures."""

    hits: int
    trials: int

    @property
    def share(self) -> float:
        """0 for nothing of nothing."""
        return self.hits / self.trials if self.trials else 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """One profile: its block, whether it was treated, and what was measured before and after."""

    block: str
    treated: bool
    before: Rate
    after: Rate

    @property
    def change(self) -> float:
        """Of its rate."""
        return self.after.share - self.before.share


@dataclass(frozen=True, slots=True)
class Effect:
    """What the treatment did to the rate: below 0 it fell more than without."""

    blocks: int
    units: int
    effect: float
    interval: Interval
    """Of the effect, at 95 %, from the blocks' own effects."""
    p: float
    """How often a deal as good as this one comes by chance, both ways."""
    p_interval: Interval
    """Of `p` itself, at 99 %, for it was found by drawing."""


def effect(units: Sequence[Unit], seed: int, permutations: int = PERMUTATIONS) -> Effect:
    """The effect over all blocks that have both treated and untreated units; the others tell nothing and are left out.

    Raises:
        ValueError: no block has both.
    """
    both = [
        block
        for block in dict.fromkeys(unit.block for unit in units)
        if {unit.treated for unit in units if unit.block == block} == {True, False}
    ]
    if not both:
        raise ValueError("estimate an effect: no block has both treated and untreated profiles")
    numbers = {block: number for number, block in enumerate(both)}
    used = [unit for unit in units if unit.block in numbers]
    blocks = np.array([numbers[unit.block] for unit in used], np.int64)
    treated = np.array([unit.treated for unit in used], np.bool_)
    change = np.array([unit.change for unit in used], np.float64)

    own = np.array(
        [
            change[(blocks == number) & treated].mean() - change[(blocks == number) & ~treated].mean()
            for number in range(len(both))
        ]
    )
    dealt = permuted_within(np.random.default_rng(seed), blocks, treated, permutations)
    sizes = np.bincount(blocks)[blocks]
    with_it = np.bincount(blocks, weights=treated)[blocks]
    # Each unit weighs as it does in the mean of its block's treated or untreated units.
    drawn = (np.where(dealt, change / with_it, -change / (sizes - with_it))).sum(axis=1) / len(both)
    found = float(own.mean())
    # As good as: a sum in another order differs in its last digits.
    as_good = int(np.count_nonzero(np.abs(drawn) >= abs(found) - 1e-12))
    return Effect(
        blocks=len(both),
        units=len(used),
        effect=found,
        interval=of_mean(own),
        p=(as_good + 1) / (permutations + 1),
        p_interval=clopper_pearson(as_good + 1, permutations + 1, 0.01),
    )


def effects(by_advertiser: Mapping[str, Sequence[Unit]], seed: int) -> dict[str, tuple[Effect, float]]:
    """For each advertiser the effect, and its p corrected for as many tests as there are advertisers (Holm)."""
    found = {name: effect(units, seed) for name, units in by_advertiser.items()}
    corrected = holm({name: each.p for name, each in found.items()})
    return {name: (each, corrected[name]) for name, each in found.items()}


def against_itself(units: Sequence[Unit], seed: int, permutations: int = PERMUTATIONS) -> Effect:
    """The A/A control: the untreated units of each block, half of them called treated. Whatever it finds is chance or a fault of method.

    Raises:
        ValueError: no block has two untreated units.
    """
    rng = np.random.default_rng(seed)
    renamed: list[Unit] = []
    for block in dict.fromkeys(unit.block for unit in units):
        mine = [unit for unit in units if unit.block == block and not unit.treated]
        called = set(rng.permutation(len(mine))[: len(mine) // 2].tolist())
        renamed += [Unit(block, place in called, unit.before, unit.after) for place, unit in enumerate(mine)]
    return effect(renamed, seed, permutations)
