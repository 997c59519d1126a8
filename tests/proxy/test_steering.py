"""One address for several: the kernel leads each client where `place_of` says, by its address alone."""

import asyncio
import errno
import select
import socket

import pytest

from capper.proxy.steering import can_steer, listen, place_of

pytestmark = pytest.mark.skipif(not can_steer(), reason="this system cannot")


@pytest.fixture
def group():
    """Sockets under one address of `host`, for so many places; closed with the test."""
    opened = []

    def start(host: str, places: int) -> list[socket.socket]:
        opened.extend(found := listen(host, 0, places))
        return [one for (one,) in found]

    yield start
    for sockets in opened:
        for each in sockets:
            each.close()


def reached(group: list[socket.socket], *source: str) -> int:
    """At which place a client of the address `source` arrives."""
    place = group[0].getsockname()
    with socket.socket(group[0].family) as client:
        client.bind((source[0], 0))
        client.connect(place[:2])
        (ready,) = select.select(group, [], [], 10)[0]
        ready.accept()[0].close()
    return group.index(ready)


@pytest.mark.parametrize("places", [2, 3, 5, 8])
def test_where_a_device_arrives(group, places):
    """At the same place each time, the one that is told; neighbouring addresses spread over all places."""
    sockets = group("127.0.0.1", places)
    devices = [f"127.0.0.{number}" for number in range(1, 41)]
    told = [place_of(device, places) for device in devices]

    assert told == [reached(sockets, device) for device in devices]
    assert told[:3] == [reached(sockets, device) for device in devices[:3]]
    assert set(range(places)) == set(told)


def test_the_longer_addresses(group):
    """The same holds for IPv6."""
    try:
        places = [reached(group("::1", places), "::1") for places in range(2, 9)]
    except OSError as exc:
        if exc.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            pytest.skip("no IPv6 here")
        raise

    assert [place_of("::1", places) for places in range(2, 9)] == places


def test_neighbours_of_the_longer_kind_spread():
    """A household's devices differ in the last half of their addresses."""
    found = {place_of(f"2001:db8:1:2:a00:27ff:fe{number:02x}:1", 4) for number in range(40)}

    assert {0, 1, 2, 3} == found


def test_who_waits_is_not_lost(group):
    """A client of a place that nobody looks after waits there, and the others' places stay as they were."""
    sockets = group("127.0.0.1", 2)
    device = next(f"127.0.0.{n}" for n in range(2, 250) if place_of(f"127.0.0.{n}", 2) == 1)
    kept = socket.socket(fileno=socket.dup(sockets[1].fileno()))
    sockets[1].close()
    with socket.socket() as client, kept:
        client.bind((device, 0))
        client.connect(sockets[0].getsockname())
        kept.settimeout(10)
        served, address = kept.accept()
        served.close()

    assert device == address[0]


async def test_answers_do_not_wait(group):
    """What is accepted sends what it has at once, as where asyncio itself listens: Nagle's algorithm is off."""
    found = asyncio.get_running_loop().create_future()

    async def accepted(_, writer):
        connection = writer.get_extra_info("socket")
        found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    (one,) = group("127.0.0.1", 1)
    server = await asyncio.start_server(accepted, sock=one)
    _, writer = await asyncio.open_connection(*one.getsockname())
    off = await found
    writer.close()
    await writer.wait_closed()
    server.close()

    assert off


def test_an_address_that_is_taken(group):
    """Even by somebody who would share it: another's devices would come here."""
    port = group("127.0.0.1", 2)[0].getsockname()[1]
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port, 2)


def test_every_address(group):
    """An empty host is every address of this machine, of both families, at one port."""
    opened = listen("", 0, 2)
    ports = {each.getsockname()[1] for sockets in opened for each in sockets}
    for sockets in opened:
        for each in sockets:
            each.close()

    assert 1 == len(ports)
