"""What the proxy serves itself, to browsers that ask its own address: the PAC file."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus

from mitmproxy import http

from capper.gateway.pac import CONTENT_TYPE
from capper.proxy import addresses
from capper.proxy.pages import page, refuse
from capper.proxy.shield import Boundary
from capper.proxy.viewer import parse_address

PAC_PATHS = ("/proxy.pac", "/wpad.dat")
_HEADERS = {
    "Content-Type": CONTENT_TYPE,
    "Cache-Control": "max-age=300",
    # A page must not learn the owner's sites by including the file as a script.
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_HOUSE = frozenset({"", "local", "lan", "home", "home.arpa", "internal"})
"""Domains that exist within a house only, so that nobody outside can point such a name at us."""

Pac = Callable[[str], str]
"""The PAC file for browsers that reach the proxy at this `HOST:PORT`; may take a second."""


class Desk:
    """The addon that answers requests for the proxy's own address, before the shield refuses them.

    Only who could use the proxy without a password is served, and only by an address or name of this machine: under any
    other name a page could point at us, and read what we say.
    """

    def __init__(self, boundary: Boundary, ports: Callable[[], Collection[int]], pac: Pac | None) -> None:
        self._boundary = boundary
        self._ports = ports
        self._pac = pac

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        if flow.response or flow.error or self._pac is None:
            return None
        host, port = flow.request.host, flow.request.port
        path = flow.request.path.partition("?")[0]
        if path not in PAC_PATHS or port not in self._ports() or not _is_us(host):
            return None
        if not self._boundary.near(parse_address(flow.client_conn.peername[0])):
            return None
        if flow.request.method not in {"GET", "HEAD"}:
            refuse(flow, page(HTTPStatus.METHOD_NOT_ALLOWED, "This file can only be fetched.", {"Allow": "GET, HEAD"}))
            return None
        return self._hand_out(flow, self._pac, host, port)

    @staticmethod
    async def _hand_out(flow: http.HTTPFlow, pac: Pac, host: str, port: int) -> None:
        where = f"[{host.strip('[]')}]:{port}" if ":" in host else f"{host}:{port}"
        text = await asyncio.to_thread(pac, where)
        refuse(flow, http.Response.make(HTTPStatus.OK, text.encode("ascii"), _HEADERS))


def _is_us(host: str) -> bool:
    address = addresses.literal(host)
    if address is not None:
        return address.is_loopback or addresses.is_own(address)
    name, _, domain = host.rstrip(".").lower().partition(".")
    own = socket.gethostname().lower().partition(".")[0]
    return addresses.is_local_name(host) or (name == own and domain in _HOUSE)
