"""The kernel's neighbour table (ARP and NDP) by netlink: no program is started, no privilege needed; a household's takes some 50 us."""

import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence number, port
_ENTRY = struct.Struct("=BBHiHBB")  # struct ndmsg: family, padding, padding, interface, state, flags, type
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr: length, type
_DONE, _ERROR, _NEW, _GET = 3, 2, 28, 30
_REQUEST, _DUMP = 0x1, 0x300
_ADDRESS, _MAC = 1, 2
_CURRENT = 0x02 | 0x08 | 0x10 | 0x80
"""Reachable, about to be asked, being asked, or set by hand."""
_STALE = 0x04
"""Known, and not heard from for a while."""
_ROUTER = 0x80
_LENGTHS = {socket.AF_INET: 4, socket.AF_INET6: 16}
_BUFFER = 64 * 1024
_MOST = 256
"""Datagrams of one answer; a full table of the kernel's fits in a few."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An address on a network of this machine's and the MAC that answers for it."""

    address: bytes
    """Packed: 4 bytes or 16."""
    mac: str
    current: bool
    """Whether the kernel would use it without asking; of two that differ this one is believed."""
    router: bool


def neighbours() -> list[Neighbour]:
    """Everything the kernel knows of the networks this machine is on.

    Raises:
        OSError: this system has no such table, or does not show it.
    """
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError("this system has no netlink")
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    with socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE) as kernel:
        request = _ENTRY.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0)
        length = _HEADER.size + len(request)
        kernel.sendto(_HEADER.pack(length, _GET, _REQUEST | _DUMP, 1, 0) + request, (0, 0))
        # The kernel answers while it is asked: there is never anything to wait for.
        return list(parse(kernel.recv(_BUFFER) for _ in range(_MOST)))


def default_routers(table: Path = Path("/proc/net/route")) -> set[bytes]:
    """The packed IPv4 addresses of the routers that lead out; those of IPv6 say themselves that they are. None where it is not told."""
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        # The kernel writes an address's number in this machine's own order of bytes.
        return {int(row[2], 16).to_bytes(4, sys.byteorder) for row in rows if row[1] == "00000000" and row[2] != row[1]}
    except (OSError, ValueError, IndexError, OverflowError):
        return set()


def parse(datagrams: Iterable[bytes]) -> Iterator[Neighbour]:
    """Read the answer, datagram by datagram, until it says that it is complete.

    Raises:
        OSError: the kernel says no, or the answer is none.
    """
    for data in datagrams:
        at, size = 0, len(data)
        while at + _HEADER.size <= size:
            length, kind = _HEADER.unpack_from(data, at)[:2]
            if length < _HEADER.size or at + length > size:
                raise OSError("the kernel's answer breaks off")
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError("the kernel does not show its neighbour table")
            if kind == _NEW and (found := _entry(data, at + _HEADER.size, at + length)):
                yield found
            at += length + 3 & ~3


def _entry(data: bytes, at: int, end: int) -> Neighbour | None:
    if at + _ENTRY.size > end:
        return None
    family, _, _, _, state, flags, _ = _ENTRY.unpack_from(data, at)
    if not state & (_CURRENT | _STALE):
        return None
    at += _ENTRY.size
    address = mac = b""
    while at + _ATTRIBUTE.size <= end and not (address and mac):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            break
        if kind == _ADDRESS:
            address = data[at + 4 : at + length]
        elif kind == _MAC:
            mac = data[at + 4 : at + length]
        at += length + 3 & ~3
    if len(address) != _LENGTHS.get(family) or len(mac) != 6 or not is_device(mac):
        return None
    return Neighbour(address, mac.hex(":"), bool(state & _CURRENT), bool(flags & _ROUTER))


def is_device(mac: bytes) -> bool:
    """Whether a MAC names one device: not a group, not nobody."""
    return not mac[0] & 1 and any(mac)


def is_random(mac: str) -> bool:
    """Whether a device made its MAC up (phones do, one for each network), rather than having it from its maker."""
    return bool(int(mac[:2], 16) & 2)
