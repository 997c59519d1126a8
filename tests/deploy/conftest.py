"""The files of deploy/, and servers that run by them."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import shutil
import socket
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from capper.domain.errors import LedgerUnavailable
from capper.ledger.embedded import find_server
from capper.ledger.link import connect

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
