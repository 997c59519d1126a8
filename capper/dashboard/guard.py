"""Refuses what comes from elsewhere: other sites' forms and frames, and names that somebody outside has pointed at us."""

import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from capper.dashboard.unasked import OURS, climbs, is_prying
from capper.domain.daily import day_of
from capper.ledger.secret import Secret, as_bytes
from capper.refusals import Refusals, quoted

logger = logging.getLogger(__name__)

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer a browser would not say that a form is ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=(), browsing-topics=()",
}
_SAFE: Final = ("GET", "HEAD")
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9a-z_.-]+?)\.?)(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
"""A Host field as browsers write it: an address or a name, perhaps a port, and nothing that another reader would read otherwise."""
LARGEST_FORM: Final = 600 * 1024
"""A policy of the largest size that is read, once every letter of it is escaped as it may be."""
_FIELDS: Final = 20

Form = Mapping[str, str]


class Refusal(Exception):
    """A request that is not served; `status` is HTTP's."""

    def __init__(self, reason: str, status: int = 403) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def kind(self) -> str:
        """What it is told as when there are many."""
        return HTTPStatus(self.status).phrase


class Guard:
    """The outermost layer of the application: asks where a request comes from, and says in each answer what it may do."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Callable[[str], bool],
        page: Callable[[Request, int], Awaitable[Response]],
        machines: Collection[str] = (),
    ) -> None:
        """Guards `app`.

        Args:
            hosts: says of a Host field, without its port, whether it is ours.
            page: tells a reader of ours of a refusal by its status; who comes from elsewhere gets a line of text.
            machines: paths that are answered under any name.
        """
        self._app, self._hosts, self._page, self._machines = app, hosts, page, machines
        self._refusals = Refusals(logger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["type"] != "http":
            return
        ours = False
        try:
            self._check(scope)
            ours = True
            await self._app(scope, receive, guarded)
        except Refusal as refusal:
            self._refusals.tell(refusal.kind, f"{quoted(scope['method'])[1:-1]} {quoted(scope['path'])}: {refusal}")
            answer: Response = PlainTextResponse(f"Refused: {refusal}.\n", refusal.status)
            if ours:
                answer = await self._page(Request(scope), refusal.status)
            await answer(scope, receive, guarded)

    def _check(self, scope: Scope) -> None:
        if climbs(scope["path"]):
            raise Refusal("the path leads elsewhere", 404)
        if scope["path"] not in self._machines:
            check_origin(scope["method"], scope["scheme"], Headers(scope=scope), self._hosts)


def check_origin(method: str, scheme: str, headers: Headers, hosts: Callable[[str], bool]) -> None:
    """Whether a request may be served at all, by what a browser cannot be made to say.

    Raises:
        Refusal: it may not.
    """
    host = headers.get("host", "")
    if not hosts(_name(host)):
        raise Refusal(f"the name {quoted(host)} is not ours", 421)
    if headers.get("upgrade", "").lower() == "websocket":
        raise Refusal("there is nothing here for a web socket", 400)
    if method in _SAFE:
        if is_prying(headers):
            raise Refusal("another site asks for it")
        return
    if headers.get("sec-fetch-site", "none") not in OURS:
        raise Refusal("the form is another site's")
    origin = headers.get("origin", "")
    if origin != f"{scheme}://{host}":
        raise Refusal(f"the form is of {quoted(origin)}, not of this page")


def _name(host: str) -> str:
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""


class Seals:
    """The secret word in each form: of one person, for today and tomorrow, and nobody else's to make."""

    def __init__(self, secret: Secret, clock: Callable[[], datetime]) -> None:
        self._key, self._clock = secret.root("\0forms"), clock

    def of(self, name: str) -> str:
        """The word for the forms of `name` today."""
        return self._word(name, self._day())

    def check(self, name: str, given: str) -> None:
        """Whether a form is one of `name`'s.

        Raises:
            Refusal: it is not.
        """
        today = self._day()
        # As bytes: a text that is not ASCII cannot be compared in constant time.
        if not any(hmac.compare_digest(as_bytes(given), self._word(name, day).encode()) for day in (today, today - 1)):
            raise Refusal("the form is not hers, or is more than a day old; load the page again")

    def _day(self) -> int:
        return day_of(self._clock(), UTC)

    def _word(self, name: str, day: int) -> str:
        return hashlib.blake2b(as_bytes(f"{day}:{name}"), key=self._key, digest_size=18).hexdigest()


Handler = Callable[[Request], Awaitable[Response]]
FormHandler = Callable[[Request, Form], Awaitable[Response]]


def posted(seals: Seals, name: Callable[[Request], str]) -> Callable[[FormHandler], Handler]:
    """Makes an endpoint of a function that takes a form, which must carry the seal of whoever `name` says asks."""

    def wrapped(handle: FormHandler) -> Handler:
        @wraps(handle)
        async def endpoint(request: Request) -> Response:
            form = await read_form(request)
            seals.check(name(request), form.get("seal", ""))
            return await handle(request, form)

        return endpoint

    return wrapped


async def read_form(request: Request) -> Form:
    """The fields of a form sent as URL-encoded text; of several with one name the last.

    Raises:
        Refusal: it is too large, or something else.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Refusal("a form is expected", 415)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            raise Refusal("the form is too large", 413)
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError as exc:
        raise Refusal("the form cannot be read", 400) from exc
