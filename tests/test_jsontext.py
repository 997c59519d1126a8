"""JSON with places: what is cut is gone, and nothing else changes by a byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import Unrewritable
from capper.jsontext import Edit, Locator, cut, insert, loads, read, splice

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=30
)
DOCUMENTS = st.lists(VALUES, max_size=6) | st.dictionaries(st.text(), VALUES, max_size=6)
SPACING = st.sampled_from([None, 0, 1, 2, "\t"])


def containers(value, path=()):
    """Every path to an object or array that holds something."""
    if isinstance(value, dict | list) and value:
        yield path
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in steps:
            yield from containers(inner, (*path, step))


def without(value, path, gone):
    """What is left by the book: members or elements numbered `gone` of the container at `path` taken out."""
    if path:
        copy = value.copy()
        copy[path[0]] = without(value[path[0]], path[1:], gone)
        return copy
    if isinstance(value, dict):
        return {key: inner for number, (key, inner) in enumerate(value.items()) if number not in gone}
    return [inner for number, inner in enumerate(value) if number not in gone]


@given(DOCUMENTS, SPACING, st.booleans(), st.data())
def test_what_is_cut_is_gone_and_all_else_stays(document, indent, ascii_only, data):
    """Random members of random JSON: the result is what removing them from the value gives, and each byte left was there."""
    source = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    paths = [*containers(document)]
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    text = read(source.encode("utf-8", "surrogatepass") if ascii_only else source.encode())
    locator = Locator(text)
    places = locator.children(locator.at(path))
    gone = data.draw(st.sets(st.integers(0, len(places) - 1)))

    left = splice(text.source, cut(places, gone))

    assert without(document, path, gone) == json.loads(left)
    kept = [place for number, place in enumerate(places) if number not in gone]
    assert all(text.source[place.start : place.end] in left for place in kept)
    assert left.startswith(text.source[: places[0].start])
    assert left.endswith(text.source[places[-1].end :])


@given(DOCUMENTS, SPACING, st.data())
def test_what_is_put_in_comes_last(document, indent, data):
    """A member put into random JSON stands behind the others, and nothing else changes."""
    source = json.dumps(document, indent=indent)
    paths = [path for path in [(), *containers(document)] if isinstance(_at(document, path), dict)]
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    text = read(source.encode())
    locator = Locator(text)
    at = locator.at(path)

    edit = insert(text.source, at, locator.children(at), ['"put in": [1]'])

    assert source == splice(text.source, [edit]).replace(edit.text, "", 1)
    assert {**_at(document, path), "put in": [1]} == _at(json.loads(splice(source, [edit])), path)


def _at(value, path):
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        (")]}'\n", ""),
        (")]}',\n", "\n"),
        ("while(1);", ""),
        ("callback(", ");"),
        ("/**/ jQuery123_4(", ")"),
        ("apstag.bids(", ")"),
        ("window.answer = ", ";\n"),
        ('window["answer"](', ")"),
        ("\ufeff", ""),
    ],
)
def test_guards_and_calls_around_json_stay(before, after):
    """JSONP and the guards that servers put before JSON are looked through, and kept."""
    text = read(f'{before}{{"a": [1, 2]}}{after}'.encode())
    locator = Locator(text)

    left = text.encode(splice(text.source, cut(locator.children(locator.at(("a",))), {0})))

    assert f'{before}{{"a": [2]}}{after}'.encode() == left


def test_what_is_not_touched_keeps_its_writing():
    """Large and long numbers, duplicate keys, lone surrogates, escapes and odd spaces survive as they are written."""
    source = (
        '{ "n":1.0e+0400,"i" : 9007199254740993000000001 ,"n":"\\ud800\\/\\u00e9" ,\r\n"gone":[ 1 ] , "é":"\u2028" }'
    )
    text = read(source.encode())
    locator = Locator(text)
    places = locator.children(text.start)

    left = splice(text.source, cut(places, {3}))

    assert source.replace(' ,\r\n"gone":[ 1 ]', "") == left


def test_of_equal_names_the_last_counts():
    """A browser takes the last of members with one name; so do we."""
    text = read(b'{"a":[1],"a":[2,3]}')
    locator = Locator(text)

    assert ["2", "3"] == [text.source[place.value : place.end] for place in locator.children(locator.at(("a",)))]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"<html>",
        b'{"a":1',
        b'{"a":NaN}',
        b'{"a":1} trailing',
        b'{"a":01}',
        b"[1,]",
        b'{"a":"\x01"}',
        b"[" * 100_000,
    ],
)
def test_what_no_browser_would_take_is_refused(data):
    """Broken JSON, NaN, control characters and bottomless nesting are not edited."""
    with pytest.raises(Unrewritable):
        read(data)


def test_other_charsets_are_kept():
    """An answer that is no UTF-8 keeps its bytes."""
    data = '{"a":"é","b":1}'.encode("latin-1")
    text = read(data)

    assert data == text.encode(text.source)


def test_json_inside_json_is_read_or_is_not():
    """Markup that is JSON is read; what only looks like it is nothing."""
    assert {"a": "1"} == loads(' {"a": 1} ')
    assert (None, None, None) == (loads("<div>"), loads('{"a": 1}&wp=2'), loads('{"a"'))


def test_edits_inside_a_cut_are_lost_and_crossing_ones_refused():
    """An edit within what is cut goes with it; two that cross are a fault."""
    assert "ad" == splice("abcd", [Edit(1, 3, ""), Edit(2, 3, "x")])
    assert "axd" == splice("abcd", [Edit(1, 3, ""), Edit(1, 1, "x")])
    with pytest.raises(Unrewritable):
        splice("abcd", [Edit(0, 2, ""), Edit(1, 3, "")])


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "data", [b" " * 200_000 + b"x", b'{"a":1}' + b" " * 200_000 + b"x", b"/**/" * 50_000, b"cb (" + b" " * 200_000]
)
def test_long_runs_of_blanks_cost_no_more_than_their_length(data):
    """What is made to be slow to look through is refused in no time."""
    with pytest.raises(Unrewritable):
        read(data)
