"""The server behind the owner's pages, within the event loop of the proxy. Owner of `uvicorn`."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE: Final = 20.0
"""Seconds after which a connection gets no further answer; as long again, and it is gone, whoever is slow."""
_MOST: Final = 64
"""Connections that are answered; as many again are told to come back, and more are not taken."""


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve HTTP/1.1 until cancelled."""
    config = uvicorn.Config(
        app,
        loop="none",
        http=_Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST,
        h11_max_incomplete_event_size=64 * 1024,
        timeout_keep_alive=5,
    )
    await _Beside(config).serve(sockets=[listener])


class _Beside(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `capper run` ends it."""
        yield


class _Connection(H11Protocol):
    """A connection that nobody can hold for long by sending or reading slowly: each takes one of the few there are."""

    _ends: tuple[asyncio.TimerHandle, ...] = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > 2 * _MOST:
            transport.abort()
            return
        later = self.loop.call_later
        self._ends = later(PATIENCE, self.shutdown), later(2 * PATIENCE, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        for end in self._ends:
            end.cancel()
        super().connection_lost(exc)
