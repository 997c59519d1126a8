"""The server behind the owner's pages, within the event loop of the proxy. Owner of `uvicorn`."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve HTTP/1.1 until cancelled."""
    config = uvicorn.Config(
        app,
        loop="none",
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=64,
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
