"""The demo's hosts as servers on loopback."""

import asyncio
import ssl
from pathlib import Path

from capper.demo.sites import HOSTS
from capper.demo.world import World, running_world


async def get(world: World, host: str, port: int, target: str) -> bytes:
    """The head of what `host` answers to one GET."""
    address, real = world.resolve[host, port]
    context = ssl.create_default_context(cafile=world.authority) if port == 443 else None
    name = host if context else None
    reader, writer = await asyncio.open_connection(address, real, ssl=context, server_hostname=name)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer


async def test_every_host_answers_with_a_certificate_of_its_own(tmp_path: Path):
    """Each host is served over HTTPS, verified against the world's own authority and the host's name."""
    async with running_world(tmp_path) as world:
        answers = [await get(world, host, 443, "/") for host in HOSTS]

    assert [answer[:12] for answer in answers] == [
        b"HTTP/1.1 404" if host == "adserver.example" else b"HTTP/1.1 200" for host in HOSTS
    ]


async def test_requests_are_remembered(tmp_path: Path):
    """What reached an origin is on record, plain HTTP too."""
    async with running_world(tmp_path) as world:
        await get(world, "news.example", 80, "/more?x=1")

        assert [one.asked.target for one in world.asked("news.example", "/more")] == ["/more?x=1"]
        assert world.asked("weather.example") == []


async def test_a_connection_left_open_does_not_keep_the_world(tmp_path: Path):
    """The world ends at once though a browser keeps its connections open."""
    async with asyncio.timeout(10), running_world(tmp_path) as world:
        address, port = world.resolve["news.example", 80]
        _, writer = await asyncio.open_connection(address, port)
        await get(world, "news.example", 443, "/")
    writer.close()
