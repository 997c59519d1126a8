"""A study's exposures on disk."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from capper.domain.decision import Verdict
from capper.domain.errors import ConfigError
from capper.study.exposure import Arm, Kind, Visit
from capper.study.store import Store
from capper.study.table import Exposures, Visits
from capper.testing import NOON


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "studies" / "ads" / "exposures.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def rows(exposure):
    return [
        exposure(2, "ben", load="l1", creative="c", campaign="k", network="ads.example", cap="3 per day", before=2),
        exposure(1, "anna", verdict=Verdict.WITHHOLD, arm=Arm.CONTROL, name="shoes.example"),
        exposure(3, "anna", advertiser="", site=""),
    ]


VISITS = [Visit(NOON, "anna", "shoes", Kind.PRODUCT), Visit(NOON + timedelta(hours=1), "ben", "shoes")]


def same(one, other):
    """Whether two tables say the same, whatever numbers they have for texts."""
    return all(
        [mine.names[code] for code in mine.codes] == [theirs.names[code] for code in theirs.codes]
        if hasattr(mine := getattr(one, name), "codes")
        else np.array_equal(mine, theirs)
        for name in one.__dataclass_fields__
        for theirs in [getattr(other, name)]
    )


def test_what_is_written_is_read(store, rows):
    """By rows and by columns, in the order of time."""
    store.add(rows[:2], VISITS)
    store.add(rows[2:])

    assert sorted(rows, key=lambda row: row.time) == list(store.rows())
    assert same(Exposures.of(rows), store.exposures())
    assert VISITS == list(store.visit_rows())
    assert same(Visits.of(VISITS), store.visits())
    assert {"anna": 2, "ben": 1} == store.counts()


def test_a_new_study_has_nothing(store):
    """And no fault."""
    assert ([], [], {}, 0) == (list(store.rows()), list(store.visit_rows()), store.counts(), len(store.exposures()))


def test_it_stays_when_it_is_opened_again(store, rows, tmp_path):
    """Two of us may have it open: each sees what the other wrote."""
    store.add(rows[:1])
    again = Store.open(tmp_path / "studies" / "ads" / "exposures.sqlite")
    again.add(rows[1:])
    store.add(rows[:1])

    assert 4 == len(list(store.rows()))
    assert same(store.exposures(), again.exposures())
    again.close()


def test_one_writes_on_after_another_erased(store, rows, tmp_path):
    """Numbers of texts that went with who withdrew are never taken for others."""
    store.add(rows)
    again = Store.open(tmp_path / "studies" / "ads" / "exposures.sqlite")
    again.erase("ben")
    again.add([replace(rows[0], person="eve", load="l2", creative="d", campaign="m")])
    store.add(rows[:1])
    again.close()

    assert sorted(
        [*rows[1:], rows[0], replace(rows[0], person="eve", load="l2", creative="d", campaign="m")], key=repr
    ) == (sorted(store.rows(), key=repr))


def test_of_whom_alone_it_is_written(store, rows):
    """Whoever takes part once nobody else can write."""
    store.add(rows, VISITS, lambda: {"ben"})

    assert ["ben"] == [row.person for row in store.rows()]
    assert VISITS[1:] == list(store.visit_rows())


def test_it_is_its_owners(store, tmp_path):
    """Nobody else may read it, nor list its folder."""
    path = tmp_path / "studies" / "ads" / "exposures.sqlite"

    assert [0o600, 0o700] == [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)]


def test_who_withdraws_is_overwritten(store, rows, tmp_path):
    """Nothing of hers is left in any file, what is another's too stays, and writing goes on."""
    store.add([*rows, rows[0]], VISITS)
    erased, nobody = store.erase("anna"), store.erase("carl")
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    store.add(rows[:1])

    assert (2, 0) == (erased, nobody)
    assert [False, False, True] == [text in files for text in (b"anna", b"shoes.example", b"ads.example")]
    assert {"ben": 3} == store.counts()
    assert VISITS[1:] == list(store.visit_rows())


def test_threads_may_share_it(store, exposure):
    """Each writes its own; none is lost."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.add([exposure(number, f"p{number % 3}", load=f"l{number}")]), range(40)))

    assert {"p0": 14, "p1": 13, "p2": 13} == store.counts()


def test_all_or_none(store, exposure):
    """A batch that cannot be written leaves nothing of itself, and the next is taken."""
    with pytest.raises(OverflowError):
        store.add([exposure(1), exposure(2, before=2**70)])
    store.add([exposure(3)])

    assert 1 == len(list(store.rows()))


def test_a_newer_file_is_left_alone(tmp_path):
    """Rather than read wrongly; nor is a file that is none."""
    with sqlite3.connect(tmp_path / "newer") as newer:
        newer.execute("PRAGMA user_version = 2")
    newer.close()
    (tmp_path / "other").write_text("no database " * 99)

    with pytest.raises(ConfigError, match="newer capper"):
        Store.open(tmp_path / "newer")
    with pytest.raises(ConfigError, match="not a database"):
        Store.open(tmp_path / "other")
