"""What credit packs say is read from one file at the next start, and is the same."""

import shutil

import pytest

from capper.packaged import packaged_config
from capper.recognise.credit import packfile
from capper.recognise.credit.packfile import words_once
from capper.recognise.credit.packs import load_packs, load_words
from capper.recognise.credit.scan import Scanner
from capper.testing import NOON


@pytest.fixture
def folder(tmp_path):
    """Two packs and what all share."""
    for name in ("common.toml", "de.toml", "sv.toml"):
        shutil.copy(packaged_config() / "credit" / name, tmp_path)
    return tmp_path


@pytest.fixture
def loads(monkeypatch):
    """How often packs were read rather than found."""
    calls = []
    monkeypatch.setattr(packfile, "load_words", lambda folder: calls.append(folder) or load_words(folder))
    return calls


def said(words):
    """All that words say, to be compared."""
    packs = [
        (
            pack.language,
            pack.lexicon.stored(),
            pack.common,
            pack.pages,
            pack.triggers,
            pack.parts,
            pack.begins,
            pack.money.stored(),
        )
        for pack in words.packs
    ]
    return packs, words.paths.stored(), words.members.stored(), words.pages, [*words.written.items()]


def test_what_was_read_is_found_at_the_next_start(folder, loads):
    """Word by word and in the same order, with the same spellings to scan for."""
    read = words_once(folder / "kept" / "packs.bin", NOON)
    built, found = read(folder), read(folder)

    assert said(built) == said(found)
    assert [folder] == loads


def test_what_was_found_matches_as_what_was_read(folder):
    """Phrases with gaps, alternatives and words that may be missing; number words; pages."""
    read = words_once(folder / "packs.bin", NOON)
    text = "ihr kreditlimit wurde auf zweitausend euro erhöht, jetzt in raten zahlen oder später"
    built, found = ({pack.language: pack for pack in read(folder).packs}["de"] for _ in range(2))
    row = built.read(text)

    assert row == found.read(text)
    assert built.lexicon.match(row) == found.lexicon.match(row) != []


def test_a_pack_that_changed_is_read_again(folder, loads):
    """So is one that was added."""
    read = words_once(folder / "packs.bin", NOON)
    read(folder)
    with (folder / "sv.toml").open("a") as file:
        file.write("# changed\n")
    read(folder)
    shutil.copy(folder / "sv.toml", folder / "da.toml")
    read(folder)

    assert 3 == len(loads)


def test_another_capper_reads_them_again(folder, loads, monkeypatch):
    """What another version made of the packs is not taken for its own."""
    path = folder / "packs.bin"
    words_once(path, NOON)(folder)
    monkeypatch.setattr(packfile, "_MADE_BY", ("packs.py",))
    words_once(path, NOON)(folder)

    assert 2 == len(loads)


def test_packs_are_made_of_what_is_kept(folder):
    """The scan looks for the same."""
    read = words_once(folder / "packs.bin", NOON)
    scanned = []

    def make(patterns):
        scanned.append(patterns)
        return Scanner({})._database

    for _ in range(2):
        load_packs(folder, make, read)

    assert scanned[0] == scanned[1] != []
