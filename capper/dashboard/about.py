"""The page that a placeholder leads to: why an ad was withheld from her, and what she can do about it.

A page elsewhere may open it, but can neither read it nor do anything there: what is done takes a form of ours, and a ticket
that was made for her.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from capper.dashboard.guard import Form, Refusal
from capper.dashboard.house import House, viewer_of
from capper.dashboard.speech import Tongue
from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.identity import Ad, Level, Viewer
from capper.domain.mute import Mute, Why
from capper.ledger.tickets import Ticket, Tickets
from capper.refusals import Refusals
from capper.rewrite.wording import Words, words

logger = logging.getLogger(__name__)

PATH: Final = "/ad"

Page = Callable[..., Awaitable[Response]]


class About:
    """Its endpoints; `page` makes a page of hers from a template, `tongue` says how she is spoken to."""

    def __init__(self, house: House, page: Page, tongue: Callable[[Request], Tongue]) -> None:
        self._house, self._page, self._tongue = house, page, tongue
        self._tickets = Tickets(house.secret)
        self._refusals = Refusals(logger)

    async def show(self, request: Request) -> Response:
        """Why, and what can be done."""
        given = request.query_params.get("about", "")
        ticket = self._ticket(request, given)
        if ticket is None:
            self._refusals.tell("a ticket that opens nothing", "a ticket that is another's, or more than a day old")
            return await self._page(request, "ad.html", ticket=None, status=410)
        muted = await self._muted(viewer_of(request), ticket)
        return await self._page(
            request,
            "ad.html",
            ticket=ticket,
            about=given,
            told=told(ticket, viewer_of(request), self._tongue(request)),
            muted=muted[0] if muted else None,
            final=_final(ticket),
            asked=request.query_params.get("do", ""),
            done=request.query_params.get("done", ""),
            days=self._house.policy().mute_for.days,
        )

    async def act(self, request: Request, form: Form) -> Response:
        """Show it once, never again, or take that back."""
        given, viewer, now = form.get("about", ""), viewer_of(request).name, self._house.clock()
        ticket, deed = self._ticket(request, given), form.get("do", "")
        if ticket is None:
            raise Refusal("what the form is about is another's, or more than a day old", 410)
        ledger, until = self._house.ledger, now + self._house.policy().mute_for
        for level, name in ticket.names:
            match deed:
                case "once":
                    await ledger.once(viewer, (level, name), now)
                case "never":
                    await ledger.mute(viewer, Mute(level, name, Why.ASKED, now, until), now)
                case "undo":
                    await ledger.unmute(viewer, (level, name), now)
                case _:
                    raise Refusal("nothing can be done by that name", 400)
        return RedirectResponse(f"{PATH}?about={given}&done={deed}", 303)

    def _ticket(self, request: Request, given: str) -> Ticket | None:
        return self._tickets.open(viewer_of(request).name, given, self._house.clock())

    async def _muted(self, viewer: Viewer, ticket: Ticket) -> list[Mute]:
        found = await self._house.ledger.mutes(viewer.name, self._house.clock())
        return [mute for mute in found if (mute.level, mute.name) in ticket.names]


def told(ticket: Ticket, viewer: Viewer, tongue: Tongue) -> Words:
    """Why it was withheld then, as the placeholder said where nobody else could read it."""
    return words(_decision(ticket, viewer), tongue.speech, ticket.made)


def _decision(ticket: Ticket, viewer: Viewer) -> Decision:
    cap, mute = None, None
    with contextlib.suppress(ValueError):  # an earlier capper's, an hour ago
        cap = Cap.parse(ticket.cap) if ticket.cap else None
    if ticket.mute and ticket.names:
        mute = Mute(*ticket.names[0], ticket.mute, ticket.made, ticket.reopens or ticket.made)
    ad = Ad(_of(ticket, Level.ADVERTISER), None, next(iter(_of(ticket, Level.CREATIVE)), None))
    return Decision(Verdict.WITHHOLD, viewer, ad, ticket.rule, cap, ticket.count, ticket.reopens, mute=mute)


def _of(ticket: Ticket, level: Level) -> tuple[str, ...]:
    return tuple(name for each, name in ticket.names if each is level)


def _final(ticket: Ticket) -> bool:
    """Whether a rule says never: to that there is nothing to say here."""
    return ticket.cap is not None and (ticket.cap == "never" or ticket.cap.startswith("0 "))
