"""Exposures as tests write them."""

from datetime import timedelta

import pytest

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Exposure
from capper.study.table import Exposures
from capper.testing import NOON


@pytest.fixture
def exposure():
    """`exposure(minutes after noon, person, advertiser, site, verdict, **other fields)`."""

    def make(minute, person="anna", advertiser="shoes", site="news", verdict=Verdict.SHOW, **fields):
        row = {"load": "", "format": Format.BANNER, "network": "", "basis": Basis.CLICK}
        at = NOON + timedelta(minutes=minute)
        return Exposure(at, person, site=site, advertiser=advertiser, verdict=verdict, **row | fields)

    return make


@pytest.fixture
def exposures(exposure):
    """`exposures((minute, person, ...), ...)` as a table."""

    def make(*rows):
        return Exposures.of(exposure(*row) for row in rows)

    return make
