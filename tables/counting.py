"""T1 to T3: how well counting tells the ads that follow people, and what is left of it when nobody may know who counted what."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from capper.study.detection import Rule, Statistic, Verdicts, detect
from capper.study.rt1 import Score, Truth, World, score, simulate
from capper.study.sketch import Shape, counted, estimate
from tables.row import Row, at_least, at_most, exactly, told, within

CAPS = (1, 2, 3, 4, 5, 6, 8, 10, 12)
RULES = {
    "mean / mean": Rule(),
    "mean+median / mean+median": Rule(Statistic.MEAN_MEDIAN, Statistic.MEAN_MEDIAN),
    "mean / mean+median": Rule(Statistic.MEAN, Statistic.MEAN_MEDIAN),
    "mean+std / mean": Rule(Statistic.MEAN_STD, Statistic.MEAN),
    "median / median": Rule(Statistic.MEDIAN, Statistic.MEDIAN),
}
"""By the statistic of people, then that of sites."""
SIZES = {10_000: 184_892, 50_000: 195_768, 100_000: 206_644}
"""Bytes of a sketch for so many ads, epsilon and delta 0.001."""
LIMIT = 414
"""Ads of one person in a week that count at most, where a threshold is released with noise."""
EPSILON = 1.0

_WIDE = 27_183
_KEY = b"tables"


def t1(seeds: Sequence[int] = range(5), caps: Sequence[int] = CAPS) -> list[Row]:
    """Missed and wrong by cap, for five rules."""
    found: dict[str, dict[int, list[Score]]] = {name: {cap: [] for cap in caps} for name in RULES}
    for seed in seeds:
        for cap in caps:
            week = simulate(seed, cap)
            for name, rule in RULES.items():
                found[name][cap].append(score(detect(week.exposures, "advertiser", rule), week))
    rows = _bounds(found["mean / mean"])
    for name, by_cap in found.items():
        missed = ", ".join(f"{cap}: {_mean(scores, 'missed'):.1f}" for cap, scores in by_cap.items())
        last = by_cap[caps[-1]]
        rows.append(
            told(
                f"{name}: missed by cap, %",
                f"{missed} (wrong {_mean(last, 'wrong'):.2f}, precision {_mean(last, 'precision'):.1f})",
            )
        )
    return rows


def _bounds(by_cap: dict[int, list[Score]]) -> list[Row]:
    """What the rule of two means is held to."""
    limits = {1: (100.0, 100.0), 2: (10.0, 22.0), 3: (0.0, 8.0), 5: (0.0, 4.0), 12: (0.0, 4.0)}
    rows = [
        within(f"mean / mean, cap {cap}: missed, %", _mean(by_cap[cap], "missed"), *limits[cap], form="{:.1f}")
        for cap in by_cap
        if cap in limits
    ]
    told_apart = [scores for cap, scores in by_cap.items() if cap > 1]
    # Above that the threshold of people falls below 10 in some seeds, and hides the campaigns that are aimed at ten.
    missed = [_mean(scores, "missed") for cap, scores in by_cap.items() if cap <= 10]
    rises = max((after - before for before, after in pairwise(missed)), default=0.0)
    return [
        *rows,
        at_most("mean / mean: missed rises from one cap to the next, up to 10, by, points", max(rises, 0.0), 1.0),
        at_most("mean / mean: wrong at any cap, %", max(_mean(scores, "wrong") for scores in told_apart), 0.1),
        at_least(
            "mean / mean: precision at any cap above 1, %", min(_mean(each, "precision") for each in told_apart), 97
        ),
    ]


def big_campaigns(seeds: Sequence[int] = range(2)) -> list[Row]:
    """Where one campaign in five is aimed at 30 people: the floor is campaigns that more people meet than ads are met by."""
    weeks = [simulate(seed, 6, World(big=0.2)) for seed in seeds]
    rows = []
    for name in ("mean / mean", "mean+std / mean"):
        scores = [score(detect(week.exposures, "advertiser", RULES[name]), week) for week in weeks]
        rows.append(
            told(f"{name}, one campaign in five at 30 people, cap 6: missed, %", f"{_mean(scores, 'missed'):.1f}")
        )
    return rows


def _mean(scores: Sequence[Score], what: str) -> float:
    return 100 * float(np.mean([getattr(each, what) for each in scores]))


def t2() -> list[Row]:
    """The size of a sketch."""
    return [exactly(f"bytes for {ads} ads", Shape.of(ads).size, size) for ads, size in SIZES.items()]


def t3(seeds: Sequence[int] = range(3)) -> list[Row]:
    """How many verdicts are the same when people are counted in sketches, or the one threshold is released with noise."""
    same: dict[str, list[float]] = {"narrow": [], "wide": [], "noise": []}
    missed: dict[str, list[float]] = {"exact": [], "narrow": [], "wide": [], "noise": []}
    for seed in seeds:
        week = simulate(seed, 6)
        exact = detect(week.exposures, "advertiser")
        others = {
            "narrow": detect(week.exposures, "advertiser", users=_sketched(exact, week, Shape(2719, 17))),
            "wide": detect(week.exposures, "advertiser", users=_sketched(exact, week, Shape(_WIDE, 17))),
            "noise": detect(week.exposures, "advertiser", users_threshold=_noisy(exact, seed)),
        }
        missed["exact"].append(score(exact, week).missed)
        for name, verdicts in others.items():
            same[name].append(float(np.mean(verdicts.targeted == exact.targeted)))
            missed[name].append(score(verdicts, week).missed)
    by_name = {name: 100 * float(np.mean(each)) for name, each in same.items()}
    return [
        told("missed by exact counts, %", _percent(missed["exact"])),
        told(
            "sketch of 2,719 columns: same verdicts, %",
            f"{by_name['narrow']:.2f} (missed {_percent(missed['narrow'])})",
        ),
        at_least(f"sketch of {_WIDE:,} columns: same verdicts, %", by_name["wide"], 99.99),
        at_least(f"threshold with noise, epsilon {EPSILON:g}: same verdicts, %", by_name["noise"], 99.9),
    ]


def _percent(shares: Sequence[float]) -> str:
    return f"{100 * float(np.mean(shares)):.1f}"


def _sketched(exact: Verdicts, week: Truth, shape: Shape) -> NDArray[np.float64]:
    """For each ad how many people met it, as one sketch of all tells."""
    names = week.exposures.advertiser.names
    cells = counted(shape, _KEY, (names[ad] for ad in exact.ad))
    users = np.zeros(len(names))
    for ad in np.unique(exact.ad):
        users[ad] = estimate(cells, shape, _KEY, names[ad])
    return users


def _noisy(exact: Verdicts, seed: int) -> float:
    """The threshold as a release would give it: Laplace, of the sensitivity of a mean to one person's ads.

    Drawn by the seed, which a release is not: what is asked here is what such noise does to verdicts.
    """
    ads = len(np.unique(exact.ad))
    return exact.users_threshold + float(np.random.default_rng(seed).laplace(scale=LIMIT / ads / EPSILON))
