"""Creatives that are files of their own: pictures and ads' documents, those met before, and the redirects to them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple
from urllib.parse import urljoin

from capper.domain.evidence import Evidence
from capper.domain.exchange import Action, Exchange, Outcome, Response
from capper.domain.identity import Ad
from capper.domain.sighting import Format
from capper.gate.counting import Counting
from capper.gate.limits import Limits
from capper.gate.scene import NOTHING, PICTURES, Around, Scene
from capper.gate.speaking import Speaking
from capper.recognise.gallery import Gallery
from capper.rewrite import caching
from capper.trail import Delivery, Recent


class Creative(NamedTuple):
    """A creative file met before, so that the next request for it can be answered before the origin is asked."""

    ad: Ad
    format: Format
    size: tuple[int, int] | None = None
    validator: caching.Validator | None = None


def _met() -> Recent[bytes, Creative]:
    return Recent(50_000, caching.LONGEST)


@dataclass(frozen=True, slots=True)
class Files:
    """Judges what is one ad and nothing else."""

    scene: Scene
    counting: Counting
    speaking: Speaking
    limits: Limits
    untouched: Callable[[Exchange, str], Outcome]
    """Says in the journal why something was left alone."""
    gallery: Gallery = field(default_factory=Gallery)
    met: Recent[bytes, Creative] = field(default_factory=_met)

    # Before the origin is asked

    def known(self, exchange: Exchange) -> Creative | None:
        """The creative that this address served before."""
        return self.met.get(self._key(exchange), exchange.at) if len(self.met) else None

    def fresh(self, exchange: Exchange) -> Creative | None:
        """The same, if its origin still vouches for it."""
        creative = self.known(exchange)
        fresh = creative is not None and creative.validator is not None and exchange.at < creative.validator.fresh_until
        return creative if fresh else None

    async def before(self, exchange: Exchange, creative: Creative) -> Outcome:
        """A creative met before is decided on now; withheld or still good in the browser's cache, it is answered here."""
        around = self.scene.around(exchange)
        delivery = self.scene.delivery(exchange, around, creative.ad, creative.format)
        (decision,) = await self.counting.claim(exchange, [delivery])
        if decision.withheld:
            filling = self.speaking.filling(exchange, creative.format, creative.size, decision)
            return Outcome(Action.ANSWER, filling, (decision,))
        self.scene.remember(exchange, (exchange.request.url,), delivery)
        self.scene.shows(exchange, delivery)
        if creative.validator and creative.validator.vouches(exchange.request.headers, exchange.at):
            return Outcome(Action.ANSWER, caching.not_modified(creative.validator), (decision,))
        return Outcome(decisions=(decision,))

    # With the whole response

    async def unmodified(self, exchange: Exchange, response: Response) -> Outcome:
        """The origin says that the browser's copy is still good: the copy is the ad."""
        creative = self.known(exchange)
        if creative is None:
            return Outcome()
        headers = response.headers
        for name, value in creative.validator.fields() if creative.validator else ():
            headers = headers if name in headers else headers.with_(name, value)
        around = self.scene.around(exchange)
        return await self.deliver(exchange, response.carrying(b"", headers), creative, around)

    async def redirected(self, exchange: Exchange, response: Response) -> Outcome:
        """An ad server sends the browser on: what it is sent to is this ad, whoever keeps the file."""
        try:
            target = urljoin(exchange.request.url, response.headers.get("location").strip())
        except ValueError:
            return Outcome()
        scene = self.scene
        around = scene.around(exchange)
        ad = scene.recogniser.read_url(exchange.request.url, around.url)
        form = Format.IMAGE if scene.kind(exchange) in PICTURES else Format.FRAME
        delivery = scene.delivery(exchange, around, ad, form)
        scene.trail.delivered(exchange.viewer.name, exchange.device, (target,), delivery, exchange.at)
        return Outcome()

    async def picture(self, exchange: Exchange, response: Response, named: Delivery | None) -> Outcome:
        """An ad's picture, which a delivery of the last minutes may have `named`; a pixel is a beacon."""
        around = self.scene.around_named(exchange, named)
        if response.unrecorded:
            return await self._unrecorded(exchange, response, around)
        known = self.gallery.recall(response.body, partial(self.scene.ad_of_file, exchange, around))
        if known is None:
            return await self._unmet(exchange, response, around)
        return await self.deliver(exchange, response, Creative(known.ad, Format.IMAGE, known.size), around)

    async def _unmet(self, exchange: Exchange, response: Response, around: Around) -> Outcome:
        """A picture whose file was not met before, or that somebody else is just looking at."""
        from capper.recognise.picture import measure  # noqa: PLC0415  Pillow is imported with the first of them

        picture = measure(response.body)
        if picture is None:
            return self.untouched(exchange, "an ad's picture of unknown size") if response.body else Outcome()
        size = (picture.width, picture.height)
        if min(size) <= self.limits.pixel:
            return await self.notice(exchange, response)
        ad = self.scene.ad_of_file(exchange, around)
        known = await asyncio.to_thread(self.gallery.identify, response.body, size, ad)
        around = self.scene.around(exchange)
        return await self.deliver(exchange, response, Creative(known.ad, Format.IMAGE, size), around)

    async def notice(self, exchange: Exchange, _: Response) -> Outcome:
        """A notice counts for an ad that an auction offered: what was a candidate has been shown."""
        found = self.scene.announced(exchange)
        if found is None or not found.candidate:
            return Outcome()
        delivery = self.scene.delivery(exchange, self.scene.around_named(exchange, found), found.ad, found.format)
        decisions = await self.counting.claim(exchange, [delivery])
        if not decisions[0].withheld:
            self.scene.shows(exchange, delivery)
        return Outcome(decisions=tuple(decisions))

    async def deliver(
        self,
        exchange: Exchange,
        response: Response,
        creative: Creative,
        around: Around,
        evidence: Evidence = NOTHING,
        links: tuple[str, ...] = (),
    ) -> Outcome:
        """A response that is one ad and nothing else: show it, asked for anew each time, or put the placeholder there."""
        scene = self.scene
        delivery = scene.delivery(exchange, around, creative.ad, creative.format)
        (decision,) = await self.counting.claim(exchange, [delivery])
        if creative.format is Format.IMAGE:
            scene.fills(exchange, around, delivery)
        # Of one that is withheld too: a recording goes on with what its document asked for, and that is no ad of its own.
        scene.remember(exchange, (exchange.request.url, *evidence.resources), delivery)
        if decision.withheld:
            filling = self.speaking.filling(exchange, creative.format, creative.size, decision)
            return Outcome(Action.REWRITE, filling, (decision,))
        if creative.format is Format.FRAME:
            viewer, device = exchange.viewer.name, exchange.device
            scene.trail.filled(viewer, device, exchange.request.url, delivery, exchange.at)
        scene.shows(exchange, delivery, evidence, links)
        asking = caching.revalidated(response, exchange.at)
        if asking is None:
            return Outcome(decisions=(decision,))
        again, validator = asking
        known = creative._replace(ad=delivery.ad, validator=validator)
        self.met.put(self._key(exchange), known, exchange.at)
        return Outcome(Action.REWRITE, again, (decision,))

    async def _unrecorded(self, exchange: Exchange, response: Response, around: Around) -> Outcome:
        """A picture of which a recording keeps the size in bytes alone: it was shown, and it is known by its address."""
        if response.unrecorded <= self.limits.beacon:
            return Outcome()
        scene = self.scene
        delivery = scene.delivery(exchange, around, scene.ad_of_file(exchange, around), Format.IMAGE)
        (decision,) = await self.counting.claim(exchange, [delivery])
        scene.fills(exchange, around, delivery)
        # What stood there is not known, so nothing can be put in its place; that it is withheld is said all the same.
        return Outcome(Action.REWRITE, response, (decision,)) if decision.withheld else Outcome(decisions=(decision,))

    def _key(self, exchange: Exchange) -> bytes:
        # Per viewer: an origin may answer each person differently, and no one's cache tells on another.
        return self.scene.trail.digest("creative", exchange.viewer.name, exchange.request.url)
