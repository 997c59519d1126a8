"""Which hosts are opened, for whom, and for how long not."""

import pytest

from capper.proxy.opening import REMEMBERED, Opening, _host


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opening(clock):
    return Opening(lambda host: host.endswith("ads.test"), clock)


def test_only_ad_hosts_are_opened(opening):
    """What the predicate names is opened, and nothing else."""
    assert opening.opens("10.0.0.2", "x.ads.test")
    assert not opening.opens("10.0.0.2", "bank.test")


def test_refusal_holds_for_an_hour_and_one_device(opening, clock):
    """A refusal concerns one client and one host, and is tried again after an hour."""
    opening.refuse("10.0.0.2", "ads.test")

    assert not opening.opens("10.0.0.2", "ads.test")
    assert opening.opens("10.0.0.3", "ads.test")
    assert opening.opens("10.0.0.2", "x.ads.test")
    clock.now = REMEMBERED
    assert opening.opens("10.0.0.2", "ads.test")


def test_silence_counts_twice_in_a_row(opening):
    """One silent end is the network's; a second without success between is a refusal."""
    opening.doubt("10.0.0.2", "ads.test")
    opening.trust("10.0.0.2", "ads.test")
    opening.doubt("10.0.0.2", "ads.test")

    assert opening.opens("10.0.0.2", "ads.test")
    opening.doubt("10.0.0.2", "ads.test")
    assert not opening.opens("10.0.0.2", "ads.test")


def test_memory_is_bounded(opening):
    """However many hosts a client makes up, only the newest refusals are kept."""
    for number in range(10_050):
        opening.refuse("10.0.0.2", f"{number}.ads.test")

    assert len(opening._refused) == 10_000
    assert not opening.opens("10.0.0.2", "10049.ads.test")


@pytest.mark.parametrize(
    ("sni", "address", "host"),
    [
        ("Ads.Test.", "203.0.113.1", "ads.test"),
        (None, "ads.test", "ads.test"),
        (None, "203.0.113.1", None),
        ("203.0.113.1", "ads.test", None),
    ],
)
def test_host_of_a_connection(sni, address, host):
    """The TLS name says which host, else the name that was asked for; a bare address is nobody's."""
    assert _host(sni, address) == host
