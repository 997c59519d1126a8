"""Hiding rules with `:has()`, read from the lists."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.cosmetic import SelectorRules, usable
from capper.recognise.filterlist import rules


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("li:has(> .ad)", True),
        ('div:has(a[href*=")"])', True),
        (r"div:has(.a\))", True),
        (":is(div, p):not(:has(h2))", True),
        ("div:has(.a", False),
        ("div:has(.a))", False),
        ("div:has([a)]", False),
        ('div:has("a)', False),
        ("div:has(.a)\\", False),
        ("div:has(.a:has-text(Ad))", False),
        ("div:has(.a):upward(2)", False),
        ("div:has(.a):remove()", False),
        ("div:has(.a):style(color: red)", False),
        ("div:has(.a) { display: none }", False),
        ("^script:has(.a)", False),
        ("+js(a:has(b))", False),
        ("", False),
        ("a" * 3000 + ":has(b)", False),
    ],
)
def test_usable(selector, expected):
    """Only what a browser's selector engine evaluates, with everything closed that was opened, is used."""

    assert usable(selector) == expected


RULES = SelectorRules.read(
    [
        "##.everywhere:has(x)",
        "a.example,~www.a.example##.site:has(x)",
        "b.*##.entity:has(x)",
        "~c.example##.but-c:has(x)",
        "c.example#@#.everywhere:has(x)",
        "d.example#?#.old:-abp-has(x)",
        "#@#.nowhere:has(x)",
        "a.example##.nowhere:has(x)",
        "a.example##.plain",
        "||a.example^$removeparam=:has(x)",
    ]
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("news.example", {".everywhere", ".but-c"}),
        ("x.a.example", {".everywhere", ".but-c", ".site"}),
        ("www.a.example", {".everywhere", ".but-c"}),
        ("b.com", {".everywhere", ".but-c", ".entity"}),
        ("www.b.co.uk", {".everywhere", ".but-c", ".entity"}),
        ("b.evil.com", {".everywhere", ".but-c"}),
        ("c.example", set()),
        ("d.example", {".everywhere", ".but-c", ".old"}),
        ("", {".everywhere", ".but-c"}),
        ("192.0.2.1", {".everywhere", ".but-c"}),
        ("a." * 500, {".everywhere", ".but-c"}),
    ],
)
def test_selectors_of_a_host(host, expected):
    """A host gets the general selectors, its own, its parents' and its name's under any suffix, without those taken back."""

    assert set(RULES.of(host)) == {f"{name}:has(x)" for name in expected}


def test_without_generic():
    """Where general selectors are not wanted, only those that name the site are left."""

    assert RULES.of("a.example", generic=False) == (".site:has(x)",)
    assert RULES.of("news.example", generic=False) == ()


def test_dump_and_load():
    """Rules survive being written."""

    assert SelectorRules.load(RULES.dump()) == RULES


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[1, 2, 3]", b"[[], [], []]", b"\xff", b"[[], {}, {}"])
def test_damaged(data):
    """What is no dump is refused with a ValueError."""

    with pytest.raises(ValueError):
        SelectorRules.load(data)


@given(
    st.lists(st.text(alphabet="a.example,~*#@?:has()[]\"'\\|$ ", max_size=40)), st.text(alphabet="a.-*ex", max_size=20)
)
def test_any_rule(lines, host):
    """No rule and no host makes this fail."""
    found = SelectorRules.read(lines)

    assert SelectorRules.load(found.dump()).of(host) == found.of(host)


@pytest.mark.parametrize(
    ("name", "least"), [("easylist-20260822", 500), ("frellwit-swedish-20260822", 300), ("nordic-ublock-20260822", 250)]
)
def test_real_lists(shared_data, name, least):
    """Hundreds of rules that the engine drops are usable."""
    with gzip.open(shared_data / "lists" / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
        found = SelectorRules.read(rules(file.read()))

    assert len(found.generic) + sum(map(len, found.by_site.values())) >= least
