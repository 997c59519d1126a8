"""TOML with line numbers."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.settings.toml import LARGEST, decode, locate, parse, read_text

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"]), max_size=5).map(
        lambda text: f'"{text}"'
    ),
    st.sampled_from(["'# ]'", '"a\\tb"', '"[x]"', '"\\u0041"']),
)
SCALARS = st.sampled_from(
    [
        "1", "true", "1.5e3", "2026-11-22 10:00:00Z", "1979-05-27", "inf", '""', "''", '"# not a comment"', "'a]b}'",
        '"a \\" b"', '"""multi\nline "" # x\n"""', "'''it''s\n['''", '""""quoted""""', "''''a''''", '"""a\\\n   b"""', "'\\'",
    ]
)  # fmt: skip
SPACE = st.sampled_from(["", " ", "\t"])
BREAK = st.sampled_from(["", " ", "\n", " # ]}\n", "\n\n  "])


@st.composite
def lists(draw, values):
    items = draw(st.lists(values, max_size=3))
    end = draw(st.sampled_from(["", ","])) if items else ""
    inner = ",".join(f"{draw(BREAK)}{item}{draw(BREAK)}" for item in items)
    return f"[{inner}{end}{draw(BREAK)}]"


@st.composite
def inline_tables(draw, values):
    pairs = draw(st.lists(st.tuples(KEYS, values), max_size=3))
    return "{" + ",".join(f" {key}{draw(SPACE)}= {value} " for key, value in pairs) + "}"


VALUES = st.recursive(SCALARS, lambda values: st.one_of(lists(values), inline_tables(values)), max_leaves=6)


@st.composite
def documents(draw):
    lines = []
    for _ in range(draw(st.integers(0, 8))):
        key = f"{draw(SPACE)}.{draw(SPACE)}".join(draw(st.lists(KEYS, min_size=1, max_size=3)))
        shape = draw(st.sampled_from(["pair", "pair", "pair", "[]", "[[]]", "blank"]))
        match shape:
            case "pair":
                lines.append(f"{draw(SPACE)}{key}{draw(SPACE)}={draw(SPACE)}{draw(VALUES)}{draw(SPACE)}")
            case "[]":
                lines.append(f"[{draw(SPACE)}{key}{draw(SPACE)}]  # [no]")
            case "[[]]":
                lines.append(f"[[{key}]]")
            case _:
                lines.append("   # a = 1")
    return "\n".join(lines)


def places(value, where=()):
    """Every path of a tomllib result."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in items:
        yield (*where, step)
        yield from places(below, (*where, step))


@given(documents())
def test_every_key_and_item_is_located(text):
    """The locator finds exactly the keys and items that tomllib finds, each on a line that holds it or its opening."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = locate(text)

    assert set(lines) == set(places(data))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.text(max_size=40) | st.text("[]{}=.\"'#\\\n ,a1", max_size=40))
def test_any_text_is_read_or_refused(text):
    """Whatever the text, it is read or refused: nothing but ConfigError is raised."""
    try:
        document = parse(text, "policy.toml")
    except ConfigError:
        return

    assert set(document.lines) == set(places(document.data))


@pytest.mark.parametrize(
    ("text", "where", "line"),
    [
        ("a = 1\r\nb = 2\r\n", ("b",), 2),
        ('a = """\n\n"""\nb = [\n 1,\n\n 2]', ("b", 1), 7),
        ("[[rules]]\nx = 1\n[[rules]]\n[rules.y]\nz = 1", ("rules", 1, "y", "z"), 5),
        ("a.b.c = 1", ("a", "b"), 1),
        ('x = { y = [\n{ z = "]" }] }', ("x", "y", 0, "z"), 2),
        ('["a.b".c]\nd = 1', ("a.b", "c", "d"), 2),
    ],
)
def test_lines(text, where, line):
    """Lines are counted through CRLF, long strings, lists over several lines, dotted keys and inline tables."""
    assert parse(text, "x").line(where) == line


def test_an_unknown_place_takes_the_line_around_it():
    """What is not in the file is reported at the table that should have held it."""
    assert parse("\n[people.anna]\n", "x").line(("people", "anna", "devices", 3)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = \n", "p line 2, column 5: not TOML: Invalid value"),
        ("a = 1\na = 2\n", "p line 2, column 6: not TOML: Cannot overwrite a value"),
        ("a = [1,\n", "p line 1: not TOML: the file ends before a value, a bracket or a quote does"),
        ("a = " + "[" * 50_000, "p: nested too deep"),
        ("a = " + "{a=" * 50_000, "p: nested too deep"),
    ],
)
def test_text_that_is_not_toml(text, message):
    """The message says the file, the line and what is wrong; hostile depth is refused too."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "p")

    assert str(caught.value) == message


def test_a_number_of_five_thousand_digits_is_refused():
    """Python's own limit on digits ends as a sentence, not as a traceback."""
    with pytest.raises(ConfigError, match="not TOML"):
        parse("a = " + "9" * 5000, "p")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfea\x00", "p is UTF-16; save it as UTF-8"),
        (b"# \xc3\xa9\n# caf\xe9\n", "p line 2: not UTF-8 (byte 0xe9); save it as UTF-8"),
    ],
)
def test_other_encodings(content, message):
    """A file in another encoding is refused with the line and what to do."""
    with pytest.raises(ConfigError) as caught:
        decode(content, "p")

    assert str(caught.value) == message


def test_a_byte_order_mark_is_left_out():
    """Editors that write a UTF-8 byte order mark do no harm."""
    assert decode(b"\xef\xbb\xbfcaps = []", "p") == "caps = []"


def test_files_that_are_none(tmp_path):
    """A missing file, a directory, a device and a huge file are refused without being read to their end."""
    big = tmp_path / "big"
    big.write_bytes(b"#" * (LARGEST + 1))
    messages = []
    for path in (tmp_path / "gone", tmp_path, big):
        with pytest.raises(ConfigError) as caught:
            read_text(path, "p")
        messages.append(str(caught.value))
    with pytest.raises(ConfigError, match="not a plain file"):
        read_text(type(tmp_path)("/dev/zero"))

    assert messages == [
        "p does not exist",
        "p is a directory; a file is needed",
        "p is larger than 256 KiB; it is hardly the file you meant",
    ]
