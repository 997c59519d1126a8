"""Exposures by column."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.domain.window import to_ms
from capper.study.exposure import EXPOSURES, VISITS, Arm, Exposure, Visit
from capper.study.table import Coded, Exposures, Visits
from capper.testing import NOON


def exposure(minute: int, **fields) -> Exposure:
    row = {"person": "p", "load": "l", "site": "s", "format": Format.BANNER, "network": "", "basis": Basis.CLICK}
    return Exposure(NOON + timedelta(minutes=minute), **row | fields)


@given(st.lists(st.text()))
def test_what_is_coded_is_found_again(texts):
    """Whatever the texts, and what is not known has the number 0."""
    coded = Coded.of(texts)

    assert texts == [coded.names[code] for code in coded.codes]
    assert [bool(text) for text in texts] == coded.known.tolist()


def test_exposures_by_column():
    """Rows stand in the order of time; each column says what they said."""
    rows = [
        exposure(2, advertiser="a", verdict=Verdict.WITHHOLD, before=3),
        exposure(1, creative="c", arm=Arm.CONTROL),
    ]
    found = Exposures.of(rows)

    assert [to_ms(rows[1].time), to_ms(rows[0].time)] == found.time.tolist()
    assert ([True, False], [0, 3], [True, False]) == (
        found.shown.tolist(),
        found.before.tolist(),
        found.control.tolist(),
    )
    assert [("c", ""), ("", "a")] == [
        (found.by("creative").names[c], found.by("advertiser").names[a])
        for c, a in zip(found.creative.codes, found.advertiser.codes, strict=True)
    ]


def test_there_may_be_none():
    """A study that has not begun."""
    assert (0, 0) == (len(Exposures.of([])), len(Visits.of([])))


def test_every_column_of_an_export_is_a_field():
    """In the order in which rows have them."""
    assert [column.name for column in EXPOSURES] == list(Exposure.__dataclass_fields__)
    assert [column.name for column in VISITS] == list(Visit.__dataclass_fields__)
