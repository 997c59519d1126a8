"""What each of several proxies has of one address."""

import pytest

from capper.domain.errors import ConfigError, ListenError
from capper.proxy.listening import device_file
from capper.proxy.master import ProxyOptions
from capper.proxy.shares import Shares
from capper.proxy.steering import can_steer
from capper.proxy.testing import LOOPBACK

pytestmark = pytest.mark.skipif(not can_steer(), reason="this system cannot")
PEOPLE = tuple(
    f"wireguard:{name}.conf@{LOOPBACK}:{port}" for name, port in (("anna", 7001), ("ben", 7002), ("c", 7003))
)


@pytest.fixture
def shares(tmp_path):
    """Divide the listeners of these modes among so many; closed with the test."""
    opened = []

    def divide(processes: int, *modes: str, port: int = 0) -> Shares:
        opened.append(Shares.open(ProxyOptions(tmp_path, port=port, modes=modes), processes))
        return opened[-1]

    yield divide
    for each in opened:
        each.close()


def test_who_has_what(shares):
    """A proxy for all at each of them; each person's WireGuard at one of them, in turn."""
    found = [shares(2, "regular", *PEOPLE).of(number) for number in range(2)]

    assert [("regular", PEOPLE[0], PEOPLE[2]), ("regular", PEOPLE[1])] == [each.modes for each in found]
    assert [{"regular"}, {"regular"}] == [set(each.inherited) for each in found]


def test_where_they_listen(shares, tmp_path):
    """One place for a proxy, however many are there; WireGuard's with the file for the person's device."""
    told = shares(3, "regular", PEOPLE[0]).listening()
    proxy = told.address_of("regular")

    assert (("regular", proxy), ("wireguard", (LOOPBACK, 7001))) == told.ways
    assert (device_file(tmp_path, "anna.conf"),) == told.files
    assert told.address_of("transparent") is None


def test_a_place_that_is_taken(shares):
    """It is told as a lone proxy would."""
    port = shares(2, "regular").listening().addresses[0][1]
    with pytest.raises(ListenError, match=f"{LOOPBACK}:{port} is taken"):
        shares(2, "regular", port=port)


def test_what_cannot_be_shared(shares):
    """It is refused, with the reason."""
    with pytest.raises(ConfigError, match="mode local cannot have several workers: "):
        shares(2, "regular", "local")
