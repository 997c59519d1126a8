"""Host sets and the ad-delivery hosts that lists name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.recognise.filterlist import FilterList, ListKind
from capper.recognise.hosts import HostSet, ad_hosts

ADS = HostSet(["ads.example", "Tracker.Example.", "192.0.2.1"], without=["optout.ads.example"])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("ads.example", "ads.example"),
        ("a.b.ads.example", "ads.example"),
        ("ADS.EXAMPLE.", "ads.example"),
        ("tracker.example", "tracker.example"),
        ("badads.example", None),
        ("example", None),
        ("", None),
        ("192.0.2.1", "192.0.2.1"),
        ("1.192.0.2.1", None),
        ("::1", None),
        ("optout.ads.example", None),
        ("www.optout.ads.example", None),
        ("a." * 50_000 + "ads.example", None),
    ],
)
def test_covering(host, expected):
    """A host is covered by itself or a domain above it, unless a nearer one is left out; addresses have nothing above."""

    assert ADS.covering(host) == expected
    assert ADS.covers(host) == (expected is not None)
    assert (host in ADS) == (expected is not None)


labels = (
    st.lists(st.sampled_from(["a", "b", "c", "x1"]), min_size=1, max_size=4)
    .map(".".join)
    .filter(lambda h: h[-1] != "1")
)


@given(hosts=st.lists(labels, max_size=6), host=labels)
def test_covering_is_suffix_matching(hosts, host):
    """Walking the labels finds what comparing with every member would."""
    expected = any(host == member or host.endswith("." + member) for member in hosts)

    assert HostSet(hosts).covers(host) == expected


def test_union():
    """A union covers what either covers, and what one leaves out comes back where the other names it."""
    union = ADS | HostSet(["optout.ads.example", "more.example"])

    assert union.covers("optout.ads.example")
    assert union.covers("more.example")
    assert union.covers("x.tracker.example")


def test_value():
    """Host sets compare by value and list their members in order."""

    assert HostSet(["b.example", "a.example"]) == HostSet(["a.example.", "B.example"])
    assert hash(HostSet(["a.example"])) == hash(HostSet(["A.example"]))
    assert list(ADS) == ["192.0.2.1", "ads.example", "tracker.example"]
    assert repr(ADS) == "<HostSet of 3>"


def test_ad_hosts():
    """Only hosts that an ad list blocks as a whole are ad hosts; an exception for a host takes it and all below it back."""
    ads = FilterList(
        "ads",
        """
        ||whole.example^
        ||third.example^$third-party
        ||important.example^$third-party,important
        ||popup.example^$popup
        ||some.example^$domain=news.example
        ||script.example^$script
        ||path.example/ads/
        ||open.example
        ||wild.*^
        ||com^
        ||192.0.2.7^
        @@||info.whole.example^
        @@||third.example^$domain=news.example
        @@||freed.example^
        ||freed.example^
        ! ||comment.example^
        """,
    )
    trackers = FilterList("trackers", "||tracker.example^\n@@||important.example^$script", ListKind.TRACKERS)

    hosts = ad_hosts([ads, trackers])

    assert list(hosts) == ["important.example", "third.example", "whole.example"]
    assert not hosts.covers("info.whole.example")
    assert hosts.covers("cdn.whole.example")
