"""The demo's hosts as servers on loopback, in HTTP and HTTPS, with a certificate authority of their own."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from capper.demo.sites import HOSTS, Asked, Reply, answer

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

    `authority` is the certificate file a proxy must trust for it; `resolve` says where each `host:port` really is.
    """

    authority: Path
    resolve: Mapping[str, str]
    served: list[Served] = field(default_factory=list)

    def asked(self, host: str, path: str = "") -> list[Served]:
        """The requests that reached `host`, those whose path begins with `path`."""
        return [one for one in self.served if one.asked.host == host and one.asked.path.startswith(path)]


@asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    """Start the world's servers on free ports; `folder` takes their certificates."""
    authority, chain = _certify(folder, datetime.now(UTC))
    served: list[Served] = []
    talking: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(writer)
        await _talk(reader, writer, served)
        talking.remove(writer)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    async with (
        await asyncio.start_server(talk, LOOPBACK, 0) as plain,
        await asyncio.start_server(talk, LOOPBACK, 0, ssl=context) as secure,
    ):
        ports = {80: plain.sockets[0].getsockname()[1], 443: secure.sockets[0].getsockname()[1]}
        places = {f"{host}:{port}": f"{LOOPBACK}:{real}" for host in HOSTS for port, real in ports.items()}
        try:
            yield World(authority, places, served)
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


def _certify(folder: Path, now: datetime) -> tuple[Path, Path]:
    """Make an authority and one certificate for every host; returns the authority's file and the servers' chain."""
    keys = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The internet of capper's demo")])
    authority = (
        _certificate(issuer, issuer, keys[0], now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(keys[0], hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOSTS[0])])
    leaf = (
        _certificate(subject, issuer, keys[1], now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()),
            critical=False,
        )
        .sign(keys[0], hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = folder / "demo-authority.pem", folder / "demo-hosts.pem"
    files[0].write_bytes(authority.public_bytes(pem))
    secret = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files[1].touch(mode=0o600)
    files[1].write_bytes(secret + leaf.public_bytes(pem))
    return files


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
