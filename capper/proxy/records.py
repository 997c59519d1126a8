"""What goes through a TLS connection, with fewer records, writes and exceptions than mitmproxy makes of it.

mitmproxy reads until an exception says that there is nothing more, makes a record and a write of each piece, a head and its
body apart, and takes a new 64 kB to read each of them into.
"""

import logging
from typing import Final

from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.tls import ClientTLSLayer, TLSLayer
from mitmproxy.proxy.tunnel import TunnelState
from OpenSSL import SSL

# pyOpenSSL's own way to OpenSSL; its methods tell by exceptions what is the end of nearly every read.
_lib, _ffi = SSL._lib, SSL._ffi  # type: ignore[attr-defined]  # noqa: SLF001

_SIZE: Final = 65536
_ROOM: Final = _ffi.new("char[]", _SIZE)
"""What is read, until it has been copied; there is one thread that reads."""


def join_records() -> None:
    """Replace mitmproxy's own; calling it again does nothing."""
    TLSLayer.receive_data = _receive  # type: ignore[method-assign]
    TLSLayer.tls_interact = _send_waiting  # type: ignore[method-assign]
    TLSLayer.event_to_child = _in_one_piece  # type: ignore[assignment, method-assign]


def _receive(self: TLSLayer, data: bytes) -> CommandGenerator[None]:
    if data:
        self.tls.bio_write(data)
    plain, close = bytearray(), False
    try:
        _read(self.tls, plain)
    except SSL.ZeroReturnError:
        close = True
    except SSL.Error as exc:
        alert = f"TLS Error: {exc}"
        if isinstance(self, ClientTLSLayer):
            # Firefox on Android shakes hands first and says only then that it does not like the certificate.
            self.conn.error = alert
        yield commands.Log(alert, logging.WARNING)
    # Only now: reading may have something to be sent.
    yield from self.tls_interact()
    if plain:
        yield from self.event_to_child(events.DataReceived(self.conn, bytes(plain)))
    if close:
        self.conn.state &= ~ConnectionState.CAN_READ
        yield from self.event_to_child(events.ConnectionClosed(self.conn))


def _read(tls: SSL.Connection, plain: bytearray) -> None:
    """Take all that is there.

    Raises:
        SSL.Error: more than that there is nothing more.
    """
    ssl = tls._ssl  # noqa: SLF001
    while (size := _lib.SSL_read(ssl, _ROOM, _SIZE)) > 0:
        plain += _ffi.buffer(_ROOM, size)
    if _lib.SSL_get_error(ssl, size) != _lib.SSL_ERROR_WANT_READ:
        tls._raise_ssl_error(ssl, size)  # noqa: SLF001


def _send_waiting(self: TLSLayer) -> CommandGenerator[None]:
    """Send what OpenSSL has ready."""
    while (size := _lib.BIO_read(self.tls._from_ssl, _ROOM, _SIZE)) > 0:  # noqa: SLF001
        yield commands.SendData(self.conn, _ffi.buffer(_ROOM, size)[:])
        if size < _SIZE:
            return


def _in_one_piece(self: TLSLayer, event: events.Event) -> CommandGenerator[None]:
    """Pass an event on; what is sent in answer without anything else in between is sent in one piece."""
    if self.tunnel_state is TunnelState.ESTABLISHING and not self.command_to_reply_to:
        self._event_queue.append(event)
        return
    pieces: list[bytes] = []
    for command in self.child_layer.handle_event(event):
        if type(command) is commands.SendData and command.connection is self.conn:
            pieces.append(command.data)
            continue
        if pieces:
            yield from self.send_data(b"".join(pieces))
            pieces.clear()
        yield from self._handle_command(command)
    if pieces:
        yield from self.send_data(b"".join(pieces))
