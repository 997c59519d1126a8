"""Registrable domains, hosts of URLs and declared advertisers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.domains import advertiser_domain, advertiser_domains, host_of, registrable, site_of


def _ascii(name):
    return name.encode("idna").decode() if name else name


def test_public_suffix_cases(shared_data):
    """Every case of the Public Suffix List's own tests holds, non-ASCII names in their ASCII form."""
    text = (shared_data / "domains" / "test_psl.txt").read_text("utf-8")
    cases = re.findall(r"^checkPublicSuffix\('([^']*)', (?:'([^']*)'|null)\);", text, re.MULTILINE)

    assert len(cases) > 70
    assert [(host, registrable(host)) for host, _ in cases] == [(host, _ascii(want) or None) for host, want in cases]


def test_public_suffix_list_file(shared_data):
    """The second file of cases holds too."""
    lines = (shared_data / "domains" / "tests.txt").read_text("utf-8").splitlines()
    cases = [line.split() for line in lines if line and not line.startswith("//")]
    cases = [(host, None if want == "null" else _ascii(want)) for host, want in cases if host != "null"]

    assert len(cases) > 70
    assert [(host, registrable(host)) for host, _ in cases] == cases


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("WWW.Shoes.Example.", "shoes.example"),
        ("www.shoes.co.uk:8443", "shoes.co.uk"),
        ("www.münchen.example", "xn--mnchen-3ya.example"),
        ("a_b.shoes.example", "shoes.example"),
        ("127.0.0.1", None),
        ("127.0.0.1:80", None),
        ("[::1]:80", None),
        ("0x7f.0x1", None),
        ("1.2.3.0x4", None),
        ("localhost", None),
        ("", None),
        (".", None),
        ("shoes..example", None),
        ("-shoes.example", None),
        ("sho es.example", None),
        ("shoes.example/path", None),
        ("a" * 64 + ".example", None),
        (".".join(["abcdefg"] * 40), None),
        ("\ud800.example", None),
    ],
)
def test_registrable(host, domain):
    """Ports, case, IDNA and a final dot do not matter; addresses and nonsense have no registrable domain."""

    assert registrable(host) == domain


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://User:p%40ss@Shoes.Example:8443/a?b=c@d", "shoes.example"),
        ("//shoes.example", "shoes.example"),
        ("https://shoes.example?x", "shoes.example"),
        ("https://shoes.example#x//y", "shoes.example"),
        ("https:\\\\shoes.example", ""),
        ("https://shoes.example\\@evil.example/", "shoes.example"),
        ("http://[::1]:8080/x", "[::1]"),
        ("javascript:void(0)//shoes.example", ""),
        ("/path//shoes.example", ""),
        ("about:blank", ""),
        ("", ""),
    ],
)
def test_host_of(url, host):
    """The host is read as browsers read it; what is no absolute URL has none."""

    assert host_of(url) == host


@pytest.mark.parametrize(
    ("declared", "domains"),
    [
        ("https://www.Shoes.example/sale?x=1", ("shoes.example",)),
        ("www.shoes.example.", ("shoes.example",)),
        (["shoes.example", "https://m.shoes.example", "hats.example"], ("shoes.example", "hats.example")),
        ("shoes.example, hats.example", ("shoes.example", "hats.example")),
        ("https%3A%2F%2Fshoes.example", ("shoes.example",)),
        ("adomain.comadomain.com", ("adomain.com",)),
        ("ad-domain", ()),
        (["huaweiads", "", None, 7], ()),
        (None, ()),
        ({"a": "shoes.example"}, ()),
    ],
)
def test_advertiser_domains(declared, domains):
    """Declarations are read whatever their shape; what is no domain is left out."""

    assert advertiser_domains(declared) == domains


def test_site_of_an_address():
    """A publisher without a name is told apart by its address."""

    assert site_of("http://192.168.1.9:8000/news") == "192.168.1.9"


@given(st.text())
def test_never_raises(text):
    """Whatever the text, there is an answer, and a domain is its own registrable domain."""
    found = {registrable(text), advertiser_domain(text), registrable(host_of(text)), registrable(site_of(text))}

    assert all(domain is None or registrable(domain) == domain for domain in found)
