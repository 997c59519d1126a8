"""The only entrance: recognise an exchange, find its ads, claim them from the ledger, apply what was decided.

Whatever goes wrong, the exchange passes untouched and the outcome's note says why.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from capper.domain.decision import Answer, Decision, conclude, prepare
from capper.domain.errors import CapperError
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.identity import Ad
from capper.domain.policy import Policy
from capper.domain.sighting import Format, Sighting
from capper.journal import Journal
from capper.ledger.base import Ledger
from capper.recognise.domains import host_of, registrable
from capper.recognise.gallery import Gallery
from capper.recognise.kind import UNKNOWN_SOURCE, Kind, is_prefetch
from capper.recognise.offer import read_offer
from capper.recognise.picture import measure
from capper.recognise.recogniser import Recogniser
from capper.rewrite import caching, filler, page, payload, vast
from capper.rewrite.base import Slot
from capper.rewrite.body import Body, answerable, decode, editable, encode
from capper.rewrite.layout import Layout
from capper.rewrite.wording import Speech, language_of, words
from capper.trail import Delivery, Page, Recent, Trail

logger = logging.getLogger(__name__)

PASS = Outcome()
_DOCUMENTS = {Kind.DOCUMENT, Kind.SUBDOCUMENT}
_PICTURES = {Kind.IMAGE, Kind.OBJECT}
_FILES = {*_PICTURES, Kind.SUBDOCUMENT}
_ASKED = {Kind.XHR, Kind.MEDIA, Kind.OTHER}
"""What players and auctions ask by."""
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the gate is willing to look at.

    `body` is the size on the wire and `decoded` the size after content decoding, both in bytes.
    """

    body: int = 8 * 1024 * 1024
    decoded: int = 16 * 1024 * 1024
    pixel: int = 2
    """An image no wider or no higher than this is a beacon, not a sighting."""
    beacon: int = 1000
    """The same in bytes, of an image that is known by its size in bytes alone."""


@dataclass(frozen=True, slots=True)
class Creative:
    """A creative file met before, so that the next request for it can be answered before the origin is asked."""

    ad: Ad
    format: Format
    size: tuple[int, int] | None = None
    validator: caching.Validator | None = None


class Gate:
    """What every exchange goes through; one instance serves all viewers.

    An exchange meets the gate up to three times:

    1. `foresees`, then `admit` without a response: a creative that was met before is decided on now. Withheld, or asked
       about by a browser that has it in its cache, it is answered here and the origin is not asked.
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
    ) -> None:
        self._recogniser = recogniser
        self._ledger = ledger
        self._policy = policy
        self._journal = journal
        self._limits = limits or Limits()
        self._language = language
        self._layouts = layouts
        self._trail = Trail()
        self._gallery = Gallery()
        self._creatives: Recent[bytes, Creative] = Recent(50_000, caching.LONGEST)

    @property
    def max_body(self) -> int:
        """The largest body, in bytes on the wire, worth buffering."""
        return self._limits.body

    def foresees(self, exchange: Exchange) -> bool:
        """Whether `admit` should be asked before the origin is: the creative is known. Cheap; no I/O."""
        request = exchange.request
        return (
            len(self._creatives) > 0
            and request.method == "GET"
            and "range" not in request.headers
            and not is_prefetch(request)
            and self._fresh(exchange) is not None
        )

    def wants(self, exchange: Exchange) -> bool:
        """Whether the body may hold an ad, by the headers of request and response. Cheap; no I/O."""
        response = exchange.response
        if response is None or is_prefetch(exchange.request):
            return False
        if response.status == 304:
            return self._known(exchange) is not None
        if response.status in _REDIRECTS:
            kind = self._kind(exchange)
            return kind in _FILES and self._delivers_ad(exchange, kind)
        kind = self._kind(exchange)
        if kind in _ASKED:
            return answerable(exchange.request, response) and self._delivers_ad(exchange, kind)
        if not editable(exchange.request, response):
            return False
        return kind in _DOCUMENTS or (kind in _PICTURES and self._delivers_ad(exchange, kind))

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

    # 1. Before the origin is asked

    async def _before(self, exchange: Exchange) -> Outcome:
        creative = self._fresh(exchange)
        if creative is None:
            return PASS
        delivery = self._delivery(exchange, creative.ad, creative.format)
        (decision,) = await self._claim(exchange, [delivery])
        if decision.withheld:
            return Outcome(Action.ANSWER, self._filling(exchange, creative, decision), (decision,))
        self._remember(exchange, (exchange.request.url,), delivery)
        if creative.validator and creative.validator.vouches(exchange.request.headers, exchange.at):
            return Outcome(Action.ANSWER, caching.not_modified(creative.validator), (decision,))
        return Outcome(decisions=(decision,))

    # 3. With the whole response

    async def _after(self, exchange: Exchange, response: Response) -> Outcome:
        kind = self._kind(exchange)
        if response.status == 304:
            return await self._unmodified(exchange, response)
        if response.status in _REDIRECTS:
            return self._redirected(exchange, response)
        if kind in _ASKED:
            return await self._answer(exchange, response)
        if kind in _PICTURES:
            return await self._image(exchange, response)
        if kind is Kind.SUBDOCUMENT and self._delivers_ad(exchange, kind):
            return await self._creative_document(exchange, response)
        return await self._document(exchange, response, kind)

    async def _unmodified(self, exchange: Exchange, response: Response) -> Outcome:
        """The origin says that the browser's copy is still good: the copy is the ad."""
        creative = self._known(exchange)
        if creative is None:
            return PASS
        headers = response.headers
        for name, value in creative.validator.fields() if creative.validator else ():
            headers = headers if name in headers else headers.with_(name, value)
        return await self._deliver(exchange, response.carrying(b"", headers), creative, ())

    def _redirected(self, exchange: Exchange, response: Response) -> Outcome:
        """An ad server sends the browser on: what it is sent to is this ad, whoever keeps the file."""
        try:
            target = urljoin(exchange.request.url, response.headers.get("location").strip())
        except ValueError:
            return PASS
        ad = self._recogniser().read_url(exchange.request.url, self._page_url(exchange))
        form = Format.IMAGE if self._kind(exchange) in _PICTURES else Format.FRAME
        delivery = self._delivery(exchange, ad, form)
        self._trail.delivered(exchange.viewer.name, exchange.device, (target,), delivery, exchange.at)
        return PASS

    async def _image(self, exchange: Exchange, response: Response) -> Outcome:
        if response.unrecorded:
            return await self._unrecorded(exchange, response)
        picture = measure(response.body)
        if picture is None and not response.body:
            return PASS
        if picture is None:
            return self._untouched(exchange, "an ad's picture of unknown size")
        if min(picture.width, picture.height) <= self._limits.pixel:
            return await self._beacon(exchange)
        named = self._ad_of_file(exchange)
        ad = self._gallery.recall(response.body, named)
        if ad is None:
            ad = await asyncio.to_thread(self._gallery.identify, response.body, named)
        size = (picture.width, picture.height)
        return await self._deliver(exchange, response, Creative(ad, Format.IMAGE, size), ())

    async def _beacon(self, exchange: Exchange) -> Outcome:
        """A beacon counts for an ad that an auction offered: what was a candidate has been shown."""
        found = self._trail.delivery(exchange.viewer.name, exchange.device, exchange.request.url, exchange.at)
        if found is None or not found.candidate:
            return PASS
        return Outcome(decisions=tuple(await self._claim(exchange, [self._delivery(exchange, found.ad, found.format)])))

    # Answers to auctions and players

    async def _answer(self, exchange: Exchange, response: Response) -> Outcome:
        body = decode(response.headers, response.body, self._limits.decoded)
        if vast.looks(body.data):
            return await self._videos(exchange, response, body)
        return await self._bids(exchange, response, body)

    async def _bids(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """The bids of an auction are candidates: asked about, each as if it were the only one, and counted once shown."""
        found = payload.find(
            body.data, exchange.request.url, self._layouts, page=self._page_url(exchange), exchange=True
        )
        if not found.bids:
            return PASS
        reader, here = self._recogniser().reader, self._page(exchange)
        deliveries = [
            self._candidate(exchange, here, read_offer(reader, bid.offer), bid.format, f"bid {bid.number}")
            for bid in found.bids
        ]
        decisions = await self._peek(exchange, deliveries)
        withheld = {bid.number for bid, decision in zip(found.bids, decisions, strict=True) if decision.withheld}
        for bid, delivery in zip(found.bids, deliveries, strict=True):
            if bid.number not in withheld:
                self._remember(exchange, bid.urls, delivery)
        if not withheld:
            return PASS
        said = tuple(decision for decision in decisions if decision.withheld)
        return Outcome(Action.REWRITE, encode(body, response, payload.apply(found, withheld)), said)

    async def _videos(self, exchange: Exchange, response: Response, body: Body) -> Outcome:
        """A pod's ads are all played, so each is claimed; of a buffet the player takes one, the first that is left."""
        videos = vast.find(body.data, exchange.request.url, self._page_url(exchange))
        playing = [video for video in videos.ads if not video.wrapper]
        reader, here = self._recogniser().reader, self._page(exchange)
        token = self._trail.digest("answer", exchange.request.url, exchange.at.isoformat()).hex()
        deliveries = [
            replace(
                self._candidate(exchange, here, read_offer(reader, video.offer), Format.VIDEO, f"video {video.number}"),
                pod=None if video.sequence is None else f"{token} {video.place}",
                candidate=False,
            )
            for video in playing
        ]
        pods = [n for n, video in enumerate(playing) if video.sequence is not None]
        decided = dict(zip(pods, await self._claim(exchange, [deliveries[n] for n in pods]), strict=True))
        buffet = [n for n, video in enumerate(playing) if video.sequence is None]
        asked = dict(zip(buffet, await self._peek(exchange, [deliveries[n] for n in buffet]), strict=True))
        decided |= {n: decision for n, decision in asked.items() if decision.withheld}
        # Beside a pod a buffet's ads only stand in.
        podded = {playing[n].place for n in pods}
        first = {playing[n].place: n for n in reversed(buffet) if n not in decided and playing[n].place not in podded}
        taken = sorted(first.values())
        decided |= dict(zip(taken, await self._claim(exchange, [deliveries[n] for n in taken]), strict=True))
        for n, delivery in enumerate(deliveries):
            if n not in decided or not decided[n].withheld:
                parts = (*playing[n].impressions, *playing[n].offer.evidence.resources)
                self._remember(exchange, parts, delivery)
        withheld = [playing[n] for n, decision in decided.items() if decision.withheld]
        said = tuple(decided[n] for n in sorted(decided))
        if not withheld:
            return Outcome(decisions=said)
        return Outcome(Action.REWRITE, encode(body, response, vast.apply(body.data, withheld)), said)

    def _candidate(self, exchange: Exchange, here: Page | None, ad: Ad, form: Format, place: str) -> Delivery:
        """An ad that an answer offers; its occasion is this answer and its place there."""
        occasion = self._trail.digest(place, exchange.request.url, exchange.at.isoformat(), str(list(ad))).hex()
        return Delivery(ad, occasion, form, here, candidate=True)

    async def _unrecorded(self, exchange: Exchange, response: Response) -> Outcome:
        """A picture of which a recording keeps the size in bytes alone: it was shown, and it is known by its address."""
        if response.unrecorded <= self._limits.beacon:
            return PASS
        delivery = self._delivery(exchange, self._ad_of_file(exchange), Format.IMAGE)
        (decision,) = await self._claim(exchange, [delivery])
        self._fills(exchange, delivery)
        # What stood there is not known, so nothing can be put in its place; that it is withheld is said all the same.
        return Outcome(Action.REWRITE, response, (decision,)) if decision.withheld else Outcome(decisions=(decision,))

    def _ad_of_file(self, exchange: Exchange) -> Ad:
        delivery = self._found(exchange)
        if delivery and delivery.ad.identified:
            return delivery.ad
        return self._recogniser().read_url(exchange.request.url, self._page_url(exchange))

    def _found(self, exchange: Exchange) -> Delivery | None:
        """The delivery of the last minutes that named this file, or that filled the frame it is asked for by."""
        viewer, device, now = exchange.viewer.name, exchange.device, exchange.at
        named = self._trail.delivery(viewer, device, exchange.request.url, now)
        around = self._trail.inside(viewer, device, self._recogniser().source(exchange), now)
        here = self._page(exchange) if named and around else None
        # Named by an earlier load, asked for in a frame of this one.
        newer = around is not None and around.page is not None and around.page == here
        return around if newer else named or around

    def _fills(self, exchange: Exchange, delivery: Delivery) -> None:
        """An ad's frame is filled with one ad: what else the frame asks for is part of it."""
        source = self._recogniser().source(exchange)
        if delivery.ad.identified and self._recogniser().is_ad(source, self._page_url(exchange), Kind.SUBDOCUMENT):
            self._trail.filled(exchange.viewer.name, exchange.device, source, delivery, exchange.at)

    async def _creative_document(self, exchange: Exchange, response: Response) -> Outcome:
        body = decode(response.headers, response.body, self._limits.decoded)
        evidence = page.find_creative(body.data, exchange.request.url, self._page_url(exchange), body.charset)
        offered = self._trail.delivery(exchange.viewer.name, exchange.device, exchange.request.url, exchange.at)
        ad = offered.ad if offered and offered.candidate else self._recogniser().read(evidence)
        if not ad.identified:
            return await self._document(exchange, response, Kind.SUBDOCUMENT)
        self._frame(exchange)
        return await self._deliver(exchange, response, Creative(ad, Format.FRAME, None), evidence.resources)

    async def _deliver(
        self, exchange: Exchange, response: Response, creative: Creative, parts: tuple[str, ...]
    ) -> Outcome:
        """A response that is one ad and nothing else: show it, asked for anew each time, or put the placeholder there."""
        delivery = self._delivery(exchange, creative.ad, creative.format)
        (decision,) = await self._claim(exchange, [delivery])
        if creative.format is Format.IMAGE:
            self._fills(exchange, delivery)
        if decision.withheld:
            return Outcome(Action.REWRITE, self._filling(exchange, creative, decision), (decision,))
        if creative.format is Format.FRAME:
            viewer, device = exchange.viewer.name, exchange.device
            self._trail.filled(viewer, device, exchange.request.url, delivery, exchange.at)
        self._remember(exchange, (exchange.request.url, *parts), delivery)
        asking = caching.revalidated(response, exchange.at)
        if asking is None:
            return Outcome(decisions=(decision,))
        again, validator = asking
        known = replace(creative, ad=delivery.ad, validator=validator)
        self._creatives.put(self._creative_key(exchange), known, exchange.at)
        return Outcome(Action.REWRITE, again, (decision,))

    async def _document(self, exchange: Exchange, response: Response, kind: Kind) -> Outcome:
        """A page, or a frame that is not one ad as a whole: its ads are elements."""
        here = self._frame(exchange) if kind is Kind.SUBDOCUMENT else self._open(exchange)
        body = decode(response.headers, response.body, self._limits.decoded)
        recogniser, url = self._recogniser(), exchange.request.url
        found = page.find(body.data, url, recogniser.page(url), body.charset)
        if not found.slots:
            return PASS
        deliveries = self._deliveries(here, found.slots)
        decisions = await self._claim(exchange, deliveries)
        for slot, delivery in zip(found.slots, deliveries, strict=True):
            self._remember(exchange, slot.evidence.resources, delivery)
        withheld = [
            (slot, words(decision, self._speech(exchange), exchange.at))
            for slot, decision in zip(found.slots, decisions, strict=True)
            if decision.withheld
        ]
        if not withheld:
            return Outcome(decisions=tuple(decisions))
        data = page.apply(body.data, withheld)
        return Outcome(Action.REWRITE, encode(body, response, data), tuple(decisions))

    def _deliveries(self, here: Page, slots: Sequence[Slot]) -> list[Delivery]:
        """The ads of one document; an ad that stands there twice is two occasions."""
        recogniser, seen = self._recogniser(), Counter[Ad]()
        deliveries = []
        for slot in slots:
            ad = recogniser.read(replace(slot.evidence, page=here.url))
            occasion = self._trail.digest("slot", here.token, str(list(ad)), str(seen[ad])).hex()
            seen[ad] += 1
            deliveries.append(Delivery(ad, occasion, slot.format, here))
        return deliveries

    # Claiming

    async def _claim(self, exchange: Exchange, deliveries: Sequence[Delivery], *, look: bool = False) -> list[Decision]:
        """One ledger call for all the ads of an exchange; what no cap of the policy could speak about is not asked.

        With `look` nothing is counted and nothing written down.
        """
        if not deliveries:
            return []
        policy, now, viewer = self._policy(), exchange.at, exchange.viewer
        sightings = [self._sighting(exchange, delivery) for delivery in deliveries]
        prepared = [prepare(policy, sighting, now) for sighting in sightings]
        asked = [claim for _, claim in prepared if claim.counters and not claim.refused]
        ask = self._ledger.peek if look else self._ledger.claim
        answers = iter(await ask(viewer.name, asked, now, policy.session_gap) if asked else ())
        decisions = []
        for sighting, (rule, claim) in zip(sightings, prepared, strict=True):
            answer = next(answers) if claim.counters and not claim.refused else Answer(shown=not claim.refused)
            decisions.append(conclude(policy, sighting, rule, claim, answer, now))
        if look:
            return decisions
        self._journal.decided(exchange.at, sightings, decisions)
        return decisions

    async def _peek(self, exchange: Exchange, deliveries: Sequence[Delivery]) -> list[Decision]:
        """What would become of each ad if it alone were shown; only what is to be withheld is written down."""
        alone = dict.fromkeys(delivery.ad for delivery in deliveries)
        first = {delivery.ad: delivery for delivery in reversed(deliveries)}
        asked = await asyncio.gather(*(self._claim(exchange, [first[ad]], look=True) for ad in alone))
        found = {ad: decision for ad, (decision,) in zip(alone, asked, strict=True)}
        decisions = [found[delivery.ad] for delivery in deliveries]
        told = [(each, decision) for each, decision in zip(deliveries, decisions, strict=True) if decision.withheld]
        self._journal.decided(
            exchange.at, [self._sighting(exchange, each) for each, _ in told], [decision for _, decision in told]
        )
        return decisions

    def _sighting(self, exchange: Exchange, delivery: Delivery) -> Sighting:
        here = delivery.page or self._supposed(exchange)
        url = here.url if here else self._recogniser().source(exchange)
        return Sighting(
            viewer=exchange.viewer,
            ad=delivery.ad,
            occasion=delivery.occasion,
            format=delivery.format,
            page=here.token if here else None,
            pod=delivery.pod,
            site=registrable(host_of(url)),
            network=registrable(host_of(exchange.request.url)),
        )

    def _delivery(self, exchange: Exchange, ad: Ad, form: Format) -> Delivery:
        """The delivery this file belongs to: one of the last minutes that named it, else a new one of its own."""
        url, now = exchange.request.url, exchange.at
        found, here = self._found(exchange), self._page(exchange)
        file = self._trail.digest("file", url)
        if found is not None:
            known = found if found.ad.identified else replace(found, ad=ad)
            unseen = here is None or found.page is None
            if (unseen and found.file != file) or (here and found.page and found.page.token == here.token):
                return known
            # Another load of a page, seen or not, asks for the same file: the same ad, and a sighting of its own.
            ad, form = known.ad, known.format
        where = here.token if here else f"{self._recogniser().source(exchange)} {now.isoformat()}"
        return Delivery(ad, self._trail.digest("file", where, str(list(ad)), url).hex(), form, here, file)

    def _remember(self, exchange: Exchange, urls: tuple[str, ...], delivery: Delivery) -> None:
        if delivery.ad.identified:
            self._trail.delivered(exchange.viewer.name, exchange.device, urls, delivery, exchange.at)

    # What is known about the exchange

    def _kind(self, exchange: Exchange) -> Kind:
        """The resource type; an ad's document whose browser does not say what it is for is a frame if it has a referrer."""
        recogniser = self._recogniser()
        kind = recogniser.kind(exchange)
        headers = exchange.request.headers
        if kind is not Kind.DOCUMENT or "sec-fetch-dest" in headers:
            return kind
        # A browser that calls all documents so may still say that this one is part of a load under way.
        inside = exchange.page and self._trail.loaded(exchange.viewer.name, exchange.device, exchange.page, exchange.at)
        if not inside and (exchange.kind or "referer" not in headers):
            return kind
        framed = recogniser.is_ad(exchange.request.url, self._source(exchange), Kind.SUBDOCUMENT)
        return Kind.SUBDOCUMENT if framed else kind

    def _delivers_ad(self, exchange: Exchange, kind: Kind) -> bool:
        url, now = exchange.request.url, exchange.at
        if self._trail.delivery(exchange.viewer.name, exchange.device, url, now):
            return True
        return self._recogniser().is_ad(url, self._source(exchange), kind)

    def _known(self, exchange: Exchange) -> Creative | None:
        return self._creatives.get(self._creative_key(exchange), exchange.at)

    def _fresh(self, exchange: Exchange) -> Creative | None:
        creative = self._known(exchange)
        fresh = creative is not None and creative.validator is not None and exchange.at < creative.validator.fresh_until
        return creative if fresh else None

    def _creative_key(self, exchange: Exchange) -> bytes:
        # Per viewer: an origin may answer each person differently, and no one's cache tells on another.
        return self._trail.digest("creative", exchange.viewer.name, exchange.request.url)

    def _open(self, exchange: Exchange) -> Page:
        url, viewer = exchange.request.url, exchange.viewer.name
        return self._trail.opened(viewer, exchange.device, url, exchange.page, exchange.at)

    def _frame(self, exchange: Exchange) -> Page:
        viewer, device, now = exchange.viewer.name, exchange.device, exchange.at
        if exchange.page and not self._trail.loaded(viewer, device, exchange.page, now):
            # Its browser calls this a load of its own: a visit by a link from another site, not a frame.
            return self._open(exchange)
        here = self._page(exchange) or self._supposed(exchange) or self._open(exchange)
        self._trail.framed(viewer, device, exchange.request.url, here, now)
        return here

    def _page(self, exchange: Exchange) -> Page | None:
        source = self._recogniser().source(exchange)
        return self._trail.page_of(exchange.viewer.name, exchange.device, source, exchange.page, exchange.at)

    def _supposed(self, exchange: Exchange) -> Page | None:
        """The load that a request from a page that was not seen belongs to; None where no page is named."""
        source = self._recogniser().source(exchange)
        if source == UNKNOWN_SOURCE:
            return None
        return self._trail.supposed(exchange.viewer.name, exchange.device, source, exchange.at)

    def _source(self, exchange: Exchange) -> str:
        """The document that made the request: what the request says, else the page whose load it is part of."""
        source = self._recogniser().source(exchange)
        here = self._page(exchange) if source == UNKNOWN_SOURCE and exchange.page else None
        return here.url if here else source

    def _page_url(self, exchange: Exchange) -> str:
        here = self._page(exchange)
        return here.url if here else self._recogniser().source(exchange)

    # Answers

    def _speech(self, exchange: Exchange) -> Speech:
        accepted = exchange.request.headers.get("accept-language")
        chosen = exchange.viewer.language or ("" if accepted else self._language)
        return Speech(language_of(chosen, accepted), self._policy().zone)

    def _filling(self, exchange: Exchange, creative: Creative, decision: Decision) -> Response:
        told = words(decision, self._speech(exchange), exchange.at)
        if creative.format is Format.IMAGE:
            return filler.image_response(creative.size or (300, 250), told)
        return filler.creative_response(told)

    def _untouched(self, exchange: Exchange, reason: str) -> Outcome:
        self._journal.untouched(exchange.at, exchange.viewer, reason)
        return Outcome(note=reason)
