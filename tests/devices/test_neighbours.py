"""The kernel's neighbour table, as bytes and as the kernel of this machine gives it."""

import contextlib
import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.devices.neighbours import Neighbour, default_routers, is_device, is_random, neighbours, parse

REACHABLE, STALE, INCOMPLETE, FAILED, NOARP, PERMANENT = 0x02, 0x04, 0x01, 0x20, 0x40, 0x80
MAC = bytes.fromhex("deadbeef0001")
FOUR, SIX = bytes([192, 168, 1, 20]), bytes.fromhex("fd00" + 13 * "00" + "20")


def message(kind: int, body: bytes) -> bytes:
    """A netlink message, padded as the kernel does."""
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body + b"\0" * (-len(body) % 4)


def entry(address=FOUR, mac=MAC, state=REACHABLE, flags=0, family=None) -> bytes:
    family = family or (socket.AF_INET if len(address) == 4 else socket.AF_INET6)
    fields = b"".join(
        struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
        for kind, value in ((1, address), (2, mac))
    )
    return message(28, struct.pack("=BBHiHBB", family, 0, 0, 2, state, flags, 1) + fields)


DONE = message(3, b"\0\0\0\0")


def test_entries_of_both_families():
    """IPv4 and IPv6, over several datagrams, until the kernel is done; routers say so."""
    found = list(parse([entry(), entry(SIX, state=STALE, flags=0x80) + DONE, entry(SIX)]))

    assert [
        Neighbour(FOUR, "de:ad:be:ef:00:01", current=True, router=False),
        Neighbour(SIX, "de:ad:be:ef:00:01", current=False, router=True),
    ] == found


@pytest.mark.parametrize(
    "row",
    [
        entry(state=FAILED),
        entry(state=INCOMPLETE),
        entry(state=NOARP),
        entry(mac=b""),
        entry(mac=bytes(6)),
        entry(mac=bytes.fromhex("01005e0000fb")),
        entry(mac=bytes(20)),
        entry(address=b"", family=socket.AF_INET),
        entry(family=socket.AF_INET6),
        entry(family=7),
        message(28, b"\0\0"),
        message(99, b"other"),
    ],
)
def test_what_names_no_device(row):
    """An address that did not answer, a group, nobody's MAC and other families' entries are left out."""
    assert [] == list(parse([row + DONE]))


def test_set_by_hand():
    """What the owner wrote into the table holds."""
    assert [True] == [one.current for one in parse([entry(state=PERMANENT) + DONE])]


@pytest.mark.parametrize("data", [message(2, struct.pack("=i", -1)), b"\xff" * 16, entry()[:-4]])
def test_an_answer_that_is_none(data):
    """A refusal and an answer that breaks off are errors."""
    with pytest.raises(OSError, match="kernel"):
        list(parse([data]))


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes(datagrams):
    """Whatever comes, it is read to an end, or refused."""
    with contextlib.suppress(OSError):
        list(parse(datagrams))


def test_kinds_of_macs():
    """A group is no device; a MAC that a phone made up is told by one bit."""
    assert not is_device(bytes.fromhex("ffffffffffff"))
    assert is_device(MAC)
    assert is_random("da:a1:19:00:00:01")
    assert not is_random("3c:22:fb:00:00:01")


@pytest.mark.skipif(sys.platform != "linux", reason="netlink is Linux's")
def test_this_machines_table():
    """The kernel answers at once, and what it says can be read."""
    assert all(isinstance(one, Neighbour) for one in neighbours())


def test_a_system_without_netlink(monkeypatch):
    """Where there is no such table that is an OSError."""
    monkeypatch.delattr(socket, "AF_NETLINK", raising=False)

    with pytest.raises(OSError, match="no netlink"):
        neighbours()


@pytest.mark.skipif(sys.byteorder != "little", reason="the sample is of a little-endian machine")
def test_the_way_out(tmp_path):
    """The router of the default route, as the kernel's table of routes says it; without a table there is none."""
    table = tmp_path / "route"
    table.write_text(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
        "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
        "tun0\t00000000\t00000000\t0001\t0\t0\t100\t00000000\t0\t0\t0\n"
    )
    broken = tmp_path / "broken"
    broken.write_text("Iface\neth0 00000000\n")

    assert {bytes([192, 168, 1, 1])} == default_routers(table)
    assert [set(), set()] == [default_routers(broken), default_routers(tmp_path / "none")]
