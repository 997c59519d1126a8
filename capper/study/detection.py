"""Which ads follow few people over many sites: targeting told by counting, after eyeWnder (arXiv 1907.01862).

An ad is taken as targeted at a person when she met it on more sites than her ads are met on, and fewer people met it than ads are met
by. It is a verdict by two thresholds, which go with it; people with few sites get none.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from capper.study.table import Exposures, Key, distinct

LEAST_SITES = 4
"""Sites with ads that a person must have met in the window for a verdict."""


class Statistic(StrEnum):
    """What makes a threshold of many counts."""

    MEAN = "mean"
    MEDIAN = "median"
    MEAN_MEDIAN = "mean+median"
    MEAN_STD = "mean+std"

    def of(self, counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
        """The threshold; infinite for no counts, so that nothing is above it."""
        if not len(counts):
            return np.inf
        found = float(np.median(counts)) if self is Statistic.MEDIAN else float(np.mean(counts))
        if self is Statistic.MEAN_MEDIAN:
            found += float(np.median(counts))
        if self is Statistic.MEAN_STD:
            found += float(np.std(counts))
        return found


@dataclass(frozen=True, slots=True)
class Rule:
    """Which statistic makes which threshold."""

    users: Statistic = Statistic.MEAN
    domains: Statistic = Statistic.MEAN


@dataclass(frozen=True, slots=True)
class Verdicts:
    """One row for each pair of a person and an ad that she met; `person` and `ad` are codes of the exposures' columns."""

    person: NDArray[np.int64]
    ad: NDArray[np.int64]
    domains: NDArray[np.int64]
    """#Domains: the sites on which she met it."""
    users: NDArray[np.float64]
    """#Users: the people who met it, as far as is known."""
    domains_threshold: NDArray[np.float64]
    users_threshold: float
    decided: NDArray[np.bool_]
    """Whether she met enough sites for a verdict."""
    targeted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.person)


def detect(
    exposures: Exposures,
    key: Key,
    rule: Rule = Rule(),
    *,
    users: NDArray[np.float64] | None = None,
    users_threshold: float | None = None,
) -> Verdicts:
    """Verdicts over all exposures, those that were withheld among them; those without a key or a site give none.

    Args:
        users: for each code of the key's column how many people met it, where more is known than these exposures tell.
        users_threshold: in place of the rule's, where one was made elsewhere and released with noise.
    """
    column = exposures.by(key)
    known = column.known & exposures.site.known
    ads, places = len(column.names), len(exposures.site.names)
    person, ad, site = (part.codes[known].astype(np.int64) for part in (exposures.person, column, exposures.site))
    # One number for each triple: sorting numbers is ten times as fast as sorting rows.
    met = distinct((person * ads + ad) * places + site)
    pairs, domains = np.unique(met // places, return_counts=True)
    whose, what = pairs // ads, pairs % ads
    if users is None:
        users = np.bincount(what, minlength=ads).astype(np.float64)
    threshold = rule.users.of(users[np.unique(what)]) if users_threshold is None else users_threshold
    sites = np.bincount(distinct(person * places + site) // places, minlength=len(exposures.person.names))
    own = _by_person(whose, domains, rule.domains)
    decided = sites[whose] >= LEAST_SITES
    targeted = decided & (domains > own) & (users[what] < threshold)
    return Verdicts(whose, what, domains, users[what], own, threshold, decided, targeted)


def _by_person(whose: NDArray[np.int64], domains: NDArray[np.int64], statistic: Statistic) -> NDArray[np.float64]:
    """For each pair the threshold of its person; pairs stand person by person."""
    bounds = np.flatnonzero(np.diff(whose)) + 1
    parts = np.split(domains, bounds)
    made = np.array([statistic.of(part) for part in parts])
    return np.repeat(made, [len(part) for part in parts])
