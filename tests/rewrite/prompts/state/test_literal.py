"""Literals of JavaScript say what a browser would take them to say, each part at its place; what is none is told at once."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.jsontext import Number
from capper.rewrite.prompts.state.literal import LONGEST, Filled, Literal, read_arguments, read_literal

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 99999) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_$é1 '\"", min_size=1, max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


def loosely(value, draw):
    """A value as JavaScript, in one of the ways it may be written."""
    gap = draw(st.sampled_from(["", " ", "\n  ", "/* a, } */", "// ]\n"]))
    if isinstance(value, (dict, list)):
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        parts = [
            f"{gap}{_name(each, draw)}{gap}:{gap}{loosely(value[each], draw)}" if isinstance(value, dict)
            else gap + loosely(each, draw)
            for each in value
        ]  # fmt: skip
        trailing = draw(st.sampled_from(["", ","])) if parts else ""
        return opening + ",".join(parts) + gap + trailing + gap + closing
    if isinstance(value, str):
        return _text(value, draw)
    if value is None:
        return draw(st.sampled_from(["null", "undefined", "void 0"]))
    if isinstance(value, bool):
        return draw(st.sampled_from(["true", "!0"] if value else ["false", "!1"]))
    return str(value)


def _name(key, draw):
    return key if key.isidentifier() and draw(st.booleans()) else _text(key, draw)


def _text(text, draw):
    mark = draw(st.sampled_from("\"'`"))
    written = json.dumps(text)[1:-1]
    if mark != '"':
        written = written.replace('\\"', '"').replace(mark, "\\" + mark)
    return mark + (written.replace("${", "\\${") if mark == "`" else written) + mark


def said(value):
    """A value with its numbers as text, as they are read."""
    if isinstance(value, dict):
        return {key: said(each) for key, each in value.items()}
    if isinstance(value, list):
        return [said(each) for each in value]
    return value if isinstance(value, (bool, str)) or value is None else Number(value)


@given(st.data(), VALUES)
def test_what_is_written_is_read(data, value):
    """However loosely it is written, and whatever stands around."""
    source = f"x={loosely([value], data.draw)};y={{a:1}}"
    literal = read_literal(source, 2)

    assert isinstance(literal, Literal)
    assert said([value]) == literal.value
    assert source[literal.stop :].lstrip().startswith(";y=")


@given(st.data(), VALUES)
def test_each_part_stands_where_it_is_said_to(data, value):
    """What is read at a part's place alone is that part."""
    source = loosely([value], data.draw)
    literal = read_literal(source, 0)

    def walk(at, whole):
        parts = whole.items() if isinstance(whole, dict) else enumerate(whole)
        by_name = {}
        for number, spot in enumerate(literal.spots(at)):
            by_name[spot.place.key if isinstance(whole, dict) else number] = spot
        for name, part in parts:
            spot = by_name[name]
            assert [part] == read_literal(f"[{source[spot.at : spot.stop]}]", 0).value
            if isinstance(part, (dict, list)):
                walk(spot.at, part)

    walk(0, literal.value)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{d:new Date(17),n:1}", {"d": None, "n": "1"}),
        ("{a:b.c[0]?'x':'y',n:1}", {"a": None, "n": "1"}),
        ("{a:f('x, }'),re:/[/}\"]/g,n:1}", {"a": None, "re": None, "n": "1"}),
        ("{a:'You have '+sum+' to spend'}", {"a": "You have   to spend"}),
        ("{a:`You have ${sum} to spend`}", {"a": "You have   to spend"}),
        ("{a,b}", {"a": None, "b": None}),
        ("{1:2,'x y':-.5e3}", {"1": "2", "x y": "-.5e3"}),
        ("['a\\\nb','\\u{1F600}','\\x41']", ["ab", "\U0001f600", "A"]),
    ],
)
def test_what_is_more_than_a_literal(source, value):
    """It says nothing where nothing is said; a text with gaps is a text that cannot be written anew."""
    literal = read_literal(source, 0)

    assert value == literal.value
    gaps = [each for each in (value.values() if isinstance(value, dict) else value) if each and "   " in each]
    assert all(isinstance(each, Filled) for each in literal.value.values()) if gaps else True


@pytest.mark.parametrize(
    "source",
    [
        "{a:function(){return 1}}", "{a:()=>1}", "{a(){return 1}}", "{if(x)y()}", "{...rest}", "{a:1", "[1,2", "{a:'x}", "{a:[1}",
        "{a b}", "{a:1;b:2}", "{`a${b}`:1}", "{a:async x}",
    ],
)  # fmt: skip
def test_what_is_none(source):
    """Programs, and what is broken off, are told with how far they were read."""
    read = read_literal(source, 0)

    assert isinstance(read, int)
    assert 0 < read <= len(source)


def test_names_that_are_given():
    """A function's names stand for what it is called with, where that is written."""
    source = '{a:x,b:[y],c:{x}}("one",{k:2})'
    arguments = read_arguments(source, source.index("("))
    literal = read_literal(source, 0, dict(zip("xy", arguments, strict=True)))

    assert {"a": "one", "b": [{"k": "2"}], "c": {"x": "one"}} == literal.value
    assert [("a", '"one"'), ("b", "[y]"), ("c", "{x}")] == [
        (spot.place.key, source[spot.at : spot.stop]) for spot in literal.spots(0)
    ]


@pytest.mark.parametrize(
    "source",
    [
        "[" * 100_000, "{a:" * 100_000, "{a:'" + "x" * 2_000_000, "{a:`" + "${" * 200_000, "{a:/*" + "*" * 1_000_000,
        "[" + "1," * 1_000_000, "{a:" + "b+" * 500_000, "{a:/" + "[" * 500_000, "{a:" + "(" * 500_000,
    ],
    ids=["rows", "objects", "string", "template", "comment", "long", "sum", "pattern", "calls"],
)  # fmt: skip
def test_time_is_bounded(source):
    """Whatever is written, it is given up or read in a time that grows with its length at most."""
    begun = time.process_time()

    assert isinstance(read_literal(source, 0), int)
    assert time.process_time() - begun < 2


def test_the_longest():
    """A literal longer than that is not read to its end."""
    assert LONGEST <= read_literal("[" + f"'{'x' * 1000}'," * (LONGEST // 1000) + "1]", 0) <= LONGEST + 1100
