"""Who is behind a request: by an address that is known, and by a new one, for which the kernel's neighbour table is read.

The table is as the kernel writes it, of made-up neighbours; asking the kernel of this machine is measured beside it.

    .venv/bin/python benchmarks/people.py
"""

import contextlib
import itertools
import socket
import struct
import timeit
from types import SimpleNamespace

from mitmproxy.proxy import mode_specs

from capper.devices.macs import Macs
from capper.devices.neighbours import neighbours, parse
from capper.domain.policy import Person, Policy
from capper.proxy.people import People, Sources

ROUNDS, REPEATS = 2000, 7
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


def client(address: str) -> SimpleNamespace:
    return SimpleNamespace(peername=(address, 1), proxy_mode=mode_specs.ProxyMode.parse("regular"))


def best(work, rounds=ROUNDS) -> float:
    """Microseconds of the best of some runs."""
    return min(timeit.repeat(work, number=rounds, repeat=REPEATS)) / rounds * 1e6


def main() -> None:
    policy = Policy(people=PEOPLE)
    known = Macs(read=lambda: list(parse([table(10)])))
    people = People(lambda: policy, sources=Sources(known.mac))
    for what, address in (("by its MAC", "fd00::1"), ("by its network", "10.3.0.1"), ("nobody's", "192.168.1.1")):
        who = client(address)
        print(f"a known address, {what:<14} {best(lambda who=who: people.viewer(people.caller(who))):8.1f} us")
    for count in (10, 100, 1000):
        answer = table(count)
        # A clock that has moved on far between two look-ups: each may read the table.
        macs = Macs(read=lambda answer=answer: list(parse([answer])), clock=itertools.count(step=1000).__next__)
        numbers = itertools.count(1 << 20)
        new = best(lambda macs=macs, numbers=numbers: macs.mac(next(numbers).to_bytes(4)), 100)
        print(f"a new address, {count:>4} neighbours     {new:8.1f} us")
    with contextlib.suppress(OSError):
        print(f"this machine's kernel, {len(neighbours()):>4} neighbours {best(neighbours, 200):5.1f} us")


if __name__ == "__main__":
    main()
