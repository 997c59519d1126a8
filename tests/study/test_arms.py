"""What capping does, told from days and people whose truth is known."""

import numpy as np
import pytest

from capper.domain.decision import Verdict
from capper.study.arms import against_itself, effects
from capper.study.exposure import Arm

DAY = 24 * 60


def browsing(seed, *, people=40, days=12, by_day=True, kept=2):
    """Days of eight ads of one advertiser, of which `kept` are shown where caps hold."""
    rng = np.random.default_rng(seed)
    for person in range(people):
        for day in range(days):
            control = rng.random() < 0.5 if by_day else person % 2 == 0
            for place in range(int(rng.integers(6, 11))):
                shown = control or place < kept
                verdict = Verdict.SHOW if shown else Verdict.WITHHOLD
                arm = Arm.CONTROL if control else Arm.CAPPED
                yield day * DAY + place, f"p{person}", "shoes", "news", verdict, arm


@pytest.fixture
def table(exposure):
    from capper.study.table import Exposures

    return lambda rows: Exposures.of(exposure(*row[:5], arm=row[5]) for row in rows)


@pytest.mark.parametrize("by_day", [True, False])
def test_what_capping_takes_away_is_found(table, by_day):
    """Of some eight ads a day two are shown: six fewer, and as many fewer repeats; what is met is the same."""
    found = {each.measure: each for each in effects(table(browsing(4, by_day=by_day)), "advertiser")}

    assert -6 in found["shown"].interval
    assert -6 in found["repeats"].interval
    assert 0 in found["met"].interval
    assert 2 == found["shown"].capped
    assert 40 == found["shown"].people
    assert (40 if by_day else 0) == found["shown"].paired


@pytest.mark.parametrize("by_day", [True, False])
def test_days_with_caps_differ_little_from_themselves(table, by_day):
    """The A/A control finds something about as often as chance does: once in twenty, not in four of ten."""
    wrong = 0
    for seed in range(20):
        rows = table(browsing(seed, people=16, days=8, by_day=by_day))
        met, *_ = against_itself(rows, "advertiser", seed)
        wrong += 0 not in met.interval

    assert wrong <= 4


def test_the_same_seed_draws_the_same(table):
    """A report can be made again."""
    rows = table(browsing(1, people=6))

    assert against_itself(rows, "advertiser", 5) == against_itself(rows, "advertiser", 5)


def test_one_arm_tells_nothing(table):
    """Without days of the other kind there is nothing to compare with."""
    rows = [row for row in browsing(1, people=3) if row[5] is Arm.CAPPED]

    assert () == effects(table(rows), "advertiser")
    assert () == effects(table([]), "advertiser")


def test_exposures_without_a_key_are_left_out(exposures):
    """They are nobody's ads."""
    rows = exposures((0, "anna", ""), (1, "anna", "shoes"))

    assert () == effects(rows, "advertiser")
