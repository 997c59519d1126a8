"""Which TLS is opened: that of hosts where ads are delivered, and only for clients that trust our certificate."""

import asyncio
import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from mitmproxy import connection, http, tls
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers import UDPLayer

from capper.gateway.ours import is_ours
from capper.proxy.addresses import literal
from capper.proxy.trust import Client, Names, Standing, Trust
from capper.proxy.trustfile import Keeping
from capper.proxy.viewer import parse_address

logger = logging.getLogger(__name__)

Opened = Callable[[str], bool]
"""Whether connections to this host, in lower case and without a final dot, are to be opened."""

INVALID_FOR = 3600.0
"""Seconds a host passes through whose own certificate was found to be bad."""
LOOK = 2.0
"""Seconds between looks at the file of trust."""

_MOST_INVALID = 1_000
_ABRUPT = 2.0
_DISTRUST = re.compile(
    r"alert (unknown ca|bad certificate|certificate unknown|unsupported certificate|certificate expired|access denied)"
)
_INVALID = re.compile(r"certificate verify failed", re.IGNORECASE)
_SILENCE = "disconnected during the handshake"
_GREASE = frozenset(0x0A0A + 0x1010 * n for n in range(16))
_GROUPS, _SIGNATURES = 10, 13


def open_all(host: str) -> bool:
    """Open every host: for the demo and for tests."""
    del host
    return True


@dataclass(slots=True)
class Handshake:
    """A connection that we answer with a certificate of ours, from its first message on."""

    client: Client
    host: str
    ours: bool = False
    done_at: float | None = None
    used: bool = False


class Opening:
    """The addon that decides, connection by connection, whether TLS is opened or passed through as it is.

    1. `tls_clienthello`: the host must be one that is opened, the client one that trusts us, and the host's own certificate good
       when it was last seen. Otherwise the connection passes through, and nobody is the wiser.
    2. `tls_failed_client` and `client_disconnected` tell that a client does not take our certificate; `requestheaders`
       that it does.

    Args:
        device: the name of the device behind a connection.
        proof: whether a device must have proven that it trusts us; otherwise, and where it is this machine, each is tried once.
        ends: when our certificate does; from then on nothing is opened.
        leaves_alone: whether the person behind a connection has paused capper.
    """

    def __init__(
        self,
        opened: Opened,
        device: Callable[[connection.Client], str] = lambda client: client.peername[0],
        trust: Trust | None = None,
        names: Names | None = None,
        keeping: Keeping | None = None,
        *,
        proof: bool = False,
        ends: datetime | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        leaves_alone: Callable[[connection.Client], bool] = lambda _: False,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opened, self._device, self._now, self._ticks = opened, device, clock, ticks
        self._ends = ends or datetime.max.replace(tzinfo=UTC)
        self._proof, self._leaves_alone = proof, leaves_alone
        self.trust = trust or Trust(clock)
        self.names = names or Names(secrets.token_bytes(32))
        self._keeping = keeping
        self._handshakes: dict[str, Handshake] = {}
        self._invalid: OrderedDict[str, float] = OrderedDict()
        self._keeper: asyncio.Task[None] | None = None
        if keeping:
            self.trust.book = keeping.begin()

    def opens(self, client: Client, host: str, *, here: bool = False) -> bool:
        """Whether `host` is opened for the client, which may be on this machine itself (`here`)."""
        return self._is_wanted(host) and self._takes(client, host, here=here)

    def _is_wanted(self, host: str) -> bool:
        """Whether it is opened for anybody."""
        return (
            self._opened(host)
            and not (self._invalid and self._invalid.get(host, 0.0) > self._ticks())
            and self._now() < self._ends
        )

    def _takes(self, client: Client, host: str, *, here: bool) -> bool:
        """Whether the client may be expected to take our certificate for it."""
        return self.trust.opens(client, self.names.host(client, host), untried=here or not self._proof)

    def invalid(self, host: str) -> None:
        """The host's own certificate is bad: whoever asks for it is to see that herself."""
        self._invalid.pop(host, None)
        self._invalid[host] = self._ticks() + INVALID_FOR
        if len(self._invalid) > _MOST_INVALID:
            self._invalid.popitem(last=False)

    def prove(self, client: connection.Client) -> bool:
        """The device has loaded something that only a client can which trusts us; returns whether that was new."""
        handshake = self._handshakes.get(client.id)
        if handshake is None:
            return False
        new = self.trust.standing(handshake.client) is not Standing.PROVEN
        self.trust.proven(handshake.client)
        return new

    def trusts(self, client: connection.Client) -> bool:
        """Whether the device, with whatever stack, has proven that it trusts us."""
        return self.trust.has_proven(self.names.device(self._device(client)))

    # Hooks

    async def running(self) -> None:
        if self._keeping:
            self._keeper = asyncio.create_task(self._keep())

    async def done(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            await self._look()

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        server, client = data.context.server, data.context.client
        if server.address is None:
            return  # TLS to the proxy itself, which only we can answer
        host = _host(data.client_hello.sni, server.address[0])
        if host is None:
            data.ignore_connection = True
            return
        ours = is_ours(host)
        if not ours and (not self._is_wanted(host) or self._leaves_alone(client)):
            data.ignore_connection = True
            return
        who = self.names.client(self._device(client), kind_of(data.client_hello))
        data.ignore_connection = not ours and not self._takes(who, host, here=_is_here(client))
        if not data.ignore_connection:
            self._handshakes[client.id] = Handshake(who, host, ours)

    def tls_established_client(self, data: tls.TlsData) -> None:
        if handshake := self._handshakes.get(data.context.client.id):
            handshake.done_at = self._ticks()

    def tls_failed_client(self, data: tls.TlsData) -> None:
        handshake = self._handshakes.pop(data.context.client.id, None)
        if handshake is None:
            return
        error = data.conn.error or ""
        if _DISTRUST.search(error):
            if handshake.ours:
                self.trust.lost(handshake.client)
            else:
                self.trust.refused(handshake.client, self._name(handshake))
        elif _SILENCE in error and not handshake.ours:
            self.trust.silent(handshake.client, self._name(handshake))

    def tls_failed_server(self, data: tls.TlsData) -> None:
        handshake = self._handshakes.get(data.context.client.id)
        if handshake and _INVALID.search(data.conn.error or ""):
            self.invalid(handshake.host)

    def error(self, flow: http.HTTPFlow) -> None:
        """Hang up where a host's certificate is found to be bad only now: an error page of ours would look like the host's."""
        if flow.client_conn.id in self._handshakes and flow.killable and flow.error and _INVALID.search(flow.error.msg):
            flow.kill()  # type: ignore[no-untyped-call]

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        handshake = self._handshakes.get(flow.client_conn.id)
        if handshake and not handshake.used and not handshake.ours:
            handshake.used = True
            self.trust.proven(handshake.client, self._name(handshake))

    def client_disconnected(self, client: connection.Client) -> None:
        handshake = self._handshakes.pop(client.id, None)
        if handshake is None or handshake.used or handshake.ours or handshake.done_at is None:
            return
        if _DISTRUST.search(client.error or ""):
            self.trust.refused(handshake.client, self._name(handshake))
        elif self._ticks() - handshake.done_at < _ABRUPT:
            self.trust.mute(handshake.client, self._name(handshake))

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Pass UDP on unread: browsers do not take a private certificate over QUIC, so there is nothing to open."""
        context = nextlayer.context
        address = context.server.address
        if nextlayer.layer is None and context.client.transport_protocol == "udp" and address and address[1] != 53:
            nextlayer.layer = UDPLayer(context, ignore=True)

    def _name(self, handshake: Handshake) -> str:
        return self.names.host(handshake.client, handshake.host)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self._look()

    async def _look(self) -> None:
        assert self._keeping is not None
        known = self.trust.book
        copy = known.copy()
        known.touched.clear()
        found = await asyncio.to_thread(self._keeping.renewed, copy)
        if found is None:
            known.touched |= copy.touched
        else:
            # What was learnt meanwhile is still to be written.
            self.trust.book = known.onto(found)
            self.trust.book.touched |= known.touched


def kind_of(hello: tls.ClientHello) -> str:
    """What tells one TLS stack from another and is the same for all its connections: what it can, in its order of preference.

    Other extensions are left out: they come and go with resumption, ALPN and padding. Those that are read are read in an order of
    our own, for browsers shuffle them.
    """
    digest = blake2b(digest_size=8)
    for suite in hello.cipher_suites:
        if suite not in _GREASE:
            digest.update(suite.to_bytes(2))
    bodies = dict(hello.extensions)
    for number in (_GROUPS, _SIGNATURES):
        if number in bodies:
            body = bodies[number]
            digest.update(b"|%d" % number)
            pairs = (body[at : at + 2] for at in range(2, len(body), 2))
            digest.update(b"".join(pair for pair in pairs if int.from_bytes(pair) not in _GREASE))
    return digest.hexdigest()


def _is_here(client: connection.Client) -> bool:
    address = parse_address(client.peername[0])
    return address is not None and address.is_loopback


def _host(sni: str | None, address: str) -> str | None:
    """The host of a TLS connection; None where only an address is known."""
    name = (sni or address).rstrip(".").lower()
    return None if literal(name) else name
