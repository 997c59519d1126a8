"""The life of the proxy: it starts fast, says what is wrong, stops cleanly."""

import asyncio
import contextlib
import os
import subprocess
import sys

import pytest

from capper.domain.errors import ConfigError, ListenError
from capper.domain.policy import Policy
from capper.proxy.master import CapperMaster, ProxyOptions
from capper.proxy.testing import LOOPBACK, PassingGate, reply


async def test_taken_port_is_told(proxy, tmp_path):
    """A port that is in use is one clear sentence, and nothing is left running."""
    running = await proxy()
    other = CapperMaster(ProxyOptions(tmp_path / "other", port=running.port), PassingGate(), Policy)

    with pytest.raises(ListenError, match="is taken"):
        await other.start()


@pytest.mark.skipif(os.name != "posix", reason="addresses differ")
async def test_foreign_address_is_told(tmp_path):
    """An address that is not this machine's is one clear sentence."""
    from capper.proxy.shield import parse_lan

    options = ProxyOptions(tmp_path, host="192.0.2.1", port=0, lan=(parse_lan("192.0.2.0/24"),))
    other = CapperMaster(options, PassingGate(), Policy)

    with pytest.raises(ListenError, match="not an address of this machine"):
        await other.start()


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
async def test_bad_upstream_authority_is_told(tmp_path, content):
    """A file of extra authorities that is missing or holds none is named."""
    file = tmp_path / "extra.pem"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ConfigError, match="--upstream-ca"):
        CapperMaster(ProxyOptions(tmp_path, upstream_ca=file), PassingGate(), Policy)


async def test_stop_waits_for_what_is_under_way(origin, proxy, dial):
    """A page that is being delivered when the proxy stops is delivered to its end."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow():
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf"
        begun.set()
        await go.wait()
        yield b"rest"

    site = await origin(lambda _: slow())
    running = await proxy(names={"news.test": site})
    reader, writer = await dial(running.port)
    writer.write(b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\n\r\n")
    await begun.wait()
    port = running.port
    stopping = asyncio.ensure_future(running.master.stop())
    while running.master._server.servers._instances:  # noqa: ASYNC110  mitmproxy has no event for it
        await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(LOOPBACK, port)
    go.set()
    received = await reader.read(-1)
    await stopping

    assert received.endswith(b"halfrest")


async def test_stop_leaves_nothing_behind(origin, proxy, dial):
    """After stopping, no task and no connection of the proxy is left, idle clients or not."""
    before = asyncio.all_tasks()
    site = await origin()
    running = await proxy(names={"news.test": site})
    reader, writer = await dial(running.port)
    writer.write(b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\n\r\n")
    await reader.readuntil(b"hello")
    await running.master.stop()
    end = await reader.read(-1)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while any("_serve" not in repr(task) for task in asyncio.all_tasks() - before):  # noqa: ASYNC110
                await asyncio.sleep(0)

    assert end == b""
    assert [task for task in asyncio.all_tasks() - before if "_serve" not in repr(task)] == []


def test_only_the_addons_used_are_imported():
    """Flask, LDAP and the other addons stay outside: importing the proxy is half as long without them."""
    code = "import sys, capper.proxy.master; print(*sorted({'flask', 'ldap3', 'urwid', 'mitmproxy.flowfilter'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.split() == []


def test_import_is_quick(tmp_path):
    """The proxy, once compiled, is imported in about half a second of CPU time, three times that on a slow machine."""
    code = "import time, capper.proxy.master; print(time.process_time())"
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    spent = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout)
        for _ in range(3)
    )

    assert spent < 1.5


async def test_many_clients_at_once(origin, proxy, client):
    """A hundred requests at once are all answered, each with its own page."""
    site = await origin(lambda seen: reply(seen.target.encode()))
    http = await client(await proxy(PassingGate(want=lambda _: True), names={"news.test": site}))
    responses = await asyncio.gather(*(http.get(f"http://news.test/{n}") for n in range(100)))

    assert [response.text for response in responses] == [f"/{n}" for n in range(100)]


async def test_wireguard_listener(tmp_path):
    """A WireGuard listener leaves its owner a file for her device, readable by the owner only, and logs no key."""
    keys = tmp_path / "anna.conf"
    options = ProxyOptions(tmp_path / "state", modes=(f"wireguard:{keys}@{LOOPBACK}:0",))
    running = CapperMaster(options, PassingGate(), Policy)
    await running.start()
    files = running.listening().files
    await running.stop()
    ((name, file),) = files

    assert name == "anna"
    assert "PrivateKey" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
