"""CSV, JSON Lines and HAR, read back by readers that are not ours."""

import csv
import json
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capper.study.exposure import EXPOSURES, VISITS, Kind, Visit
from capper.study.formats.text import write_csv, write_har, write_jsonl
from capper.testing import NOON

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["=1+1", "'", "''=", "@x", "-1", "+", "\t=", "\r", "a\r\nb", '"', ",", "\u202e"]
)
times = st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo, microsecond=0))
any_visits = st.lists(st.builds(Visit, times, words, words, st.sampled_from(Kind)))


def visit_of(cells):
    """A visit as a reader of the file would build it."""
    time, person, site, kind = cells
    return Visit(datetime.fromisoformat(time), person, site, Kind(kind))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(any_visits)
def test_csv_comes_back(tmp_path, visits):
    """Whatever is in it, once the apostrophe before a formula is taken away."""
    path = tmp_path / "visits.csv"
    count = write_csv(path, visits, VISITS)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    plain = [[cell.removeprefix("'") for cell in row] for row in rows]

    assert [column.name for column in VISITS] == header
    assert visits == [visit_of(row) for row in plain]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)
    assert len(visits) == count


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(any_visits)
def test_json_lines_come_back(tmp_path, visits):
    """One object a line, whatever is in it."""
    path = tmp_path / "visits.jsonl"
    count = write_jsonl(path, visits, VISITS)
    found = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]

    assert visits == [visit_of(row.values()) for row in found]
    assert len(visits) == count


def test_an_exposure_is_written_in_the_order_of_the_columns(tmp_path, rows):
    """Times in UTC to the millisecond; lines end as RFC 4180 has it."""
    path = tmp_path / "exposures.csv"
    write_csv(path, rows[1:2], EXPOSURES)
    header, first = path.read_bytes().split(b"\r\n", 1)

    assert (
        b"time,person,load,site,format,network,basis,creative,campaign,advertiser,verdict,before,cap,arm,name" == header
    )
    assert first.startswith(b"2026-11-23T00:00:00.001Z,ben,load 0,site,")
    assert b"\"'=cmd|" in first
    assert first.endswith(b"\r\n")


def test_har_holds_each_exposure_whole(tmp_path, rows):
    """Of the request there is only what a study keeps."""
    path = tmp_path / "exposures.har"
    count = write_har(path, rows)
    entries = json.loads(path.read_text("utf-8"))["log"]["entries"]

    assert len(rows) == count == len(entries)
    assert ["https://unknown.invalid/", "https://net.example/"] == [each["request"]["url"] for each in entries[:2]]
    assert [row.creative for row in rows] == [each["_capper"]["creative"] for each in entries]
    assert not any(each["request"]["cookies"] or each["request"]["headers"] for each in entries)


def test_no_rows_make_a_file_all_the_same(tmp_path):
    """A header, no line, an empty list of entries."""
    write_csv(tmp_path / "a.csv", [], EXPOSURES)
    write_jsonl(tmp_path / "a.jsonl", [], EXPOSURES)
    write_har(tmp_path / "a.har", [])

    assert 1 == len((tmp_path / "a.csv").read_text().splitlines())
    assert b"" == (tmp_path / "a.jsonl").read_bytes()
    assert [] == json.loads((tmp_path / "a.har").read_text())["log"]["entries"]


def test_half_a_surrogate_pair_does_not_stop_an_export(tmp_path):
    """It is told by its number."""
    write_csv(tmp_path / "a.csv", [Visit(NOON, "\ud800", "site")], VISITS)

    assert r"\ud800" in (tmp_path / "a.csv").read_text("utf-8")
