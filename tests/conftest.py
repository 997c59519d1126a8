"""Fixtures every part shares: the real data beside the checkout, and deterministic Hypothesis profiles."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.register_profile(
    "deep", deadline=timedelta(seconds=5), max_examples=2000, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The tests start capper hundreds of times: compiling all of it each time would cost half a second a start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that nobody here wrote; it is not part of the repository."""
    for place in (os.environ.get("CAPPER_SHARED_DATA", ""), CHECKOUT.parent / "shared" / "data"):
        if place and Path(place).is_dir():
            return Path(place)
    pytest.skip("the real data (../shared/data, or CAPPER_SHARED_DATA) is not on this machine")
