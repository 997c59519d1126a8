"""The files of deploy/, and servers that run by them."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import itertools
import os
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from capper.domain.errors import LedgerUnavailable
from capper.ledger.cluster import slot_of
from capper.ledger.embedded import find_server
from capper.ledger.link import Link, connect
from capper.ledger.rights import acl_rights

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder itself."""
    return DEPLOY


@pytest.fixture
def servers() -> dict[str, str]:
    """The servers that deploy/valkey is for, by name."""
    redis = shutil.which("redis-server")
    assert redis, "redis-server is not installed; `make test` installs it"
    return {"valkey": str(find_server()), "redis": redis}


@pytest.fixture
def running():
    """Start a server with these arguments, and wait until it has read its file and answers at `address`; killed at the end."""
    with contextlib.ExitStack() as stack:

        def launch(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
            out = stack.enter_context((folder / "out").open("ab"))
            process = stack.enter_context(subprocess.Popen(command, stdout=out, stderr=out, cwd=folder))
            stack.callback(process.kill)
            return process

        async def start(command: list[str], address: str, folder: Path) -> subprocess.Popen[bytes]:
            process = launch(command, folder)
            for _ in range(2000):
                if await loaded(address):
                    return process
                assert process.poll() is None, (folder / "out").read_text()
                await asyncio.sleep(0.01)
            pytest.fail((folder / "out").read_text())

        yield start


async def loaded(address: str) -> bool:
    """Whether the server answers and has all its data."""
    link = connect(address)
    try:
        return b"loading:0" in await link("INFO")
    except LedgerUnavailable:
        return False
    finally:
        await link.close()


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Ports that nobody listens at."""

    def find() -> int:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            return found.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def server_ports() -> Iterator[int]:
    """Ports to listen at, none of them twice, and none that the system hands out to whoever calls."""

    def unused(port: int) -> bool:
        with contextlib.suppress(OSError), socket.socket() as found:
            found.bind(("127.0.0.1", port))
            return True
        return False

    return filter(unused, range(20_000 + os.getpid() * 50 % 12_000, 32_768))


@dataclass(frozen=True)
class Cluster:
    """A real cluster of three masters, and a fourth node that copies the first where that was asked for."""

    ports: tuple[int, ...]
    links: tuple[Link, ...]
    """To each node, as its owner."""

    @property
    def address(self) -> str:
        """What capper is given: any node, with no more rights than it needs."""
        return f"redis+cluster://capper:pw@127.0.0.1:{self.ports[1]}"

    async def names(self) -> list[str]:
        """What the nodes call themselves."""
        return [(await link("CLUSTER", "MYID")).decode() for link in self.links]

    async def owners(self) -> dict[int, int]:
        """Which node has which slot, as the first node knows it."""
        rows = await self.links[0]("CLUSTER", "SLOTS")
        return {slot: self.ports.index(row[2][1]) for row in rows for slot in range(row[0], row[1] + 1)}

    async def copies(self, node: int) -> None:
        """Return once a replica has all that its master has, and everyone knows it as a replica: else they have no vote for it."""
        await until(self.links[node], ("INFO", "replication"), lambda said: b"master_link_status:up" in said)
        name = await self.links[node]("CLUSTER", "MYID")
        for link in self.links:
            known = re.compile(re.escape(name) + rb" \S+ \S*slave")
            await until(link, ("CLUSTER", "NODES"), lambda said, known=known: known.search(said))

    async def moving(self, key: bytes, at_once: int = 1) -> AsyncIterator[int]:
        """Move the slot of `key` to the next master, so many keys at each step; told how many are left, it ends when all are there.

        As `redis-cli --cluster reshard` does, but that the third master is not told: it hears of it from the others.
        """
        slot = slot_of(key)
        source = (await self.owners())[slot]
        target, names = (source + 1) % 3, await self.names()
        await self.links[target]("CLUSTER", "SETSLOT", str(slot), "IMPORTING", names[source])
        await self.links[source]("CLUSTER", "SETSLOT", str(slot), "MIGRATING", names[target])
        while keys := await self.links[source]("CLUSTER", "GETKEYSINSLOT", str(slot), "1000"):
            yield len(keys)
            port = str(self.ports[target])
            await self.links[source]("MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS", *sorted(keys)[:at_once])
        for place in (target, source):
            await self.links[place]("CLUSTER", "SETSLOT", str(slot), "NODE", names[target])

    async def met(self) -> dict[str, int]:
        """How often the nodes have said MOVED, ASK, TRYAGAIN and other errors."""
        met: dict[str, int] = {}
        for link in self.links:
            for line in (await link("INFO", "errorstats")).decode().splitlines():
                if line.startswith("errorstat_"):
                    name, _, count = line.removeprefix("errorstat_").partition(":count=")
                    met[name] = met.get(name, 0) + int(count)
        return met


@pytest.fixture(params=["valkey", "redis"])
async def start_cluster(request, servers, running, server_ports, tmp_path):
    """Start a cluster of three masters that share the slots evenly, and with `copied` a replica of the first."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*, copied: bool = False) -> Cluster:
            found = list(itertools.islice(server_ports, 3 + copied))
            buses = dict(zip(found, itertools.islice(server_ports, len(found)), strict=True))
            cluster = Cluster(tuple(found), tuple(connect(f"redis://127.0.0.1:{port}") for port in found))
            for port, link in zip(cluster.ports, cluster.links, strict=True):
                folder = tmp_path / str(port)
                folder.mkdir()
                command = [servers[request.param], "--port", str(port), "--save", "", "--cluster-enabled", "yes"]
                command += [
                    "--cluster-port",
                    str(buses[port]),
                    "--cluster-node-timeout",
                    "2000",
                    "--repl-diskless-sync-delay",
                    "0",
                ]
                await running(command, f"redis://127.0.0.1:{port}", folder)
                stack.push_async_callback(link.close)
                await link("ACL", "SETUSER", "capper", "on", ">pw", *acl_rights(cluster=True).split())
            edges = (0, 5461, 10_923, 16_384)
            for link, (first, after) in zip(cluster.links, itertools.pairwise(edges), strict=False):
                await link("CLUSTER", "ADDSLOTSRANGE", str(first), str(after - 1))
            for number, link in enumerate(cluster.links[1:], 1):
                # Nodes that begin with the same epoch would first have to agree on whose is newer.
                await link("CLUSTER", "SET-CONFIG-EPOCH", str(number))
                await link("CLUSTER", "MEET", "127.0.0.1", str(found[0]), str(buses[found[0]]))
            for link in cluster.links:
                await until(link, ("CLUSTER", "NODES"), lambda said: said.count(b"connected") == len(found))
                await until(link, ("CLUSTER", "INFO"), lambda said: b"cluster_state:ok" in said)
            if copied:
                await cluster.links[3]("CLUSTER", "REPLICATE", (await cluster.names())[0])
                await cluster.copies(3)
            return cluster

        yield start


async def until(link: Link, command: tuple[str, ...], fits: Callable[[bytes], object]) -> None:
    """Ask a server until its answer fits."""
    for _ in range(2000):
        if fits(await link(*command)):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{link.place} still does not say so: {await link(*command)!r}")


@pytest.fixture
async def cluster(start_cluster) -> Cluster:
    """Three masters."""
    return await start_cluster()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A folder with an authority (ca.pem) and a certificate of its own for 127.0.0.1 (ledger.pem, ledger.key)."""
    folder = tmp_path_factory.mktemp("tls")
    now = dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the house's own")])
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def signed(public, subject, extensions) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    (folder / "ca.pem").write_bytes(
        signed(
            authority.public_key(),
            name,
            [
                (x509.BasicConstraints(ca=True, path_length=None), True),
                (x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), True),
                (identifier, False),
            ],
        )
    )
    (folder / "ledger.pem").write_bytes(
        signed(
            key.public_key(),
            x509.Name([]),
            [
                (x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), True),
                (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
            ],
        )
    )
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "ledger.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return folder
