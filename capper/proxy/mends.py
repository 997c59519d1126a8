"""Corrections to mitmproxy for four cases in which it hangs, errs or leaks; each says which and why.

They take effect once, for the whole process, and change nothing for any other input.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

from h11 import EndOfMessage
from h11._readers import ChunkedReader
from mitmproxy.connection import Connection
from mitmproxy.proxy import events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Connection, Http1Server
from mitmproxy.proxy.server import ConnectionHandler

LARGEST_HEAD = 1024 * 1024
"""No browser or server sends more header bytes; without a limit one peer could fill the memory."""

_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d[ \r\n]")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")

_Handle = Callable[[ConnectionHandler, Connection], Coroutine[Any, Any, None]]
_Read = Callable[[Any, Any], CommandGenerator[None]]


class TrailerlessReader(ChunkedReader):
    """Reads a chunked body and discards its trailer fields, as RFC 9112 section 7.1.2 allows.

    mitmproxy raises NotImplementedError on them inside its core, after which the connection stands still.
    """

    def __call__(self, buf: Any) -> Any:
        event = super().__call__(buf)
        return EndOfMessage() if isinstance(event, EndOfMessage) else event


def mend() -> None:
    """Apply the corrections; calling it again does nothing."""
    if vars(_http1)["ChunkedReader"] is TrailerlessReader:
        return
    vars(_http1)["ChunkedReader"] = TrailerlessReader
    Http1Client.read_headers = _limited(_without_interim(Http1Client.read_headers))  # type: ignore[assignment, method-assign]
    ConnectionHandler.handle_connection = _closing(ConnectionHandler.handle_connection)  # type: ignore[assignment, method-assign]
    Http1Server.read_headers = _limited(Http1Server.read_headers)  # type: ignore[assignment, method-assign]


def _without_interim(read: _Read) -> _Read:
    """Skip interim responses (100, 102, 103): mitmproxy takes the first for the final one and drops the real answer."""

    def read_headers(self: Http1Client, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.DataReceived) and self.request:
            while _INTERIM.match(head := bytes(self.buf)) and _BLANK_LINE.search(head):
                self.buf.maybe_extract_lines()
        yield from read(self, event)

    return read_headers


def _limited(read: _Read) -> _Read:
    """Give up a connection whose header section does not end."""

    def read_headers(self: Http1Connection, event: events.Event) -> CommandGenerator[None]:
        yield from read(self, event)
        # A head that was read has left the buffer, so what is left beyond the limit is a head without an end.
        if len(self.buf) > LARGEST_HEAD and self.state == self.read_headers:
            self.buf = type(self.buf)()
            yield from read(self, events.ConnectionClosed(self.conn))
            self.state = self.done

    return read_headers


def _closing(handle: _Handle) -> _Handle:
    """Close the socket even if the handler is cancelled while it cleans up.

    It is when an origin's answer cannot be read: once for the origin's fault, and once more as the client is let go.
    """

    async def handle_connection(self: ConnectionHandler, connection: Connection) -> None:
        writer = self.transports[connection].writer
        try:
            await handle(self, connection)
        finally:
            if isinstance(writer, asyncio.StreamWriter):
                writer.close()

    return handle_connection
