"""The path of every exchange: what is looked at, by whom, and that nothing that goes wrong costs a person her page.

Whatever goes wrong, the exchange passes untouched and the outcome's note says why.
"""

import logging
from collections.abc import Callable, Sequence

from capper.domain.errors import CapperError
from capper.domain.exchange import Exchange, Outcome, Response
from capper.domain.policy import Policy
from capper.gate.asking import Asking
from capper.gate.auctions import Auctions
from capper.gate.counting import Counting
from capper.gate.documents import Documents
from capper.gate.files import Files
from capper.gate.limits import Limits
from capper.gate.posts import Posts
from capper.gate.scene import ASKED, DOCUMENTS, PICTURES, Scene
from capper.gate.speaking import Speaking
from capper.gate.videos import Videos
from capper.journal import Journal
from capper.ledger.base import Ledger
from capper.recognise.kind import Kind, is_prefetch
from capper.recognise.recogniser import Recogniser
from capper.rewrite.auction.layout import Layout
from capper.rewrite.body import SCRIPTED, answerable, editable, structured, unpack
from capper.rewrite.feeds import Feed
from capper.rewrite.video import vast

logger = logging.getLogger(__name__)

PASS = Outcome()
_FILES = {*PICTURES, Kind.SUBDOCUMENT}
_REDIRECTS = {301, 302, 303, 307, 308}


class Gate:
    """What every exchange goes through; one instance serves all viewers.

    An exchange meets the gate up to three times:

    1. `foresees`, then `admit` without a response: a creative that was met before is decided on now. Withheld, or asked
       about by a browser that has it in its cache, it is answered here and the origin is not asked. A request to an
       auction is told whom not to ask.
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
        feeds: Sequence[Feed] = (),
    ) -> None:
        self._limits = limits or Limits()
        self._journal = journal
        self._scene = scene = Scene(recogniser)
        counting = Counting(ledger, policy, journal, scene)
        speaking = Speaking(policy, language)
        self._asking = Asking(scene, counting, ledger, self._limits)
        self._files = Files(scene, counting, speaking, self._limits, self._untouched)
        self._documents = Documents(scene, counting, speaking, self._files, self._limits)
        self._auctions = Auctions.made(scene, counting, layouts)
        self._videos = Videos.made(scene, counting)
        self._posts = Posts(scene, counting, feeds)

    @property
    def max_body(self) -> int:
        """The largest body, in bytes on the wire, worth buffering."""
        return self._limits.body

    def foresees(self, exchange: Exchange) -> bool:
        """Whether `admit` should be asked before the origin is. Cheap; no I/O."""
        request = exchange.request
        if is_prefetch(request):
            return False
        if self._asking.foresees(exchange):
            return True
        return request.method == "GET" and "range" not in request.headers and self._files.fresh(exchange) is not None

    def wants(self, exchange: Exchange) -> bool:
        """Whether the body may hold an ad, by the headers of request and response. Cheap; no I/O."""
        response = exchange.response
        if response is None or is_prefetch(exchange.request):
            return False
        if response.status == 304:
            return self._files.known(exchange) is not None
        kind = self._scene.kind(exchange)
        if response.status in _REDIRECTS:
            return kind in _FILES and self._scene.delivers_ad(exchange, kind)
        if self._notices(exchange, response, kind):
            return True
        if kind in ASKED or kind is Kind.SCRIPT:
            return self._may_offer(exchange, response, kind)
        if not editable(exchange.request, response):
            return False
        return kind in DOCUMENTS or (kind in PICTURES and self._scene.delivers_ad(exchange, kind))

    async def admit(self, exchange: Exchange) -> Outcome:
        """Decide on the ads of one exchange; never raises, and passes untouched what cannot be judged."""
        try:
            if exchange.response is None:
                return await self._before(exchange) if self.foresees(exchange) else PASS
            return await self._after(exchange, exchange.response) if self.wants(exchange) else PASS
        except CapperError as reason:
            return self._untouched(exchange, str(reason))
        except Exception:
            # Fail open: a fault of ours must not cost a person her page.
            logger.exception("judge an exchange: it passes untouched")
            return self._untouched(exchange, "an unexpected fault; the log says more")

    async def _before(self, exchange: Exchange) -> Outcome:
        if self._asking.foresees(exchange):
            return await self._asking.before(exchange)
        creative = self._files.fresh(exchange)
        return PASS if creative is None else await self._files.before(exchange, creative)

    async def _after(self, exchange: Exchange, response: Response) -> Outcome:
        kind = self._scene.kind(exchange)
        if response.status == 304:
            return await self._files.unmodified(exchange, response)
        if response.status in _REDIRECTS:
            return self._files.redirected(exchange, response)
        if self._may_offer(exchange, response, kind):
            return await self._answer(exchange, response)
        if self._notices(exchange, response, kind):
            return await self._files.notice(exchange)
        if kind in PICTURES:
            return await self._files.picture(exchange, response)
        if kind is Kind.SUBDOCUMENT and self._scene.delivers_ad(exchange, kind):
            return await self._documents.creative(exchange, response)
        return await self._documents.document(exchange, response, kind)

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
        return await self._files.notice(exchange) if told is None else told

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

    def _notices(self, exchange: Exchange, response: Response, kind: Kind) -> bool:
        """Whether the request tells somebody that an ad which an auction offered is shown.

        A picture is judged as one: it may be the ad itself.
        """
        if kind in DOCUMENTS or kind in PICTURES or exchange.request.method not in ("GET", "POST"):
            return False
        length = response.headers.get("content-length", "0")
        small = length.isdecimal() and int(length) <= self._limits.notice
        found = self._scene.announced(exchange) if small and response.status < 300 else None
        return found is not None and found.candidate

    def _untouched(self, exchange: Exchange, reason: str) -> Outcome:
        self._journal.untouched(exchange.at, exchange.viewer, reason)
        return Outcome(note=reason)
