"""Names and ciphertext: short, unlinkable, and bound to where they belong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.identity import Level
from capper.ledger.keys import Keyring, ViewerKeys
from capper.ledger.secret import Secret

TEXTS = st.text(st.characters(exclude_categories=()))


@pytest.fixture
def anna() -> ViewerKeys:
    """Anna's keys."""
    return Keyring(Secret()).of("anna")


def test_all_of_a_viewers_keys_share_one_hash_tag(anna):
    """One tag, so that a cluster keeps all of a viewer's keys together."""
    keys = [
        anna.session,
        anna.occasion("o1"),
        anna.note(5),
        *(anna.counter(level, "x", scope) for level in Level for scope in ("", "page:p1")),
    ]

    assert {re.match(rb"cap\{([\w-]{12})\}", key)[1] for key in keys} == {anna.tag.encode()}
    assert len(set(keys)) == len(keys)


def test_a_counters_name_fits_the_servers_32_byte_class(anna):
    """29 letters, whatever is counted."""
    assert {len(anna.counter(level, "x" * 999, scope)) for level in Level for scope in ("", "pod:1")} == {29}


def test_names_differ_between_viewers_and_secrets():
    """The same ad has unrelated names for two viewers, and under two secrets."""
    first, second = Keyring(Secret()), Keyring(Secret())
    names = [
        ring.of(viewer).counter(Level.CREATIVE, "c1")[-11:] for ring in (first, second) for viewer in ("anna", "ben")
    ]

    assert len(set(names)) == 4


def test_names_are_made_anew_when_the_secret_changes():
    """After a change the keyring forgets the keys it derived before."""
    secret = Secret()
    ring = Keyring(secret)
    before = ring.of("anna").tag
    secret.forget("anna")

    assert ring.of("anna").tag != before
    assert ring.of("anna") is ring.of("anna")


@given(name=TEXTS)
def test_a_name_opens_to_what_was_sealed(name):
    """A sealed name opens, cut to the length of a domain name, and its ciphertext is whole blocks."""
    keys = Keyring(Secret()).of("anna")
    key = keys.counter(Level.ADVERTISER, name)
    sealed = keys.seal_name(name, key)

    assert keys.open_name(sealed, key) == name[:253]
    assert len(sealed) % 16 == 0
    assert keys.seal_name(name, key) == sealed


@given(record=st.binary(max_size=200))
def test_a_record_opens_to_what_was_sealed(record):
    """A sealed record opens, and sealed twice looks like two."""
    keys = Keyring(Secret()).of("anna")
    first, second = keys.seal_note(record, b"k"), keys.seal_note(record, b"k")

    assert keys.open_note(first, b"k") == keys.open_note(second, b"k") == record
    assert first != second


def test_ciphertext_belongs_to_its_key_and_its_viewer(anna):
    """Moved to another key, damaged, or read by another viewer, nothing opens."""
    ben = Keyring(Secret()).of("ben")
    name, note = anna.seal_name("shoes.example", b"k"), anna.seal_note(b"record", b"k")
    damaged = bytes([name[0] ^ 1]) + name[1:]

    assert [anna.open_name(name, b"other"), anna.open_name(damaged, b"k"), ben.open_name(name, b"k")] == [None] * 3
    assert [anna.open_note(note, b"other"), anna.open_note(note[:-1], b"k"), ben.open_note(note, b"k")] == [None] * 3
    assert [anna.open_name(b"", b"k"), anna.open_note(b"", b"k")] == [None, None]


def test_memory_is_bounded(anna, monkeypatch):
    """However many ads there are, only so many names are remembered."""
    monkeypatch.setattr("capper.ledger.keys._REMEMBERED", 10)
    for n in range(100):
        key = anna.counter(Level.ADVERTISER, f"{n}.example")
        anna.seal_name(f"{n}.example", key)
        anna.counters[n] = key, b"", b""
        anna.mute((Level.ADVERTISER, f"{n}.example"))

    assert len(anna.counters) <= 10
    assert len(anna._mutes) <= 10
    assert len(anna._sealed) <= 10
    assert anna.counter(Level.ADVERTISER, "99.example") == key


def test_records_sort_by_time(anna):
    """A record's key sorts by its time, then by the order of making."""
    keys = [anna.note(at) for at in (5, 5, 5, 70, 1_800_000_000_000)]

    assert keys == sorted(keys)
