"""HARs made for a test, and the smallest gate that stands where the real one does."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest

from capper.domain.cap import Cap
from capper.domain.decision import Decision, Verdict
from capper.domain.exchange import Action, Exchange, Headers, Outcome, Response
from capper.domain.identity import Ad, Basis
from capper.measure.har import Har, parse
from capper.testing import NOON


class HarBuilder:
    """Collects entries a minute apart and gives them as a HAR."""

    def __init__(self) -> None:
        self.entries: list[dict] = []
        self.at = NOON

    def add(
        self,
        url: str,
        body: str | bytes | None = None,
        *,
        mime: str = "text/html; charset=utf-8",
        status: int = 200,
        at: datetime | str | None = None,
        headers: dict[str, str] | None = None,
        request: dict[str, str] | None = None,
        **more: object,
    ) -> dict:
        """Add one entry: text stays text, bytes become base64, None is a body that was not recorded."""
        content: dict[str, object] = {"size": len(body or b""), "mimeType": mime}
        if isinstance(body, bytes):
            content |= {"text": base64.b64encode(body).decode(), "encoding": "base64"}
        elif body is not None:
            content["text"] = body
        fields = {"Content-Type": mime, "Date": "Sun, 22 Nov 2026 12:00:00 GMT", **(headers or {})}
        self.at += timedelta(minutes=1)
        when = at or self.at
        entry: dict = {
            "startedDateTime": when if isinstance(when, str) else when.isoformat(),
            "time": 12.5,
            "request": {
                "method": "GET",
                "url": url,
                "httpVersion": "HTTP/2",
                "headers": [{"name": name, "value": value} for name, value in (request or {}).items()],
                "queryString": [],
                "cookies": [],
                "headersSize": -1,
                "bodySize": 0,
            },
            "response": {
                "status": status,
                "statusText": "OK",
                "httpVersion": "HTTP/2",
                "headers": [{"name": name, "value": value} for name, value in fields.items()],
                "cookies": [],
                "content": content,
                "redirectURL": "",
                "headersSize": -1,
                "bodySize": len(body or b""),
            },
            "cache": {},
            "timings": {"send": 0, "wait": 12.5, "receive": 0},
            **more,
        }
        self.entries.append(entry)
        return entry

    def value(self) -> dict:
        """The HAR as a value."""
        creator = {"name": "test", "version": "1"}
        return {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": self.entries}}

    def bytes(self) -> bytes:
        """The HAR as a file holds it."""
        return orjson.dumps(self.value(), option=orjson.OPT_INDENT_2)

    def har(self) -> Har:
        """The HAR as it is read."""
        return parse(self.bytes(), "test.har")


class FewGate:
    """A gate that shows each URL with `ad` in it `most` times to each viewer, then puts `filling` in its place.

    `foresee` makes it answer before the origin is asked.
    """

    def __init__(self, most: int = 3, filling: bytes = b"<p>capped</p>", *, foresee: bool = False) -> None:
        self.most, self.filling, self.foresee = most, filling, foresee
        self.seen: dict[tuple[str, str], int] = {}
        self.asked: list[Exchange] = []
        self.edit: Callable[[Response], Response] | None = None

    def foresees(self, exchange: Exchange) -> bool:
        key = (exchange.viewer.name, exchange.request.url)
        return self.foresee and self.seen.get(key, 0) >= self.most

    def wants(self, exchange: Exchange) -> bool:
        return "ad" in exchange.request.url

    async def admit(self, exchange: Exchange) -> Outcome:
        self.asked.append(exchange)
        key = (exchange.viewer.name, exchange.request.url)
        count = self.seen[key] = self.seen.get(key, 0) + 1
        ad = Ad(("shoes.example",), creative="ads.example/1", basis=Basis.CLICK)
        decision = Decision(
            Verdict.SHOW if count <= self.most else Verdict.WITHHOLD,
            exchange.viewer,
            ad,
            "caps",
            Cap.parse(f"{max(self.most, 1)} per creative per day"),
            count - 1,
            exchange.at + timedelta(days=1) if count > self.most else None,
        )
        if not decision.withheld:
            return Outcome(decisions=(decision,))
        if exchange.response is None:
            ours = Response(200, Headers([("Content-Type", "text/html; charset=utf-8")]), self.filling)
            return Outcome(Action.ANSWER, ours, (decision,))
        response = exchange.response
        response = self.edit(response) if self.edit else replace(response, body=self.filling)
        return Outcome(Action.REWRITE, response, (decision,))


@pytest.fixture
def builder() -> HarBuilder:
    """An empty HAR to add entries to."""
    return HarBuilder()


@pytest.fixture
def few_gate() -> type[FewGate]:
    """The class of the small gate."""
    return FewGate


@pytest.fixture
def har_files(shared_data) -> Iterator:
    """Every real HAR."""
    return sorted((shared_data / "har").glob("*.har.gz"))
