"""What tests of the proxy and the demo need: origins on loopback, and a real proxy in front of them on a free port."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec

from capper.domain.exchange import Exchange, Outcome
from capper.domain.policy import Policy
from capper.proxy.authority import Authority, authority_file
from capper.proxy.master import CapperMaster, ProxyOptions
from capper.proxy.opening import open_all

LOOPBACK = "127.0.0.1"
_CLOSE = re.compile(rb"^connection: close\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as an origin received it, byte for byte."""

    method: str
    target: str
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    def field(self, name: str) -> str:
        """The first field of this name, else ""."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.fields if key.lower() == wanted), "")

    @property
    def host(self) -> str:
        """The site that was asked for, without its port."""
        return self.field("host").partition(":")[0]


Answer = bytes | AsyncGenerator[bytes]
"""All the bytes of an HTTP/1.1 response, head included, whole or in pieces."""

Respond = Callable[[Seen], Answer | Awaitable[Answer]]


def reply(
    body: bytes = b"", status: int = 200, fields: Iterable[tuple[str, str]] = (), kind: str = "text/html"
) -> bytes:
    """A plain HTTP/1.1 response with a length."""
    head = [f"HTTP/1.1 {status} Status", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Origin:
    """An HTTP/1.1 server on a free loopback port; `async with` it. `seen` lists what reached it."""

    def __init__(self, respond: Respond, tls: ssl.SSLContext | None = None) -> None:
        self._respond = respond
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._news = asyncio.Event()
        self.seen: list[Seen] = []
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0, ssl=self._tls, limit=4 * 1024 * 1024)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def received(self, count: int) -> None:
        """Wait until `count` requests have arrived."""
        while len(self.seen) < count:
            self._news.clear()
            await self._news.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            while (request := await _read_request(reader)) is not None:
                self.seen.append(request)
                self._news.set()
                answer = self._respond(request)
                whole = await answer if isinstance(answer, Awaitable) else answer
                await _write(writer, whole)
                if isinstance(whole, bytes) and _CLOSE.search(whole.partition(b"\r\n\r\n")[0]):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    if isinstance(answer, bytes):
        writer.write(answer)
        await writer.drain()
        return
    async with contextlib.aclosing(answer):
        async for piece in answer:
            writer.write(piece)
            await writer.drain()


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head[:-4].split(b"\r\n")
    method, target, _ = first.decode("latin-1").split(" ", 2)
    fields = tuple((name, value.strip()) for name, _, value in (line.partition(b":") for line in lines))
    seen = Seen(method, target, fields)
    if seen.field("transfer-encoding"):
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(seen.field("content-length") or 0))
    return Seen(method, target, fields, body)


def server_tls(authority: Authority, folder: Path, alpn: Iterable[str] = ("http/1.1",)) -> ssl.SSLContext:
    """A TLS context for an origin that has a certificate for whatever name it is asked by."""
    contexts: dict[str, ssl.SSLContext] = {}

    def context_for(name: str) -> ssl.SSLContext:
        if name not in contexts:
            key = ec.generate_private_key(ec.SECP256R1())
            leaf = Authority(authority.leaf(name, key.public_key(), datetime.now(UTC)), key)
            file = folder / f"{name}.pem"
            file.write_bytes(leaf.secret_pem())
            contexts[name] = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file)
            context.set_alpn_protocols(list(alpn))
        return contexts[name]

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        connection.context = context_for(name or LOOPBACK)

    default = context_for(LOOPBACK)
    default.sni_callback = choose
    return default


@dataclass
class PassingGate:
    """A gate that wants nothing, or what `want` says, and decides as `decide` does; it remembers what it was asked."""

    want: Callable[[Exchange], bool] = lambda _: False
    begin: Callable[[Exchange], bool] = lambda _: False
    foresee: Callable[[Exchange], bool] = lambda _: False
    decide: Callable[[Exchange], Outcome | Awaitable[Outcome]] = lambda _: Outcome()
    load: Callable[[], Awaitable[object]] = lambda: asyncio.sleep(0)
    max_body: int = 8 * 1024 * 1024
    asked: list[Exchange] = field(default_factory=list)

    def wants(self, exchange: Exchange) -> bool:
        """As `want` says."""
        return self.want(exchange)

    def begins(self, exchange: Exchange) -> bool:
        """As `begin` says."""
        return self.begin(exchange)

    def foresees(self, exchange: Exchange) -> bool:
        """As `foresee` says."""
        return self.foresee(exchange)

    async def ready(self) -> object:
        """Once `load` has ended."""
        return await self.load()

    async def admit(self, exchange: Exchange) -> Outcome:
        """As `decide` says."""
        self.asked.append(exchange)
        outcome = self.decide(exchange)
        return await outcome if isinstance(outcome, Awaitable) else outcome


@dataclass(frozen=True)
class RunningProxy:
    """A proxy that is listening."""

    master: CapperMaster
    certificate: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.master.addresses[0][1]

    @property
    def url(self) -> str:
        """The proxy as a client is told it."""
        return f"http://{LOOPBACK}:{self.port}"

    def client_tls(self, *more: Path, alpn: Iterable[str] = ("http/1.1",)) -> ssl.SSLContext:
        """A TLS context that trusts the proxy's authority, and those in `more`, and no other."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        for file in more:
            context.load_verify_locations(file)
        context.set_alpn_protocols(list(alpn))
        return context


@contextlib.asynccontextmanager
async def running_proxy(
    state: Path,
    gate: PassingGate | None = None,
    policy: Policy | None = None,
    **choices: object,
) -> AsyncIterator[RunningProxy]:
    """A real proxy on a free loopback port; `choices` are `ProxyOptions`. Every host is opened unless they say so."""
    household = policy or Policy()
    options = ProxyOptions(state, **{"port": 0, "opened": open_all, **choices})  # type: ignore[arg-type]
    master = CapperMaster(options, gate or PassingGate(), lambda: household)
    await master.start()
    try:
        yield RunningProxy(master, authority_file(state))
    finally:
        await master.stop()


def resolving(
    names: Mapping[str, int], *, secure: Mapping[str, int] | None = None
) -> dict[tuple[str, int], tuple[str, int]]:
    """The `resolve` of named sites: `names` are at these loopback ports for http, `secure` for https."""
    plain = {(name, 80): (LOOPBACK, port) for name, port in names.items()}
    return plain | {(name, 443): (LOOPBACK, port) for name, port in (secure or {}).items()}
