"""A person's own pages, on capper's host: what follows her, why, and what she can do about it."""

import asyncio
import logging
from datetime import timedelta
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from capper.dashboard import about, editing, supposing
from capper.dashboard.decided import SHOWN_BY, records_of, rows_of
from capper.dashboard.export import export
from capper.dashboard.full import full_caps
from capper.dashboard.guard import Form, Guard, Refusal, Seals, posted
from capper.dashboard.house import House, viewer_of
from capper.dashboard.overview import SPANS, overview
from capper.dashboard.rendering import page, received, stylesheet
from capper.dashboard.speech import Tongue, tongue_for
from capper.domain.errors import CapperError, ConfigError, LedgerUnavailable
from capper.domain.identity import Level
from capper.domain.mute import Mute, Name, Why
from capper.domain.policy import EVERYWHERE
from capper.gateway.ours import HOST
from capper.ledger.base import NAME_LIMIT
from capper.settings.pauses import LONGEST, in_force, pause, pauses_file, read_pauses
from capper.settings.policy_own import own_rule, set_own_caps, set_own_level, set_own_silence

logger = logging.getLogger(__name__)

PAUSES: Final = tuple(timedelta(minutes=each) for each in (30, 120, 1440))


def create_app(house: House) -> Starlette:
    """The application for requests through the proxy; `VIEWER` in each scope says whose pages are asked for."""
    return _Person(house).app()


class _Person:
    """The endpoints, and what they have in common."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seals = Seals(house.secret, house.clock)
        self._about = about.About(house, self._page, self._tongue)

    def app(self) -> Starlette:
        form = posted(self._seals, lambda request: viewer_of(request).name)
        get = ["GET"]  # and HEAD with it
        return Starlette(
            routes=[
                Route("/followers", self.followers, methods=get),
                Route("/decisions", self.decisions, methods=get),
                Route("/caps", self.caps, methods=get),
                Route("/data", self.data, methods=get),
                Route("/export.json", self.export, methods=get),
                Route("/caps", form(self.keep), methods=["POST"]),
                Route("/mute", form(self.mute), methods=["POST"]),
                Route("/unmute", form(self.unmute), methods=["POST"]),
                Route(about.PATH, self._about.show, methods=get),
                Route(about.PATH, form(self._about.act), methods=["POST"]),
                Route("/privacy", form(self.privacy), methods=["POST"]),
                Route("/untold", form(self.untold), methods=["POST"]),
                Route("/pause", form(self.pause), methods=["POST"]),
                Route("/forget", form(self.forget), methods=["POST"]),
                Route("/dashboard.css", _stylesheet, methods=get),
            ],
            middleware=[Middleware(Guard, hosts=lambda host: host == HOST, page=self._page_of_fault)],
            exception_handlers={
                LedgerUnavailable: self._silent,
                ConfigError: self._unusable,
                HTTPException: self._missing,
            },
        )

    # What she sees

    async def followers(self, request: Request) -> Response:
        """Who follows her, over a span of days, and whom she has muted."""
        viewer, house = viewer_of(request), self._house
        span = _choice(request, "days", [str(span) for span in SPANS], "7")
        mutes = await house.ledger.mutes(viewer.name, house.clock())
        entries = await house.ledger.entries(viewer.name, house.clock())
        followers = await house.ledger.followers(viewer.name, house.today())
        # A thousand advertisers take a while, and others' traffic must not wait for it.
        full = await asyncio.to_thread(full_caps, house.policy(), viewer, entries, self._tongue(request))
        found = await asyncio.to_thread(overview, followers, mutes, full, house.today(), int(span))
        return await self._page(
            request, "followers.html", view=found, spans=SPANS, mutes=mutes, done=request.query_params.get("done", "")
        )

    async def decisions(self, request: Request) -> Response:
        """What was decided within the last day."""
        choice = _choice(request, "what", list(SHOWN_BY), "withheld")
        notes = await self._house.ledger.notes(viewer_of(request).name, self._house.clock())
        rows = await asyncio.to_thread(rows_of, records_of(notes), self._tongue(request), choice)
        return await self._page(request, "decisions.html", rows=rows, choice=choice, choices=list(SHOWN_BY))

    async def caps(self, request: Request) -> Response:
        """Her caps as sliders, and what others would have done last week."""
        house, viewer = self._house, viewer_of(request)
        policy, today = house.policy(), house.today()
        rule = supposing.ruling(policy, viewer.name)
        hers = rule.name in {policy.default.name, own_rule(viewer.name)} and not policy.leaves_alone(viewer)
        now = supposing.choice_of(rule.caps)
        asked = request.query_params
        choice = supposing.chosen(asked.get("day", ""), asked.get("week", ""), now)
        followers = await house.ledger.followers(viewer.name, today)
        found = await asyncio.to_thread(supposing.supposed, followers, viewer.name, policy, choice, today)
        return await self._page(
            request,
            "caps.html",
            hers=hers,
            now=now,
            choice=choice,
            most=supposing.MOST,
            found=found,
            done=asked.get("done", ""),
        )

    async def data(self, request: Request) -> Response:
        """What is kept of her, and what she can do with it."""
        return await self._page(
            request,
            "data.html",
            level=self._level(viewer_of(request).name),
            most=self._house.settings.journal_level,
            known=viewer_of(request).name in self._house.policy().people,
            told=self._house.policy().housed(viewer_of(request).name),
            everywhere=EVERYWHERE,
            pauses=PAUSES,
            asked=request.query_params.get("done", ""),
        )

    async def export(self, request: Request) -> Response:
        """All that is kept of her, as JSON."""
        exported = await export(self._house, viewer_of(request).name)
        name = f"capper-{self._house.clock():%Y-%m-%d}.json"
        return JSONResponse(exported, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    # What she does

    async def mute(self, request: Request, form: Form) -> Response:
        """Show her no more of an advertiser, for as long as the policy says."""
        now, (level, name) = self._house.clock(), _name_in(form)
        mute = Mute(level, name, Why.ASKED, now, now + self._house.policy().mute_for)
        await self._house.ledger.mute(viewer_of(request).name, mute, now)
        return _back(f"/followers?days={_span_in(form)}&done=muted")

    async def unmute(self, request: Request, form: Form) -> Response:
        """Take a mute back."""
        await self._house.ledger.unmute(viewer_of(request).name, _name_in(form), self._house.clock())
        return _back(f"/followers?days={_span_in(form)}&done=unmuted")

    async def keep(self, request: Request, form: Form) -> Response:
        """Make the caps she chose her own."""
        person = viewer_of(request)
        policy = self._house.policy()
        rule = supposing.ruling(policy, person.name)
        if rule.name not in {policy.default.name, own_rule(person.name)} or policy.leaves_alone(person):
            raise Refusal("a rule of the owner's speaks for her")
        choice = supposing.chosen(form.get("day", ""), form.get("week", ""), supposing.choice_of(rule.caps))
        caps = supposing.with_choice(rule.caps, choice)

        def edit(text: str, name: str) -> str:
            return set_own_caps(text, name, person.name, caps)

        await editing.change(self._house, edit, person.name, "her own caps")
        return _back("/caps?done=kept")

    async def privacy(self, request: Request, form: Form) -> Response:
        """Make the privacy level she chose hers: at most what the owner set for the household."""
        person, wanted = viewer_of(request).name, form.get("level", "")
        if wanted not in map(str, range(self._house.settings.journal_level + 1)):
            raise Refusal("a level is expected that the owner permits", 400)

        def edit(text: str, name: str) -> str:
            return set_own_level(text, name, person, int(wanted))

        await editing.change(self._house, edit, person, "her own privacy level")
        return _back("/data?done=kept")

    async def untold(self, request: Request, form: Form) -> Response:
        """Let no site know that an ad was withheld from her, whatever the household says."""
        del form
        person = viewer_of(request).name

        def edit(text: str, name: str) -> str:
            return set_own_silence(text, name, person)

        await editing.change(self._house, edit, person, "no site is told")
        return _back("/data?done=untold")

    async def pause(self, request: Request, form: Form) -> Response:
        """Leave her alone for a while, or no longer."""
        house, now = self._house, self._house.clock()
        minutes = form.get("minutes", "")
        if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 5):
            raise Refusal("a number of minutes is expected", 400)
        length = timedelta(minutes=int(minutes))
        if length > LONGEST:
            raise Refusal("a pause is at most a day long", 400)
        until = now + length if length else None
        await asyncio.to_thread(pause, pauses_file(house.settings.state), viewer_of(request).name, until, now)
        return _back("/data")

    async def forget(self, request: Request, form: Form) -> Response:
        """Forget all that is kept of her, if she has said that she means it."""
        if form.get("sure") != "yes":
            return _back("/data?done=unsure")
        await self._house.ledger.forget(viewer_of(request).name)
        return _back("/data?done=forgotten")

    # What the pages have in common

    async def _page(self, request: Request, template: str, **model: Any) -> Response:
        viewer, house = viewer_of(request), self._house
        policy = house.policy()
        return await page(
            template,
            self._tongue(request),
            viewer=viewer,
            alone=policy.leaves_alone(viewer),
            paused=await asyncio.to_thread(self._paused, viewer.name),
            here=request.url.path,
            seal=self._seals.of(viewer.name),
            **model,
        )

    def _tongue(self, request: Request) -> Tongue:
        policy, viewer = self._house.policy(), viewer_of(request)
        chosen = viewer.language or (None if "accept-language" in request.headers else self._house.settings.language)
        return tongue_for(policy, chosen, request.headers.get("accept-language", ""), self._house.clock())

    def _level(self, name: str) -> int:
        most, chosen = self._house.settings.journal_level, self._house.policy().chosen_level(name)
        return most if chosen is None else min(most, chosen)

    def _paused(self, name: str) -> object:
        try:
            return in_force(read_pauses(pauses_file(self._house.settings.state)), self._house.clock()).get(name)
        except CapperError:
            return None  # the log has said what is wrong with the file

    async def _silent(self, request: Request, exc: Exception) -> Response:
        return await self._page_of_fault(request, 503, str(exc))

    async def _unusable(self, request: Request, exc: Exception) -> Response:
        logger.warning("a person's choice could not be kept: %s", exc)
        return await self._page_of_fault(request, 409)

    async def _missing(self, request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        return await self._page_of_fault(request, exc.status_code)

    async def _page_of_fault(self, request: Request, status: int, detail: str = "") -> Response:
        model = {"frame": "person.html", "fault": status, "detail": detail}
        return await self._page(request, "fault.html", status=status, **model)


def _name_in(form: Form) -> Name:
    level = form.get("level", "")
    try:
        name = received(form.get("name", ""))
    except ValueError:
        name = ""
    if level not in {Level.ADVERTISER, Level.CREATIVE} or not 0 < len(name) <= NAME_LIMIT:
        raise Refusal("an advertiser is expected", 400)
    return Level(level), name


def _span_in(form: Form) -> str:
    given = form.get("days", "")
    return given if given in map(str, SPANS) else "7"


async def _stylesheet(_: Request) -> Response:
    return stylesheet()


def _choice(request: Request, name: str, known: list[str], usual: str) -> str:
    given = request.query_params.get(name, usual)
    return given if given in known else usual


def _back(where: str) -> Response:
    return RedirectResponse(where, 303)
