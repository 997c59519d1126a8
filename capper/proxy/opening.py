"""Which TLS is opened: that of hosts where ads are delivered, and only for clients that trust our certificate."""

import re
import time
from collections.abc import Callable

from mitmproxy import connection, tls
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers import UDPLayer

from capper.proxy.addresses import literal

Opened = Callable[[str], bool]
"""Whether connections to this host, in lower case and without a final dot, are to be opened."""

REMEMBERED = 3600.0
_MOST = 10_000
_DISTRUST = re.compile(r"alert (unknown ca|bad certificate|certificate unknown|unsupported certificate)")
_SILENCE = "disconnected during the handshake"


def open_all(host: str) -> bool:
    """Open every host: for the demo and for tests."""
    del host
    return True


class Opening:
    """The addon that decides, connection by connection, whether TLS is opened or passed through as it is.

    A client that refuses our certificate for a host (no certificate of ours installed, or a pinned one in the app) gets
    that host untouched from then on, for an hour. Some refuse without a word: hanging up twice means the same.
    Nothing is opened for a person who has paused capper.
    """

    def __init__(
        self,
        opened: Opened,
        clock: Callable[[], float] = time.monotonic,
        *,
        leaves_alone: Callable[[connection.Client], bool] = lambda _: False,
    ) -> None:
        self._opened = opened
        self._leaves_alone = leaves_alone
        self._clock = clock
        self._refused: dict[tuple[str, str], float] = {}
        self._doubted: set[tuple[str, str]] = set()

    def opens(self, client: str, host: str) -> bool:
        """Whether `host` is opened for the client at this address."""
        until = self._refused.get((client, host))
        if until is not None and self._clock() < until:
            return False
        return self._opened(host)

    def refuse(self, client: str, host: str) -> None:
        """Remember that this client does not take our certificate for `host`."""
        self._doubted.discard((client, host))
        self._refused.pop((client, host), None)
        self._refused[client, host] = self._clock() + REMEMBERED
        if len(self._refused) > _MOST:
            del self._refused[next(iter(self._refused))]

    def doubt(self, client: str, host: str) -> None:
        """A handshake ended in silence: the first time it may be the network, the second time it is a refusal."""
        if (client, host) in self._doubted:
            self.refuse(client, host)
        elif len(self._doubted) < _MOST:
            self._doubted.add((client, host))

    def trust(self, client: str, host: str) -> None:
        """A handshake went well: what ended in silence before was the network."""
        self._doubted.discard((client, host))

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        if data.context.server.address is None:
            return  # TLS to the proxy itself, which only we can answer
        host = _host(data.client_hello.sni, data.context.server.address[0])
        client = data.context.client
        data.ignore_connection = host is None or not self.opens(client.peername[0], host) or self._leaves_alone(client)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        error = data.conn.error or ""
        if _DISTRUST.search(error):
            self._note(data, self.refuse)
        elif _SILENCE in error:
            self._note(data, self.doubt)

    def tls_established_client(self, data: tls.TlsData) -> None:
        self._note(data, self.trust)

    def _note(self, data: tls.TlsData, what: Callable[[str, str], None]) -> None:
        address = data.context.server.address
        if address is not None and (host := _host(data.conn.sni, address[0])):
            what(data.context.client.peername[0], host)

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Pass UDP on unread: browsers do not take a private certificate over QUIC, so there is nothing to open."""
        context = nextlayer.context
        address = context.server.address
        if nextlayer.layer is None and context.client.transport_protocol == "udp" and address and address[1] != 53:
            nextlayer.layer = UDPLayer(context, ignore=True)


def _host(sni: str | None, address: str) -> str | None:
    """The host of a TLS connection; None where only an address is known."""
    name = (sni or address).rstrip(".").lower()
    return None if literal(name) else name
