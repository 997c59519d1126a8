"""The path of every exchange: what is looked at, by whom, and that nothing that goes wrong costs a person her page.

Whatever goes wrong, the exchange passes untouched and the outcome's note says why.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from operator import is_
from typing import TYPE_CHECKING

from capper.domain.errors import CapperError
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.policy import CreditPrompts, Policy
from capper.gate.asking import Asking
from capper.gate.auctions import Auctions
from capper.gate.counting import Counting
from capper.gate.documents import Documents
from capper.gate.files import Files
from capper.gate.limits import Limits
from capper.gate.observing import Nobody, Observer
from capper.gate.optouts import Heeding
from capper.gate.posts import Posts
from capper.gate.scene import ASKED, DOCUMENTS, PICTURES, Scene
from capper.gate.speaking import Door, Speaking
from capper.gate.telling import Telling
from capper.gate.videos import Videos
from capper.journal import Journal
from capper.ledger.base import Ledger
from capper.recognise.domains import host_of
from capper.recognise.kind import Kind, is_prefetch
from capper.recognise.optout import OptOuts
from capper.recognise.recogniser import Recogniser
from capper.remembered import Shelf
from capper.rewrite.auction.layout import Layout
from capper.rewrite.body import SCRIPTED, answerable, editable, foretold, structured, unpack, worded
from capper.rewrite.video import vast

if TYPE_CHECKING:
    from capper.gate.credit import Credit
    from capper.later import Late
    from capper.rewrite.feeds import Feed

logger = logging.getLogger(__name__)

type Judge = Callable[[Exchange, Response], Awaitable[Outcome]]

PASS = Outcome()
_NOTHING = ((None,), None)
_FILES = {*PICTURES, Kind.SUBDOCUMENT}
_REDIRECTS = {301, 302, 303, 307, 308}


class Gate:
    """What every exchange goes through; one instance serves all viewers.

    An exchange meets the gate up to three times:

    1. `foresees`, then `admit` without a response: a creative that was met before is decided on now. Withheld, or asked
       about by a browser that has it in its cache, it is answered here and the origin is not asked. A request to an
       auction is told whom not to ask, and what she says to an ad (`why this ad`) is heeded.
    2. `wants`, with the response's headers: may there be an ad in the body, or may the body pass as it streams?
    3. `admit` with the whole response: find, claim, apply.
    """

    def __init__(
        self,
        recogniser: Callable[[], Recogniser],
        ledger: Ledger,
        policy: Callable[[], Policy],
        journal: Journal,
        *,
        limits: Limits | None = None,
        language: str = "en",
        layouts: Sequence[Layout] = (),
        feeds: "Sequence[Feed]" = (),
        credit: "Late[Credit] | None" = None,
        door: Door | None = None,
        optouts: OptOuts | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._policy, self._journal, self._credit = policy, journal, credit
        self._scene = scene = Scene(recogniser)
        counting = Counting(ledger, policy, journal, scene, observer or Nobody())
        speaking = self._speaking = Speaking(policy, language, door)
        self._asking = Asking(scene, counting, ledger, self._limits)
        self._files = Files(scene, counting, speaking, self._limits, self._untouched)
        shapes = optouts or OptOuts(())
        telling = Telling(policy, scene)
        self._documents = Documents(scene, counting, speaking, telling, self._files, self._limits, shapes)
        self._auctions = Auctions.made(scene, counting, layouts)
        self._videos = Videos.made(scene, counting)
        self._posts = Posts(scene, counting, feeds)
        self._heeding = Heeding(scene, ledger, policy, journal, shapes)
        self._settled: Shelf[str, tuple[Sequence[object], Judge | None]] = Shelf(1)

    @property
    def max_body(self) -> int:
        """The largest body, in bytes on the wire, worth buffering."""
        return self._limits.body

    def foresees(self, exchange: Exchange) -> bool:
        """Whether `admit` should be asked before the origin is. Cheap; no I/O."""
        request = exchange.request
        if is_prefetch(request):
            return False
        if self._asking.foresees(exchange) or self._heeding.foresees(exchange):
            return True
        return request.method == "GET" and "range" not in request.headers and self._files.fresh(exchange) is not None

    def wants(self, exchange: Exchange) -> bool:
        """Whether the body may hold an ad or a prompt, by the headers of request and response. Cheap; no I/O."""
        return self._judge(exchange) is not None or self._may_prompt(exchange)

    def begins(self, exchange: Exchange) -> bool:
        """Whether the head of a wanted page may pass before the rest of it is there: an ad's own document is judged as a whole."""
        response = exchange.response
        return response is not None and foretold(response) and self._scene.kind(exchange) is Kind.DOCUMENT

    def _may_prompt(self, exchange: Exchange) -> bool:
        """Whether it may hold credit nobody asked for, and this person does not want it left there."""
        if self._credit is None or is_prefetch(exchange.request) or not worded(exchange):
            return False
        return self._credit_prompts(exchange) is not CreditPrompts.LEAVE

    def _credit_prompts(self, exchange: Exchange) -> CreditPrompts:
        """What the policy says of credit in this answer, by its own host and by that of the page it is part of."""

        def hosts() -> tuple[str, ...]:
            own = host_of(exchange.request.url)
            # What a document is asked from is the page before it.
            if self._scene.kind(exchange) is Kind.DOCUMENT:
                return (own,)
            return own, host_of(self._scene.page_url(exchange))

        return self._policy().prompts_for(exchange.viewer.name, hosts)

    def _judge(self, exchange: Exchange) -> Judge | None:
        """Who judges its ads, by the headers of request and response; None where it can hold none."""
        if exchange.response is None:
            return None
        # Asked with the head, and again with the body, which mostly comes right behind it.
        request, headers, changes = exchange.request, exchange.response.headers, self._scene.trail.changes
        head = request, headers, exchange.viewer, exchange.device, exchange.at, changes
        known, judge = self._settled.get("last", _NOTHING)
        if not all(map(is_, head, known)):
            judge = self._judge_of(exchange, exchange.response)
            self._settled["last"] = head, judge
        return judge

    def _judge_of(self, exchange: Exchange, response: Response) -> Judge | None:
        files = self._files
        if is_prefetch(exchange.request):
            return None
        if response.status == 304:
            return files.unmodified if files.known(exchange) else None
        kind = self._scene.kind(exchange)
        if response.status in _REDIRECTS:
            return files.redirected if kind in _FILES and self._scene.delivers_ad(exchange, kind) else None
        if kind in PICTURES:
            return self._judge_of_picture(exchange, kind) if editable(exchange.request, response) else None
        if kind in DOCUMENTS:
            page = self._page if kind is Kind.DOCUMENT else self._frame
            return page if editable(exchange.request, response) else None
        if self._may_offer(exchange, response, kind):
            return self._answer
        return files.notice if self._notices(exchange, response) else None

    def _judge_of_picture(self, exchange: Exchange, kind: Kind) -> Judge | None:
        named = self._scene.announced(exchange)
        return partial(self._files.picture, named=named) if named or self._scene.listed(exchange, kind) else None

    async def ready(self) -> "Credit | None":
        """Wait until all is there that bodies are judged by, which `admit` does too; what looks for credit, if anything does."""
        # What searches for ads comes with it. Looked for when it is used, it would keep everybody waiting.
        return await self._credit() if self._credit else None

    async def admit(self, exchange: Exchange) -> Outcome:
        """Decide on the ads of one exchange; never raises, and passes untouched what cannot be judged."""
        try:
            if exchange.response is None:
                return await self._before(exchange) if self.foresees(exchange) else PASS
            credit = await self.ready()
            judge = self._judge(exchange)
            judged = await judge(exchange, exchange.response) if judge else PASS
            return await self._unprompted(exchange, judged, credit) if credit else judged
        except CapperError as reason:
            return self._untouched(exchange, str(reason))
        except Exception:
            # Fail open: a fault of ours must not cost a person her page.
            logger.exception("judge an exchange: it passes untouched")
            return self._untouched(exchange, "an unexpected fault; the log says more")

    async def _unprompted(self, exchange: Exchange, judged: Outcome, credit: "Credit") -> Outcome:
        """What is delivered, without the credit that nobody asked for."""
        if not worded(exchange):
            return judged
        mode = self._credit_prompts(exchange)
        if mode is CreditPrompts.LEAVE:
            return judged
        note = self._speaking.language_of(exchange) if self._policy().notes_prompts(exchange.viewer.name) else ""
        size = len(exchange.response.body) if exchange.response else 0
        try:
            glance = partial(credit.glance, exchange, judged, mode, self._limits.decoded, note)
            read = await _beside(glance, aside=size > self._limits.glanced)
            # A long page with the vocabulary takes a while, and others' traffic must not wait for it.
            changed = await _beside(read, aside=size > self._limits.long) if read else None
        except CapperError as reason:
            return judged if judged.note else judged._replace(note=str(reason))
        except Exception:
            # What was decided about its ads stands.
            logger.exception("look for credit prompts: they stay")
            return judged
        if changed is None:
            return judged
        response, prompts = changed
        self._journal.cut(exchange.at, exchange.viewer, prompts, marked=mode is CreditPrompts.MARK)
        return judged._replace(action=Action.REWRITE, response=response, prompts=prompts)

    async def _before(self, exchange: Exchange) -> Outcome:
        await self._heeding.heed(exchange)
        if self._asking.foresees(exchange):
            return await self._asking.before(exchange)
        creative = self._files.fresh(exchange)
        return PASS if creative is None else await self._files.before(exchange, creative)

    async def _page(self, exchange: Exchange, response: Response) -> Outcome:
        return await self._documents.document(exchange, response, Kind.DOCUMENT)

    async def _frame(self, exchange: Exchange, response: Response) -> Outcome:
        if self._scene.delivers_ad(exchange, Kind.SUBDOCUMENT):
            return await self._documents.creative(exchange, response)
        return await self._documents.document(exchange, response, Kind.SUBDOCUMENT)

    async def _answer(self, exchange: Exchange, response: Response) -> Outcome:
        """What an auction, Ad Manager, a player or a feed was answered."""
        body = unpack(response.headers, response.body, self._limits.decoded)
        if vast.looks(body.data):
            return await self._videos.answer(exchange, response, body)
        if "google-creative-id" in response.headers or "google-lineitem-id" in response.headers:
            return await self._auctions.slots(exchange, response, body)
        found = self._auctions.find(exchange, body)
        if found.bids:
            return await self._auctions.bids(exchange, response, body, found)
        if self._posts.speaks(exchange) and (judged := await self._posts.answer(exchange, response, body)):
            return judged
        told = await self._videos.held(exchange, response, body, found.text)
        return await self._files.notice(exchange, response) if told is None else told

    def _may_offer(self, exchange: Exchange, response: Response, kind: Kind) -> bool:
        """Whether an answer may offer ads: an exchange's does, and that of another site, for anybody may be an exchange."""
        if kind is Kind.SCRIPT:
            return answerable(exchange.request, response, SCRIPTED) and self._auctions.calls(exchange)
        if kind not in ASKED or not answerable(exchange.request, response, SCRIPTED):
            return False
        if self._auctions.speaks(exchange, kind) or self._videos.expects(exchange):
            return True
        if not answerable(exchange.request, response):
            return False
        return self._posts.speaks(exchange) or (structured(response) and self._scene.elsewhere(exchange))

    def _notices(self, exchange: Exchange, response: Response) -> bool:
        """Whether the request tells somebody that an ad which an auction offered is shown."""
        if exchange.request.method not in ("GET", "POST") or response.status >= 300:
            return False
        length = response.headers.get("content-length", "0")
        small = length.isdecimal() and int(length) <= self._limits.notice
        found = self._scene.announced(exchange) if small else None
        return found is not None and found.candidate

    def _untouched(self, exchange: Exchange, reason: str) -> Outcome:
        self._journal.untouched(exchange.at, exchange.viewer, reason)
        return Outcome(note=reason)


async def _beside[Found](work: Callable[[], Found], *, aside: bool) -> Found:
    """What `work` returns, in a thread of its own where others would wait for it too long."""
    return await asyncio.to_thread(work) if aside else work()
