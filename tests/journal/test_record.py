"""Records there and back, and hostile lines."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.decision import Verdict
from capper.domain.identity import Ad, Basis
from capper.domain.sighting import Format
from capper.journal import Record, parse, read
from capper.journal.record import LONGEST_LINE
from capper.testing import NOON, a_sighting

texts = st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").decode())
times = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds
records = st.builds(
    Record,
    time=times,
    viewer=texts,
    verdict=st.sampled_from(Verdict),
    advertisers=st.lists(texts, max_size=3).map(tuple),
    campaign=st.none() | texts,
    creative=st.none() | texts,
    basis=st.sampled_from(Basis),
    format=st.none() | st.sampled_from(Format),
    rule=texts,
    cap=st.none() | texts,
    count=st.integers(0, 1000),
    reopens=st.none() | times,
    repeated=st.booleans(),
    counted=st.booleans(),
    site=st.none() | texts,
    entry=st.none() | st.integers(0, 10**6),
)


@given(records)
def test_round_trip(record):
    """A record read back from its line is the same record."""
    line = record.line()

    assert parse(line) == record
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


def test_record_of_a_decision(a_decision):
    """A record says whose ad it was, how that is known, and the rule, cap, count and hour that decided."""
    opens = datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=1)))
    record = Record.of(a_decision(reopens=opens), NOON, a_sighting())

    assert json.loads(record.line()) == {
        "time": "2026-11-22T12:00:00Z",
        "viewer": "anna",
        "verdict": "withhold",
        "advertiser": "shoes.example",
        "campaign": None,
        "creative": "ads.example/1",
        "basis": "click",
        "format": "banner",
        "rule": "caps",
        "cap": "3 per creative per day",
        "count": 3,
        "reopens": "2026-11-23T12:00:00Z",
        "repeated": False,
        "counted": True,
    }


def test_several_advertisers_survive(a_decision):
    """A bid may declare several advertisers: the first is `advertiser`, all are `advertisers`."""
    record = Record.of(a_decision(ad=Ad(("a.example", "b.example"))), NOON)
    row = json.loads(record.line())

    assert (row["advertiser"], row["advertisers"]) == ("a.example", ["a.example", "b.example"])
    assert parse(record.line()).label == "a.example, b.example"


def test_half_a_surrogate_pair(a_decision):
    """A creative id that is not Unicode is written with a replacement character rather than lost."""
    record = Record.of(a_decision(ad=Ad((), creative="x\ud800")), NOON)

    assert parse(record.line()).creative == "x?"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "object"),
        (b"\xff\xfe", "not JSON"),
        (b"{}", "'time' is missing"),
        (b'{"time":"2026-11-22T12:00:00Z"}', "'viewer' is missing"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna"}', "verdict"),
        (b'{"time":5,"viewer":"anna","verdict":"show"}', "'time'"),
        (b'{"time":"0001-01-01T00:00:00+14:00","viewer":"anna","verdict":"show"}', "'time'"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna","verdict":"perhaps"}', "'verdict'"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna","verdict":["show"]}', "'verdict'"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna","verdict":"show","count":-1}', "'count'"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna","verdict":"show","count":1e99}', "'count'"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna","verdict":"show","repeated":1}', "'repeated'"),
        (b'{"time":"2026-11-22T12:00:00Z","viewer":"anna","verdict":"show","advertisers":[1]}', "'advertisers'"),
        (b'{"a":' * 5000, "not JSON"),
        (b" " * (LONGEST_LINE + 1), "at most"),
    ],
)
def test_hostile_lines(line, word):
    """A line that is not a record is refused with a sentence that names what is wrong."""
    with pytest.raises(ValueError, match=word):
        parse(line)


def test_reader_names_the_line(tmp_path, a_decision):
    """A journal with a damaged line is refused at that line."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(Record.of(a_decision(), NOON).line() + b"\n{oops}\n")

    with pytest.raises(ValueError, match="line 3: not JSON"):
        list(read(path))


@given(st.binary(max_size=200) | texts)
def test_any_line(line):
    """Whatever the line, it is a record or a ValueError."""
    try:
        record = parse(line)
    except ValueError:
        return

    assert isinstance(record, Record)
