"""Never a good certificate over a bad one: where a host's own certificate does not hold, its client gets to see just that.

mitmproxy asks the host first, as it should, and if that goes wrong answers the client with a fine certificate all the same,
and with an error page under it. Here the connection is passed through instead, to the host, as it came; the client judges.
So is a first message that cannot be read, which mitmproxy would hang up on.
"""

from collections.abc import Callable, Generator
from typing import Any

from mitmproxy import connection
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers import tcp
from mitmproxy.proxy.layers.http._upstream_proxy import HttpUpstreamProxy
from mitmproxy.proxy.layers.tls import ClientTLSLayer, ServerTLSLayer

LONGEST_HELLO = 128 * 1024
"""The longest first message that is waited for; TLS allows 16 MB, browsers send 2 kB."""

_Result = Generator[commands.Command, Any, tuple[bool, str | None]]
_Receive = Callable[[ClientTLSLayer, bytes], _Result]
_Start = Callable[[ClientTLSLayer], Generator[commands.Command, Any, str | None]]


class _NotVouchedFor(Exception):
    """The host cannot be reached with TLS that holds."""


def vouch() -> None:
    """Let mitmproxy pass connections through where it cannot vouch for the host; calling it again does nothing."""
    if hasattr(ClientTLSLayer.receive_handshake_data, "vouching"):
        return
    ClientTLSLayer.start_server_tls = _raising(ClientTLSLayer.start_server_tls)  # type: ignore[assignment, method-assign]
    ClientTLSLayer.receive_handshake_data = _passing(ClientTLSLayer.receive_handshake_data)  # type: ignore[assignment, method-assign]


def _raising(start: _Start) -> _Start:
    def start_server_tls(self: ClientTLSLayer) -> Generator[commands.Command, Any, str | None]:
        if error := (yield from start(self)):
            raise _NotVouchedFor(error)
        return None

    return start_server_tls


def _passing(receive: _Receive) -> _Receive:
    def receive_handshake_data(self: ClientTLSLayer, data: bytes) -> _Result:
        begun = self.client_hello_parsed
        try:
            done, error = yield from receive(self, data)
        except _NotVouchedFor:
            return (yield from _pass_through(self, anew=True))
        unread = not begun and not self.client_hello_parsed
        if unread and not self.is_dtls and (error or len(self.recv_buffer) > LONGEST_HELLO) and _goes_somewhere(self):
            return (yield from _pass_through(self, anew=False))
        return done, error

    receive_handshake_data.vouching = True  # type: ignore[attr-defined]
    return receive_handshake_data


def _goes_somewhere(layer: ClientTLSLayer) -> bool:
    return layer.server_tls_available and layer.context.server.address is not None


def _pass_through(layer: ClientTLSLayer, *, anew: bool) -> _Result:
    """Pass on what the client sent, as it came, and whatever follows; over a new connection to the host if `anew`."""
    context, nobody = layer.context, connection.Client(peername=("ignore-conn", 0), sockname=("ignore-conn", 0))
    layer.client_hello_parsed = True
    layer.conn = layer.tunnel_connection = nobody
    parent = context.layers[context.layers.index(layer) - 1]
    assert isinstance(parent, ServerTLSLayer)
    parent.conn = connection.Server(address=None)
    if anew:
        # What still comes from the failed connection ends at the parent.
        failed, context.server = context.server, connection.Server(address=context.server.address)
        context.server.via = failed.via
    else:
        parent.tunnel_connection = parent.conn
    layer.child_layer = _relay(context)
    # The layer has queued the start, and this after it.
    yield from layer.event_to_child(events.DataReceived(context.client, bytes(layer.recv_buffer)))
    layer.recv_buffer.clear()
    return True, None


def _relay(context: Context) -> Layer:
    relay = tcp.TCPLayer(context, ignore=True)
    if not context.server.via or context.server.connected:
        return relay
    stack = HttpUpstreamProxy.make(context, send_connect=True)
    stack /= relay
    return stack[0]
