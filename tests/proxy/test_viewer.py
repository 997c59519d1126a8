"""Whose request it is, by the policy's devices."""

import pytest

from capper.domain.policy import Person, Policy
from capper.proxy.viewer import Caller, household

POLICY = Policy(
    people={
        "anna": Person("anna", ("192.168.1.20", "user:anna", "wireguard:anna", "de:ad:be:ef:00:01", "fd00::20"), "nl"),
        "ben": Person("ben", ("192.168.1.0/24", "user:ben")),
        "guests": Person("guests", ("192.168.0.0/16", "not an address", "300.1.1.1/8")),
    }
)


@pytest.mark.parametrize(
    ("caller", "name"),
    [
        (Caller("192.168.1.20"), "anna"),
        (Caller("::ffff:192.168.1.20"), "anna"),
        (Caller("fd00::20%eth0"), "anna"),
        (Caller("192.168.1.21"), "ben"),
        (Caller("192.168.7.1"), "guests"),
        (Caller("203.0.113.1"), None),
        (Caller("203.0.113.1", user="ben"), "ben"),
        (Caller("192.168.1.20", user="ben"), "ben"),
        (Caller("192.168.1.20", user="nobody"), "anna"),
        (Caller("192.168.1.21", mac="de:ad:be:ef:00:01"), "anna"),
        (Caller("192.168.1.21", mac="de:ad:be:ef:00:02"), "ben"),
        (Caller("203.0.113.1", user="ben", mac="de:ad:be:ef:00:01"), "ben"),
        (Caller("10.0.0.1", wireguard="anna"), "anna"),
        (Caller("192.168.1.20", wireguard="stranger"), None),
        (Caller("not an address"), None),
    ],
)
def test_viewer(caller, name):
    """A key outranks a user, a user a MAC, a MAC an address, an address a network, a narrow network a wide one."""
    assert household(POLICY).person(caller) == name


def test_device_outlives_its_connections():
    """One browser is one device; another browser, address, user or key is another."""
    callers = [Caller("1.2.3.4"), Caller("1.2.3.5"), Caller("1.2.3.4", "anna"), Caller("1.2.3.4", None, "anna")]
    devices = [caller.device("Firefox") for caller in callers] + [callers[0].device("Chromium")]

    assert len(set(devices)) == 5
    assert Caller("1.2.3.4").device("Firefox") == devices[0]
    assert "Firefox" not in devices[0]


@pytest.mark.parametrize(
    ("device", "claimed"),
    [
        ("de:ad:be:ef:00:01", True),
        ("de:ad:be:ef:00:02", False),
        ("user:anna", True),
        ("user:nobody", False),
        ("192.168.1.99", True),
        ("203.0.113.1", False),
    ],
)
def test_claimed(device, claimed):
    """Whether a device, under any of its names, is somebody's."""
    assert claimed == household(POLICY).claims(device)


def test_one_device_whatever_its_address():
    """A device that is known by its MAC keeps its name when its address changes."""
    names = {Caller(address, mac="de:ad:be:ef:00:01").device("Firefox") for address in ("10.0.0.1", "fd00::1")}

    assert 1 == len(names)
