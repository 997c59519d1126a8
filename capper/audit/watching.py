"""Looks on while recordings go through a gate: which page each exchange belongs to, what it weighs, which ads were met."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from capper.audit.houses import declared
from capper.audit.media import autoplaying, moving, product_page
from capper.audit.met import Load, Meeting
from capper.domain.decision import OCCASION_LIFE, Decision
from capper.domain.exchange import Exchange, Outcome, Response, origin_of
from capper.domain.identity import Ad, Viewer
from capper.domain.mute import Mute
from capper.domain.sighting import Sighting
from capper.journal import Journal
from capper.measure.replay import Admitting
from capper.recognise.domains import site_of
from capper.recognise.kind import Kind, kind_of, source_of
from capper.recognise.recogniser import Recogniser
from capper.recognise.visit import kind_of as shop_page

_DOCUMENTS = (Kind.DOCUMENT, Kind.SUBDOCUMENT)
_NAMED, _LAST = "\0page ", "\0last"

Key = tuple[str, str, str]
"""A viewer, her device, and the address of a document, or a name that no address can have."""


@dataclass
class Watching:
    """A gate that tells what passed through it; also the journal's tallier, which is how the sightings come to it.

    1. `wants` sees every exchange with its response, in the order of time: loads begin there, and bytes are added up.
    2. `decided` gets the ads of the exchange at hand; the same occasion is one meeting.
    3. `admit` sees what came of it: credit prompts.
    """

    gap: timedelta
    """Of idleness, after which a reader's next load begins another session."""
    gate: Admitting = field(init=False)
    """Put in once there is one: its journal is made before it."""
    recogniser: Callable[[], Recogniser] = field(init=False)
    journal: Journal = field(init=False)
    loads: list[Load] = field(default_factory=list)
    meetings: list[Meeting] = field(default_factory=list)
    entries: list[tuple[int, int | None]] = field(default_factory=list)
    """Of each meeting, the recording and its entry."""
    refused: list[tuple[str, Mute]] = field(default_factory=list)
    """Of each meeting that a reader had refused by the ad's own notice, who it was and what she had said."""
    framed: dict[str, list[Ad]] = field(default_factory=lambda: defaultdict(list))
    """The ads in a document, by its address."""
    recording: int = 0
    """Which one is replayed: what its browser calls a page is no page of another's."""
    _now: Exchange | None = None
    _pages: dict[Key, int] = field(default_factory=dict)
    """The load that a page's, a frame's or the browser's own name for a page load stands for, of each device."""
    _frames: set[Key] = field(default_factory=set)
    """The documents that are ads: what they ask for is part of the ad."""
    _occasions: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _places: dict[int, int] = field(default_factory=dict)
    _last: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    """When each person last opened a page, and in which of her sessions."""
    # What a replay asks of a gate

    def foresees(self, exchange: Exchange) -> bool:
        """As the gate does."""
        self._now = exchange
        return self.gate.foresees(exchange)

    def wants(self, exchange: Exchange) -> bool:
        """As the gate does; adds the exchange to its page's load."""
        self._now = exchange
        if exchange.response is not None:
            self._weigh(exchange, exchange.response)
        return self.gate.wants(exchange)

    async def admit(self, exchange: Exchange) -> Outcome:
        """As the gate does; keeps what it found."""
        self._now = exchange
        outcome = await self.gate.admit(exchange)
        if outcome.prompts:
            load = self.loads[self._load_of(exchange)]
            load.prompts = (*load.prompts, *(prompt.kind for prompt in outcome.prompts))
        return outcome

    # What a journal asks of a tallier

    def decided(self, at: datetime, sightings: Sequence[Sighting], decisions: Sequence[Decision]) -> None:
        """The ads of the exchange at hand are about to be shown."""
        assert self._now is not None
        load = self._load_of(self._now)
        documents = dict.fromkeys((self._now.request.url, source_of(self._now)))
        for sighting, decision in zip(sightings, decisions, strict=True):
            for document in documents:
                self.framed[document].append(sighting.ad)
            occasion = (sighting.viewer.name, sighting.occasion)
            last = self._occasions.get(occasion)
            self._occasions[occasion] = at
            if decision.repeated or (last is not None and at - last < OCCASION_LIFE):
                continue
            self.entries.append((self.recording, self.journal.entry))
            place = self._places[load] = self._places.get(load, 0) + 1
            self.meetings.append(
                Meeting(load, place, sighting.ad, sighting.format, sighting.pod, site_of(self.loads[load].url))
            )
            if decision.mute:
                self.refused.append((sighting.viewer.name, decision.mute))

    def cut(self, at: datetime, viewer: Viewer, prompts: int) -> None:
        """Nothing: `admit` sees which they were."""

    async def close(self) -> None:
        """Nothing to write."""

    # Which load it belongs to

    def _weigh(self, exchange: Exchange, response: Response) -> None:
        kind = self._kind(exchange)
        if kind is Kind.DOCUMENT:
            if not 200 <= response.status < 300:
                return
            load = self._open(exchange, exchange.request.url)
        else:
            load = self._load_of(exchange)
            if kind is Kind.SUBDOCUMENT:
                self._pages.setdefault(self._key(exchange, exchange.request.url), load)
        here = self.loads[load]
        size = len(response.body) or response.unrecorded
        here.requests += 1
        here.size += size
        advert = self._advert(exchange, kind)
        if advert:
            here.ad_requests += 1
            here.ad_size += size
            if kind is Kind.SUBDOCUMENT:
                self._frames.add(self._key(exchange, exchange.request.url))
            if kind is Kind.IMAGE and moving(response.body):
                here.moving.append(exchange.request.url)
        if kind in _DOCUMENTS and response.body:
            here.loud += autoplaying(response, exchange.request.url)
        if kind is Kind.DOCUMENT:
            here.housed, here.unhoused = declared(response, exchange.request.url, self.recogniser())
            here.product = shop_page(exchange.request.url) == "product" or product_page(response)

    def _kind(self, exchange: Exchange) -> Kind:
        """The resource type; a document that is asked for within a load under way is a frame's, unless the browser says otherwise."""
        kind = kind_of(exchange)
        told = "sec-fetch-dest" in exchange.request.headers
        if (
            kind is Kind.DOCUMENT
            and not told
            and exchange.page
            and self._key(exchange, _called(exchange)) in self._pages
        ):
            return Kind.SUBDOCUMENT
        return kind

    def _advert(self, exchange: Exchange, kind: Kind) -> bool:
        """Whether a list says that it delivers ads, or the document of an ad asked for it."""
        source = source_of(exchange)
        if kind is Kind.DOCUMENT:
            return False
        return (
            self.recogniser().is_ad(exchange.request.url, source, kind) or self._key(exchange, source) in self._frames
        )

    def _load_of(self, exchange: Exchange) -> int:
        """By what the browser calls the page, else by who asked, else the last load there was; one is supposed where none was."""
        source = source_of(exchange)
        names = (_called(exchange), source, origin_of(source), _LAST)
        found = (self._pages.get(self._key(exchange, name)) for name in names if name)
        known = next((load for load in found if load is not None), None)
        return self._open(exchange, source) if known is None else known

    def _open(self, exchange: Exchange, url: str) -> int:
        person = exchange.viewer.name
        last, session = self._last.get(person, (exchange.at, 0))
        session += exchange.at - last > self.gap
        self._last[person] = exchange.at, session
        self.loads.append(Load(url, person, exchange.device, exchange.at, session=session))
        number = len(self.loads) - 1
        for name in filter(None, (url, origin_of(url), _LAST, _called(exchange))):
            self._pages[self._key(exchange, name)] = number
        return number

    def _key(self, exchange: Exchange, name: str) -> Key:
        plain = f"{self.recording}{name}" if name.startswith(_NAMED) else name.partition("#")[0]
        return exchange.viewer.name, exchange.device, plain


def _called(exchange: Exchange) -> str:
    """What the browser calls the page load, as a name no address can have."""
    return f"{_NAMED}{exchange.page}" if exchange.page else ""
