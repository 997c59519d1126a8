"""Who is behind a request: by an address that is known, and by a new one, for which the kernel's neighbour table is read.

The table is as the kernel writes it, of made-up neighbours; asking the kernel of this machine is measured beside it.

    python -m benchmarks.people
"""

import contextlib
import itertools
import socket
import struct
from types import SimpleNamespace
from typing import cast

from mitmproxy.connection import Client
from mitmproxy.proxy import mode_specs

from benchmarks.timing import least_of_many
from capper.devices.macs import Macs
from capper.devices.neighbours import neighbours, parse
from capper.domain.policy import Person, Policy
from capper.proxy.people import People, Sources

ROUNDS = 2000
PEOPLE = {
    name: Person(name, (f"de:ad:be:ef:00:{place:02x}", f"10.{place}.0.0/16", f"user:{name}"))
    for place, name in enumerate(("anna", "ben", "cleo", "dora", "emil", "fay"))
}


def table(count: int) -> bytes:
    """The kernel's answer for `count` neighbours."""
    rows = []
    for place in range(count):
        address, mac = b"\xfd" + bytes(11) + place.to_bytes(4), b"\xde\xad\xbe\xef" + place.to_bytes(2)
        body = struct.pack("=BBHiHBB", socket.AF_INET6, 0, 0, 2, 2, 0, 1)
        body += struct.pack("=HH", 20, 1) + address + struct.pack("=HH", 10, 2) + mac + b"\0\0"
        rows.append(struct.pack("=IHHII", 16 + len(body), 28, 2, 1, 0) + body)
    return b"".join(rows) + struct.pack("=IHHII", 20, 3, 2, 1, 0) + bytes(4)


def client(address: str) -> Client:
    """One who connects from `address`, as far as anybody asks."""
    return cast("Client", SimpleNamespace(peername=(address, 1), proxy_mode=mode_specs.ProxyMode.parse("regular")))


def known_address(people: People, address: str) -> float:
    """Microseconds for a request from an address that was met before."""
    who = client(address)
    return least_of_many(lambda: people.viewer(people.caller(who)), ROUNDS)


def new_address(neighbours_: int) -> float:
    """Microseconds for one that was not, among so many neighbours."""
    answer = table(neighbours_)
    # A clock that has moved on far between two look-ups: each may read the table.
    macs = Macs(read=lambda: list(parse([answer])), clock=itertools.count(step=1000).__next__)
    numbers = itertools.count(1 << 20)
    return least_of_many(lambda: macs.mac(next(numbers).to_bytes(4)), 100)


def main() -> None:
    """Print the table."""
    policy = Policy(people=PEOPLE)
    people = People(lambda: policy, sources=Sources(Macs(read=lambda: list(parse([table(10)]))).mac))
    for what, address in (("by its MAC", "fd00::1"), ("by its network", "10.3.0.1"), ("nobody's", "192.168.1.1")):
        print(f"a known address, {what:<14} {known_address(people, address):8.1f} us")
    for count in (10, 100, 1000):
        print(f"a new address, {count:>4} neighbours     {new_address(count):8.1f} us")
    with contextlib.suppress(OSError):
        print(f"this machine's kernel, {len(neighbours()):>4} neighbours {least_of_many(neighbours, 200):5.1f} us")


if __name__ == "__main__":
    main()
