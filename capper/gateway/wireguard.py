"""WireGuard for phones: one listener for each person, as capper's file of keys and as the profile the phone imports."""

import base64
import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from capper.domain.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_ENDPOINT = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}")
_DEVICE = "10.0.0.1/32"
_RESOLVER = "10.0.0.53"
"""The addresses mitmproxy's WireGuard server gives its only client and its resolver."""


@dataclass(frozen=True, slots=True, repr=False)
class Tunnel:
    """The keys of one person's listener: the server's, and the one her devices share. Not shown in `repr`."""

    server: X25519PrivateKey
    device: X25519PrivateKey

    @classmethod
    def create(cls) -> "Tunnel":
        """New keys."""
        return cls(X25519PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> "Tunnel":
        """Read the file of keys that `server_file` or mitmproxy wrote.

        Raises:
            ValueError: it holds no two keys; never repeats them.
        """
        try:
            keys = json.loads(text)
            return cls(_key(keys["server_key"]), _key(keys["client_key"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ValueError('expected {"server_key": ..., "client_key": ...} with two WireGuard keys') from None

    def server_file(self) -> str:
        """What capper's listener (`wireguard:FILE@PORT`) reads: for nobody else's eyes."""
        return json.dumps({"server_key": _private(self.server), "client_key": _private(self.device)}, indent=4) + "\n"

    def profile(self, endpoint: str, *, ipv6: bool = False) -> str:
        """What the WireGuard app imports; whoever has it can use the listener as this person.

        Args:
            endpoint: where the phone reaches the listener from outside, as `HOST:PORT`.
            ipv6: also take IPv6 into the tunnel, where it ends: sites are then reached by IPv4 alone.

        Raises:
            ValueError: the endpoint is not written so.
        """
        if not _ENDPOINT.fullmatch(endpoint) or not 0 < int(endpoint.rpartition(":")[2]) < 65536:
            raise ValueError(f"expected where the phone reaches capper, as HOST:PORT, found {endpoint!r}")
        lines = (
            "[Interface]",
            f"PrivateKey = {_private(self.device)}",
            f"Address = {_DEVICE}",
            f"DNS = {_RESOLVER}",
            "",
            "[Peer]",
            f"PublicKey = {_public(self.server.public_key())}",
            f"AllowedIPs = 0.0.0.0/0{', ::/0' if ipv6 else ''}",
            f"Endpoint = {endpoint}",
            # Routers forget a silent UDP client after half a minute or more.
            "PersistentKeepalive = 25",
            "",
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return "Tunnel(...)"


def tunnel_name(text: str) -> str:
    """A name for a listener: it becomes a file's name and `wireguard:NAME` of the policy.

    Raises:
        ValueError: it is not one word of letters, digits, `-` and `_`.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(f"expected one word of letters and digits like anna, found {text!r}")
    return text


def keep_tunnel(folder: Path, name: str) -> tuple[Path, Tunnel]:
    """The file of keys of this name and what is in it; made, for its owner's eyes only, where there is none.

    Raises:
        ConfigError: the file cannot be made or read.
        ValueError: it holds something else.
    """
    file = folder / f"{name}.conf"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as new:
                new.write(Tunnel.create().server_file())
        return file, Tunnel.parse(file.read_text())
    except OSError as exc:
        raise ConfigError(f"keep WireGuard keys in {file}: {exc.strerror}") from exc


def _key(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))


def _private(key: X25519PrivateKey) -> str:
    return base64.b64encode(key.private_bytes_raw()).decode()


def _public(key: X25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes_raw()).decode()
