"""Devices by which nobody can be recognised as the settings are."""

import pytest

from capper.devices.matching import listeners, mismatches
from capper.domain.policy import Person, Policy

MAC = "de:ad:be:ef:00:01"


def found(
    devices: tuple[str, ...], modes: tuple[str, ...] = ("regular",), auth: str = "", problem: str = ""
) -> list[str]:
    policy = Policy(people={"anna": Person("anna", devices)})
    return [f"{one.what} -> {one.advice}" for one in mismatches(policy, modes, auth, problem)]


def test_all_is_well():
    """Addresses, MACs, names the proxy asks for and listeners that are there can all be recognised."""
    devices = ("192.168.1.20", "10.0.0.0/8", MAC, "user:anna", "wireguard:anna")

    assert [] == found(devices, ("regular", "wireguard:/keys/anna.conf@0.0.0.0:51821"), "anna:secret")
    assert [] == found(("user:anna",), auth="@people")


@pytest.mark.parametrize(
    ("devices", "more", "said"),
    [
        (("wireguard:anna",), {}, "no listener has a file of that name -> capper gateway wireguard anna"),
        (("wireguard:anna",), {"modes": ("wireguard:anna-2.conf@1",)}, "anna's wireguard:anna: no listener"),
        (("user:anna",), {}, "the proxy asks nobody for that name -> proxy_auth asks for names"),
        (("user:anna",), {"auth": "ben:secret"}, "htpasswd file with anna"),
        ((MAC,), {"problem": "no netlink"}, "the neighbour table cannot be read: no netlink -> name an address too"),
        ((), {"modes": ("wireguard:/k/ben.conf",)}, "-> capper people add ben --device wireguard:ben"),
    ],
)
def test_what_does_not_fit(devices, more, said):
    """Each is named with what to do about it; a password is never repeated."""
    told = found(devices, **more)

    assert any(said in one for one in told)
    assert all("secret" not in one for one in told)


def test_listeners():
    """By the file's name, as the proxy knows them."""
    modes = ("regular", "wireguard", "WireGuard:/a/anna.conf@1", "wireguard:ben.conf", "transparent@:8081")

    assert {"wireguard", "anna", "ben"} == set(listeners(modes))
