"""The register of studies."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from capper.domain.errors import ConfigError
from capper.study.register import (
    Of,
    Participant,
    Study,
    StudyKeys,
    change_study,
    joined,
    left,
    make_key,
    read_key,
    read_studies,
)
from capper.testing import NOON

STUDY = Study("ads", NOON, NOON + timedelta(days=7), "I agree.", 7, names=True, control=0.25, of=Of.PEOPLE)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "studies" / "studies.json"


def test_a_study_is_read_as_it_was_written(file):
    """With those who take part; for its owner only."""
    study = joined(STUDY, "d" * 32, Participant(NOON, STUDY.text, names=True))
    change_study(file, "ads", lambda _: study)

    assert {"ads": study} == read_studies(file)
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_others_stay_when_one_changes(file):
    """Each change is told what was there; None takes the study off."""
    change_study(file, "ads", lambda _: STUDY)
    seen = []
    change_study(file, "other", lambda study: seen.append(study) or Study("other", NOON, NOON, "", 1))
    change_study(file, "ads", seen.append)

    assert [None, STUDY] == seen
    assert ["other"] == list(read_studies(file))


def test_who_leaves_is_gone():
    """And nobody else."""
    study = joined(joined(STUDY, "a", Participant(NOON, "")), "b", Participant(NOON, ""))

    assert ["b"] == list(left(study, "a").participants)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 1}', '{"version": 1, "studies": [{}]}', '{"version": 2}']
)
def test_what_is_no_register_is_refused(file, text):
    """Naming the file."""
    file.parent.mkdir()
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"studies\.json"):
        read_studies(file)


def test_without_a_file_there_are_none(file):
    """The usual case."""
    assert {} == read_studies(file)


@pytest.mark.parametrize(
    ("at", "runs"), [(NOON, True), (NOON - timedelta(seconds=1), False), (NOON + timedelta(days=7), False)]
)
def test_when_it_runs(at, runs):
    """From its beginning until its end, or until it was stopped."""
    stopped = Study("ads", NOON, STUDY.until, "", 1, stopped=NOON + timedelta(days=1))

    assert runs == STUDY.runs(at)
    assert (True, False) == (stopped.runs(NOON), stopped.runs(NOON + timedelta(days=1)))


def test_people_are_drawn_as_often_as_the_share_says():
    """A quarter, give or take; a person's arm is the same on every day."""
    drawn = [STUDY.in_control(f"person{number}", NOON) for number in range(2000)]

    assert 420 < sum(drawn) < 580
    assert drawn == [STUDY.in_control(f"person{number}", NOON + timedelta(days=3)) for number in range(2000)]


def test_days_are_those_of_utc():
    """So that every machine draws the same."""
    study = Study("ads", NOON, STUDY.until, "", 1, control=0.5)
    day = datetime(2026, 3, 1, tzinfo=UTC)

    assert 1 == len({study.in_control("p", day + timedelta(hours=hour)) for hour in range(24)})
    assert 2 == len({study.in_control("p", day + timedelta(days=each)) for each in range(24)})


def test_a_key_is_kept(tmp_path):
    """For its owner only; one that is gone or damaged is named."""
    path = tmp_path / "ads" / "key"
    made = make_key(path)
    found = read_key(path)
    path.write_bytes(b"short")

    assert (made, 32) == (found, len(found))
    with pytest.raises(ConfigError, match="5 bytes"):
        read_key(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_key(tmp_path / "none")


def test_names_are_digests():
    """The same each time, "" for nothing, whatever a page put in it."""
    keys = StudyKeys(bytes(32))

    assert keys.of("site", "\ud800") == StudyKeys(bytes(32)).of("site", "\ud800")
    assert (32, "") == (len(keys.of("site", "news.example")), keys.of("site", ""))
