"""Who follows whom after what she looked at."""

from datetime import timedelta

import numpy as np
import pytest

from capper.domain.window import to_ms
from capper.study.exposure import Kind, Visit
from capper.study.retargeting import LOOKBACK, retargeting
from capper.study.table import Exposures, Visits
from capper.testing import NOON

MINUTE = 60_000
END = to_ms(NOON + timedelta(days=40))


def views(*rows):
    return Visits.of(
        Visit(NOON + timedelta(minutes=minute), person, site, kind)
        for minute, person, site, *kind in rows
        for kind in [kind[0] if kind else Kind.PRODUCT]
    )


def test_only_after_she_looked_at_something_of_theirs(exposures):
    """Not before, not another's, not somebody else, not after a page that is no product's, not after a month."""
    table = exposures(
        (0, "anna", "shoes"),
        (10, "anna", "shoes"),
        (12, "anna", "cola"),
        (13, "ben", "shoes"),
        (60 * 24 * 31, "anna", "shoes"),
    )
    found = retargeting(table, views((5, "anna", "shoes"), (1, "anna", "cola", Kind.PAGE)), END)

    assert (1, 1, 1, 0.2, 0.0) == (found.viewed, found.retargeted, found.exposures, found.share, found.censored)
    assert (5 * MINUTE, (5 * MINUTE, 5 * MINUTE)) == (found.lag, found.lag_quartiles)


def test_the_lag_is_from_the_last_look(exposures):
    """She looked at two; the ad came after the second. A cart counts as a look."""
    found = retargeting(
        exposures((9, "anna", "shoes")), views((1, "anna", "shoes"), (7, "anna", "shoes", Kind.CART)), END
    )

    assert 2 * MINUTE == found.lag


def test_who_was_not_followed_counts_as_long_as_she_was_watched(exposures):
    """Two of three were, after 3 and 4 minutes: half of them by the second. Nobody seen: no lag."""
    table = exposures((3, "anna", "shoes"), (4, "ben", "shoes"))
    looked = views((0, "anna", "shoes"), (0, "ben", "shoes"), (0, "carl", "shoes"))
    found, nobody = retargeting(table, looked, END), retargeting(exposures(), looked, END)

    assert (4 * MINUTE, pytest.approx(1 / 3)) == (found.lag, found.censored)
    assert (None, None, 1.0, None) == (nobody.lag, nobody.lag_quartiles, nobody.censored, nobody.half_life)


@pytest.mark.parametrize("days", [2.0, 5.0])
def test_a_half_life_is_found_again(exposure, days):
    """Within a tenth, although the study ends before the longest have come: 300 people, 20 exposures each."""
    rng = np.random.default_rng(5)
    end = NOON + timedelta(days=12)
    rows, looked = [], []
    for person in range(300):
        began = float(rng.uniform(0, 6 * 1440))
        looked.append((began, f"p{person}", "shoes"))
        times = began + rng.exponential(days * 1440 / np.log(2), 20)
        rows += [exposure(time, f"p{person}") for time in times[times < 12 * 1440]]
    found = retargeting(Exposures.of(rows), views(*looked), to_ms(end))

    assert days * 1440 * MINUTE == pytest.approx(found.half_life, rel=0.1)


def test_of_nothing(exposures):
    """No visits, no figures."""
    found = retargeting(exposures((1, "anna", "shoes")), views(), END)

    assert (0, 0, 0.0, None) == (found.viewed, found.exposures, found.share, found.lag)
    assert timedelta(days=30) == LOOKBACK
