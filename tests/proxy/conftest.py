"""Fixtures of the proxy's tests: origins with plain, TLS and HTTP/2 listeners, and a proxy that is really running."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from capper.proxy import testing
from capper.proxy.authority import Authority
from capper.proxy.testing import LOOPBACK, Origin, PassingGate, RunningProxy, reply


def abort(writer: asyncio.StreamWriter) -> None:
    """Drop a connection at once."""
    writer.transport.abort()


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority that signs for the origins, as the web's authorities do."""
    return Authority.create(datetime.now(UTC), "origins")


@pytest.fixture
def authority_pem(authority, tmp_path) -> Path:
    """Its certificate, in a file."""
    file = tmp_path / "origins.pem"
    file.write_bytes(authority.pem())
    return file


@pytest.fixture
async def stack():
    """What a test opens, closed in reverse order."""
    async with contextlib.AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def origin(stack, authority, tmp_path):
    """Start an origin: `await origin(respond)`, with `tls=True` for https."""

    async def start(respond=lambda _: reply(b"hello"), *, tls: bool = False) -> Origin:
        context = testing.server_tls(authority, tmp_path) if tls else None
        return await stack.enter_async_context(Origin(respond, context))

    return start


@pytest.fixture
def proxy(stack, authority_pem, tmp_path):
    """Start a proxy: `await proxy(gate, names={"news.test": origin}, secure={...})`."""

    async def start(
        gate: PassingGate | None = None, *, names=None, secure=None, policy=None, **choices
    ) -> RunningProxy:
        ports = [{name: origin.port for name, origin in (group or {}).items()} for group in (names, secure)]
        choices = {"upstream_ca": authority_pem, "resolve": testing.resolving(ports[0], secure=ports[1])} | choices
        running = testing.running_proxy(tmp_path / "state", gate, policy, **choices)
        return await stack.enter_async_context(running)

    return start


@pytest.fixture
def client(stack):
    """An httpx client that uses a proxy: `await client(proxy)`; trusts `more` authorities besides the proxy's."""

    async def start(proxy: RunningProxy, *more: Path, http2: bool = False, auth: str = "") -> httpx.AsyncClient:
        alpn = ("h2", "http/1.1") if http2 else ("http/1.1",)
        url = proxy.url.replace("//", f"//{auth}@") if auth else proxy.url
        tls = proxy.client_tls(*more, alpn=alpn)
        opened = httpx.AsyncClient(proxy=url, verify=tls, trust_env=False, http2=http2, timeout=20)
        return await stack.enter_async_context(opened)

    return start


@pytest.fixture
def talk():
    """Send raw bytes to a port and read until the other side closes."""

    async def talk(port: int, sent: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(sent)
        await writer.drain()
        try:
            return await asyncio.wait_for(reader.read(-1), 20)
        finally:
            writer.transport.abort()

    return talk


@pytest.fixture
def dial(stack):
    """Connect to a port: `reader, writer = await dial(port)`; dropped when the test ends."""

    async def dial(port: int):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        stack.callback(abort, writer)
        return reader, writer

    return dial


@pytest.fixture
def tunnel(stack):
    """Open a CONNECT tunnel: `reader, writer = await tunnel(proxy, "host", 443, tls=context)`."""

    async def connect(proxy: RunningProxy, host: str, port: int = 443, tls: ssl.SSLContext | None = None):
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        stack.callback(abort, writer)
        writer.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head:
            raise ConnectionRefusedError(head.decode())
        if tls is not None:
            await writer.start_tls(tls, server_hostname=host)
        return reader, writer

    return connect


H2Respond = Callable[[dict[str, str], bytes], tuple[list[tuple[str, str]], bytes]]


@dataclass
class H2Origin:
    """An HTTP/2 server on loopback: answers each request with `respond(pseudo and header fields, body)`."""

    respond: H2Respond
    tls: ssl.SSLContext
    server: asyncio.Server | None = None
    seen: list[dict[str, str]] = field(default_factory=list)
    trailers: list[tuple[str, str]] = field(default_factory=list)
    interim: list[tuple[str, str]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, LOOPBACK, 0, ssl=self.tls)
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await self.server.wait_closed()

    @property
    def port(self) -> int:
        return self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        self.writers.append(writer)
        conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        conn.initiate_connection()
        fields: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        left: dict[int, bytes] = {}
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while True:
                writer.write(conn.data_to_send())
                await writer.drain()
                data = await reader.read(65536)
                if not data:
                    break
                for event in conn.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        fields[event.stream_id] = dict(event.headers)
                        bodies[event.stream_id] = b""
                    elif isinstance(event, h2.events.DataReceived):
                        bodies[event.stream_id] += event.data
                        conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    elif isinstance(event, h2.events.StreamEnded):
                        stream = event.stream_id
                        self.seen.append(fields[stream])
                        headers, left[stream] = self.respond(fields[stream], bodies[stream])
                        if self.interim:
                            conn.send_headers(stream, self.interim)
                        conn.send_headers(stream, headers)
                self._send(conn, left)
        writer.transport.abort()

    def _send(self, conn, left: dict[int, bytes]) -> None:
        for stream in list(left):
            while left[stream] and (room := min(conn.local_flow_control_window(stream), conn.max_outbound_frame_size)):
                conn.send_data(stream, left[stream][:room])
                left[stream] = left[stream][room:]
            if not left[stream]:
                del left[stream]
                if self.trailers:
                    conn.send_headers(stream, self.trailers, end_stream=True)
                else:
                    conn.end_stream(stream)


@pytest.fixture
def h2_origin(stack, authority, tmp_path) -> Callable[..., Awaitable[H2Origin]]:
    """Start an HTTP/2 origin."""

    async def start(respond: H2Respond, **more) -> H2Origin:
        context = testing.server_tls(authority, tmp_path, alpn=("h2",))
        return await stack.enter_async_context(H2Origin(respond, context, **more))

    return start
