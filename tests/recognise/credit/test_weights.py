"""Weights of words and signals: how much a piece of text sounds like a prompt."""

import gzip
import json
import zlib
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.recognise.credit.packs import load_packs
from capper.recognise.credit.weights import (
    BUCKETS,
    SHARED,
    SUBWORDS,
    Weights,
    fit,
    load_weights,
    shared_features,
    subwords,
    word_features,
)
from capper.recognise.credit.words import STOP, Token, fold, tokens


def features(text, signals=()):
    return {*shared_features(tokens(fold(text)), {*signals})}


@pytest.mark.parametrize(
    ("sum_", "look"),
    [
        ("€ 4.000", "round4"),
        ("€ 4.000,00", "round4"),
        ("£389.00", "odd3"),
        ("12 499 kr", "odd5"),
        ("£72.15", "cents"),
        ("1.184,37 €", "cents"),
        ("150 kr", "round3"),
        ("€ 9", "odd1"),
    ],
)
def test_what_a_sum_looks_like(sum_, look):
    """A limit is round, a refund has cents."""
    assert look in features(sum_)


def test_signals_are_weighed_two_at_a_time_too():
    """Each alone, each with each other, in one order."""
    assert {"own", "you", "own+you"} <= features("yours", ["you", "own"])


def test_words_are_weighed_with_their_stems_and_neighbours():
    """What stands across the end of a sentence does not stand together."""
    found = {*word_features(tokens(fold("Limite erhöht! Jetzt shoppen")))}

    assert {"limite", "limit*", "limite erhoht", "jetzt shoppen"} <= found
    assert "erhoht jetzt" not in found


def test_odds_add_up():
    """The bias, what signals weigh, what the language's words weigh; another language's words weigh nothing."""
    weights = Weights({"": -200, "you": 150, "words 0": 0}, None, {"en": {"limit": 100, "your limit": 50}})
    row = tokens("your limit")

    assert 1.0 == weights.odds("en", row, {"you"})
    assert -0.5 == weights.odds("fr", row, {"you"})


def test_no_file_is_no_weights(tmp_path):
    """Signals alone speak, and say little."""
    assert 0.0 == load_weights(tmp_path / "none").odds("en", tokens("a loan"), {"credit"})


@pytest.mark.parametrize("data", [b"", b"no gzip", gzip.compress(b"{", mtime=0), gzip.compress(b"[1]", mtime=0)])
def test_a_damaged_file(tmp_path, data):
    """It is named, and what is wrong is said."""
    (tmp_path / SHARED).write_bytes(gzip.compress(b"{}"))
    (tmp_path / "nl.json.gz").write_bytes(data)

    with pytest.raises(ConfigError, match=r"nl\.json\.gz"):
        load_weights(tmp_path).words("nl")


def test_every_pack_has_words_of_its_own():
    """The weights that travel with capper know all languages that have a pack."""
    packs = load_packs()

    assert [] == [pack.language for pack in packs.packs if len(packs.weights.words(pack.language)) < 2000]


def test_the_file_is_whole_numbers(tmp_path):
    """What is written is what is read."""
    (tmp_path / SHARED).write_bytes(gzip.compress(json.dumps({"": -3}).encode()))
    (tmp_path / "en.json.gz").write_bytes(gzip.compress(json.dumps({"loan": 7}).encode()))
    weights = load_weights(tmp_path)

    assert ({"": -3}, {"loan": 7}, {}) == (weights.shared, weights.words("en"), weights.words("xx"))


def test_parts_of_words_weigh_in_every_language(tmp_path):
    """A compound nobody has met weighs what the parts of it weigh, whatever the language; each word of a piece once."""
    parts = array("h", bytes(2 * BUCKETS))
    for bucket in subwords("limit"):
        parts[bucket] = 50
    (tmp_path / SHARED).write_bytes(gzip.compress(b"{}"))
    (tmp_path / SUBWORDS).write_bytes(gzip.compress(parts.tobytes()))
    weights = load_weights(tmp_path)

    assert 0 < weights.odds("sv", tokens("limitet"), set()) < weights.odds("nl", tokens("limit limit"), set())
    assert weights.odds("nl", tokens("limit limit"), set()) == weights.odds("da", tokens("limit"), set())
    assert 0.0 == weights.odds("nl", tokens("fiets"), set())


@pytest.mark.parametrize("data", [b"", b"no gzip", gzip.compress(b"\0\0", mtime=0), gzip.compress(b"\0", mtime=0)])
def test_damaged_weights_of_parts(tmp_path, data):
    """The file is named, and what is wrong is said."""
    (tmp_path / SHARED).write_bytes(gzip.compress(b"{}"))
    (tmp_path / SUBWORDS).write_bytes(data)

    with pytest.raises(ConfigError, match=r"subwords\.gz"):
        load_weights(tmp_path)


@given(st.text(max_size=300))
def test_whatever_the_text(text):
    """There are features of any text, and each is said once."""
    row = tokens(fold(text))

    assert all(word_features(row))
    assert len([*shared_features(row, {"you", "own"})]) == len({*shared_features(row, {"you", "own"})})


@given(st.lists(st.text(alphabet="ab c€15.,?!\n", max_size=40), min_size=1, max_size=5))
def test_pieces_weigh_what_they_weigh_as_one(texts):
    """What pieces weigh is added up without reading them again: the same as of one row with a stop behind each."""
    words = {"a": 3, "b": -5, "a b": 7, "a a": 11, "ab": 13, "#": 17, "a #": -19}
    shared = {
        "": -1,
        "round4": 2,
        "several": 5,
        "you": 9,
        "several+you": 33,
        "?": 1,
        "!+?": 4,
        "words 1": 8,
        "words 2": 16,
    }
    parts = [zlib.crc32(str(number).encode()) % 7 for number in range(BUCKETS)]
    weights = Weights(shared, None, {"en": words}, parts)
    rows = [tokens(text) for text in texts]
    pieces = [weights.traits("en", row) for row in rows]
    joined = [token for row in rows for token in (*row, Token(STOP, "\n"))]

    assert not fit(pieces) or weights.weigh(pieces, {"you"}) == weights.odds("en", joined, {"you"})
