"""Statistics that take more than arithmetic: intervals, survival, permutation. The only module that knows scipy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats  # type: ignore[import-untyped]  # it ships no types

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both within."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def clopper_pearson(hits: int, trials: int, alpha: float = 0.05) -> Interval:
    """The exact interval of a share (Clopper and Pearson 1934)."""
    if not trials:
        return Interval(0.0, 1.0)
    found = stats.binomtest(hits, trials).proportion_ci(1 - alpha, method="exact")
    return Interval(float(found.low), float(found.high))


def of_mean(values: Floats, alpha: float = 0.05) -> Interval:
    """Student's interval of the mean; without bounds for fewer than two values."""
    if len(values) < 2:
        return Interval(-np.inf, np.inf)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    reach = float(stats.t.ppf(1 - alpha / 2, len(values) - 1)) * error
    return Interval(mean - reach, mean + reach)


def of_difference(one: Floats, other: Floats, alpha: float = 0.05) -> Interval:
    """Welch's interval of the mean of `one` less that of `other`; without bounds where either has fewer than two values."""
    if min(len(one), len(other)) < 2:
        return Interval(-np.inf, np.inf)
    squares = np.array([values.var(ddof=1) / len(values) for values in (one, other)])
    mean, error = float(one.mean() - other.mean()), float(np.sqrt(squares.sum()))
    if not error:
        return Interval(mean, mean)
    freedom = squares.sum() ** 2 / (squares**2 / np.array([len(one) - 1, len(other) - 1])).sum()
    reach = float(stats.t.ppf(1 - alpha / 2, freedom)) * error
    return Interval(mean - reach, mean + reach)


def holm[Name](found: Mapping[Name, float]) -> dict[Name, float]:
    """P-values corrected for as many tests as there are (Holm 1979), in the order given."""
    adjusted: dict[Name, float] = {}
    highest = 0.0
    for place, (name, p) in enumerate(sorted(found.items(), key=lambda item: item[1])):
        highest = max(highest, min(1.0, p * (len(found) - place)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in found}


def kaplan_meier_median(events: Floats, censored: Floats) -> float | None:
    """The time by which half have had their event (Kaplan and Meier 1958), or None where fewer than half were seen to.

    Args:
        events: the time to the event, where it came.
        censored: how long those were watched to whom it did not come.
    """
    if not len(events):
        return None
    sample = stats.CensoredData.right_censored(
        np.concatenate((events, censored)), np.repeat((False, True), (len(events), len(censored)))
    )
    survival = stats.ecdf(sample).sf
    halved = np.flatnonzero(survival.probabilities <= 0.5)
    return float(survival.quantiles[halved[0]]) if len(halved) else None


def decay_rate(lags: Floats, horizons: Floats) -> float | None:
    """The rate of exponential decay, per unit of time, that fits best; what came after its horizon was not seen.

    None where nothing decays: lags are spread evenly up to their horizons, or pile up at their ends, or there are fewer than two.

    Args:
        lags: the time of each event since what it followed.
        horizons: how long each could have been seen; none is below its lag.
    """
    if len(lags) < 2:
        return None
    mean = float(lags.mean())

    def excess(rate: float) -> float:
        # The mean of an exponential cut off at its horizon; `expm1` in the denominator overflows to infinity, which is right.
        with np.errstate(over="ignore"):
            return float((1 / rate - horizons / np.expm1(rate * horizons)).mean()) - mean

    slowest, fastest = 1e-6 / float(horizons.max()), 1e3 / max(mean, 1e-9)
    if excess(slowest) <= 0 or excess(fastest) >= 0:
        return None
    return float(optimize.brentq(excess, slowest, fastest))


def permuted_within(
    rng: np.random.Generator, blocks: NDArray[np.int64], treated: NDArray[np.bool_], times: int
) -> NDArray[np.bool_]:
    """The treatment of each unit, dealt anew within its block: one row a time, one column a unit."""
    dealt = np.empty((times, len(blocks)), np.bool_)
    for block in np.unique(blocks):
        units = np.flatnonzero(blocks == block)
        order = rng.random((times, len(units))).argsort(axis=1)
        dealt[:, units] = treated[units][order]
    return dealt
