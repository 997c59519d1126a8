"""HAR files: byte for byte there and back, and damage told in one sentence."""

import gzip
import io
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.measure.har import Har, dump, load, parse, save

EMPTY = b'{"log": {"entries": []}}'
values = st.recursive(
    # Integers beyond 64 bits are kept by `exact` alone; a test of their own has them.
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


def whole(har: Har, changes: dict[int, bytes] | None = None) -> bytes:
    return b"".join(har.pieces(changes or {}))


def saved(har: Har, name: str) -> bytes:
    file = io.BytesIO()
    save(har, {}, name, file)
    return file.getvalue()


def test_real_files_come_back_byte_for_byte(har_files):
    """Every real HAR, read and written without changes, is the same bytes, and each entry is what a JSON parser reads."""
    assert har_files
    for path in har_files:
        raw = gzip.decompress(path.read_bytes())
        har = load(path)

        assert whole(har) == raw, path.name
        assert [har.entry(index) for index in range(len(har))] == json.loads(raw)["log"]["entries"], path.name


@given(st.lists(st.dictionaries(st.text(max_size=8), values, max_size=4), max_size=4), st.sampled_from([None, 1, "\t"]))
def test_any_entries(entries, indent):
    """Whatever the entries hold and however they are laid out, they are found, and those changed stand in their places."""
    raw = json.dumps({"a": {"entries": [1]}, "log": {"b": [], "entries": entries, "c": "]"}}, indent=indent).encode()
    har = parse(raw, "x.har")
    changed = json.loads(whole(har, {index: dump({"n": index}) for index in range(0, len(entries), 2)}))

    assert whole(har) == raw
    assert [har.entry(index) for index in range(len(har))] == entries
    assert changed["log"]["entries"] == [{"n": i} if i % 2 == 0 else entry for i, entry in enumerate(entries)]


@pytest.mark.parametrize(
    "entry",
    [
        '{"n": 123456789012345678901234567890}',
        '{"n": 18446744073709551615}',
        '{"n": -0.0, "m": 1e400}',
        r'{"half": "\ud800 and \udfff"}',
        '{"é": "日本 \U0001f45f"}',
        '{"deep": ' + "[" * 500 + "]" * 500 + "}",
        '{"a": 1, "a": 2}',
    ],
)
def test_odd_values_survive(entry):
    """Big integers, half surrogate pairs, deep nesting and names given twice come through, changed entry or not."""
    raw = f'{{"log":{{"entries":[ {entry} , {{}}]}}}}'.encode()
    har = parse(raw, "x.har")
    again = json.loads(whole(har, {0: dump(har.entry(0, exact=True))}))

    assert whole(har) == raw
    assert again["log"]["entries"][0] == json.loads(entry)


@pytest.mark.parametrize("name", ["x.har", "x.har.gz", "x.zhar"])
def test_compressed(name, tmp_path):
    """Plain, gzip and zlib files are read whatever their name, and written as their name says."""
    data = saved(parse(EMPTY, "x.har"), name)
    (tmp_path / "other.har").write_bytes(data)

    assert whole(load(tmp_path / "other.har")) == EMPTY
    assert data[:1] == {"x.har": b"{", "x.har.gz": b"\x1f", "x.zhar": b"\x78"}[name]
    assert data == saved(parse(EMPTY, "x.har"), name)


def test_gzip_in_parts():
    """A gzip file in several members, padded with zeros, is one file."""
    data = gzip.compress(EMPTY[:9]) + gzip.compress(EMPTY[9:]) + b"\0" * 512

    assert whole(parse(data, "x.har")) == EMPTY


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_byte_order_marks(encoding):
    """A byte order mark, or UTF-16 as some Windows tools write it, is read; what is written is UTF-8 without a mark."""
    text = '{"log": {"entries": [{"a": "é"}]}}'
    har = parse(text.encode(encoding), "x.har")

    assert har.entry(0) == {"a": "é"}
    assert whole(har) == text.encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b" \n\t", "white space"),
        (b"\0" * 100, "white space"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        (b"PK\x03\x04", "line 1, column 1"),
        (b"<!doctype html><title>404</title>", "line 1, column 1: Expecting value"),
        (b"{'log': 1}", "line 1, column 2"),
        (b'{\n  "log": {\n    "entries": [],\n  }\n}', "line 4, column 3"),
        (b'{"log": {"entries": []}} {}', "something follows its end"),
        (b'{"log" 1}', "Expecting ':'"),
        (b'{"log": {"entries": [{} {}]}}', "Expecting ','"),
        (b'{"log": {"entries": [{"a": "\n"}]}}', "control character"),
        (b"[]", "a HAR is an object with a `log`"),
        (b'[{"method": "Network.requestWillBeSent"}]', "not a HAR"),
        (b"3", "not a HAR"),
        (b"{}", "no `log.entries`"),
        (b'{"log": null}', "`log` is not an object"),
        (b'{"log": {}}', "no `log.entries`"),
        (b'{"log": {"entries": null}}', "`log.entries` is not a list"),
        (b'{"log": {"entries": {"0": {}}}}', "`log.entries` is not a list"),
        (b'{"log": {"entries": [{}, 5]}}', "entry 1 is not an object"),
        (b'{"log": {"entries": [{}, null]}}', "entry 1 is not an object"),
        (b"{", "is cut off"),
        (b'{"log": {"entries": [{}, {"a": "b', r"is cut off.*after 1 whole"),
        (b'{"log": {"entries": [{}', "is cut off"),
        (b'{"log": {"entries": [{"a": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"log": ' * 200_000, "nested too deeply"),
        (b'{"log": {"entries": [{"n": ' + b"9" * 5000 + b"}]}}", "thousands of digits"),
        (b'{"log": {"entries": [{"a": "\xe9"}]}}', "not UTF-8.*line 1"),
        (b'{"log": {"entries": [{"a": "\xed\xa0\x80"}]}}', "not UTF-8"),
        (b"\x1f\x8b\x08 and no more of it", "cannot be unpacked"),
        (gzip.compress(EMPTY, mtime=0)[:-12], "is cut off"),
        (zlib.compress(EMPTY)[:-6], "is cut off"),
        (gzip.compress(EMPTY, mtime=0) + b"rubbish", "cannot be unpacked"),
    ],
)
def test_damage(data, words):
    """A damaged file is refused with one sentence that names the file and what is wrong with it."""
    with pytest.raises(ConfigError, match=words) as caught:
        parse(data, "the.har")

    assert str(caught.value).startswith("the.har ")
    assert "\n" not in str(caught.value)


def test_bomb():
    """A compressed file that unfolds to more than the limit is refused before it is all unfolded."""
    with pytest.raises(ConfigError, match="unpacks to more than 1 MB"):
        parse(gzip.compress(b" " * 50_000_000), "bomb.har", largest=1024**2)


def test_too_large(tmp_path):
    """A plain file larger than the limit is refused."""
    path = tmp_path / "large.har"
    path.write_bytes(b" " * 2_000_000)

    with pytest.raises(ConfigError, match="is larger than 1 MB"):
        load(path, largest=1024**2)


def test_no_file(tmp_path):
    """A missing file and a directory are told as such."""
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.har")
    with pytest.raises(ConfigError, match="is a directory"):
        load(tmp_path)


@given(st.data())
def test_any_damage(data):
    """A HAR with bytes changed, added or cut is read or refused in one sentence, never anything else."""
    raw = bytearray(b'{"log": {"version": "1.2", "entries": [{"a": [1, {"b": "\xc3\xa9"}]}, {"c": null}]}}')
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        har = parse(bytes(raw), "x.har")
    except ConfigError as exc:
        assert "\n" not in str(exc)  # noqa: PT017  one of two right ends
        return

    assert whole(har) is not None
