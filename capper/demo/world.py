"""The demo's hosts as servers on loopback, in HTTP and HTTPS, with a certificate authority of their own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from capper.demo.sites import HOSTS, Asked, Reply, answer
from capper.proxy.authority import Authority, key_pem

LOOPBACK = "127.0.0.1"
PATIENCE = 60
"""Seconds an idle connection is kept."""
_REASONS = {200: "OK", 302: "Found", 304: "Not Modified", 400: "Bad Request", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class Served:
    """One request that reached an origin, and its reply."""

    asked: Asked
    reply: Reply


@dataclass(frozen=True, slots=True)
class World:
    """A running world.

    `authority` is the certificate file a proxy must trust for it; `resolve` says where each host and port really is.
    """

    authority: Path
    resolve: Mapping[tuple[str, int], tuple[str, int]]
    served: list[Served] = field(default_factory=list)

    def asked(self, host: str, path: str = "") -> list[Served]:
        """The requests that reached `host`, those whose path begins with `path`."""
        return [one for one in self.served if one.asked.host == host and one.asked.path.startswith(path)]


@asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    """Start the world's servers on free ports; `folder` takes their certificates."""
    now = datetime.now(UTC)
    authority = Authority.create(now, "The internet of capper's demo")
    certificate = folder / "demo-internet.pem"
    certificate.write_bytes(authority.pem())
    served: list[Served] = []
    talking: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(writer)
        await _talk(reader, writer, served)
        talking.remove(writer)

    async with (
        await asyncio.start_server(talk, LOOPBACK, 0) as plain,
        await asyncio.start_server(talk, LOOPBACK, 0, ssl=_secure(folder, authority, now)) as secure,
    ):
        ports = {80: plain.sockets[0].getsockname()[1], 443: secure.sockets[0].getsockname()[1]}
        places = {(host, port): (LOOPBACK, real) for host in HOSTS for port, real in ports.items()}
        try:
            yield World(certificate, places, served)
        finally:
            # A server waits for its connections to end, and a browser keeps them open.
            for writer in talking:
                writer.transport.abort()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, served: list[Served]) -> None:
    """One connection: requests one after another, until the client leaves or says something that is not HTTP."""
    try:
        while True:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            asked = _read(head.decode("latin-1"))
            reply = answer(asked) if asked else Reply(400, ())
            if asked:
                served.append(Served(asked, reply))
            writer.write(_write(reply, body=asked is None or asked.method != "HEAD"))
            await writer.drain()
            if asked is None or asked.headers.get("connection", "").lower() == "close":
                break
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
        pass
    finally:
        writer.close()


def _read(head: str) -> Asked | None:
    request, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    words = request.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    # No site here takes a body, and one that was not read would be taken for the next request.
    if len(words) != 3 or words[0] not in {"GET", "HEAD"} or "host" not in headers:
        return None
    return Asked(words[0], headers["host"].partition(":")[0].lower(), words[1], headers)


def _write(reply: Reply, *, body: bool) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}"]
    lines += (f"{name}: {value}" for name, value in reply.headers)
    if reply.status != 304:
        lines.append(f"content-length: {len(reply.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (reply.body if body else b"")


def _secure(folder: Path, authority: Authority, now: datetime) -> ssl.SSLContext:
    """A server's TLS with a certificate for each host, chosen by the name the client asks for."""
    key = ec.generate_private_key(ec.SECP256R1())
    contexts = {}
    for host in HOSTS:
        file = folder / f"{host}.pem"
        file.touch(mode=0o600)
        leaf = authority.leaf(host, key.public_key(), now)
        file.write_bytes(key_pem(key) + leaf.public_bytes(serialization.Encoding.PEM))
        contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[host].load_cert_chain(file)

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        if name not in contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = contexts[name]
        return None

    first = contexts[HOSTS[0]]
    first.sni_callback = choose
    return first
