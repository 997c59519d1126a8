"""Sites that are opened besides those that deliver ads."""

import logging
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.domain.errors import ConfigError
from capper.recognise.domains import listed
from capper.settings.sites import KnownSites, OwnSites, known_sites, read_sites, sites_file, within, write_sites
from capper.settings.watch import stamp
from capper.testing import FrozenClock

FORBIDDEN = (
    "bank",
    "sparkasse",
    "caisse",
    "caixa",
    "credit",
    "kredit",
    "kranken",
    "health",
    "hospital",
    "klinik",
    "gov",
)
"""What is in the names of banks, lenders, health and government, and of no shop."""


@pytest.fixture
def file(tmp_path):
    return sites_file(tmp_path)


def test_those_that_travel_with_capper():
    """Shops and pay-later services by the domain they registered; no bank, lender, health or government."""
    sites = known_sites().sites

    assert {"wehkamp.nl", "klarna.com"} <= sites
    assert [] == [site for site in sites if listed(site) != site]
    assert [] == [site for site in sites if any(word in site for word in FORBIDDEN)]


@pytest.mark.parametrize(
    ("host", "opened"),
    [
        ("wehkamp.nl", True),
        ("www.wehkamp.nl", True),
        ("notwehkamp.nl", False),
        ("amazon.com", True),
        ("www.amazon.com", True),
        ("console.aws.amazon.com", False),
        ("pharmacy.amazon.com", False),
        ("my-bank.otto.de", False),
        ("bankett.otto.de", True),
        ("nl", False),
        ("", False),
    ],
)
def test_what_is_something_else_stays_closed(host, opened):
    """A site speaks for what is below it, but not for its pharmacy, its bank, its data centre."""
    assert opened == known_sites().covers(host)


@pytest.mark.parametrize(
    "text", ["", "sites = 1", '[sites]\nshops = ["a.example"]', '[sites]\nshops = "a b"', "[[", "[closed]\nhosts = ''"]
)
def test_a_file_of_them_that_cannot_be_used(tmp_path, text):
    """What is no list of sites is refused by name."""
    path = tmp_path / "sites.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=r"sites\.toml"):
        known_sites(path)


def test_none_is_known_where_none_is_wanted():
    """The empty set covers nothing."""
    assert not KnownSites().covers("wehkamp.nl")


def test_written_and_read(file):
    """What is written reads back in its order, with lines of a person's own; only the owner may read it."""
    write_sites(file, ["b.example", "a.example"])
    file.write_text(file.read_text() + "\n# hers\nhttps://Shop.example/x  # and this\na.example\n")
    mode = stat.S_IMODE(file.stat().st_mode)

    assert ("b.example", "a.example", "shop.example") == read_sites(file)
    assert 0o600 == mode


def test_no_file_is_no_sites(file):
    """Nobody has named a site yet."""
    assert () == read_sites(file)


def test_a_line_that_is_no_site(file):
    """It is named by its number."""
    file.write_text("a.example\n<b>\n")

    with pytest.raises(ConfigError, match="line 2: expected a site"):
        read_sites(file)


def test_hot(file):
    """What is added or removed holds a second later, without a look in between."""
    clock, looks = FrozenClock(), []
    own = OwnSites(file, clock, look=lambda path: looks.append(path) or stamp(path))
    before = own.covers("www.shop.example")
    write_sites(file, ["shop.example"])
    at_once = own.covers("www.shop.example")
    clock.forward(seconds=1)
    later = [own.covers(host) for host in ("shop.example", "www.shop.example", "myshop.example") for _ in range(9)]
    file.unlink()
    clock.forward(seconds=1)

    assert (False, False) == (before, at_once)
    assert [True] * 18 + [False] * 9 == later
    assert not own.covers("shop.example")
    assert 3 == len(looks)


def test_a_file_that_breaks_leaves_what_was_read(file, caplog):
    """Told once, and nothing that was opened is lost."""
    write_sites(file, ["shop.example"])
    clock = FrozenClock()
    own = OwnSites(file, clock)
    file.write_text("\\\n" * 3)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.forward(seconds=1)
            covered = own.covers("shop.example")

    assert covered
    assert 1 == len(caplog.records)


@given(st.text("ab.", max_size=12))
def test_within_any_text(host):
    """It ends for every text, and says the same as the plain definition."""
    assert ("a.b" in (host, host[-3:]) and (host == "a.b" or host[-4:-3] == ".")) == within(host, {"a.b"})
