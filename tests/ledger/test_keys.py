"""Names and ciphertext: short, unlinkable, and bound to where they belong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.cap import Cap
from capper.domain.decision import prepare
from capper.domain.identity import Level
from capper.domain.policy import Policy, Rule
from capper.ledger.keys import Keyring, ViewerKeys
from capper.ledger.secret import Secret
from capper.ledger.wire import ask
from capper.remembered import forget
from capper.testing import NOON, a_sighting

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
    key = keys.tally(name)
    sealed = keys.seal_name(name, key)

    assert keys.open_name(sealed, key, keys.tally) == name[:253]
    assert len(sealed) % 16 == 0
    assert keys.seal_name(name, key) == sealed


@pytest.mark.parametrize(("name", "size"), [("", 0), ("shoes.example", 16), ("x" * 16, 16), ("x" * 17, 32)])
def test_a_name_takes_no_more_room_than_its_letters(anna, name, size):
    """Whole blocks, and nothing beside them: what proves a name is the key that it is kept under."""
    assert len(anna.seal_name(name, anna.tally(name))) == size


@given(name=TEXTS)
def test_a_name_that_version_1_sealed_opens(name):
    """Up to version 1 of the ledger each name had its synthetic IV beside it."""
    keys = Keyring(Secret()).of("anna")
    key, plain = keys.tally(name), name[:253].encode("utf-8", "surrogatepass") + b"\x80"
    sealed = keys._cipher.encrypt(plain + bytes(-len(plain) % 16), [key])

    assert keys.open_name(sealed, key, keys.tally) == name[:253]


@given(record=st.binary(max_size=200))
def test_a_record_opens_to_what_was_sealed(record):
    """A sealed record opens, and sealed twice looks like two."""
    keys = Keyring(Secret()).of("anna")
    first, second = keys.seal_note(record, b"k"), keys.seal_note(record, b"k")

    assert keys.open_note(first, b"k") == keys.open_note(second, b"k") == record
    assert first != second


@pytest.mark.parametrize("name", ["shoes.example", "x" * 254, "zero\0"])
def test_a_name_belongs_to_its_key_and_its_viewer(anna, name):
    """Moved to another key, damaged, or read by another viewer, it does not open."""
    ben, key = Keyring(Secret()).of("ben"), anna.tally(name)
    sealed = anna.seal_name(name, key)
    damaged = bytes([sealed[0] ^ 1]) + sealed[1:]
    moved = anna.open_name(sealed, anna.tally("boots.example"), anna.tally)

    assert [moved, anna.open_name(damaged, key, anna.tally), ben.open_name(sealed, key, ben.tally)] == [None] * 3
    assert anna.open_name(b"", key, anna.tally) is None


def test_a_record_belongs_to_its_key_and_its_viewer(anna):
    """Moved to another key, damaged, or read by another viewer, it does not open."""
    ben, note = Keyring(Secret()).of("ben"), anna.seal_note(b"record", b"k")

    assert [anna.open_note(note, b"other"), anna.open_note(note[:-1], b"k"), ben.open_note(note, b"k")] == [None] * 3
    assert anna.open_note(b"", b"k") is None


def test_equal_names_look_unlike(anna):
    """The same name under another of her keys, or another person's, is other ciphertext; so are names of one length."""
    ben, name = Keyring(Secret()).of("ben"), "shoes.example"
    counter = anna.counter(Level.ADVERTISER, name)
    sealed = [(anna, name, anna.tally(name)), (anna, name, counter), (ben, name, ben.tally(name))]
    sealed.append((anna, "boots.example", anna.tally("boots.example")))

    assert len({keys.seal_name(text, key) for keys, text, key in sealed}) == 4


def test_memory_is_bounded(monkeypatch):
    """However many ads there are, only so many names are remembered."""
    monkeypatch.setattr("capper.ledger.keys._REMEMBERED", 10)
    anna = ViewerKeys(bytes(32))
    for n in range(100):
        key = anna.counter(Level.ADVERTISER, f"{n}.example")
        anna.seal_name(f"{n}.example", key)
        anna.counters[n] = key, b"", b""
        anna.said[Level.ADVERTISER, f"{n}.example"] = key

    assert len(anna.counters) <= 10
    assert len(anna.said) <= 10
    assert len(anna._sealed) <= 10
    assert anna.counter(Level.ADVERTISER, "99.example") == key


def test_records_sort_by_time(anna):
    """A record's key sorts by its time, then by the order of making."""
    keys = [anna.note(at) for at in (5, 5, 5, 70, 1_800_000_000_000)]

    assert keys == sorted(keys)


def test_names_are_forgotten(anna):
    """What is remembered to be quick says after minutes no more whose ads somebody met."""
    key = anna.counter(Level.ADVERTISER, "shoes.example")
    anna.seal_name("shoes.example", key)
    _, claim = prepare(Policy(Rule("caps", (Cap.parse("3 per advertiser per day"),))), a_sighting(), NOON)
    ask(anna, [claim], NOON, Policy().gap, count=True)
    before = [bool(anna.counters), bool(anna.said), bool(anna._sealed)]
    forget()

    assert [True, True, True] == before
    assert [0, 0, 0] == [len(anna.counters), len(anna.said), len(anna._sealed)]
