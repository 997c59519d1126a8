"""Hosts that stay closed: what travels with capper, and what is said of one."""

import csv
import gzip
import io

import pytest

from capper.domain.errors import ConfigError
from capper.settings.closed import ClosedHosts, Closing, built_in
from capper.settings.sites import known_sites


@pytest.fixture(scope="module")
def closed() -> ClosedHosts:
    return built_in()


@pytest.mark.parametrize(
    ("host", "category"),
    [
        ("www.ing.nl", "banks"),
        ("mijn.overheid.nl", "government"),
        ("www.gov.uk", "government"),
        ("irs.gov", "government"),
        ("www.nhs.uk", "government"),
        ("doctolib.fr", "health"),
        ("vault.bitwarden.com", "mail_and_passwords"),
        ("web.whatsapp.com", "pinned_apps"),
        ("m.paypal.com", "payment"),
        ("online-banking.somewhere.example", "banks"),
        ("my.clinic-records.example", "health"),
    ],
)
def test_what_is_closed(closed, host, category):
    """A host of a category is closed with all below it, and by words where nobody has listed it."""
    assert category == closed.closing(host).source


@pytest.mark.parametrize(
    "host",
    ["doubleclick.net", "ads.pubmatic.com", "news.example", "riverbank.example", "banknote.example", "amazon.com", "x"],
)
def test_what_is_not(closed, host):
    """Ad hosts, shops, and names that merely hold a word are not."""
    assert closed.closing(host) is None


def test_the_longest_entry_speaks():
    """Of several that cover a host the nearest is named."""
    closed = ClosedHosts({"a.test": "banks", "b.a.test": "yours"})

    assert (Closing("b.a.test", "yours"), Closing("a.test", "banks")) == (
        closed.closing("x.b.a.test"),
        closed.closing("c.a.test"),
    )


def test_adding_keeps_the_source():
    """What is closed already is not said to be closed by a later list."""
    closed = ClosedHosts({"a.test": "banks"}).also(["a.test", "b.test"], "list")

    assert {"a.test": "banks", "b.test": "list"} == closed.hosts


def test_shops_known_for_credit_are_none_of_them(closed):
    """The two lists that travel with capper do not contradict each other."""
    assert [] == [site for site in sorted(known_sites().sites) if closed.closing(site)]


@pytest.mark.parametrize("text", ["[a]\nhosts = 3", 'hosts = "x.example"', "[a]\nhosts = 'a b.example'", "not toml"])
def test_a_file_that_cannot_be_used(tmp_path, text):
    """It is named, with what is wrong."""
    file = tmp_path / "closed.toml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"closed\.toml"):
        built_in(file)


def test_governments_outside_their_own_domains(closed, shared_data):
    """Of two thousand hosts of the United States' bodies under .us, .org and .com a fair part is known by its words; all of .gov is."""
    raw = gzip.decompress((shared_data / "exclusions" / "us-govt-urls.csv.gz").read_bytes()).decode(
        "utf-8-sig", "replace"
    )
    rows = list(csv.reader(io.StringIO(raw)))[1:]
    gov = [row[0].lower() for row in rows if row and row[0].lower().endswith((".gov", ".mil"))]

    assert all(closed.closing(host) for host in gov)
