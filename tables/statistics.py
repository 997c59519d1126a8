"""T7 to T9: what noise leaves of a frequency curve, how often an effect is found, and where there is none, and half-lives found again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capper.domain.frequency import distance
from capper.study.experiment import Rate, Unit, against_itself, effect
from capper.study.statistics import decay_rate
from tables.row import Row, at_least, at_most, within

NOISE = {
    (20, 0.5): 0.64, (20, 1): 0.51, (20, 2): 0.36, (50, 0.5): 0.46, (50, 1): 0.30, (50, 2): 0.18,
    (100, 0.5): 0.32, (100, 1): 0.18, (100, 2): 0.10, (500, 0.5): 0.083, (500, 1): 0.045, (500, 2): 0.024,
    (2000, 0.5): 0.023, (2000, 1): 0.012, (2000, 2): 0.006,
}  # fmt: skip
"""By people and epsilon, the shuffle distance below which 80 % of releases stay."""
_BINS = 20
_BLOCKS, _EACH, _SLOTS = 6, 8, 200
HALF_LIVES = {"6 hours": 6.0, "1 day": 24.0, "3 days": 72.0}
"""In hours."""
_WEEK = 168.0


def t7(runs: int = 200, seed: int = 1) -> list[Row]:
    """Histograms of how often people were met, each bin with noise (Laplace, 2 / epsilon)."""
    rng = np.random.default_rng(seed)
    rows = []
    for (people, epsilon), wanted in NOISE.items():
        found = [_moved(rng, people, epsilon) for _ in range(runs)]
        measured = float(np.quantile(found, 0.8))
        low, high = max(wanted - 0.03, 0.0), wanted + 0.03
        rows.append(within(f"{people} people, epsilon {epsilon:g}", measured, low, high, "{:.3f}"))
    return rows


def _moved(rng: np.random.Generator, people: int, epsilon: float) -> float:
    times = np.minimum(1 + rng.poisson(rng.exponential(3, people)), _BINS)
    exact = np.bincount(times, minlength=_BINS + 1)[1:].astype(np.float64)
    noisy = np.maximum(exact + rng.laplace(scale=2 / epsilon, size=_BINS), 0)
    return distance(_curve(exact), _curve(noisy))


def _curve(counts: NDArray[np.float64]) -> dict[int, float]:
    total = float(counts.sum())
    return {place + 1: float(count) / total for place, count in enumerate(counts) if count > 0} if total else {}


def t8(runs: int = 500, permutations: int = 399) -> list[Row]:
    """Experiments whose truth is known: a rate of 30 % that halves for the treated, and one that stays."""
    halved = sum(effect(_units(seed, 0.5), seed, permutations).p < 0.05 for seed in range(runs))
    itself = sum(against_itself(_units(seed, 0.5), seed, permutations).p < 0.05 for seed in range(runs))
    return [
        at_least(f"found, where it halves: of {runs} experiments, %", 100 * halved / runs, 80, "{:.1f}"),
        within(f"found, where nobody was treated (A/A): of {runs}, %", 100 * itself / runs, 3, 7, "{:.1f}"),
    ]


def _units(seed: int, left: float) -> list[Unit]:
    rng = np.random.default_rng(seed)

    def rate(share: float) -> Rate:
        return Rate(int(rng.binomial(_SLOTS, share)), _SLOTS)

    return [
        Unit(f"block {block}", treated := place < _EACH // 2, rate(0.3), rate(0.3 * left if treated else 0.3))
        for block in range(_BLOCKS)
        for place in range(_EACH)
    ]


def t9(seeds: Sequence[int] = range(10), exposures: int = 30_000) -> list[Row]:
    """Exponential lags of which only those within a week, or the rest of a study, were seen."""
    rows = []
    for name, hours in HALF_LIVES.items():
        worst = 0.0
        for seed in seeds:
            rng = np.random.default_rng(seed)
            horizons = rng.uniform(0.3 * _WEEK, _WEEK, exposures)
            lags = rng.exponential(hours / np.log(2), exposures)
            seen = lags <= horizons
            rate = decay_rate(lags[seen], horizons[seen])
            worst = max(worst, abs(np.log(2) / rate / hours - 1)) if rate else np.inf
        rows.append(at_most(f"half-life of {name}: off by at most, %", 100 * worst, 10, "{:.1f}"))
    return rows
