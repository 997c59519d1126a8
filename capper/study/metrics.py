"""The figures of a study: how often, to how many, on how many sites, how soon again, of how many advertisers.

Each is reckoned from observed exposures, those that were withheld among them, unless it says otherwise; `n` is how often one person met
one ad. An ad is told by a key (creative, campaign or advertiser), without which no figure means anything; exposures without it are left
out, and `coverage` says how many they are. An occasion counts once however often it was asked for: repeats never become exposures.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capper.domain.frequency import distance, shares
from capper.study.exposure import Kind
from capper.study.table import Exposures, Key, Visits, distinct

LEAST_FOR_GINI = 20
"""Keys below which a Gini coefficient says nothing."""
BURST_MS = 60_000
"""Met again within this time is a slot that refreshes itself rather than an ad that follows."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """One row for each pair of a person and an ad that she met: codes of the exposures' columns, and `n` of each kind."""

    person: NDArray[np.int64]
    ad: NDArray[np.int64]
    observed: NDArray[np.int64]
    shown: NDArray[np.int64]
    sites: NDArray[np.int64]
    """The sites on which she met it, as far as they are known."""
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    """Milliseconds since 1970, UTC."""

    def __len__(self) -> int:
        return len(self.person)


def pairs(exposures: Exposures, key: Key) -> Pairs:
    """Every pair of a person and an ad, in the order of their codes."""
    rows = exposures.only(exposures.by(key).known)
    ads, places = len(rows.by(key).names), len(rows.site.names)
    pair = rows.pair(key)
    known, place, observed = np.unique(pair, return_inverse=True, return_counts=True)
    sited = rows.site.known
    met = distinct(place[sited] * places + rows.site.codes[sited])
    last = np.zeros(len(known), np.int64)
    # Of rows in the order of time the last assignment stays, and the first if they are turned round.
    last[place] = rows.time
    first = np.zeros(len(known), np.int64)
    first[place[::-1]] = rows.time[::-1]
    return Pairs(
        known // ads,
        known % ads,
        observed,
        np.bincount(place[rows.shown], minlength=len(known)),
        np.bincount(met // places, minlength=len(known)),
        first,
        last,
    )


def frequency(times: NDArray[np.int64]) -> dict[int, float]:
    """The share of pairs that met exactly n times, by n; those that never met are left out."""
    return shares(Counter(times.tolist()))


def reach(found: Pairs) -> dict[int, int]:
    """By the code of an ad, how many people met it."""
    return dict(Counter(found.ad.tolist()))


@dataclass(frozen=True, slots=True)
class OverCap:
    """What a cap of `cap` for each pair over the whole study would have had to withhold: the number, and its share of all exposures."""

    cap: int
    exposures: int
    share: float


def over_cap(found: Pairs, cap: int) -> OverCap:
    """The sum of what each pair met above `cap`, whatever caps were in force."""
    above = int(np.maximum(found.observed - cap, 0).sum())
    return OverCap(cap, above, above / max(int(found.observed.sum()), 1))


@dataclass(frozen=True, slots=True)
class Concentration:
    """How exposures are spread over ads."""

    gini: float | None
    """0 all alike, 1 all of one; None for fewer than `LEAST_FOR_GINI` ads."""
    hhi: float
    """Herfindahl-Hirschman index: the sum of squared shares."""
    entropy: float
    """Shannon's, as a share of what so many ads could have; 1 for all alike."""


def concentration(counts: NDArray[np.int64]) -> Concentration:
    """Of exposures by ad; zeros are left out."""
    counts = np.sort(counts[counts > 0]).astype(np.float64)
    number, total = len(counts), counts.sum()
    if not number:
        return Concentration(None, 0.0, 0.0)
    part = counts / total
    gini = float((2 * np.arange(1, number + 1) - number - 1) @ counts / (number * total))
    entropy = float(-(part * np.log(part)).sum() / np.log(number)) if number > 1 else 0.0
    return Concentration(gini if number >= LEAST_FOR_GINI else None, float((part**2).sum()), entropy)


@dataclass(frozen=True, slots=True)
class Gaps:
    """The time between one exposure of a person to an ad and her next to it."""

    number: int
    median_ms: float | None
    bursts: float
    """The share below a minute: slots that refresh themselves."""


def gaps(exposures: Exposures, key: Key) -> Gaps:
    """Of all pairs together."""
    rows = exposures.only(exposures.by(key).known)
    pair = rows.pair(key)
    # A stable order leaves the rows of a pair in the order of time.
    order = np.argsort(pair, kind="stable")
    same = np.diff(pair[order]) == 0
    found = np.diff(rows.time[order])[same]
    median = float(np.median(found)) if len(found) else None
    return Gaps(len(found), median, float(np.mean(found < BURST_MS)) if len(found) else 0.0)


@dataclass(frozen=True, slots=True)
class Persistence:
    """How long an ad stays with a person, in days from her first exposure to her last; of pairs that met more than once."""

    pairs: int
    median: float | None
    longest: float | None
    after_purchase: int
    """Exposures to an advertiser after she bought there; only by the key `advertiser`."""


def persistence(exposures: Exposures, visits: Visits, key: Key, found: Pairs) -> Persistence:
    """Of the pairs in `found`, which are those of `exposures` by `key`."""
    days = (found.last - found.first)[found.observed > 1] / DAY_MS
    after = _after_purchase(exposures, visits) if key == "advertiser" else 0
    if not len(days):
        return Persistence(0, None, None, after)
    return Persistence(len(days), float(np.median(days)), float(days.max()), after)


def _after_purchase(exposures: Exposures, visits: Visits) -> int:
    bought = visits.times(Kind.BOUGHT)
    met = exposures.rows_of(bought)
    return sum(int(np.count_nonzero(exposures.time[rows] > bought[pair][0])) for pair, rows in met.items())


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of how much of what was met anything can be said."""

    exposures: int
    keyed: dict[Key, float]
    """The share that has a creative, a campaign, an advertiser."""
    sited: float
    """The share whose page's site is known."""
    basis: dict[str, float]
    """By which rung of the identity ladder, as shares."""


def coverage(exposures: Exposures) -> Coverage:
    """Over all exposures."""
    total = max(len(exposures), 1)
    keyed = {key: float(np.count_nonzero(exposures.by(key).known)) / total for key in _KEYS}
    rungs = np.bincount(exposures.basis.codes, minlength=len(exposures.basis.names))
    by_rung = {name: float(count) / total for name, count in zip(exposures.basis.names, rungs, strict=True) if count}
    return Coverage(len(exposures), keyed, float(np.count_nonzero(exposures.site.known)) / total, by_rung)


_KEYS: tuple[Key, ...] = ("creative", "campaign", "advertiser")


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures by one key."""

    key: Key
    exposures: int
    withheld: float
    """The share of exposures that were withheld."""
    people: int
    ads: int
    repeats: float
    """Repeat share: 1 - distinct ads / exposures."""
    observed: dict[int, float]
    shown: dict[int, float]
    """Frequency: the share of pairs that met, or were shown, exactly n times."""
    moved: float
    """How far capping moved the curve: the shuffle distance of the two."""
    sites_median: float | None
    sites_most: int
    """Sites on which a person met an ad."""
    over: tuple[OverCap, ...]
    concentration: Concentration
    gaps: Gaps
    persistence: Persistence


def figures(exposures: Exposures, visits: Visits, key: Key, caps: Sequence[int]) -> Figures:
    """Every figure above; `caps` are those whose load is told."""
    found = pairs(exposures, key)
    total = int(found.observed.sum())
    by_ad = np.bincount(found.ad, weights=found.observed).astype(np.int64)
    observed, shown = frequency(found.observed), frequency(found.shown)
    ads = int(np.count_nonzero(by_ad))
    return Figures(
        key=key,
        exposures=total,
        withheld=1 - int(found.shown.sum()) / total if total else 0.0,
        people=len(np.unique(found.person)),
        ads=ads,
        repeats=1 - ads / total if total else 0.0,
        observed=observed,
        shown=shown,
        moved=distance(observed, shown),
        sites_median=float(np.median(found.sites)) if len(found) else None,
        sites_most=int(found.sites.max(initial=0)),
        over=tuple(over_cap(found, cap) for cap in caps),
        concentration=concentration(by_ad),
        gaps=gaps(exposures, key),
        persistence=persistence(exposures, visits, key, found),
    )
