"""Text made harmless for a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.cli.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("shoes.example", "shoes.example"),
        ("Zoë 王 🛍", "Zoë 王 🛍"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\x9b2J", "a\\x9b2J"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u200bzero\ufeff\u2028", "\\u200bzero\\ufeff\\u2028"),
        ("\ud800 \U000e0041", "\\ud800 \\U000e0041"),
    ],
)
def test_plain(text, shown):
    """What a terminal would obey is written as its escape; all that can be seen stays."""
    assert plain(text) == shown


@given(st.text(st.characters(), max_size=30))
def test_nothing_unseen_is_left(text):
    """No control, format, surrogate or separator character survives, and UTF-8 can carry the rest."""
    shown = plain(text)

    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode().decode() == shown


def test_kept():
    """A message of several lines keeps its line ends, and only those."""
    assert plain("a\nb\x1b", keep="\n") == "a\nb\\x1b"
