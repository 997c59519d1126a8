"""Whether, how soon and how long an advertiser follows a person who looked at something of its: retargeting by what she visited.

After Bashir and others 2016, made local: an exposure is retargeted when she had opened a product or cart page of that advertiser's
within the lookback before it.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from capper.study.exposure import Kind
from capper.study.statistics import Floats, decay_rate, kaplan_meier_median
from capper.study.table import Exposures, Visits

LOOKBACK = timedelta(days=30)
_VIEWS = (Kind.PRODUCT, Kind.CART)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Retargeting:
    """Times are milliseconds; None where there is nothing to tell them from."""

    viewed: int
    """Pairs of a person and an advertiser whose product she looked at."""
    retargeted: int
    """Of these, those that met an ad of the advertiser's within the lookback after."""
    exposures: int
    """Exposures that were retargeted."""
    share: float
    """Of all exposures with an advertiser."""
    lag: float | None
    """From the last view before it to the first exposure: the time by which half of the viewed pairs had met one (Kaplan-Meier)."""
    lag_quartiles: tuple[float, float] | None
    """Of those that met one."""
    censored: float
    """The share of viewed pairs that were not seen to meet one."""
    half_life: float | None
    """Of exposures after the last view before them: ln 2 / rate of an exponential, cut off at the lookback, the next view and the study's end."""


def retargeting(exposures: Exposures, visits: Visits, until: int, lookback: timedelta = LOOKBACK) -> Retargeting:
    """Over the whole study; `until` is when it ended, in milliseconds since 1970."""
    views, most = visits.times(*_VIEWS), lookback // _MS
    met = exposures.rows_of(views)
    firsts, waited, lags, horizons = [], [], [], []
    retargeted = 0
    for pair, seen in views.items():
        times = exposures.time[met.get(pair, np.zeros(0, np.int64))]
        # The last view at or before each exposure; -1 where there was none.
        place = np.searchsorted(seen, times, side="right") - 1
        since = times - seen[np.maximum(place, 0)]
        after = (place >= 0) & (since <= most)
        lags.append(since[after])
        # A later view begins anew.
        ends = np.append(seen[1:], until)
        horizons.append(np.minimum((ends - seen)[place[after]], most))
        if after.any():
            retargeted += 1
            firsts.append(int(since[after][0]))
        else:
            waited.append(min(until - int(seen[-1]), most))
    every, seen_for = (np.concatenate(part).astype(np.float64) if part else np.zeros(0) for part in (lags, horizons))
    rate = decay_rate(every, seen_for)
    first = np.array(firsts, np.float64)
    named = int(np.count_nonzero(exposures.advertiser.known))
    return Retargeting(
        viewed=len(views),
        retargeted=retargeted,
        exposures=len(every),
        share=len(every) / named if named else 0.0,
        lag=kaplan_meier_median(first, np.array(waited, np.float64)),
        lag_quartiles=_quartiles(first),
        censored=len(waited) / len(views) if views else 0.0,
        half_life=float(np.log(2) / rate) if rate else None,
    )


def retargeted(exposures: Exposures, visits: Visits, lookback: timedelta = LOOKBACK) -> NDArray[np.bool_]:
    """Which exposures are to a person who had looked at a product of the advertiser's within the lookback before."""
    found = np.zeros(len(exposures), np.bool_)
    views = visits.times(*_VIEWS)
    for pair, rows in exposures.rows_of(views).items():
        since = exposures.time[rows] - views[pair][np.searchsorted(views[pair], exposures.time[rows], side="right") - 1]
        found[rows] = (since >= 0) & (since <= lookback // _MS)
    return found


def _quartiles(values: Floats) -> tuple[float, float] | None:
    if not len(values):
        return None
    low, high = np.quantile(values, (0.25, 0.75))
    return float(low), float(high)
