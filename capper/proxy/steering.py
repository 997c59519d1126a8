"""Sockets that several processes listen at under one address, and how the kernel leads a device's connections to one of them.

What is remembered of a page for minutes (which ad is on it, whose picture that is) is in the memory of the process that served
it. So all connections of a device must reach the same one: a small program in the kernel chooses by the client's address
(SO_ATTACH_REUSEPORT_CBPF, Linux 4.6 or newer). Left alone it would choose by address and port, anew for each connection.

The parent opens all sockets and keeps them open. So what comes in for a process that has died waits for the next one in its
place, and the places of the others never change.
"""

import contextlib
import ctypes
import ipaddress
import socket
import struct
from typing import Final

BACKLOG: Final = 512
"""Connections that may wait for a process which is being started anew."""
_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_MULTIPLIER: Final = 0x9E3779B1
"""Knuth's: neighbouring addresses, as a household has them, spread evenly."""
_SHIFT: Final = 16

# Classic BPF (linux/bpf_common.h). Offsets from _NETWORK are into the IP header, wherever the packet itself begins.
_NETWORK: Final = -0x100000
_LOAD_WORD, _LOAD_BYTE, _KEEP, _XOR_KEPT = 0x20, 0x30, 0x07, 0xAC
_MULTIPLY, _SHIFT_RIGHT, _MODULO, _RETURN = 0x24, 0x74, 0x94, 0x16
_IF_EQUAL, _JUMP = 0x15, 0x05
_SOURCE_4: Final = 12
_SOURCE_6: Final = (8, 12, 16, 20)


def program(places: int) -> bytes:
    """The kernel's program: from a client's address, of either family, to a place below `places`."""
    four = [(_LOAD_WORD, 0, 0, _NETWORK + _SOURCE_4)]
    six = [(_LOAD_WORD, 0, 0, _NETWORK + _SOURCE_6[0])]
    for offset in _SOURCE_6[1:]:
        six += [(_KEEP, 0, 0, 0), (_LOAD_WORD, 0, 0, _NETWORK + offset), (_XOR_KEPT, 0, 0, 0)]
    steps = [
        (_LOAD_BYTE, 0, 0, _NETWORK),
        (_SHIFT_RIGHT, 0, 0, 4),
        (_IF_EQUAL, len(four) + 1, 0, 6),
        *four,
        (_JUMP, 0, 0, len(six)),
        *six,
        (_MULTIPLY, 0, 0, _MULTIPLIER),
        (_SHIFT_RIGHT, 0, 0, _SHIFT),
        (_MODULO, 0, 0, places),
        (_RETURN, 0, 0, 0),
    ]
    return b"".join(struct.pack("=HBBI", code, yes, no, value & 0xFFFFFFFF) for code, yes, no, value in steps)


def place_of(address: str, places: int) -> int:
    """Where the kernel leads a client of this address: the same as `program`, for who wants to know."""
    packed = ipaddress.ip_address(address).packed
    word = 0
    for (each,) in struct.iter_unpack("!I", packed):
        word ^= each
    return ((word * _MULTIPLIER & 0xFFFFFFFF) >> _SHIFT) % places


def can_steer() -> bool:
    """Whether this system can lead a device to one process."""
    with contextlib.suppress(OSError, AttributeError), socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        trial.bind(("127.0.0.1", 0))
        _attach(trial, 2)
        return True
    return False


def listen(host: str, port: int, places: int) -> list[list[socket.socket]]:
    """Sockets that listen, for each place one at each address that `host` has (all of this machine's if it is empty).

    Raises:
        OSError: the address is taken, or not ours to use.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    opened: list[list[socket.socket]] = [[] for _ in range(places)]
    try:
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            port = _free(family, (address[0], port, *address[2:]))
            group = [_bound(family, (address[0], port, *address[2:]), shared=True) for _ in range(places)]
            for sockets, one in zip(opened, group, strict=True):
                sockets.append(one)
            _attach(group[0], places)
            for one in group:
                one.listen(BACKLOG)
    except BaseException:
        for sockets in opened:
            for one in sockets:
                one.close()
        raise
    return opened


def _free(family: int, address: tuple[object, ...]) -> int:
    """The port, once nobody listens there: sockets that share a port would share it with another capper's too."""
    with _bound(family, address, shared=False) as trial:
        return int(trial.getsockname()[1])


def _bound(family: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP; left on, each answer would wait 40 ms.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


def _attach(one: socket.socket, places: int) -> None:
    steps = program(places)
    kept = ctypes.create_string_buffer(steps, len(steps))
    # struct sock_fprog: how many instructions of eight bytes, and where they are.
    one.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, struct.pack("@HP", len(steps) // 8, ctypes.addressof(kept))
    )
