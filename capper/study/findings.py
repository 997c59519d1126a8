"""Everything that is told of a study, each by its key: what `capper measure report` shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capper.study import arms
from capper.study.detection import Rule, Verdicts, detect
from capper.study.metrics import Coverage, Figures, coverage, figures
from capper.study.optouts import OptOut, opt_outs
from capper.study.register import Study
from capper.study.retargeting import Retargeting, retargeting
from capper.study.table import Exposures, Key, Visits

MOST_TARGETED = 20
"""Ads that are told one by one."""


@dataclass(frozen=True, slots=True)
class Targeted:
    """An ad that was taken as targeted at somebody, with what the verdict rests on."""

    ad: str
    people: int
    """At whom it is taken as targeted."""
    users: int
    """#Users: the people who met it."""
    domains: int
    """#Domains: the most sites on which one of those people met it."""
    threshold: float
    """Of that person's #Domains."""


@dataclass(frozen=True, slots=True)
class Targeting:
    """The verdicts over all pairs of a person and an ad, and the thresholds that made them."""

    rule: Rule
    pairs: int
    decided: int
    """Of pairs: those of people who met ads on enough sites for a verdict."""
    targeted: int
    people: int
    """Who have a verdict."""
    users_threshold: float | None
    domains_thresholds: tuple[float, float] | None
    """The lowest and the highest of the people's own."""
    most: tuple[Targeted, ...]


@dataclass(frozen=True, slots=True)
class ByKey:
    """What is told by one key: of all exposures, and of each arm where there are two."""

    key: Key
    all: Figures
    capped: Figures | None
    control: Figures | None
    effects: tuple[arms.Effect, ...]
    itself: tuple[arms.Effect, ...]
    """The A/A control of `effects`."""
    targeting: Targeting


@dataclass(frozen=True, slots=True)
class Findings:
    """Of a study, in a window of it."""

    coverage: Coverage
    visits: int
    by_key: tuple[ByKey, ...]
    retargeting: Retargeting
    """By the key advertiser, whatever keys were asked for."""
    opt_outs: tuple[OptOut, ...]
    """By the key advertiser too."""


def findings(
    study: Study, exposures: Exposures, visits: Visits, keys: Sequence[Key], caps: Sequence[int], until: int
) -> Findings:
    """Everything; `until` is when the window ended, in milliseconds since 1970."""
    return Findings(
        coverage=coverage(exposures),
        visits=len(visits),
        by_key=tuple(_by_key(study, exposures, visits, key, caps) for key in keys),
        retargeting=retargeting(exposures, visits, until),
        opt_outs=opt_outs(exposures, visits, study.treatments, study.seed),
    )


def _by_key(study: Study, exposures: Exposures, visits: Visits, key: Key, caps: Sequence[int]) -> ByKey:
    split = bool(exposures.control.any()) and not bool(exposures.control.all())
    capped, control = (
        figures(exposures.only(arm), visits, key, caps) if split else None
        for arm in (~exposures.control, exposures.control)
    )
    return ByKey(
        key,
        figures(exposures, visits, key, caps),
        capped,
        control,
        arms.effects(exposures, key),
        arms.against_itself(exposures, key, study.seed) if split else (),
        _targeting(exposures, key),
    )


def _targeting(exposures: Exposures, key: Key) -> Targeting:
    rule = Rule()
    found = detect(exposures, key, rule)
    own = found.domains_threshold[found.decided]
    return Targeting(
        rule=rule,
        pairs=len(found),
        decided=int(found.decided.sum()),
        targeted=int(found.targeted.sum()),
        people=len(np.unique(found.person[found.decided])),
        users_threshold=found.users_threshold if len(found) else None,
        domains_thresholds=(float(own.min()), float(own.max())) if len(own) else None,
        most=_most(found, exposures.by(key).names),
    )


def _most(found: Verdicts, names: Sequence[str]) -> tuple[Targeted, ...]:
    """The ads that were met on the most sites by somebody at whom they are taken as targeted."""
    rows = np.flatnonzero(found.targeted)
    ordered = rows[np.lexsort((found.ad[rows], -found.domains[rows]))]
    people = np.bincount(found.ad[rows], minlength=len(names))
    first: dict[int, int] = {}
    for row in ordered.tolist():
        first.setdefault(int(found.ad[row]), row)
        if len(first) == MOST_TARGETED:
            break
    return tuple(
        Targeted(
            names[ad],
            int(people[ad]),
            int(found.users[row]),
            int(found.domains[row]),
            float(found.domains_threshold[row]),
        )
        for ad, row in first.items()
    )
