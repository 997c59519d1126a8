"""Proxy authentication (Basic, and SOCKS5's), with passwords kept as digests and a slow hash asked once per password."""

import asyncio
import base64
import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from weakref import WeakKeyDictionary

from mitmproxy import connection, http
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy import mode_specs
from mitmproxy.proxy.layers.modes import Socks5AuthData
from mitmproxy.utils.htpasswd import HtpasswdFile

from capper.domain.errors import ConfigError
from capper.proxy.pages import page, refuse
from capper.refusals import Refusals

logger = logging.getLogger(__name__)

_HEADER = "Proxy-Authorization"
_CHALLENGE = {"Proxy-Authenticate": 'Basic realm="capper", charset="UTF-8"'}
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may use the proxy. Passwords are compared by digests under a key that lives as long as the process."""

    known: set[bytes]
    slow: Callable[[str, str], bool] | None = None
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def accepts(self, user: str, password: str) -> bool:
        """Whether this is a user and her password; a slow hash is computed beside the event loop, two at a time."""
        digest = _digest(self.key, user, password)
        if any(hmac.compare_digest(digest, known) for known in (self.known if digest in self.known else ())):
            return True
        if self.slow is None:
            return False
        async with self.hashing:
            right = await asyncio.to_thread(self.slow, user, password)
        if right and len(self.known) < _REMEMBERED:
            self.known.add(digest)
        return right


def _digest(key: bytes, user: str, password: str) -> bytes:
    return hmac.digest(
        key, f"{user}\0{password}".encode("utf-8", "surrogatepass"), sha256.__name__.removeprefix("openssl_")
    )


def parse_credentials(text: str) -> Credentials:
    """Read `user:password`, or `@FILE` for an htpasswd file with bcrypt hashes.

    Raises:
        ConfigError: says what was expected; never repeats a password.
    """
    if text.startswith("@"):
        return Credentials(set(), _htpasswd(Path(text[1:]).expanduser()))
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise ConfigError("--proxy-auth: expected USER:PASSWORD, or @FILE for an htpasswd file")
    key = secrets.token_bytes(32)
    return Credentials({_digest(key, user, password)}, key=key)


def _htpasswd(path: Path) -> Callable[[str, str], bool]:
    try:
        file = HtpasswdFile.from_file(path)
    except (OSError, ValueError) as exc:
        reason = "a line is not USER:HASH with a bcrypt hash" if isinstance(exc, ValueError) else exc
        raise ConfigError(f"--proxy-auth: read {path}: {reason}") from exc
    if not file.users:
        raise ConfigError(f"--proxy-auth: {path} names nobody")
    if weak := [user for user, digest in file.users.items() if digest.startswith("{SHA}")]:
        raise ConfigError(f"--proxy-auth: {path}: {weak[0]} has an unsalted SHA-1 hash; use `htpasswd -B`")
    return file.check_password


class Doorkeeper:
    """The addon that asks for the password: once per connection after CONNECT or SOCKS5, else with each request."""

    def __init__(self, credentials: Credentials | None) -> None:
        self.credentials = credentials
        self._users: MutableMapping[connection.Client, str] = WeakKeyDictionary()
        self._refusals = Refusals(logger)

    def user(self, client: connection.Client) -> str | None:
        """Who has shown a password on this connection."""
        return self._users.get(client)

    def load(self, loader: Loader) -> None:
        # mitmproxy's SOCKS5 layer asks for a password if an option of this name has a value.
        loader.add_option("proxyauth", str | None, None, "whether SOCKS5 clients must authenticate")  # type: ignore[arg-type]

    async def socks5_auth(self, data: Socks5AuthData) -> None:
        if self.credentials and await self._knows(self.credentials, data.username, data.password):
            data.valid = True
            self._users[data.client_conn] = data.username

    def http_connect(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        return None if flow.response else self._ask(flow, _refused)

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        if flow.response or flow.error or flow.client_conn in self._users:
            return None
        return self._ask(flow, refuse)

    def _ask(
        self, flow: http.HTTPFlow, turn_away: Callable[[http.HTTPFlow, http.Response], None]
    ) -> Awaitable[None] | None:
        """Take the password off the request, whatever it is worth: it is nobody else's business."""
        if not isinstance(flow.client_conn.proxy_mode, (mode_specs.RegularMode, mode_specs.UpstreamMode)):
            return None
        given = flow.request.headers.pop(_HEADER, "")
        return self._check(self.credentials, flow, given, turn_away) if self.credentials else None

    async def _check(
        self,
        credentials: Credentials,
        flow: http.HTTPFlow,
        given: str,
        turn_away: Callable[[http.HTTPFlow, http.Response], None],
    ) -> None:
        pair = _parse_basic(given)
        if pair is not None and await self._knows(credentials, *pair):
            self._users[flow.client_conn] = pair[0]
        else:
            turn_away(flow, page(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, "A password is needed here.", _CHALLENGE))

    async def _knows(self, credentials: Credentials, user: str, password: str) -> bool:
        accepted = await credentials.accepts(user, password)
        if not accepted:
            self._refusals.tell("a wrong password", "a user or a password that the proxy does not know")
        return accepted


def _parse_basic(value: str) -> tuple[str, str] | None:
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None


def _refused(flow: http.HTTPFlow, answer: http.Response) -> None:
    """What is said to a CONNECT, which has no body to be taken off."""
    flow.response = answer
