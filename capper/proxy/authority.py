"""Our own certificate authority: one per household, kept in the state folder, and the leaf certificates it signs.

Keys are P-256: a handshake costs a fraction of RSA-2048's, and every browser and phone of the last ten years takes it.
"""

import contextlib
import hashlib
import ipaddress
import logging
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
from mitmproxy import certs, http, tls
from mitmproxy.addons.tlsconfig import TlsConfig
from mitmproxy.proxy import context

from capper.domain.errors import ConfigError
from capper.gateway.ours import is_ours
from capper.recognise.listfiles import write_atomically

log = logging.getLogger(__name__)

AUTHORITY_LIFE = timedelta(days=5 * 365)
LEAF_LIFE = timedelta(days=90)
"""Well under the 200 days beyond which Chromium refuses."""
_BACKDATED = timedelta(days=2)
_SECRET, _PUBLIC = "authority.pem", "capper-ca.pem"
_LEAVES = 4096
"""A page of ads touches up to two hundred hosts; a household's evening fits, at two kilobytes a leaf."""
SOON = timedelta(days=60)
"""A certificate that ends within this time is worth a word: each device needs the next one by hand."""


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
            _builder(subject, subject, key.public_key(), now, now + AUTHORITY_LIFE - _BACKDATED)
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
        end = min(now + LEAF_LIFE - _BACKDATED, self.expires())
        return (
            _builder(x509.Name(short), self.certificate.subject, public_key, now, end)
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

    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, as devices show it: `AB:CD:...`."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def secret_pem(self) -> bytes:
        """Key and certificate, for nobody else's eyes."""
        return key_pem(self.key) + self.pem()

    def name(self) -> str:
        """What devices call it in their lists of authorities."""
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    def derived(self, purpose: bytes) -> bytes:
        """A key of 32 bytes that only who has this authority's key can make, for one purpose of at most 16 bytes."""
        secret = self.key.private_numbers().private_value.to_bytes(32)
        return hashlib.blake2b(key=secret, person=purpose, digest_size=32).digest()

    def expires(self) -> datetime:
        """When devices stop trusting it."""
        return self.certificate.not_valid_after_utc


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key in PEM, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    begin = now.astimezone(UTC) - _BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end.astimezone(UTC))
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

    One that has expired is of no use to anybody: it gives way to a new one, and the log says so.

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
        if authority.expires() <= now:
            log.warning(
                "capper's certificate expired on %s; a new one was made: install it on each device (capper ca show)",
                f"{authority.expires():%Y-%m-%d}",
            )
            authority = _replaced(secret, now)
        if secret.stat().st_mode & 0o077:
            secret.chmod(0o600)
        _publish(public, authority)
    except OSError as exc:
        raise ConfigError(f"keep the certificate authority in {folder}: {exc.strerror or exc}") from exc
    return authority


def renew_authority(state: Path, now: datetime) -> Authority:
    """A new authority in the place of the old, whose key is gone then; each device needs the new certificate.

    Raises:
        ConfigError: the folder cannot be written.
    """
    folder = state / "ca"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _replaced(folder / _SECRET, now)
        _publish(folder / _PUBLIC, authority)
    except OSError as exc:
        raise ConfigError(f"keep the certificate authority in {folder}: {exc.strerror or exc}") from exc
    return authority


def read_authority(state: Path) -> Authority:
    """The household's authority as it is, expired or not.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    secret = state / "ca" / _SECRET
    try:
        return _read(secret)
    except FileNotFoundError as exc:
        raise ConfigError(f"there is no certificate in {secret.parent} yet; the first `capper run` makes it") from exc
    except OSError as exc:
        raise ConfigError(f"read {secret}: {exc.strerror or exc}") from exc


def has_authority(state: Path) -> bool:
    """Whether there is one already."""
    return (state / "ca" / _SECRET).exists()


def _replaced(secret: Path, now: datetime) -> Authority:
    # On a device two of one name could not be told apart.
    authority = Authority.create(now, f"capper {now:%Y-%m-%d}")
    write_atomically(secret, authority.secret_pem())  # made 0600
    return authority


def _publish(public: Path, authority: Authority) -> None:
    if not public.exists() or public.read_bytes() != authority.pem():
        write_atomically(public, authority.pem())
        public.chmod(0o644)


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
        self._entries[host] = (now + (leaf.notafter - now) / 2, entry)
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

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        super().tls_clienthello(data)
        if is_ours((data.client_hello.sni or "").lower()):
            data.establish_server_tls_first = False  # there is no other side

    def get_cert(self, conn_context: context.Context) -> certs.CertStoreEntry:
        host = conn_context.client.sni
        if host is None and conn_context.server.address:
            host = conn_context.server.address[0]
        return self._leaves.get((host or conn_context.client.sockname[0]).lower(), datetime.now(UTC))

    def request(self, flow: http.HTTPFlow) -> None:
        """Serve no revocation list: our certificates name none."""
