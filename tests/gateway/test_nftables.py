"""The redirect as text: whom it takes, to which port, and that nothing else can get into it."""

import ipaddress
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capper.gateway.nftables import Redirect, lease, removal, revoke, table

HOME = (ipaddress.ip_network("192.168.1.0/24"), ipaddress.ip_network("fd00:1::/64"))

TABLE = """\
# Written by capper. Remove it with `capper gateway remove`, or: nft delete table inet capper
add table inet capper
add set inet capper ads4 { type ipv4_addr; flags timeout; timeout 1d; size 65535; }
add set inet capper ads6 { type ipv6_addr; flags timeout; timeout 1d; size 65535; }
add set inet capper others4 { type ipv4_addr; flags timeout; timeout 1s; size 65535; }
add set inet capper others6 { type ipv6_addr; flags timeout; timeout 1s; size 65535; }
add set inet capper redirected { type inet_service; flags timeout; }
add chain inet capper divert { type nat hook prerouting priority dstnat; policy accept; }
add chain inet capper quic { type filter hook forward priority filter - 1; policy accept; }
flush chain inet capper divert
flush chain inet capper quic
add rule inet capper divert fib daddr type local return
add rule inet capper divert iifname { "br-lan" } ip daddr @ads4 ip saddr { 192.168.1.0/24 } tcp dport @redirected counter redirect to :8081
add rule inet capper divert iifname { "br-lan" } ip daddr 192.0.2.88 ip saddr { 192.168.1.0/24 } tcp dport @redirected redirect to :8081
add rule inet capper quic udp dport 443 iifname { "br-lan" } ip daddr @ads4 ip saddr { 192.168.1.0/24 } udp dport @redirected counter reject with icmpx type port-unreachable
add rule inet capper divert iifname { "br-lan" } ip6 daddr @ads6 ip6 saddr { fd00:1::/64 } tcp dport @redirected counter redirect to :8081
add rule inet capper divert iifname { "br-lan" } ip6 daddr 2001:db8:ca99::88 ip6 saddr { fd00:1::/64 } tcp dport @redirected redirect to :8081
add rule inet capper quic udp dport 443 iifname { "br-lan" } ip6 daddr @ads6 ip6 saddr { fd00:1::/64 } udp dport @redirected counter reject with icmpx type port-unreachable
"""


def test_the_table():
    """A household with both families, behind one interface."""
    assert TABLE == table(Redirect(8081, HOME, ("br-lan",)))


def test_a_household_without_ipv6():
    """Devices that capper would refuse are not sent to it."""
    text = table(Redirect(8081, HOME[:1]))

    assert "ip6 daddr" not in text
    assert "iifname" not in text


def test_the_lease():
    """It is renewed whole, or lasts; it can be taken back; nothing at all can be removed."""
    assert "add element inet capper redirected { 80 timeout 10s, 443 timeout 10s }\n" * 2 == (
        "".join(line + "\n" for line in lease(10).splitlines() if line.startswith("add"))
    )
    assert lease(None).startswith("add element inet capper redirected { 80, 443 }\n")
    assert revoke() == "flush set inet capper redirected\n"
    assert removal() == "add table inet capper\ndelete table inet capper\n"


@given(st.text(max_size=20))
def test_an_interface_says_nothing_else(name):
    """A name either stands in the text as one name, or is refused."""
    try:
        text = table(Redirect(8081, HOME, (name,)))
    except ValueError:
        return

    assert text.count(f'iifname {{ "{name}" }}') == 6
    assert not set(name) & set('"\\\n;{} ')


NETWORKS = st.lists(
    st.builds(
        lambda address, length: ipaddress.ip_network((address, min(length, address.max_prefixlen)), strict=False),
        st.ip_addresses(),
        st.integers(8, 128),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.slow
@given(NETWORKS, st.integers(1, 65535), st.lists(st.sampled_from(["br-lan", "eth0.1", "wg0"]), unique=True, max_size=2))
def test_nft_takes_whatever_is_written(namespace, lan, port, interfaces):
    """The real nft reads every table and lease, again and again."""
    whole = table(Redirect(port, tuple(lan), tuple(interfaces)))
    for text in (whole, lease(10), whole, lease(None), lease(10), revoke(), removal(), removal()):
        ended = subprocess.run(
            ["ip", "netns", "exec", namespace, "nft", "-f", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), text
