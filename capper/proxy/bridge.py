"""From mitmproxy's flow to an ASGI application in this process, and its answer back to the flow."""

import asyncio
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes

from mitmproxy import http
from starlette.types import ASGIApp

from capper.dashboard.house import VIEWER
from capper.domain.identity import Viewer

Message = MutableMapping[str, Any]

_HOP: frozenset[bytes] = frozenset({b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive"})
"""What is between the browser and the proxy, and none of the application's business: a password may be in it."""


async def ask(app: ASGIApp, flow: http.HTTPFlow, viewer: Viewer) -> http.Response:
    """What `app` answers to the flow's request; its body must have been read.

    Raises:
        RuntimeError: the application did not answer.
    """
    asked, over = _Asked(flow.request.raw_content or b""), asyncio.Event()
    await app(scope_of(flow, viewer), asked.receive(over), asked.send)
    over.set()
    if not asked.status:
        raise RuntimeError("the application did not answer")
    # An application answers HEAD as GET, and leaves what is not to be sent to its server.
    body = b"" if flow.request.method == "HEAD" else bytes(asked.body)
    return http.Response.make(asked.status, body, asked.headers)


def scope_of(flow: http.HTTPFlow, viewer: Viewer) -> dict[str, Any]:
    """The request as ASGI 3 has it, with the viewer the proxy knows by the connection."""
    request = flow.request
    raw, _, query = request.data.path.partition(b"?")
    fields = [(name.lower(), value) for name, value in request.headers.fields if name.lower() not in _HOP]
    if not any(name == b"host" for name, _ in fields):
        fields.append((b"host", request.pretty_host.encode("ascii", "replace")))  # HTTP/2 says it elsewhere
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "2" if request.is_http2 else "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": fields,
        "client": flow.client_conn.peername[:2],
        "server": None,
        VIEWER: viewer,
    }


class _Asked:
    """One conversation with the application."""

    def __init__(self, body: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self._given: bytes | None = body

    def receive(self, over: asyncio.Event) -> Any:
        async def receive() -> Message:
            if self._given is None:
                await over.wait()
                return {"type": "http.disconnect"}
            body, self._given = self._given, None
            return {"type": "http.request", "body": body, "more_body": False}

        return receive

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name, value) for name, value in message["headers"] if name.lower() != b"content-length"]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
