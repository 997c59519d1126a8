"""Decisions as tests write them down."""

import pytest

from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Viewer
from capper.testing import an_ad


@pytest.fixture
def a_decision():
    """`a_decision(verdict, ad, **other fields)`: anna's third of three."""

    def make(verdict: Verdict = Verdict.WITHHOLD, ad: Ad | None = None, **other: object) -> Decision:
        values: dict[str, object] = {"cap": Cap.parse("3 per creative per day"), "count": 3, **other}
        return Decision(verdict, Viewer("anna"), ad or an_ad(), "caps", **values)  # type: ignore[arg-type]

    return make
