"""A study of rows that are there already."""

from datetime import timedelta

import pytest

from capper.domain.errors import ConfigError
from capper.study.draft import Draft
from capper.study.exposure import Visit
from capper.study.register import Study, data_file, key_file, read_studies, register_file, studies_folder
from capper.study.store import Store
from capper.testing import NOON


def unnamed(**parts):
    return Study("", NOON, NOON, "Nobody was asked.", 7, **parts)


def test_what_is_registered_is_there(tmp_path, exposure):
    """From the first row to the last, over, with everybody in it; nothing else stays."""
    with Draft(tmp_path, "one") as draft:
        draft.fill([exposure(0, "anna"), exposure(5, "ben")], [Visit(NOON + timedelta(hours=1), "eve", "shoes")])
        made = draft.register(unnamed())
    store = Store.open(data_file(tmp_path, "one"))

    assert {"one": made} == read_studies(register_file(tmp_path))
    assert (NOON, NOON + timedelta(hours=1, milliseconds=1)) == (made.begun, made.until)
    assert (made.until, {"anna", "ben", "eve"}) == (made.stopped, set(made.participants))
    assert {"anna": 1, "ben": 1} == store.counts()
    assert {"one", "studies.json"} == {path.name for path in studies_folder(tmp_path).iterdir()}
    assert key_file(tmp_path, "one").exists()
    store.close()


def test_what_is_not_registered_is_gone(tmp_path, exposure):
    """An empty one cannot be."""
    with Draft(tmp_path, "one") as draft:
        draft.fill([exposure(0)])
    with Draft(tmp_path, "one") as draft, pytest.raises(ConfigError, match="nothing was found"):
        draft.register(unnamed())

    assert [] == list(studies_folder(tmp_path).iterdir())


def test_no_study_is_written_over(tmp_path, exposure):
    """Also where another of the name was made meanwhile."""
    with Draft(tmp_path, "one") as slow:
        slow.fill([exposure(0)])
        with Draft(tmp_path, "one") as quick:
            quick.fill([exposure(1)])
            made = quick.register(unnamed())
        with pytest.raises(ConfigError, match="already"):
            slow.register(unnamed())
    with pytest.raises(ConfigError, match="already"):
        Draft(tmp_path, "one")

    assert {"one": made} == read_studies(register_file(tmp_path))
