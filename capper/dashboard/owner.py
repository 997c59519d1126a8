"""The owner's pages, on a port of their own: how capper is, its people, lists and policy; nobody's record is among them."""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from capper.dashboard import editing
from capper.dashboard.guard import Form, Guard, Refusal, Seals, posted
from capper.dashboard.health import State, findings, ledger_finding, lists_of
from capper.dashboard.house import House
from capper.dashboard.keys import SESSION, Sessions, place_of, same
from capper.dashboard.metrics import CONTENT_TYPE, exposition
from capper.dashboard.rendering import page, received, stylesheet
from capper.dashboard.speech import Tongue, tongue_for
from capper.devices.strangers import read_strangers, strangers_file
from capper.domain.errors import CapperError, ConfigError, LedgerUnavailable
from capper.refusals import Refusals
from capper.settings.names import a_device, a_name
from capper.settings.pauses import in_force, pauses_file, read_pauses

logger = logging.getLogger(__name__)

COOKIE: Final = "capper_owner"
_OWNER: Final = "\0owner"
"""Whose forms these are; nobody can be called so."""
_MACHINES: Final = ("/healthz", "/metrics")
"""What programs ask, by whatever name a container or a cluster has for us: one tells nothing, the other asks for a word of its own."""
_OPEN: Final = ("/signin", "/dashboard.css", *_MACHINES)
"""What is there before somebody has signed in."""


def create_owner_app(house: House, metrics: str, owner: str | None = None) -> Starlette:
    """The application for the owner's own port.

    Args:
        metrics: the word that a monitoring system gives as its bearer token.
        owner: the word to sign in with; None asks nobody, for a port that only this machine can reach.
    """
    return _Owner(house, metrics, Sessions(owner) if owner else None).app()


class _Owner:
    """The endpoints, and what they have in common."""

    def __init__(self, house: House, metrics: str, sessions: Sessions | None) -> None:
        self._house, self._metrics, self._sessions = house, metrics, sessions
        self._seals = Seals(house.secret, house.clock)
        self._refusals = Refusals(logger)

    def app(self) -> Starlette:
        form = posted(self._seals, lambda _: _OWNER)
        get, post = ["GET"], ["POST"]
        return Starlette(
            routes=[
                Route("/", self.health, methods=get),
                Route("/people", self.people, methods=get),
                Route("/people", form(self.give), methods=post),
                Route("/lists", self.lists, methods=get),
                Route("/policy", self.policy, methods=get),
                Route("/policy", form(self.edit), methods=post),
                Route("/signin", self.door, methods=get),
                Route("/signin", form(self.sign_in), methods=post),
                Route("/signout", form(self.sign_out), methods=post),
                Route("/healthz", self.healthz, methods=get),
                Route("/metrics", self.metrics, methods=get),
                Route("/dashboard.css", _stylesheet, methods=get),
            ],
            middleware=[
                Middleware(Guard, hosts=is_own_name, page=self._page_of_fault, machines=_MACHINES),
                Middleware(_Door, admits=self._admits),
            ],
            exception_handlers={
                LedgerUnavailable: self._silent,
                ConfigError: self._unreadable,
                HTTPException: self._missing,
            },
        )

    # Pages

    async def health(self, request: Request) -> Response:
        """How capper is, and what it has done since it started."""
        house = self._house
        return await self._page(
            request,
            "owner_health.html",
            findings=await findings(house),
            totals=house.totals,
            started=house.started,
        )

    async def people(self, request: Request) -> Response:
        """Who there is, by which devices each is known, and the devices that are nobody's."""
        return await self._people_page(request, "")

    async def give(self, request: Request, form: Form) -> Response:
        """Give a device to somebody, whom the policy may not know yet."""
        try:
            edit = editing.giving(a_device(received(form.get("device", ""))), a_name(form.get("person", "").strip()))
            await editing.change(self._house, edit, "the owner", "a device given in the dashboard")
        except (CapperError, ValueError) as exc:
            return await self._people_page(request, str(exc))
        return RedirectResponse("/people?saved=yes", 303)

    async def _people_page(self, request: Request, problem: str) -> Response:
        house = self._house
        paused, strangers = await asyncio.to_thread(self._people)
        saved = not problem and request.query_params.get("saved") == "yes"
        return await self._page(
            request,
            "owner_people.html",
            policy=house.policy(),
            paused=paused,
            strangers=strangers,
            problem=problem,
            saved=saved,
        )

    async def lists(self, request: Request) -> Response:
        """The filter lists."""
        return await self._page(request, "owner_lists.html", lists=await asyncio.to_thread(lists_of, self._house))

    async def policy(self, request: Request) -> Response:
        """The policy's text, to be edited."""
        draft = await editing.in_force(self._house)
        saved = request.query_params.get("saved") == "yes"
        return await self._page(request, "owner_policy.html", draft=draft, checked=False, saved=saved, problem="")

    async def edit(self, request: Request, form: Form) -> Response:
        """Check what was written, and save it where that is asked for and nothing is wrong."""
        draft = await editing.checked(form.get("text", ""), form.get("base", ""))
        problem = ""
        if form.get("do") == "save" and not draft.errors:
            try:
                await editing.save(self._house, draft, "the owner")
            except CapperError as exc:
                problem = str(exc)
            else:
                return RedirectResponse("/policy?saved=yes", 303)
        return await self._page(request, "owner_policy.html", draft=draft, checked=True, saved=False, problem=problem)

    # The door

    async def door(self, request: Request) -> Response:
        """Where the owner signs in."""
        return await self._page(request, "signin.html", wrong=False)

    async def sign_in(self, request: Request, form: Form) -> Response:
        """A session for who knows the word."""
        place = place_of(request.client.host if request.client else "")
        cookie = self._sessions.begin(form.get("token", ""), place, self._house.clock()) if self._sessions else None
        if cookie is None:
            self._refusals.tell("a wrong token", "a token to sign in that is wrong, or one try too many")
            return await self._page(request, "signin.html", status=HTTPStatus.FORBIDDEN, wrong=True)
        response = RedirectResponse("/", 303)
        secure, life = request.url.scheme == "https", int(SESSION.total_seconds())
        response.set_cookie(COOKIE, cookie, max_age=life, httponly=True, samesite="strict", secure=secure)
        return response

    async def sign_out(self, _: Request, __: Form) -> Response:
        """The end of the session in this browser."""
        response = RedirectResponse("/signin", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    # Machines

    async def healthz(self, _: Request) -> Response:
        """Whether capper can count: 200 if the ledger answers, else 503; ads pass uncounted meanwhile."""
        found = ledger_finding(await self._house.ledger.health())
        failed = found.state is State.FAIL
        return JSONResponse({"status": "degraded" if failed else "ok"}, 503 if failed else 200)

    async def metrics(self, request: Request) -> Response:
        """The figures, for who has the word for them."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not same(given.strip(), self._metrics):
            if given:
                self._refusals.tell("a wrong token", "a bearer token for the figures that is wrong")
            return PlainTextResponse("A bearer token is needed.\n", 401, headers={"WWW-Authenticate": "Bearer"})
        house = self._house
        lists = await asyncio.to_thread(lists_of, house)
        text = exposition(
            house.totals,
            ledger=(await house.ledger.health()).ok,
            version=house.version(),
            people=len(house.policy().people),
            rules=sum(status.subscription.rules for status in lists),
            started=house.started,
            ends=house.certificate_ends,
            workers=house.board.workers if house.board else (),
        )
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    # What they have in common

    def _admits(self, request: Request) -> bool:
        if self._sessions is None or request.url.path in _OPEN:
            return True
        return self._sessions.holds(request.cookies.get(COOKIE, ""), self._house.clock())

    def _people(self) -> tuple[dict[str, Any], dict[str, Any]]:
        state, now = self._house.settings.state, self._house.clock()
        try:
            paused: dict[str, Any] = dict(in_force(read_pauses(pauses_file(state)), now))
        except ConfigError:
            paused = {}  # the log has said what is wrong with the file
        return paused, dict(read_strangers(strangers_file(state), now))

    def _tongue(self, request: Request) -> Tongue:
        accepted = request.headers.get("accept-language", "")
        return tongue_for(
            self._house.policy(), None if accepted else self._house.settings.language, accepted, self._house.clock()
        )

    async def _page(self, request: Request, template: str, **model: Any) -> Response:
        return await page(
            template,
            self._tongue(request),
            here=request.url.path,
            seal=self._seals.of(_OWNER),
            locked=self._sessions is not None,
            **model,
        )

    async def _silent(self, request: Request, exc: Exception) -> Response:
        return await self._page_of_fault(request, 503, str(exc))

    async def _unreadable(self, request: Request, exc: Exception) -> Response:
        return await self._page_of_fault(request, 500, str(exc))

    async def _missing(self, request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        return await self._page_of_fault(request, exc.status_code)

    async def _page_of_fault(self, request: Request, status: int, detail: str = "") -> Response:
        model = {"frame": "owner.html", "fault": status, "detail": detail}
        return await self._page(request, "fault.html", status=status, **model)


class _Door:
    """Lets nobody in who has not signed in."""

    def __init__(self, app: ASGIApp, admits: Callable[[Request], bool]) -> None:
        self._app, self._admits = app, admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._admits(Request(scope)):
            if scope["method"] not in {"GET", "HEAD"}:
                raise Refusal("nobody has signed in", 401)
            await RedirectResponse("/signin", 303)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def is_own_name(host: str) -> bool:
    """Whether a name can only be this machine's: an address, `localhost`, or what it calls itself. Others can be pointed here."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in {"localhost", socket.gethostname().lower()}
    return True


async def _stylesheet(_: Request) -> Response:
    return stylesheet()
