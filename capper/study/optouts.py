"""A study's treatments (opt-outs) as experiments: whose exposures followed a visit, before and after, treated and not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from capper.domain.window import to_ms
from capper.study.experiment import Effect, Rate, Unit, against_itself, effect, effects
from capper.study.register import Treatment
from capper.study.retargeting import retargeted
from capper.study.statistics import holm
from capper.study.table import Exposures, Visits

MOST_ADVERTISERS = 20
"""For which an effect of their own is told: those that followed most."""


@dataclass(frozen=True, slots=True)
class Tested:
    """An effect, and its p corrected for as many tests as were made with it (Holm)."""

    effect: Effect
    corrected: float


@dataclass(frozen=True, slots=True)
class OptOut:
    """What one treatment did to the rate of retargeted exposures."""

    treatment: str
    all: Tested
    """Over all advertisers; corrected for the number of treatments."""
    by_advertiser: dict[str, Tested]
    """Corrected for the number of advertisers told."""
    itself: Effect | None
    """The A/A control: untreated against untreated; None where no block has two of them."""


def opt_outs(exposures: Exposures, visits: Visits, treatments: Sequence[Treatment], seed: int) -> tuple[OptOut, ...]:
    """Every treatment that has a block with both treated and untreated profiles."""
    followed = retargeted(exposures, visits)
    found: dict[str, tuple[Effect, dict[str, Tested], Effect | None]] = {}
    for name in sorted({each.name for each in treatments} - {""}):
        chosen = _profiles(name, treatments)
        if not chosen:
            continue
        units = _units(exposures, chosen, followed)
        own = effects({ad: _units(exposures, chosen, mine) for ad, mine in _by_advertiser(exposures, followed)}, seed)
        told = {ad: Tested(*each) for ad, each in own.items()}
        found[name] = effect(units, seed), told, _itself(units, seed)
    corrected = holm({name: each[0].p for name, each in found.items()})
    return tuple(OptOut(name, Tested(each[0], corrected[name]), each[1], each[2]) for name, each in found.items())


@dataclass(frozen=True, slots=True)
class _Profile:
    person: str
    block: str
    treated: bool
    at: datetime
    """When the first of its block was treated."""


def _profiles(name: str, treatments: Sequence[Treatment]) -> list[_Profile]:
    """Those of the blocks that have both some with this treatment and some without any."""
    blocks: defaultdict[str, list[Treatment]] = defaultdict(list)
    for each in treatments:
        if each.name in {"", name}:
            blocks[each.block].append(each)
    return [
        _Profile(each.person, block, bool(each.name), min(other.at for other in members if other.name))
        for block, members in blocks.items()
        if {bool(each.name) for each in members} == {True, False}
        for each in members
    ]


def _units(exposures: Exposures, profiles: Sequence[_Profile], hits: NDArray[np.bool_]) -> list[Unit]:
    numbers = {each.person: number for number, each in enumerate(profiles)}
    of_code = np.array([numbers.get(name, -1) for name in exposures.person.names], np.int64)
    number = of_code[exposures.person.codes]
    since = np.array([to_ms(each.at) for each in profiles], np.int64)
    # Two places for each profile: before and after.
    place = 2 * number + (exposures.time >= since[number])
    used = (number >= 0) & exposures.advertiser.known
    trials, found = (np.bincount(place[rows], minlength=2 * len(profiles)).tolist() for rows in (used, used & hits))
    rates = [Rate(*each) for each in zip(found, trials, strict=True)]
    return [Unit(each.block, each.treated, *rates[2 * number : 2 * number + 2]) for number, each in enumerate(profiles)]


def _by_advertiser(exposures: Exposures, followed: NDArray[np.bool_]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Each advertiser's retargeted exposures, of those that have most of them."""
    counts = np.bincount(exposures.advertiser.codes[followed], minlength=len(exposures.advertiser.names))
    most = [code for code in np.argsort(-counts, kind="stable")[:MOST_ADVERTISERS].tolist() if counts[code]]
    return [(exposures.advertiser.names[code], followed & (exposures.advertiser.codes == code)) for code in most]


def _itself(units: Sequence[Unit], seed: int) -> Effect | None:
    try:
        return against_itself(units, seed)
    except ValueError:
        return None
