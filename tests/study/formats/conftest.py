"""Studies as tests export them."""

from datetime import timedelta

import pytest

from capper.domain.decision import Verdict
from capper.domain.identity import Basis
from capper.domain.sighting import Format
from capper.study.exposure import Arm, Exposure, Kind, Visit
from capper.study.register import Participant, Study
from capper.study.store import Store
from capper.testing import NOON

HOSTILE = '=cmd|"/c calc"!A1,\r\n\u202e\'; DROP TABLE task; --'


@pytest.fixture
def hostile():
    """A name that is a formula, a line break, a quote and a statement in one."""
    return HOSTILE


@pytest.fixture
def rows():
    """Six exposures over three days, of anna and ben and of one who takes no part; hostile names among them."""
    people = ("anna", "ben", "stranger")
    return [
        Exposure(
            NOON + timedelta(hours=12 * number, milliseconds=number),
            people[number % 3],
            f"load {number // 2}",
            "site",
            list(Format)[number % len(Format)],
            "net.example" if number % 2 else "",
            Basis.CLICK,
            creative=f"c{number}",
            advertiser="shoes",
            verdict=list(Verdict)[number % 2],
            before=number,
            cap="3 per advertiser per day",
            arm=list(Arm)[number % 2],
            name=HOSTILE,
        )
        for number in range(6)
    ]


@pytest.fixture
def visits():
    """Two, of anna and of one who takes no part."""
    return [Visit(NOON, "anna", "shoes", Kind.PRODUCT), Visit(NOON, "stranger", "shoes", Kind.CART)]


@pytest.fixture
def study():
    """Of anna and ben."""
    people = {name: Participant(NOON, "x", names=True) for name in ("anna", "ben")}
    return Study("autumn", NOON, NOON + timedelta(days=7), "I agree.", 7, names=True, participants=people)


@pytest.fixture
def store(tmp_path, rows, visits):
    """With these rows."""
    store = Store.open(tmp_path / "state" / "exposures.sqlite")
    store.add(rows, visits)
    yield store
    store.close()
