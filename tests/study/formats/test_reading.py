"""An export read back: the same rows, or none."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from capper.domain.errors import ConfigError
from capper.study.formats.folder import Format, Window, export
from capper.study.formats.reading import Exported
from capper.study.register import Treatment
from capper.testing import NOON

WEEK = Window(NOON, NOON + timedelta(days=7))


@pytest.fixture
def exported(study, store, tmp_path):
    """`exported(form)` writes the study, and returns the folder."""

    def write(form, study=study):
        if form is Format.PARQUET:
            pytest.importorskip("pyarrow")
        export(study, store, form, WEEK, tmp_path / form, {})
        return tmp_path / form

    return write


def put(folder, name, data):
    """Change a file, and what the manifest says of it."""
    (folder / name).write_bytes(data)
    told = json.loads((folder / "manifest.json").read_text())
    told["files"][name]["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(told))


@pytest.mark.parametrize("form", Format)
def test_rows_come_back(exported, rows, visits, form):
    """Every one of who takes part, hostile names too; a HAR holds no visits."""
    found = Exported(exported(form))

    assert [row for row in rows if row.person != "stranger"] == list(found.exposures())
    assert ([] if form is Format.HAR else visits[:1]) == list(found.visits())


def test_what_the_manifest_tells_of_the_study(exported, study):
    """Its window, what was drawn, and what was done to whom."""
    whole = replace(study, control=0.25, treatments=(Treatment("anna", "adchoices", "one", NOON),))
    found = Exported(exported(Format.CSV, whole)).study

    assert (study.begun, study.until, 7, 0.25, whole.of) == (
        found.begun,
        found.until,
        found.seed,
        found.control,
        found.of,
    )
    assert (whole.treatments, True) == (found.treatments, found.names)
    assert study.text in found.consent


def test_a_changed_file_is_refused(exported):
    """By its SHA-256."""
    folder = exported(Format.CSV)
    with (folder / "exposures.csv").open("a") as file:
        file.write("x")
    with pytest.raises(ConfigError, match=r"exposures\.csv is not as it was written"):
        Exported(folder)


@pytest.mark.parametrize(
    "row",
    [
        b"{}",
        b"[]",
        b"{",
        b'"\xff"',
        b'{"time": 3}',
        b'{"time": "2026-01-01T00:00:00"}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_row_is_named(exported, row):
    """With its file and number, whatever is the matter with it."""
    folder = exported(Format.JSONL)
    first = (folder / "exposures.jsonl").read_bytes().splitlines(keepends=True)[0]
    put(folder, "exposures.jsonl", first + row + b"\n")
    with pytest.raises(ConfigError, match=r"exposures\.jsonl: row [12] cannot be read"):
        list(Exported(folder).exposures())


@pytest.mark.parametrize("form", [Format.CSV, Format.OPENWPM, Format.HAR])
def test_another_file_under_its_name_is_refused(exported, form):
    """In one sentence."""
    folder = exported(form)
    [name] = [path.name for path in folder.glob("*") if path.name.startswith(("exposures", "crawl"))]
    put(folder, name, b"a,b\nc,d,e\n" if form is Format.CSV else b"{}")
    with pytest.raises(ConfigError, match="cannot be read"):
        list(Exported(folder).exposures())


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 2}', "[" * 100_000])
def test_a_folder_that_is_no_export_is_refused(tmp_path, text):
    """As is one without a manifest."""
    with pytest.raises(ConfigError, match="capper measure export"):
        Exported(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ConfigError, match="cannot be used as an export's"):
        Exported(tmp_path)
