"""A simulated week kept as a study."""

import hashlib

import pytest

from capper.domain.errors import ConfigError
from capper.study.detection import detect
from capper.study.register import data_file, read_studies, register_file
from capper.study.rt1 import World, score, simulate
from capper.study.simulated import BEGUN, LENGTH, keep
from capper.study.store import Store

SMALL = World(people=20, visits=40, campaigns=20)


@pytest.fixture
def kept(tmp_path):
    """Keeps a small week under a folder of its own, and reads it back: the study and its rows."""

    def make(folder="a", seed=1):
        state = tmp_path / folder
        truth = simulate(seed, 3, SMALL)
        keep(state, "practice", seed, truth)
        store = Store.open(data_file(state, "practice"))
        rows, table = list(store.rows()), store.exposures()
        store.close()
        return truth, read_studies(register_file(state))["practice"], rows, table

    return make


def test_what_is_kept_is_the_week(kept):
    """A study that is over, of as many people as the world has, with every exposure; counting finds in it what it finds in the world."""
    truth, study, rows, table = kept()
    found, known = (detect(each, "advertiser") for each in (table, truth.exposures))

    assert (BEGUN, BEGUN + LENGTH, 20) == (study.begun, study.stopped, len(study.participants))
    assert {row.person for row in rows} == set(study.participants)
    assert len(truth.exposures) == len(rows) == len(table)
    assert sorted(known.domains) == sorted(found.domains)
    assert (known.users_threshold, known.targeted.sum()) == (found.users_threshold, found.targeted.sum())
    assert score(known, truth).aimed > 20


def test_the_same_seed_keeps_the_same_rows(kept):
    """To the last letter, on another machine too; another seed names everybody otherwise."""
    one, same, other = (
        hashlib.sha256(repr(kept(folder, seed)[2]).encode()).hexdigest()
        for folder, seed in (("a", 1), ("b", 1), ("c", 2))
    )

    assert one == same
    assert one != other


def test_no_study_is_written_over(kept):
    """A second of the same name is refused."""
    kept()

    with pytest.raises(ConfigError, match="already"):
        kept()
