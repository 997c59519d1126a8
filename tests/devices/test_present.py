"""The devices of a network, one row for each."""

import ipaddress

from capper.devices.leasefiles import Leased
from capper.devices.neighbours import Neighbour
from capper.devices.present import Device, present
from capper.testing import NOON

LAPTOP, PHONE, TV, ROUTER, FAR = (f"d8:3a:dd:00:00:0{n}" for n in range(5))
LAN = (ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fd00::/64"))


def row(address: str, mac: str, *, router: bool = False) -> Neighbour:
    return Neighbour(ipaddress.ip_address(address).packed, mac, current=True, router=router)


SEEN = [
    row("fd00::21", LAPTOP), row("192.168.1.20", LAPTOP), row("2001:db8::7", LAPTOP), row("fe80::1", LAPTOP),
    row("fe80::9", ROUTER, router=True), row("192.168.1.1", ROUTER),
    row("9.9.9.9", FAR), row("192.168.1.3", TV),
]  # fmt: skip


def test_one_row_for_each_device():
    """All addresses of a device stand together; who came to capper comes first, then by address; no routers, no strangers from elsewhere."""
    leased = Leased({ipaddress.ip_address("192.168.1.30").packed: PHONE}, {PHONE: "phone", LAPTOP: "laptop"})

    assert [
        Device("user:guest", seen=NOON),
        Device(PHONE, ("192.168.1.30",), "phone", NOON),
        Device(TV, ("192.168.1.3",)),
        Device(LAPTOP, ("192.168.1.20", "2001:db8::7", "fd00::21"), "laptop"),
    ] == present(SEEN, leased, {"user:guest": NOON, PHONE: NOON}, LAN)


def test_no_network_is_named():
    """Then the private ones are the household's."""
    assert [TV, LAPTOP] == [one.name for one in present(SEEN, Leased(), {}, ())]


def test_a_router_that_does_not_say_so():
    """Whoever leads out is no device of the household's, nor is what the same MAC answers for besides."""
    assert [LAPTOP] == [one.name for one in present(SEEN, Leased(), {}, (), {bytes([192, 168, 1, 3])})]


def test_an_address_of_the_cable_alone():
    """It is shown where there is no other."""
    assert [("fe80::5",)] == [one.addresses for one in present([row("fe80::5", TV)], Leased(), {}, ())]


def test_made_up_macs():
    """A device whose MAC is its own invention says so; what has no MAC does not."""
    assert [True, False, False] == [Device(name).random for name in ("da:00:00:00:00:01", LAPTOP, "user:a")]
