"""What a study notes down until it is written."""

import pytest

from capper.domain.decision import Decision, Verdict
from capper.domain.errors import ConfigError
from capper.domain.identity import Ad, Basis, Viewer
from capper.domain.sighting import Sighting
from capper.study.exposure import Arm
from capper.study.notebook import Notebook
from capper.study.register import StudyKeys
from capper.study.store import Store
from capper.testing import NOON

ANNA = Viewer("anna")
SHOES = Ad(("shoes.example",), basis=Basis.ADOMAIN)


@pytest.fixture
def notes(tmp_path):
    made = Notebook(StudyKeys(bytes(32)), Store.open(tmp_path / "exposures.sqlite"), most=3)
    yield made
    made.store.close()


def met(notes, times=1):
    one = Sighting(ANNA, SHOES, "o", page="p", site="news.example"), Decision(Verdict.SHOW, ANNA, SHOES, "caps")
    notes.met(NOON, "a1", Arm.CAPPED, *zip(*[one] * times, strict=True))


def test_what_waits_is_bounded(notes):
    """What comes above it is lost, and counted."""
    for _ in range(5):
        met(notes)

    assert (3, 2) == (len(notes), notes.dropped)


def test_what_was_taken_waits_no_more(notes):
    """And what comes meanwhile is for the next time."""
    met(notes, 2)
    taken = notes.taken()
    met(notes)
    notes.write(taken)

    assert (2, 1) == (len(list(notes.store.rows())), len(notes))


def test_what_the_disk_does_not_take_is_counted(notes):
    """As lost."""
    met(notes, 2)
    notes.store._connection.execute("DROP TABLE exposures")
    with pytest.raises(ConfigError, match="write 2 exposures"):
        notes.write(notes.taken())

    assert (0, 2) == (len(notes), notes.dropped)
