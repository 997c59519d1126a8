"""What capper measures of people is what the ad world behind it says it did; browsers as small as can be."""

import pytest

from tables.known_truth import CONTROL, Size, rows, run
from tables.visitors import visitors

pytestmark = pytest.mark.timeout(600)

NEED_MORE = {"half-life, days", "the same, p"}
"""Figures that so few people do not give."""


@pytest.fixture(scope="module")
def size():
    """Large enough for an effect, small enough for every day."""
    return Size(blocks=3, days=1, pages=3)


async def test_what_is_measured_is_what_happened(tmp_path, size):
    """Exposures, sites and lags to the last one; the effect of opting out within its interval; nothing where there is nothing."""
    found = await run(tmp_path, size, 1, visitors)

    wrong = [row.what for row in rows(found, 1) if not row.passed]
    control = found.exposures.control
    assert set() == {*wrong} - NEED_MORE
    assert (0, 0) == (found.exposure_error, found.sites_wrong)
    assert len(found.world.delivered) == len(found.exposures)
    assert 0 < CONTROL * 0.4 < control.mean() < CONTROL * 2.5
    assert found.exposures.shown[control].all()
    assert not found.exposures.shown[~control].all()
