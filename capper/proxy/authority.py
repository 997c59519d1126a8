"""Our own certificate authority: one per household, kept in the state folder, and the leaf certificates it signs.

Keys are P-256: a handshake costs a fraction of RSA-2048's, and every browser and phone of the last ten years takes it.
"""

import contextlib
import ipaddress
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from mitmproxy import certs, http
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.proxy import context

from capper.domain.errors import ConfigError

AUTHORITY_LIFE = timedelta(days=5 * 365)
LEAF_LIFE = timedelta(days=90)
"""Well under the 200 days beyond which Chromium refuses."""
_BACKDATED = timedelta(days=2)
_SECRET, _PUBLIC = "authority.pem", "capper-ca.pem"
_LEAVES = 4096


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate and its key, able to sign for hosts."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, now: datetime, name: str = "capper") -> "Authority":
        """A new authority that can sign for hosts but not for further authorities."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]
        )
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # noqa: FBT003  its signature
        certificate = (
            _builder(subject, subject, key.public_key(), now, AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    def leaf(self, host: str, public_key: ec.EllipticCurvePublicKey, now: datetime) -> x509.Certificate:
        """A certificate for one host and no other, so that browsers never merge connections of two hosts into one."""
        name = _general_name(host)
        # A common name of 64 characters or more is not valid; the alternative name is what counts.
        short = [x509.NameAttribute(NameOID.COMMON_NAME, host)] if len(host) < 64 else []
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)  # noqa: FBT003  its signature
        identifier = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            _builder(x509.Name(short), self.certificate.subject, public_key, now, LEAF_LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=not short)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def pem(self) -> bytes:
        """The certificate, as devices import it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def secret_pem(self) -> bytes:
        """Key and certificate, for nobody else's eyes."""
        return key_pem(self.key) + self.pem()

    def expires(self) -> datetime:
        """When devices stop trusting it."""
        return self.certificate.not_valid_after_utc


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    begin = now.astimezone(UTC) - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + life)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host if host.isascii() else host.encode("idna").decode())


def authority_file(state: Path) -> Path:
    """Where the certificate is that devices import."""
    return state / "ca" / _PUBLIC


def load_authority(state: Path, now: datetime) -> Authority:
    """The household's authority; created, with its key readable by the owner only, where there is none.

    Raises:
        ConfigError: the folder cannot be written, or its files are not what they should be.
    """
    folder = state / "ca"
    secret, public = folder / _SECRET, folder / _PUBLIC
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not secret.exists():
            _write_once(secret, Authority.create(now).secret_pem())
        authority = _read(secret)
        if secret.stat().st_mode & 0o077:
            secret.chmod(0o600)
        if not public.exists() or public.read_bytes() != authority.pem():
            public.write_bytes(authority.pem())
    except OSError as exc:
        raise ConfigError(f"keep the certificate authority in {folder}: {exc.strerror or exc}") from exc
    if authority.expires() <= now:
        raise ConfigError(
            f"capper's certificate ({public}) expired on {authority.expires():%Y-%m-%d}:"
            f" delete {folder}, start again, and install the new certificate on each device"
        )
    return authority


def _read(path: Path) -> Authority:
    raw = path.read_bytes()
    try:
        key = serialization.load_pem_private_key(raw, None)
        certificate = x509.load_pem_x509_certificate(raw)
    except (ValueError, TypeError) as exc:
        raise ConfigError(f"{path} does not hold a key and its certificate; delete it to make new ones") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise ConfigError(f"{path} does not hold a P-256 key and its own certificate; delete it to make new ones")
    return Authority(certificate, key)


def _write_once(path: Path, content: bytes) -> None:
    """Write a secret whole or not at all; if two processes start at once, the first one's stays."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()


class Leaves:
    """Leaf certificates by host, the recently used kept; a page of ads touches more hosts than mitmproxy keeps."""

    dhparams = None

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._entries: OrderedDict[str, tuple[datetime, certs.CertStoreEntry]] = OrderedDict()

    def get(self, host: str, now: datetime) -> certs.CertStoreEntry:
        """The certificate for `host`, made anew at the half of its life."""
        known = self._entries.get(host)
        if known is not None and now < known[0]:
            self._entries.move_to_end(host)
            return known[1]
        leaf = certs.Cert(self._authority.leaf(host, self._key.public_key(), now))
        entry = certs.CertStoreEntry(leaf, self._key, None, [])  # type: ignore[arg-type]
        self._entries[host] = (now + LEAF_LIFE / 2, entry)
        if len(self._entries) > _LEAVES:
            self._entries.popitem(last=False)
        return entry


class Certificates(TlsConfig):
    """mitmproxy's TLS settings, with our authority and a certificate of its own for each host."""

    name = "tlsconfig"

    def __init__(self, authority: Authority) -> None:
        self.certstore = Leaves(authority)  # type: ignore[assignment]
        self._leaves: Leaves = self.certstore  # type: ignore[assignment]

    def running(self) -> None:
        """Keep mitmproxy from loading an authority of its own."""

    def configure(self, updated: set[str]) -> None:
        super().configure(set(updated) - {"certs", "confdir", "key_size", "cert_passphrase"})  # type: ignore[no-untyped-call]

    def get_cert(self, conn_context: context.Context) -> certs.CertStoreEntry:
        host = conn_context.client.sni
        if host is None and conn_context.server.address:
            host = conn_context.server.address[0]
        return self._leaves.get((host or conn_context.client.sockname[0]).lower(), datetime.now(UTC))

    def request(self, flow: http.HTTPFlow) -> None:
        """Serve no revocation list: our certificates name none."""
