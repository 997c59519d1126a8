"""An export whole: its files, what is said of them, and who may read it."""

import hashlib
import json
import stat
from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.errors import ConfigError
from capper.study.formats.card import impact_assessment
from capper.study.formats.folder import Format, Window, export
from capper.testing import NOON

WEEK = Window(NOON, NOON + timedelta(days=7))


@pytest.mark.parametrize("form", Format)
def test_the_same_study_gives_the_same_bytes(study, store, tmp_path, form):
    """For its owner only, with a digest of each file that is true, and no row of who takes no part."""
    if form is Format.PARQUET:
        pytest.importorskip("pyarrow")
    for name in ("one", "two"):
        export(study, store, form, WEEK, tmp_path / name, {"policy": {}})
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    told = json.loads(one["manifest.json"])

    assert one == two
    assert {"manifest.json", "DATACARD.md", *told["files"]} == set(one)
    assert all(each["sha256"] == hashlib.sha256(one[name]).hexdigest() for name, each in told["files"].items())
    # HAR has no visits, so there is none to leave out.
    assert (4, 2 if form is Format.HAR else 3) == (told["rows"]["exposures"], told["rows"]["left_out"])
    assert all(b"stranger" not in data for data in one.values())
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "one").iterdir()}
    assert 0o700 == stat.S_IMODE((tmp_path / "one").stat().st_mode)


def test_parquet_is_one_file_a_day(study, store, tmp_path):
    """UTC."""
    pytest.importorskip("pyarrow")
    told = export(study, store, Format.PARQUET, WEEK, tmp_path / "out", {})
    days = [name for name in told["files"] if name.startswith("exposures")]

    assert [f"exposures-2026-11-{day}.parquet" for day in (22, 23, 24)] == days


def test_a_window(study, store, tmp_path):
    """Rows before and after are not in it."""
    window = Window(NOON + timedelta(hours=1), NOON + timedelta(hours=13))

    assert 1 == export(study, store, Format.CSV, window, tmp_path / "out", {})["rows"]["exposures"]


def test_nothing_is_written_over(study, store, tmp_path):
    """A folder that has something in it is left alone, and no half of an export stays where one fails."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(ConfigError, match="there already"):
        export(study, store, Format.CSV, WEEK, tmp_path / "out", {})
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="write"):
        export(study, store, Format.CSV, WEEK, tmp_path / "file" / "out", {})

    assert {"out", "file", "state"} == {path.name for path in tmp_path.iterdir()}


def test_the_card_and_the_assessment_are_filled_in(study, store, tmp_path):
    """With the study's facts, and no place left open that capper could fill."""
    study = replace(study, control=0.25)
    export(study, store, Format.JSONL, WEEK, tmp_path / "out", {})
    card = (tmp_path / "out" / "DATACARD.md").read_text("utf-8")
    paper = impact_assessment(study)

    for heading in ("Motivation", "Composition", "Collection process", "Uses", "Distribution", "Maintenance"):
        assert f"## {heading}" in card
    assert "4 exposures" in card
    assert "Caps were off on 25% of days of each person" in card
    assert "withdraw autumn" in paper
    assert "2 participants so far" in paper
    assert "{" not in card + paper
    assert "was shown the text of consent" in card
    assert all("cannot be joined with any other study's" in text for text in (card, paper))
    assert "all households of this joint study share" in impact_assessment(replace(study, joint=True))


def test_the_card_of_what_was_not_recorded_here(study, store, tmp_path):
    """Says what it is, and claims nobody's consent."""
    export(replace(study, recorded=False, consent="A crawl."), store, Format.JSONL, WEEK, tmp_path / "out", {})
    card = (tmp_path / "out" / "DATACARD.md").read_text("utf-8")

    assert "A crawl." in card
    assert not any(words in card for words in ("was shown the text", "participants' own connection"))
