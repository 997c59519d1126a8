"""Puts the gate into the stream of flows: buffers what it wants, streams the rest, and fails open."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Final, Protocol

from mitmproxy import http, tcp, udp

from capper.domain.exchange import Action, Exchange, Outcome
from capper.gateway.ours import is_ours
from capper.proxy import flows
from capper.proxy.early import begin, follow
from capper.proxy.faults import place, trace
from capper.proxy.people import People
from capper.rewrite.html.prelude import Prelude

logger = logging.getLogger(__name__)

DEADLINE = 2.0
"""Seconds an exchange may be judged; the ledger has a much shorter deadline of its own."""

_KEY: Final = "capper"


class Judge(Protocol):
    """What the proxy asks of the gate."""

    @property
    def max_body(self) -> int: ...

    def foresees(self, exchange: Exchange) -> bool: ...

    def wants(self, exchange: Exchange) -> bool: ...

    def begins(self, exchange: Exchange) -> bool: ...

    async def ready(self) -> object: ...

    async def admit(self, exchange: Exchange) -> Outcome: ...


class Stage(Enum):
    """How far a flow has come."""

    FORESEEN = auto()
    ASKED = auto()
    WANTED = auto()
    DONE = auto()
    LEFT = auto()
    """Left alone: this person has paused capper."""


_BEGINS: Final = {
    (False, True): Stage.FORESEEN,
    (False, False): Stage.ASKED,
    (True, False): Stage.LEFT,
}
"""By whether the person has paused capper, and whether the gate wants to judge the request."""


class Passage:
    """One flow on its way: its exchange, made once, and its stage."""

    __slots__ = ("exchange", "prelude", "stage")

    def __init__(self, exchange: Exchange, stage: Stage) -> None:
        self.exchange = exchange
        self.stage = stage
        self.prelude: Prelude | None = None


class FrequencyCap:
    """The addon. A flow meets it in four hooks:

    1. `requestheaders`: the exchange is made; a request the gate does not foresee streams to the origin.
    2. `request`: a foreseen one is judged, and perhaps changed, or answered without the origin.
    3. `responseheaders`: a response the gate does not want streams to the client; of a page its head may (`proxy/early.py`).
    4. `response`: a wanted one, whole by now, is judged, and perhaps rewritten.

    What belongs to a person who has paused capper streams through all four as it is.

    A body that outgrows `max_body` while it is being buffered is passed on by mitmproxy (`stream_large_bodies`); its
    flow then comes to `response` with `stream` set, and is left alone.
    """

    def __init__(
        self,
        gate: Judge,
        people: People,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        deadline: float = DEADLINE,
        *,
        stream: bool = True,
    ) -> None:
        self._gate = gate
        self._people = people
        self._clock = clock
        self._deadline = deadline
        self._stream = stream
        self._complained: set[str] = set()

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.error or not flow.live or flow.is_replay or flow.response:
            return
        if is_ours(flow.request.pretty_host.rstrip(".").lower()):
            return  # answered here, once its body was read
        foreseen = False
        with self._failing_open("read a request"):
            exchange = self._exchange(flow)
            paused = self._people.paused(exchange.viewer)
            foreseen = not paused and self._gate.foresees(exchange)
            flow.metadata[_KEY] = Passage(exchange, _BEGINS[paused, foreseen])
        if self._stream and not foreseen:
            flow.request.stream = True

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        passage = self._at(flow, Stage.FORESEEN)
        if passage is None or flow.response:
            return None
        passage.stage = Stage.ASKED
        if flow.request.stream:
            return None  # it outgrew the limit, and the origin has it
        return self._judge_request(flow, passage)

    async def _judge_request(self, flow: http.HTTPFlow, passage: Passage) -> None:
        with self._failing_open("answer a request"):
            exchange = passage.exchange
            if flow.request.raw_content:
                body = flow.request.raw_content
                exchange = passage.exchange = replace(exchange, request=replace(exchange.request, body=body))
            outcome = await self._judge(exchange)
            if outcome.action is Action.FORWARD and outcome.request is not None:
                flows.forward(flow, outcome.request)
            elif outcome.action is not Action.PASS and outcome.response is not None:
                flows.answer(flow, outcome.response)
                passage.stage = Stage.DONE

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        if self._at(flow, Stage.LEFT) and flow.response is not None:
            flow.response.stream = flow.response.stream or self._stream
            return
        if flow.request.scheme == "https" and flow.response is not None:
            # HTTP/3 would go around us; hosts that are not opened keep it.
            flows.drop_header(flow.response, b"alt-svc")
        passage = self._at(flow, Stage.ASKED)
        if passage is None or flow.response is None:
            return
        passage.stage = Stage.DONE
        if flow.response.stream or flow.response.status_code == 101:
            return
        with self._failing_open("read a response's headers"):
            exchange = replace(passage.exchange, response=flows.response_of(flow.response))
            if self._gate.wants(exchange):
                passage.exchange = exchange
                passage.stage = Stage.WANTED
                if self._stream and self._gate.begins(exchange):
                    passage.prelude = begin(flow.response, self._gate.max_body)
        if self._stream and passage.stage is not Stage.WANTED:
            flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        passage = self._at(flow, Stage.WANTED)
        response = flow.response
        if response is not None and response.trailers and flow.client_conn.alpn != b"h2":
            response.trailers = None  # mitmproxy cannot write them in HTTP/1
        if passage is None or response is None:
            return None
        if passage.prelude:
            passage.stage = Stage.DONE
            return None if passage.prelude.overgrown else self._judge_page(flow, passage.exchange, passage.prelude)
        if response.stream or response.raw_content is None:
            return None
        passage.stage = Stage.DONE
        if len(response.raw_content) > self._gate.max_body:
            return None
        return self._judge_response(flow, passage, response.raw_content)

    async def _judge_response(self, flow: http.HTTPFlow, passage: Passage, body: bytes) -> None:
        with self._failing_open("judge a response"):
            assert passage.exchange.response is not None
            whole = passage.exchange.response.carrying(body)
            outcome = await self._judge(replace(passage.exchange, response=whole))
            if outcome.action is not Action.PASS and outcome.response is not None:
                flows.rewrite(flow, outcome.response)

    async def _judge_page(self, flow: http.HTTPFlow, exchange: Exchange, prelude: Prelude) -> None:
        """A page of which the beginning has passed."""
        page = prelude.whole()
        follow(flow, page[prelude.passed :])
        with self._failing_open("judge a page"):
            assert exchange.response is not None
            outcome = await self._judge(replace(exchange, response=exchange.response.carrying(page)))
            if outcome.action is not Action.PASS and outcome.response is not None:
                rest = prelude.rest(outcome.response.body)
                assert rest is not None, "what has passed of a page is no longer how it begins"
                follow(flow, rest)

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Forget what went through a tunnel; mitmproxy would keep it for as long as the tunnel lasts."""
        flow.messages.clear()

    def udp_message(self, flow: udp.UDPFlow) -> None:
        flow.messages.clear()

    def _at(self, flow: http.HTTPFlow, stage: Stage) -> Passage | None:
        """The flow's passage, if it is live and at this stage."""
        if flow.error or not flow.live or flow.is_replay:
            return None
        passage = flow.metadata.get(_KEY)
        return passage if isinstance(passage, Passage) and passage.stage is stage else None

    def _exchange(self, flow: http.HTTPFlow) -> Exchange:
        caller = self._people.caller(flow.client_conn)
        device = caller.device(flow.request.headers.get("user-agent", ""))
        return flows.exchange_of(flow, self._people.viewer(caller), self._clock(), device)

    async def _judge(self, exchange: Exchange) -> Outcome:
        # What a start still loads is waited for, however long that takes: nothing passes unjudged because it came early.
        await self._gate.ready()
        async with asyncio.timeout(self._deadline):
            return await self._gate.admit(exchange)

    @contextmanager
    def _failing_open(self, attempt: str) -> Iterator[None]:
        """Whatever goes wrong inside, the flow passes untouched, and each fault is told once.

        The message of an exception may hold an address somebody visited, so only its kind and place are told.
        """
        try:
            yield
        except Exception as exc:  # noqa: BLE001  fail open (DESIGN: a person's page comes first)
            where = place(exc)
            if where not in self._complained:
                self._complained.add(where)
                logger.error(  # noqa: TRY400  the exception itself may hold an address
                    "%s: %s; it passes untouched, and this is told once\n%s", attempt, where, trace(exc)
                )
