"""What capping does: the days with caps beside those without, as the study drew them, with an interval.

Each person's days are put together first, so that one who browses much weighs no more than another. Where people have days of both kinds,
each is compared with herself; otherwise those with caps are compared with those without.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from capper.study.metrics import DAY_MS
from capper.study.statistics import Floats, Interval, of_difference, of_mean
from capper.study.table import Exposures, Key, distinct

MEASURES = ("met", "shown", "repeats")
"""On a day with ads: how many a person met (withheld ones too), was shown, and was shown again of an ad shown before that day."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Of capping on one measure: below 0 it is less with caps than without."""

    measure: str
    paired: int
    """People who were compared with themselves; 0 where two groups were compared."""
    people: int
    capped: float
    control: float
    """The means over people, for each day with ads."""
    effect: float
    interval: Interval
    """At 95 %."""


@dataclass(frozen=True, slots=True)
class _Days:
    """One row for each day on which a person met ads."""

    person: NDArray[np.int64]
    control: NDArray[np.bool_]
    values: dict[str, Floats]


def effects(exposures: Exposures, key: Key) -> tuple[Effect, ...]:
    """The effect on each measure; none where one of the arms is empty."""
    return _effects(_days(exposures, key))


def against_itself(exposures: Exposures, key: Key, seed: int) -> tuple[Effect, ...]:
    """The A/A control: the days with caps alone, half of them taken for days without; whatever this finds is chance or a fault of method.

    Halves are drawn as the arms were: of each person's days where people have both kinds, else of people.
    """
    days = _days(exposures, key)
    held = ~days.control
    both = np.intersect1d(days.person[held], days.person[~held])
    rng = np.random.default_rng(seed)
    person = days.person[held]
    if len(both):
        drawn = rng.random(len(person))
        # The half of each person's days whose draws are below her median.
        order = np.lexsort((drawn, person))
        starts = np.flatnonzero(np.r_[True, np.diff(person[order]) != 0]) if len(order) else order
        sizes = np.diff(np.r_[starts, len(order)])
        place = np.arange(len(order)) - np.repeat(starts, sizes)
        called = np.zeros(len(order), np.bool_)
        called[order] = place < np.repeat(sizes // 2, sizes)
    else:
        people = np.unique(person)
        called = np.isin(person, rng.permutation(people)[: len(people) // 2])
    return _effects(replace(days, person=person, control=called, values={k: v[held] for k, v in days.values.items()}))


def _days(exposures: Exposures, key: Key) -> _Days:
    rows = exposures.only(exposures.by(key).known)
    ads, day = len(rows.by(key).names), rows.time // DAY_MS
    first = int(day.min(initial=0))
    span = int(day.max(initial=0)) - first + 1
    each = (rows.person.codes.astype(np.int64) * span + (day - first)) * 2 + rows.control
    known, place, met = np.unique(each, return_inverse=True, return_counts=True)
    shown = np.bincount(place[rows.shown], minlength=len(known))
    kinds = distinct(place[rows.shown] * ads + rows.by(key).codes[rows.shown]) // ads
    repeats = shown - np.bincount(kinds, minlength=len(known))
    values = {"met": met, "shown": shown, "repeats": repeats}
    return _Days(known // 2 // span, known % 2 == 1, {name: each.astype(np.float64) for name, each in values.items()})


def _effects(days: _Days) -> tuple[Effect, ...]:
    if days.control.all() or not days.control.any():
        return ()
    return tuple(_effect(days, measure) for measure in MEASURES)


def _effect(days: _Days, measure: str) -> Effect:
    values = days.values[measure]
    held, free = (_by_person(days.person[arm], values[arm]) for arm in (~days.control, days.control))
    both = sorted(held.keys() & free.keys())
    if both:
        capped, control = (np.array([arm[person] for person in both]) for arm in (held, free))
        interval = of_mean(capped - control)
    else:
        capped, control = (np.array(list(arm.values())) for arm in (held, free))
        interval = of_difference(capped, control)
    means = float(capped.mean()), float(control.mean())
    people = len(held.keys() | free.keys())
    return Effect(measure, len(both), people, *means, means[0] - means[1], interval)


def _by_person(person: NDArray[np.int64], values: Floats) -> dict[int, float]:
    """The mean of each person's days."""
    known, place = np.unique(person, return_inverse=True)
    means = np.bincount(place, weights=values) / np.bincount(place)
    return dict(zip(known.tolist(), means.tolist(), strict=True))
