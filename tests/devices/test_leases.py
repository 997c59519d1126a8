"""Lease files of DHCP servers: as real ones wrote them (`leases/`, for one made-up client), and in the forms of their manuals."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.devices.leases import a_mac, read_leases

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER, BEFORE = int(NOW.timestamp()) + 3600, int(NOW.timestamp()) - 3600

DNSMASQ = f"""\
{LATER} de:ad:be:ef:00:01 192.168.1.20 annas-laptop 01:de:ad:be:ef:00:01
{BEFORE} de:ad:be:ef:00:02 192.168.1.21 * *
0 de:ad:be:ef:00:03 192.168.1.22 * *
43200 de:ad:be:ef:00:04 192.168.1.23 without-a-clock *
{LATER} 06-11:22:33:44:55:66 192.168.1.24 token-ring *
duid 00:01:00:01:2a:00:00:00:de:ad:be:ef:00:99
{LATER} 12345678 fd00::20 annas-laptop 00:01:00:01:2a:00:00:00:de:ad:be:ef:00:01
{LATER} T12345679 fd00::21 * 00:04:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00
"""

ISC = r"""
# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;

server-duid "\000\001\000\001*\000\000\000\336\255\276\357\000\231";

lease 192.168.1.20 {
  starts 0 2026/11/22 11:00:00;
  ends 0 2026/11/22 13:00:00;
  cltt 0 2026/11/22 11:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet de:ad:be:ef:00:01;
  uid "\001\336\255\276\357\000\001";
  set vendor-class-identifier = "MSFT 5.0";
  client-hostname "annas-laptop";
}
lease 192.168.1.21 {
  ends never;
  binding state active;
  hardware ethernet de:ad:be:ef:00:02;
}
lease 192.168.1.22 {
  ends epoch 1000000000; # Sun Sep 09 01:46:40 2001
  binding state active;
  hardware ethernet de:ad:be:ef:00:03;
}
lease 192.168.1.23 {
  ends 0 2026/11/22 13:00:00;
  binding state active;
  hardware ethernet de:ad:be:ef:00:04;
}
lease 192.168.1.23 {
  ends 0 2026/11/22 11:30:00;
  binding state free;
  hardware ethernet de:ad:be:ef:00:04;
}
ia-na "xV4\022\000\001\000\001*\000\000\000\336\255\276\357\000\001" {
  cltt 0 2026/11/22 11:00:00;
  iaaddr fd00::20 {
    binding state active;
    preferred-life 375;
    max-life 600;
    ends 0 2026/11/22 13:00:00;
  }
}
"""

KEA4 = f"""\
address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id
192.168.1.20,de:ad:be:ef:00:01,01:de:ad:be:ef:00:01,3600,{LATER},1,0,0,annas-laptop.,0,,0
192.168.1.21,de:ad:be:ef:00:02,,3600,{BEFORE},1,0,0,,0,,0
192.168.1.22,de:ad:be:ef:00:03,,3600,{LATER},1,0,0,,1,,0
192.168.1.23,de:ad:be:ef:00:04,,3600,{LATER},1,0,0,,0,,0
192.168.1.23,de:ad:be:ef:00:04,,0,{LATER},1,0,0,,0,,0
192.168.1.24,de:ad:be:ef:00:05,,3600,{LATER},1,0,0,,0,"{{ ""a"": 1&#x2c 2 }}",0
"""
KEA6 = f"""\
address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id
fd00::20,00:04:11:22,3600,{LATER},1,1800,0,1,128,0,0,annas-laptop,de:ad:be:ef:00:01,0,,1,2,0
fd00::21,00:03:00:01:de:ad:be:ef:00:02,3600,{LATER},1,1800,0,1,128,0,0,,,0,,,,0
"""
ODHCPD = f"""\
# br-lan deadbeef0001 ipv4 annas-laptop {LATER} 14 32 192.168.1.20/32
192.168.1.20\tannas-laptop
# br-lan 000100012a000000deadbeef0001 4f5a2b1c annas-laptop {LATER} 20 128 fd00::20/128 2001:db8::20/128
# br-lan 00030001deadbeef0002 1 - -1 21 128 fd00::21/128
# br-lan 00030001deadbeef0003 1 - {BEFORE} 21 128 fd00::22/128
"""


def said(text: str) -> dict[str, tuple[str | None, str]]:
    return {
        str(ipaddress.ip_address(lease.address)): (lease.mac and lease.mac[-2:], lease.name)
        for lease in read_leases(text, NOW)
    }


def test_dnsmasq():
    """Both halves of its file; what has run out is left out, a length instead of a time is no end."""
    assert {
        "192.168.1.20": ("01", "annas-laptop"),
        "192.168.1.22": ("03", ""),
        "192.168.1.23": ("04", "without-a-clock"),
        "192.168.1.24": (None, "token-ring"),
        "fd00::20": ("01", "annas-laptop"),
        "fd00::21": (None, ""),
    } == said(DNSMASQ)


def test_isc():
    """The last block of an address holds; IPv6 by the identifier its owner made of a MAC."""
    assert {
        "192.168.1.20": ("01", "annas-laptop"),
        "192.168.1.21": ("02", ""),
        "fd00::20": ("01", ""),
    } == said(ISC)


def test_kea():
    """By the columns' names; the last row of an address holds, and declined ones are nobody's."""
    assert {"192.168.1.20": ("01", "annas-laptop"), "192.168.1.24": ("05", "")} == said(KEA4)
    assert {"fd00::20": ("01", "annas-laptop"), "fd00::21": ("02", "")} == said(KEA6)


def test_odhcpd():
    """OpenWrt's server for IPv6 writes several addresses to a line."""
    assert {
        "192.168.1.20": ("01", "annas-laptop"),
        "fd00::20": ("01", "annas-laptop"),
        "2001:db8::20": ("01", "annas-laptop"),
        "fd00::21": ("02", ""),
    } == said(ODHCPD)


@pytest.mark.parametrize(
    ("file", "addresses"),
    [
        ("dnsmasq-2.90.leases", {"192.168.50.18": "annas-laptop", "fd50::1e": ""}),
        ("isc-4.4.3-v4.leases", {"192.168.50.30": "annas-laptop"}),
        ("isc-4.4.3-v6.leases", {"fd50::40": ""}),
        ("kea-2.2-v4.csv", {"192.168.50.50": "annas-laptop"}),
        ("kea-2.2-v6.csv", {"fd50::50": ""}),
    ],
)
def test_as_real_servers_wrote_them(file, addresses):
    """One client that asked each server for an address, by IPv4 and IPv6; an hour later nobody has it."""
    text = (Path(__file__).with_name("leases") / file).read_text()
    leased = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    found = {str(ipaddress.ip_address(one.address)): (one.mac, one.name) for one in read_leases(text, leased)}

    assert {address: ("d8:3a:dd:00:00:01", name) for address, name in addresses.items()} == found
    assert () == read_leases(text, leased + timedelta(hours=1))


@pytest.mark.parametrize("name", ["\x1b[31mred", "a b", "", "x" * 64, "über", "-x", "a\u202eb"])
def test_names_that_are_none(name):
    """A device names itself; whatever is no plain name is none."""
    assert {"192.168.1.20": ("01", "")} == said(KEA4.splitlines()[0] + f"\n192.168.1.20,de:ad:be:ef:00:01,,1,{LATER},1,0,0,{name},0,,0")  # fmt: skip


@pytest.mark.parametrize("text", ["de:ad:be:ef:00", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "de-ad-be-ef-00-01", "\uff11e:ad:be:ef:00:01"])  # fmt: skip
def test_what_is_no_mac(text):
    """A part of one, a group, nobody and other spellings."""
    assert None is a_mac(text)


SAMPLES = [DNSMASQ, ISC, KEA4, KEA6, ODHCPD]


@given(st.sampled_from(SAMPLES), st.integers(0, 900), st.integers(0, 60), st.text(max_size=40))
def test_a_file_that_is_broken(text, at, length, put):
    """A server that is writing, or a disk that was full: what can be read is, and nothing is raised."""
    read_leases(text[:at] + put + text[at + length :], NOW)


@given(st.text())
def test_any_text(text):
    """Whatever a file holds, it is read to an end."""
    read_leases(text, NOW)


@pytest.mark.parametrize("part", ["lease 1.2.3.4 {\n", 'ia-na "' + "\\" * 900 + "\n", "address,", "# a b c d e f g h\n", '"\n'])  # fmt: skip
def test_a_file_that_never_ends(part):
    """A megabyte of beginnings takes no longer than a megabyte."""
    assert () == read_leases(part * (1_000_000 // len(part)), NOW)
