"""Which addresses a proxy must not be talked into visiting: its own machine's, and those only a neighbour may ask for."""

import ipaddress
import re
import socket
from collections.abc import Callable
from enum import Enum, auto
from functools import lru_cache

from capper.proxy.viewer import Address, parse_address

_LEGACY = re.compile(r"[0-9a-fx.]+", re.IGNORECASE)
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")))
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10"),
    )
)


class Reach(Enum):
    """How far away an address is, from the proxy's point of view."""

    PUBLIC = auto()
    PRIVATE = auto()
    FORBIDDEN = auto()


def literal(host: str) -> Address | None:
    """The address a host is, in any form a resolver takes for one: `[::1]`, `127.1`, `0x7f000001`, `2130706433`."""
    host = host.strip("[]").rstrip(".")
    if address := parse_address(host):
        return address
    if not _LEGACY.fullmatch(host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_local_name(host: str) -> bool:
    """Whether the name means this machine by definition (RFC 6761 section 6.3), whatever a resolver says."""
    name = host.rstrip(".").lower()
    return name in {"localhost", "ip6-localhost", "ip6-loopback", "localhost.localdomain"} or name.endswith(
        ".localhost"
    )


def reach(address: Address, is_own: Callable[[Address], bool]) -> tuple[Reach, str]:
    """Where an address leads and, unless it is public, what it is.

    An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, compatible) leads where that one does.
    """
    inner = _carried(address)
    if inner is not None:
        return reach(inner, is_own)
    for forbidden, what in (
        (address.is_unspecified, "no destination at all"),
        (address.is_loopback, "this machine itself (loopback)"),
        (address.is_link_local, "a link-local or cloud metadata address"),
        (address in _METADATA, "a cloud metadata address"),
        (address.is_multicast, "a multicast address"),
        (isinstance(address, ipaddress.IPv4Address) and address.is_reserved, "a reserved address"),
    ):
        if forbidden:
            return Reach.FORBIDDEN, what
    if is_own(address):
        return Reach.FORBIDDEN, "an address of this machine"
    if any(address in network for network in _PRIVATE):
        return Reach.PRIVATE, "a private address"
    return Reach.PUBLIC, ""


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NAT64):
        return low
    # ::1 and :: are addresses of their own, not 0.0.0.1 and 0.0.0.0 in IPv6's clothes.
    return low if address in _COMPATIBLE and int(address) > 0xFFFF else None


def is_own(address: Address) -> bool:
    """Whether an interface of this machine has the address."""
    return not _binds_anything() and _binds(address)


def _binds(address: Address) -> bool:
    """A socket can only be bound to an address of one's own: true on every system, without listing interfaces."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@lru_cache(maxsize=1)
def _binds_anything() -> bool:
    """Some gateways allow binding to foreign addresses (`ip_nonlocal_bind`); then binding proves nothing."""
    return _binds(ipaddress.IPv4Address("192.0.2.1"))


def local_address() -> str:
    """The address other devices of the network reach this machine by; loopback where there is no network. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
