"""Keeps the proxy from being used against the machine and the network it stands in.

Who may come: loopback, and the networks named. Where they may go: not to this machine, nor to link-local and metadata
addresses; to private addresses only from loopback or a named network, so that somebody with just a password or a
WireGuard key does not reach the router's pages. Names are judged by every address they resolve to.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from mitmproxy import connection, http
from mitmproxy.proxy import mode_specs, server_hooks

from capper.domain.errors import ConfigError
from capper.gateway.ours import leads_to_us
from capper.proxy import addresses, resolving
from capper.proxy.addresses import Reach
from capper.proxy.pages import page, refuse
from capper.proxy.viewer import Address, Network, parse_address
from capper.refusals import Refusals

logger = logging.getLogger(__name__)

_WEB = (80, 443)
Resolve = Mapping[tuple[str, int], tuple[str, int]]
"""(host, port) to (address, port): where a name is, whatever DNS says; the only way to loopback.

Port 0 of a host means all of its ports, port 0 of an address the port that was asked for.
"""

_KEYED = (mode_specs.WireGuardMode, mode_specs.LocalMode, mode_specs.TunMode)
"""Modes nobody on the network can use without a key, or without being on this machine."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why nobody is taken to a place: what it is. `place` is for who asked alone: it is what somebody visits."""

    place: str
    what: str

    @property
    def sentence(self) -> str:
        """For the page that says so."""
        return f"The proxy does not go there: {self.place} is {self.what}."


@dataclass(frozen=True, slots=True)
class Boundary:
    """Who may come and where they may go: the values behind the shield."""

    lan: tuple[Network, ...] = ()
    resolve: Resolve = field(default_factory=dict)

    def place(self, host: str, port: int) -> tuple[str, int] | None:
        """Where `resolve` says a host is."""
        name = host.rstrip(".").lower()
        at = self.resolve.get((name, port)) or self.resolve.get((name, 0))
        return (at[0], at[1] or port) if at else None

    def admits(self, client: Address) -> bool:
        """Whether a client at this address may use the proxy."""
        return client.is_loopback or not self.lan or any(client in network for network in self.lan)

    def near(self, client: Address | None) -> bool:
        """Whether a client could reach the private network without us."""
        return client is not None and (client.is_loopback or any(client in network for network in self.lan))

    def objection(self, host: str, port: int, address: Address | None, *, near: bool) -> Objection | None:
        """Why a request to `host`, found at `address`, is refused; None if it is not."""
        if address is None:
            if addresses.is_local_name(host) and not self.place(host, port):
                return Objection(host, "this machine itself (loopback)")
            return None
        where, what = addresses.reach(address, addresses.is_own)
        if where is Reach.PUBLIC or (where is Reach.PRIVATE and near):
            return None
        found = host if host.strip("[]") == str(address) else f"{host} ({address})"
        return Objection(found, what)


class Shield:
    """The addon that asks the boundary: when a client comes, when it asks, and before a connection is made."""

    def __init__(self, boundary: Boundary) -> None:
        self.boundary = boundary
        self._refusals = Refusals(logger)

    def running(self) -> None:
        resolving.install(asyncio.get_running_loop())

    def client_connected(self, client: connection.Client) -> None:
        if isinstance(client.proxy_mode, _KEYED):
            return
        address = parse_address(client.peername[0])
        if address is None or not self.boundary.admits(address):
            self._refusals.tell("a client from elsewhere", "a client that is not of a network this proxy serves")
            client.error = "not from a network this proxy serves"

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if flow.response:
            return
        if objection := self._objection(flow.client_conn, flow.request.host, flow.request.port):
            flow.response = page(HTTPStatus.FORBIDDEN, self._told(objection))

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """Say in our own words why a tunnel could not be made."""
        if flow.response and flow.response.status_code == HTTPStatus.BAD_GATEWAY:
            reason = flow.server_conn.error or "no answer"
            flow.response = page(HTTPStatus.BAD_GATEWAY, f"{flow.request.host} cannot be reached: {reason}.")

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response or flow.error:
            return
        host, port = flow.request.host, flow.request.port
        if objection := self._objection(flow.client_conn, host, port):
            refuse(flow, page(HTTPStatus.FORBIDDEN, self._told(objection)))

    def _told(self, objection: Objection) -> str:
        self._refusals.tell("a place the proxy does not go to", f"a way to {objection.what}")
        return objection.sentence

    def _objection(self, client: connection.Client, host: str, port: int) -> Objection | None:
        near = self.boundary.near(_near_address(client))
        return self.boundary.objection(host, port, addresses.literal(host), near=near)

    async def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        address = data.server.address
        if address is None or data.server.error or _is_upstream(data.client, address):
            return
        host, port = address[0], address[1]
        if leads_to_us(host):
            return
        if isinstance(data.client.proxy_mode, mode_specs.WireGuardMode) and (host, port) == ("10.0.0.53", 53):
            return
        if at := self.boundary.place(host, port):
            resolving.settle(host, [_info(*at)])
            return
        if objection := self._objection(data.client, host, port):
            data.server.error = self._told(objection)
        elif addresses.literal(host) is None and data.server.transport_protocol == "tcp":
            await self._look_up(data, host, port)

    async def _look_up(self, data: server_hooks.ServerConnectionHookData, host: str, port: int) -> None:
        try:
            found = await resolving.look_up(host, port)
        except OSError as exc:
            data.server.error = f"{host} is not found: {exc.strerror or exc}"
            return
        near = self.boundary.near(_near_address(data.client))
        good: list[resolving.AddressInfo] = []
        found_wrong = None
        for info in found:
            objection = self.boundary.objection(host, port, parse_address(info[4][0]), near=near)
            found_wrong = found_wrong or objection
            if objection is None:
                good.append(info)
        if not good and found_wrong:
            # A name server that blocks ads says such things of them, and no page means harm by that.
            data.server.error = found_wrong.sentence if port in _WEB else self._told(found_wrong)
        resolving.settle(host, good)


def _near_address(client: connection.Client) -> Address | None:
    return None if isinstance(client.proxy_mode, mode_specs.WireGuardMode) else parse_address(client.peername[0])


def _is_upstream(client: connection.Client, address: Sequence[object]) -> bool:
    """The upstream proxy is the owner's choice, wherever it is."""
    mode = client.proxy_mode
    return isinstance(mode, mode_specs.UpstreamMode) and tuple(mode.address) == tuple(address[:2])


def _info(address: str, port: int) -> resolving.AddressInfo:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


def check_listener(host: str, modes: Sequence[str], *, lan: bool, auth: bool) -> None:
    """Refuse to open the proxy to a network without saying to whom.

    Raises:
        ConfigError: a mode is unknown or not served here, or a listener is open to anyone who can reach it.
    """
    for spec in modes:
        try:
            mode = mode_specs.ProxyMode.parse(spec)
        except ValueError as exc:
            raise ConfigError(f"mode {spec!r}: {exc}") from exc
        if isinstance(mode, (mode_specs.ReverseMode, mode_specs.DnsMode)):
            raise ConfigError(
                f"mode {spec!r}: capper serves regular, upstream, socks5, transparent, wireguard and local"
            )
        if auth and isinstance(mode, mode_specs.TransparentMode):
            raise ConfigError("mode 'transparent' cannot ask for a password; name the networks it serves with --lan")
        where = mode.listen_host(host)
        if isinstance(mode, _KEYED) or lan or auth or _is_loopback(where):
            continue
        raise ConfigError(
            f"listening on {where or 'every address'} would open the proxy to anyone who can reach it:"
            " name the networks it serves (--lan 192.168.1.0/24) or ask for a password (--proxy-auth)"
        )


def _is_loopback(host: str) -> bool:
    address = addresses.literal(host) if host else None
    return address.is_loopback if address else addresses.is_local_name(host)


def parse_lan(text: str) -> Network:
    """Read one network, `192.168.1.0/24`.

    Raises:
        ConfigError: it is no network, or it is all of them.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as exc:
        raise ConfigError(f"--lan {text!r}: not a network like 192.168.1.0/24") from exc
    if network.prefixlen == 0:
        raise ConfigError(f"--lan {text!r} is every address there is; use --proxy-auth to serve anyone with a password")
    return network


def parse_resolve(text: str) -> tuple[tuple[str, int], tuple[str, int]]:
    """Read one `HOST:PORT=ADDRESS:PORT`.

    Raises:
        ConfigError: says what was expected.
    """
    left, equals, right = text.partition("=")
    host, _, port = left.rpartition(":")
    address, _, target = right.rpartition(":")
    at = parse_address(address.strip("[]"))
    if not (equals and host and port.isdigit() and target.isdigit() and at) or addresses.literal(host):
        raise ConfigError(f"--resolve {text!r}: expected HOST:PORT=ADDRESS:PORT, like news.test:80=127.0.0.1:8001")
    return (host.rstrip(".").lower(), int(port)), (str(at), int(target))
