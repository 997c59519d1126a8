"""A backup's records: hostile ones, sealed with the right passphrase, lead nowhere."""

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.backup.records import End, File, Manifest, Place, Writer, records
from capper.backup.sealing import Argon2, Opener, Sealer
from capper.backup.survey import survey
from capper.domain.errors import ConfigError
from capper.ledger.entries import Stored

QUICK = Argon2(memory_kib=64, passes=1, lanes=1)
MANIFEST = Manifest("2026-11-23T12:00:00+00:00", "0.1", 1, 1, "/var/lib/capper", "embedded")
ENTRIES = st.lists(
    st.builds(Stored, st.binary(max_size=30).map(b"cap{".__add__), st.binary(max_size=200), st.integers(0, 2**63)),
    max_size=20,
)


def sealed(write) -> Opener:
    """What `write` writes to a sealer, opened."""
    file = io.BytesIO()
    sealer = Sealer(file, "p", QUICK)
    write(sealer)
    file.seek(0)
    return Opener(file, "p", "b")


def raw(*parts: tuple[bytes, bytes]) -> Opener:
    """Records as they are given: letter and content."""

    def write(sealer: Sealer) -> None:
        for letter, data in parts:
            sealer.write(struct.pack(">cI", letter, len(data)) + data)
        sealer.finish()

    return sealed(write)


def said(**changes) -> bytes:
    """A file's record, with some of what it says changed."""
    return json.dumps({"place": "state", "name": "secret", "mode": 0o600, "origin": ""} | changes).encode()


M = (b"M", json.dumps({name: getattr(MANIFEST, name) for name in MANIFEST.__slots__}).encode())
Z = (b"Z", b'{"files": 1, "entries": 0}')


@given(ENTRIES, st.binary(max_size=300))
def test_what_is_written_is_read(entries, data):
    """Manifest, files and entries come back as they were, in their order."""
    file = File(Place.CONFIG, "lists/my rules é.txt", 0o640, "/far/away")

    def write(sealer: Sealer) -> None:
        writer = Writer(sealer, MANIFEST)
        writer.file(file)
        writer.data(data)
        writer.stored(entries)
        writer.end()

    expected = [MANIFEST, file, data, *([tuple(entries)] if entries else []), End(1, len(entries))]

    assert expected == list(records(sealed(write), "b"))


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        ".ssh/authorized_keys",
        "a/.b/c",
        ".ready",
        "a/../../b",
        "",
        ".",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        "x" * 256,
        "/".join("a" * 17),
    ],
)
def test_no_name_leads_out_of_its_place(name):
    """Neither upwards nor from the root, nor to a name a system could read in another way."""
    with pytest.raises(ConfigError, match="is no name for a file"):
        list(records(raw(M, (b"F", said(name=name)), Z), "b"))


@pytest.mark.parametrize(
    "part",
    [
        (b"F", b"[]"),
        (b"F", b"{}"),
        (b"F", said(place="root")),
        (b"F", said(mode="x")),
        (b"F", b"[" * 100_000),
        (b"M", b'{"made": 1}'),
        (b"M", M[1].replace(b'"state": 1', b'"state": "x"')),
        (b"E", b"\0\0\0"),
        (b"E", struct.pack(">HIQ", 40, 2**31, 5) + b"cap{x}"),
        (b"E", struct.pack(">HIQ", 5, 1, 5) + b"otherx"),
        (b"X", b""),
        (b"Z", b'{"files": 2, "entries": 0}'),
        (b"Z", b'{"files": 0}'),
    ],
)
def test_a_record_that_cannot_be_used_is_refused(part):
    """Each in one sentence, and nothing after it is looked at."""
    with pytest.raises(ConfigError, match="open b: "):
        list(records(raw(M, part, Z), "b"))


def test_a_set_user_id_bit_is_not_restored():
    """A file's mode is its permissions and nothing more."""
    [_, file, _] = records(raw(M, (b"F", said(mode=0o4755)), Z), "b")

    assert file.mode == 0o755


@pytest.mark.parametrize(
    ("parts", "files"),
    [
        ([], 0),
        ([(b"F", said())], 1),
        ([(b"D", b"x"), M], 0),
        ([M, (b"D", b"x")], 0),
        ([M, M], 0),
        ([M, (b"F", said()), (b"F", said(mode=0o644))], 2),
    ],
)
def test_records_out_of_order_are_refused(parts, files):
    """A manifest first and once, bytes only after the file they are of, and no file twice."""
    end = (b"Z", json.dumps({"files": files, "entries": 0}).encode())
    with pytest.raises(ConfigError, match="out of order"):
        survey(raw(*parts, end), "b")


def test_an_owner_may_hide_a_file():
    """A password file beside capper.toml may be called .users; one in a hidden folder is another program's."""
    [_, file, _] = records(raw(M, (b"F", said(place="config", name=".users")), Z), "b")
    with pytest.raises(ConfigError, match="is no name for a file"):
        list(records(raw(M, (b"F", said(place="config", name=".ssh/authorized_keys")), Z), "b"))

    assert file.name == ".users"


def test_counts_without_their_secret_are_refused():
    """They could never be read again, and a new secret would take the old one's place."""
    entry = struct.pack(">HIQ", 6, 1, 5) + b"cap{x}v"
    with pytest.raises(ConfigError, match="holds no secret"):
        survey(raw(M, (b"E", entry), (b"Z", b'{"files": 0, "entries": 1}')), "b")


@pytest.mark.parametrize("newer", ["state", "layout"])
def test_what_a_newer_capper_made_is_refused(newer):
    """State or a ledger of a version this capper does not know is not guessed at."""
    manifest = json.loads(M[1]) | {newer: 9}
    with pytest.raises(ConfigError, match="bring capper up to date first"):
        survey(raw((b"M", json.dumps(manifest).encode()), (b"Z", b'{"files": 0, "entries": 0}')), "b")
