"""One scan finds every stem wherever it begins, however it is written, and nothing else."""

import os
import subprocess
import sys
from html.entities import codepoint2name

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.credit import scan
from capper.recognise.credit.scan import MOST, Scanner, compiled, spelled
from capper.testing import NOON

STEMS = [("krediet", 1), ("öka din kredit", 2), ("crédit", 4), ("préaccordé", 4), ("limit raised", 8), ("kredit", 2)]

NAMED = {chr(code): f"&{name};" for code, name in codepoint2name.items() if code > 127}


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(spelled(STEMS))


@pytest.mark.parametrize("text", ["krediet", "KREDIET", "Krediet", "doorlopendkrediet", "krediet" + "!" * 200])
@pytest.mark.parametrize("before", ["", " ", "<p>", "é" * 33])
def test_whatever_its_case_and_place(scanner, text, before):
    """A stem is found at its own place, and is of its own language."""
    data = (before + text).encode()

    assert {data.lower().index(b"krediet"): 1} == scanner.places(data)


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode("utf-8"),
        lambda text: text.encode("cp1252"),
        lambda text: text.encode("cp1250"),
        lambda text: text.encode("ascii", "xmlcharrefreplace"),
        lambda text: "".join(each if each.isascii() else f"&#x{ord(each):X};" for each in text).encode(),
        lambda text: "".join(NAMED.get(each, each) for each in text).encode(),
        lambda text: "".join(each if each.isascii() else f"\\u{ord(each):04x}" for each in text).encode(),
    ],
    ids=["utf-8", "cp1252", "cp1250", "decimal", "hexadecimal", "named", "json"],
)
@pytest.mark.parametrize("text", ["crédit", "Crédit", "CRÉDIT", "Öka din kredit", "ÖKA DIN KREDIT", "PRÉACCORDÉ"])
def test_however_its_letters_are_written(scanner, write, text):
    """Letters beyond ASCII, small or capital, in any charset of the west and middle of Europe, as references or escapes."""
    assert 0 in scanner.places(write(text))


@pytest.mark.parametrize("hidden", ["\u00ad", "&shy;", "&#173;", "&#xAD;", "\u200b"])
def test_what_is_not_seen_is_not_read(scanner, hidden):
    """A word that may be broken between lines is that word, and stands where it stands."""
    data = f"<p>{hidden}on{hidden}e</p> <p>Kre{hidden}diet</p>".encode()

    assert {data.index(b"Kre"): 1} == scanner.places(data)


def test_two_languages_one_word():
    """Each language has its bit."""
    assert {0: 5} == Scanner(spelled([("kredit", 1), ("kredit", 4)])).places(b"Kredit")


def test_no_stems_find_nothing():
    """Nor does anything fail."""
    assert {} == Scanner({}).places(b"krediet")


def test_no_body_is_read_without_end(scanner):
    """Of a body made of nothing else no more than so many places are noted."""
    assert MOST < len(scanner.places(b"krediet " * MOST * 3)) <= MOST + 2


@given(st.text(alphabet="kredit limasu KRDLI", max_size=60).map(str.encode))
def test_as_if_each_were_searched_for(data):
    """What is found is what a search for each stem finds."""
    stems = ["kredit", "edita", "limit", "kr ed", "sakredi", "mitli"]
    expected = {at for stem in stems for at in range(len(data)) if data.lower().startswith(stem.encode(), at)}

    assert sorted(expected) == _scanner(tuple(stems)).find(data)


def _scanner(stems, made={}):  # noqa: B006  made once
    if stems not in made:
        made[stems] = Scanner(spelled((stem, 1) for stem in stems))
    return made[stems]


@pytest.fixture
def made(monkeypatch):
    """How often a database was compiled rather than read."""
    calls = []
    monkeypatch.setattr(scan, "compiled", lambda patterns: calls.append(patterns) or compiled(patterns))
    return calls


def test_compiled_once(tmp_path, made):
    """What was compiled is read at the next start, and finds the same."""
    make = scan.compiled_once(tmp_path / "credit" / "scan.bin", NOON)

    found = [Scanner(spelled(STEMS), make).places(b"<p>Your Kredietlimiet") for _ in range(3)]

    assert 1 == len(made)
    assert [Scanner(spelled(STEMS)).places(b"<p>Your Kredietlimiet")] * 3 == found


def test_what_is_scanned_for_is_the_same_at_each_start():
    """However a process mixes up its sets: else nothing that was compiled would ever be read again."""
    code = (
        "from capper.recognise.credit.scan import Scanner, spelled\n"
        f"Scanner(spelled({STEMS!r}), lambda patterns: print(*patterns, sep='\\n'))"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    )

    assert b"krediet" in first
    assert first == second


def test_other_words_are_compiled_anew(tmp_path, made):
    """A pack that was changed is scanned for as it is now."""
    make = scan.compiled_once(tmp_path / "scan.bin", NOON)
    Scanner(spelled([("krediet", 1)]), make)

    assert {0: 1} == Scanner(spelled([("kredit", 1)]), make).places(b"kredit")
    assert 2 == len(made)


def test_what_was_compiled_elsewhere(tmp_path, made, monkeypatch):
    """For a processor of another kind it is compiled anew."""
    make = scan.compiled_once(tmp_path / "scan.bin", NOON)
    Scanner(spelled(STEMS), make)
    monkeypatch.setattr(scan.hyperscan, "loadb", lambda data, mode: _fail())

    assert Scanner(spelled(STEMS), make).find(b"krediet")
    assert 2 == len(made)


def _fail():
    raise scan.hyperscan.error("error code -5")
