"""The text of filter lists: header, conditions, hosts files, and what is no list."""

import gzip
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.filterlist import FilterList, ListKind, count_rules, header, includes, refusal, rules


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("! Expires: 4 days (update frequency)", timedelta(days=4)),
        ("! Expires: 1 day", timedelta(days=1)),
        ("!Expires:18 hours", timedelta(hours=18)),
        ("# Expires: 12h", timedelta(hours=12)),
        ("! Expires: 0 days", timedelta(hours=1)),
        ("! Expires: 9999 days", timedelta(days=14)),
        ("! Expires: soon", None),
        ("! Diff-Expires: 317 minutes", None),
    ],
)
def test_expires(line, expected):
    """`! Expires` counts days or hours, within an hour and a fortnight."""

    assert header(f"[Adblock Plus 2.0]\n{line}\n||a.example^").expires == expected


def test_header():
    """Title and homepage come from the first comments only, and the first of two counts."""
    found = header(
        "\ufeff[Adblock Plus 2.0]\n! Title: One\n! Title: Two\n! Homepage: https://a.example/\n" + "!\n" * 99
    )

    assert (found.title, found.homepage) == ("One", "https://a.example/")
    assert header("!\n" * 99 + "! Title: Late").title == ""


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("ext_ublock", True),
        ("adguard", False),
        ("(ext_ublock || adguard)", True),
        ("!env_firefox", True),
        ("env_chromium", False),
        ("!(env_chromium || ext_ublock)", False),
        ("ext_ublock && !cap_html_filtering && true", True),
        ("false", False),
        ("", False),
        ("ext_ublock ||", False),
        ("ext_ublock || (", False),
        ("(ext_ublock", False),
        ("ext_ublock)", False),
        ("ext_ublock + 1", False),
        ("(" * 100_000, False),
        ("!" * 100_000, False),
    ],
)
def test_conditions(condition, holds):
    """`!#if` is evaluated for a blocker without a browser; what cannot be read is false, and `!#else` is its opposite."""
    text = f"a\n!#if {condition}\nb\n!#else\nc\n!#endif\nd"

    assert list(rules(text)) == ["a", "b" if holds else "c", "d"]


def test_nested_conditions():
    """A block inside a block that does not hold does not hold either; stray ends are ignored."""
    text = "!#endif\n!#else\na\n!#if false\n!#if true\nb\n!#endif\nc\n!#else\nd\n!#endif\n!#if true\ne"

    assert list(rules(text)) == ["a", "d", "e"]


def test_comments_and_selectors():
    """Comments and headers are no rules; hiding rules that begin with # are."""
    text = "[Adblock Plus 2.0]\n! x\n# y\n#\n##.ad\n###ad\n#@#.ad\n#?#.ad\n####\n&ad=$image\n[data-ad]\n"

    assert list(rules(text)) == ["##.ad", "###ad", "#@#.ad", "#?#.ad", "####", "&ad=$image"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("||a.example^$all", "||a.example^"),
        ("||a.example^$all,domain=b.example", "||a.example^$domain=b.example"),
        ("||a.example^$script,all", "||a.example^$script"),
        ("||a.example^$third-party", "||a.example^$third-party"),
        ("||a.example/$allowed", "||a.example/$allowed"),
    ],
)
def test_all(rule, expected):
    """`$all` means every type, as no type at all does."""

    assert list(rules(rule)) == [expected]


def test_hosts_file():
    """A hosts file becomes rules for its hosts, without this machine's own names."""
    text = "# hosts\n127.0.0.1 localhost\n::1 localhost\n0.0.0.0 0.0.0.0\n" + "".join(
        f"0.0.0.0 ads{n}.example # x\n" for n in range(30)
    )

    assert list(rules(text)) == [f"||ads{n}.example^" for n in range(30)]


def test_bare_hosts():
    """So does a file of bare hosts; in any other list a bare word stays a pattern."""

    assert list(rules("a.example\nb.example\n")) == ["||a.example^", "||b.example^"]
    assert list(rules("ads.js\n||b.example^\n##.x\n")) == ["ads.js", "||b.example^", "##.x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "it is empty"),
        (" \r\n\ufeff", "it is empty"),
        ("<!DOCTYPE html><title>Not found</title>", "it is a web page"),
        ("\n <HTML lang=en>", "it is a web page"),
        ("a\x00b", "it is binary data"),
        ("\ufffd" * 100, "it is binary data"),
        ('{"error": 404}', "it is JSON"),
        ("! only\n! comments\n", "it has no rules"),
        ("||a.example^", None),
    ],
)
def test_refusal(text, expected):
    """What a server sends instead of a list is told from a list."""

    assert refusal(text) == expected


def test_includes():
    """Includes count where their condition holds."""
    text = "!#include a.txt\n!#if false\n!#include b.txt\n!#else\n!#include c.txt\n!#endif\n!#includes d.txt"

    assert list(includes(text)) == ["a.txt", "c.txt"]


def test_digest():
    """The digest tells kind and text apart, and not the name."""
    one = FilterList("a", "||a.example^")

    assert one.digest == FilterList("b", "||a.example^").digest
    assert one.digest != FilterList("a", "||a.example^", ListKind.TRACKERS).digest


@given(st.text(alphabet=st.sampled_from("!#if esn(|&)\n@$,al^.\ufeff\r\x0b\udc80a"), max_size=80))
def test_any_text(text):
    """No text makes reading a list fail, and no rule spans lines."""
    found = list(rules(text))

    assert count_rules(text) == len(found)
    assert not any("\n" in rule for rule in found)
    assert header(text) is not None
    assert FilterList("x", text).digest


def test_real_lists_are_lists(shared_data):
    """None of 48 real lists is refused, and all of their rules are read."""
    for path in sorted((shared_data / "lists").glob("*.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            text = file.read()

        assert refusal(text) is None, path.name
        assert count_rules(text) > 30, path.name
