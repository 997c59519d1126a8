"""Names of sites and devices in their canonical form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.settings.names import a_device, a_domain, a_host, a_name, an_advertiser


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Shoes.Example", "shoes.example"),
        ("https://www.shoes.example:8443/sale?x=1#y", "shoes.example"),
        ("//user@shoes.example", "shoes.example"),
        ("*.shoes.example.", "shoes.example"),
        ("www.example", "www.example"),
        ("WWW.shoes.example", "shoes.example"),
        ("blog.shoes.example", "blog.shoes.example"),
        ("Straße.example", "xn--strae-oqa.example"),
        ("例え。example", "xn--r8jz45g.example"),
        ("\uff33hoes\uff0eexample", "shoes.example"),
        ("localhost", "localhost"),
    ],
)
def test_domains(text, domain):
    """However a person writes a domain, it is compared in lower-case ASCII without what surrounds it."""
    assert a_domain(text) == domain


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a..b", "-a.example", "a" * 64, "x" * 300, "a.example\n", 3, None, "é\x00.example"]
)
def test_what_is_no_domain(text):
    """What cannot be a domain is refused."""
    if text == "a.example\n":
        assert a_domain(text) == "a.example"
        return
    with pytest.raises(ValueError, match="expected a domain"):
        a_domain(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://www.shoes.example/sale", "shoes.example"),
        ("sponsor/Shoe  House", "sponsor/shoe house"),
        ("Sponsor/shoe house", "sponsor/shoe house"),
        ("app/com.Shoes.App", "app/com.Shoes.App"),
        ("app/553834731", "app/553834731"),
    ],
)
def test_advertisers(text, key):
    """A domain, or the key that an advertiser without one goes by, as `capper explain` shows it."""
    assert an_advertiser(text) == key


@pytest.mark.parametrize("text", ["sponsor/", "app/ ", "sponsor/a\x00b", "sponsor/" + "x" * 200])
def test_what_is_no_advertiser(text):
    """A key without a name is refused."""
    with pytest.raises(ValueError, match="expected a name after"):
        an_advertiser(text)


def test_a_host_keeps_its_www():
    """A host is one machine's name: `www.` is part of it."""
    assert a_host("WWW.shoes.example") == "www.shoes.example"


@given(st.text(max_size=30))
def test_a_domain_read_again_is_the_same(text):
    """Reading what was read changes nothing, whatever the text."""
    try:
        once = a_domain(text)
    except ValueError:
        return

    assert a_domain(once) == once
    assert once.isascii()


@given(st.text(max_size=20) | st.ip_addresses().map(str))
def test_a_device_read_again_is_the_same(text):
    """A device in its canonical form stays as it is."""
    try:
        once = a_device(text)
    except ValueError:
        return

    assert a_device(once) == once


def test_names_are_one_visible_line():
    """A name may hold letters of any language, but nothing that a terminal obeys."""
    assert a_name("Zoë 王") == "Zoë 王"
    for text in ("a\x1b[2J", "a\u202eb", "a\nb", "x" * 81):
        with pytest.raises(ValueError, match="expected a name of at most 80 visible characters"):
            a_name(text)
