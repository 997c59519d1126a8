"""capper's own host, `capper.internal`: where a device gets the certificate, proves that it trusts it, and finds the dashboard.

The page loads a picture from a name below, made up for this one look, over TLS with our certificate. Only a device that trusts us
loads it: no browser lets a person click a warning away for a picture, nor keep an exception for a name that never was.
"""

import asyncio
import ipaddress
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from mitmproxy import connection, dns, http
from mitmproxy.proxy import server_hooks
from starlette.types import ASGIApp

from capper.dashboard.unasked import climbs, is_prying
from capper.domain.identity import Viewer
from capper.gateway.ours import ADDRESSES, HOST, is_ours, leads_to_us
from capper.proxy import bridge
from capper.proxy.authority import Authority
from capper.proxy.faults import place, trace
from capper.proxy.invitation import LOOK, PROOF, invitation, mobile_profile, tick
from capper.proxy.pages import SAFE, brief, page, refuse
from capper.refusals import Refusals, quoted
from capper.rewrite import wording

_TOKEN_FOR = 600.0
_MOST_TOKENS = 500
_TTL = 60
_A = 1
"""The type of a record with an IPv4 address (RFC 1035)."""
_INVITING = ("/", "/device")
_AWAITED = "capper.awaited"
"""Marks a flow whose form is read before the dashboard answers."""
_DOWNLOADS = ("/capper-ca.pem", "/capper-ca.cer", "/capper-ca.mobileconfig")
_OWN = (*_INVITING, *_DOWNLOADS)
"""What is answered here; what else there is on our host, or is not, the dashboard says."""

_FIRST = "/followers"
"""Where a device that trusts us finds its person's pages."""

logger = logging.getLogger(__name__)

Prove = Callable[[connection.Client], bool]


@dataclass(frozen=True, slots=True)
class Pages:
    """The dashboard: the application, and whose pages it is to show, by connection."""

    app: ASGIApp
    viewer: Callable[[connection.Client], Viewer]


class Porch:
    """The addon that answers for our own host, whatever way a request for it came in.

    Nobody else is connected to for it: a browser's CONNECT is answered here, and a redirected connection, which mitmproxy
    completes before it knows what for, is led to a socket that never says anything.
    """

    def __init__(
        self,
        authority: Authority,
        prove: Prove,
        proven: Callable[[connection.Client], bool],
        clock: Callable[[], float] = time.monotonic,
        *,
        pages: Pages | None = None,
    ) -> None:
        self._pages = pages
        self._authority, self._prove, self._proven, self._clock = authority, prove, proven, clock
        self._tokens: OrderedDict[str, float] = OrderedDict()
        self._well: asyncio.Server | None = None
        self._led: dict[str, tuple[str, int]] = {}
        self._refusals = Refusals(logger)

    # The way in

    async def running(self) -> None:
        self._well = await asyncio.start_server(_hold, "127.0.0.1", 0)

    async def done(self) -> None:
        if self._well:
            self._well.close()

    def http_connect(self, flow: http.HTTPFlow) -> None:
        if not flow.response and is_ours(_name(flow.request.host)):
            flow.response = http.Response.make(HTTPStatus.OK)

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        address = data.server.address
        if address and leads_to_us(address[0]) and self._well and data.server.transport_protocol == "tcp":
            self._led[data.server.id] = (address[0], address[1])
            data.server.address = self._well.sockets[0].getsockname()[:2]

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        if address := self._led.pop(data.server.id, None):
            # mitmproxy lets nobody change the address of an open connection: it would not know where it leads. This one leads nowhere.
            object.__setattr__(data.server, "address", address)

    server_connect_error = server_connected

    def dns_request(self, flow: dns.DNSFlow) -> None:
        """Say where we are to devices that ask us for names: those behind WireGuard."""
        question = flow.request.question
        if flow.response or question is None or not is_ours(_name(question.name)):
            return
        address = dns.ResourceRecord.A(question.name, ipaddress.IPv4Address(ADDRESSES[0]), ttl=_TTL)
        flow.response = flow.request.succeed([address] if question.type == _A else [])

    # What is there

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        if flow.response or flow.error:
            return None
        host, path = _name(flow.request.pretty_host), flow.request.path.partition("?")[0]
        if not is_ours(host):
            self._mind(flow, host)
        # Our own page and its picture are of two sites to a browser: they differ in http and https.
        elif is_prying(flow.request.headers) and not self._is_current(host):
            self._refusals.tell("asked for by another site's page", f"another site's page asks for {quoted(path)}")
            # A page elsewhere must not find out that somebody uses capper.
            flow.kill()  # type: ignore[no-untyped-call]
        elif climbs(path):
            self._refusals.tell("not there", f"{quoted(path)} leads elsewhere")
            refuse(flow, _nothing())
        elif self._pages and host == HOST and path not in _OWN:
            return self._show(self._pages, flow)
        else:
            refuse(flow, self._answer(flow, host))
        return None

    def _mind(self, flow: http.HTTPFlow, host: str) -> None:
        """Refuse what was led to us by another name: somebody may have pointed it here (DNS rebinding)."""
        if leads_to_us(flow.request.host):
            self._refusals.tell("another name", f"the name {quoted(host)} is not ours")
            refuse(flow, page(HTTPStatus.MISDIRECTED_REQUEST, f"capper's page is http://{HOST}/."))

    async def _show(self, pages: Pages, flow: http.HTTPFlow) -> None:
        """Answer from the dashboard, now or once a form was read."""
        if flow.request.method in {"GET", "HEAD"} and flow.request.scheme == "http" and self._proven(flow.client_conn):
            # Nobody else on the network needs to read along.
            refuse(
                flow,
                page(HTTPStatus.FOUND, "It is served over https.", {"Location": f"https://{HOST}{flow.request.path}"}),
            )
        elif flow.request.method != "POST":
            refuse(flow, await self._shown(pages, flow))
        elif brief(flow.request):
            flow.metadata[_AWAITED] = pages
        else:
            refuse(flow, page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too much."))

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """A form that was read."""
        pages = flow.metadata.pop(_AWAITED, None)
        return self._fill(pages, flow) if pages and not flow.response and not flow.error else None

    async def _fill(self, pages: Pages, flow: http.HTTPFlow) -> None:
        flow.response = await self._shown(pages, flow)

    async def _shown(self, pages: Pages, flow: http.HTTPFlow) -> http.Response:
        try:
            return await bridge.ask(pages.app, flow, pages.viewer(flow.client_conn))
        except Exception as exc:  # noqa: BLE001  a page that fails must not take the proxy with it
            logger.error("show a page of the dashboard: %s\n%s", place(exc), trace(exc))  # noqa: TRY400  see faults
            return page(HTTPStatus.INTERNAL_SERVER_ERROR, "capper could not make this page; its log says more.")

    def _answer(self, flow: http.HTTPFlow, host: str) -> http.Response:
        if flow.request.method not in {"GET", "HEAD"}:
            return page(HTTPStatus.METHOD_NOT_ALLOWED, "There is nothing to send here.", {"Allow": "GET, HEAD"})
        path = flow.request.path.partition("?")[0]
        if host != HOST:
            return self._proof(flow, host) if path == PROOF else _nothing()
        if path in _DOWNLOADS:
            return self._download(path)
        proven, fingerprint = self._proven(flow.client_conn), self._authority.fingerprint()
        if path == "/" and proven and self._pages:
            return page(HTTPStatus.FOUND, "Your pages are there.", {"Location": f"https://{HOST}{_FIRST}"})
        if path not in _INVITING:
            return _nothing()
        shown = invitation(self._token(), fingerprint, proven=proven, language=self._language(flow))
        return _reply(shown, "text/html; charset=utf-8")

    def _proof(self, flow: http.HTTPFlow, host: str) -> http.Response:
        if not (self._is_current(host) and flow.client_conn.sni == host):
            return _nothing()
        self._prove(flow.client_conn)
        # Its page came over http, to which no picture is of the same site.
        shared = {"Cross-Origin-Resource-Policy": "cross-origin"}
        return _reply(tick(self._language(flow)), "image/svg+xml", **shared)

    def _language(self, flow: http.HTTPFlow) -> str:
        """The one the policy names for whoever is there, else one that her browser accepts."""
        chosen = self._pages.viewer(flow.client_conn).language if self._pages else None
        return wording.language_of(chosen, flow.request.headers.get("accept-language", ""))

    def _download(self, path: str) -> http.Response:
        if path.endswith(".mobileconfig"):
            return _reply(mobile_profile(self._authority.der()), "application/x-apple-aspen-config")
        content = self._authority.pem() if path.endswith(".pem") else self._authority.der()
        return _reply(content, "application/x-x509-ca-cert")

    def _is_current(self, host: str) -> bool:
        return self._tokens.get(host.removesuffix(f".{HOST}"), 0.0) > self._clock()

    def _token(self) -> str:
        token = secrets.token_hex(8)
        self._tokens[token] = self._clock() + _TOKEN_FOR
        while len(self._tokens) > _MOST_TOKENS:
            self._tokens.popitem(last=False)
        return token


async def _hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.read(4096):
            pass
    finally:
        writer.close()


def _reply(content: bytes, kind: str, **headers: str) -> http.Response:
    fields = {"Content-Type": kind, **SAFE, "X-Frame-Options": "DENY", "Content-Security-Policy": LOOK}
    return http.Response.make(HTTPStatus.OK, content, fields | headers)


def _nothing() -> http.Response:
    return page(HTTPStatus.NOT_FOUND, f"There is nothing here; http://{HOST}/ is capper's page.")


def _name(host: str) -> str:
    return host.rstrip(".").lower()
