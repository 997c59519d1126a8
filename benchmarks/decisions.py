"""How long capper takes to decide on one request when the ledger answers at once: CPU of this process, no proxy, no network.

That is all the gate does for a request that is known by its head: may it be answered without the origin, does the body
matter, and for the picture of an ad whose it is, what the policy says and what becomes of it. Pages and answers are read
besides, which `bodies` measures. The requests are those of recorded pages, each met once before; without the shared data,
made-up ones in the same shares.
"""

import asyncio
import gzip
import json
import random
import time
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path

from benchmarks.asked import NOON, STARTER, policy
from benchmarks.figures import Figure, quantile
from benchmarks.gates import PICTURE, gate, recogniser
from benchmarks.lists import shared_data
from benchmarks.pages import WORDS
from benchmarks.run import Run
from capper.domain.exchange import Exchange
from capper.gate import Gate
from capper.recognise.kind import Kind
from capper.testing import StubLedger, an_exchange

RECORDED = "requests/crawl2019.jsonl.gz"
_MEDIA_TYPES = {
    "image": "image/png",
    "script": "text/javascript",
    "xhr": "application/json",
    "subdocument": "text/html",
    "stylesheet": "text/css",
    "font": "font/woff2",
}
_DESTINATIONS = {"xhr": "empty", "subdocument": "iframe", "stylesheet": "style", "other": "empty", "media": "video"}
_MADE_KINDS = ("image",) * 10 + ("script",) * 6 + ("xhr",) * 2 + ("stylesheet", "font")

type Asked = tuple[str, str, str]
"""Address, the page that asks for it, and as what."""


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """The p50 and the p99 of each round."""
    found = asyncio.run(_rounds(run))
    for key, share in (("decision-p50", 0.5), ("decision-p99", 0.99)):
        if key in keys:
            yield Figure.plain(key, [quantile(times, share) for times in found])


async def _rounds(run: Run) -> list[list[float]]:
    """Microseconds of each decision in ascending order, round by round; the first round only makes things known."""
    judging = gate(recogniser(run.lists), StubLedger(), policy(*STARTER))
    asked = requests(shared_data(), run.scaled(5000, 500))
    found = [sorted([await _decided(judging, each, turn) for each in asked]) for turn in range(run.rounds + 1)]
    return found[1:]


def requests(data: Path | None, count: int) -> list[Asked]:
    """So many recorded requests, spread over the whole recording, else made-up ones."""
    if data is None or not (data / RECORDED).is_file():
        return list(_made(count))
    rows = [json.loads(line) for line in gzip.decompress((data / RECORDED).read_bytes()).splitlines()]
    return [(row["url"], row["source"], row["type"]) for row in rows[:: max(1, len(rows) // count)][:count]]


def _made(count: int) -> Iterator[Asked]:
    """A fifth of them on hosts that serve ads."""
    chance = random.Random(11)
    for number in range(count):
        kind = chance.choice(_MADE_KINDS)
        path = "/".join(chance.choices(WORDS, k=4))
        ad = chance.random() < 0.2
        host = "tpc.googlesyndication.com" if ad else f"cdn{number % 50}.example"
        yield f"https://{host}/{path}/{number}.{kind}", f"https://news{number % 20}.example/{path}", kind


async def _decided(judging: Gate, asked: Asked, turn: int) -> float:
    """Microseconds of one decision."""
    exchange = _exchange(*asked, turn)
    before = an_exchange(exchange.request.url, at=exchange.at, request=dict(exchange.request.headers), body=None)
    start = time.thread_time_ns()
    if judging.foresees(before):
        await judging.admit(before)
    elif judging.wants(exchange) and asked[2] == Kind.IMAGE:
        await judging.admit(exchange)
    return (time.thread_time_ns() - start) / 1000


def _exchange(url: str, source: str, kind: str, turn: int) -> Exchange:
    request = {"Sec-Fetch-Dest": _DESTINATIONS.get(kind, kind), "Sec-Fetch-Mode": "no-cors"}
    if source.startswith("http"):
        request["Referer"] = source
    body = PICTURE if kind == Kind.IMAGE else b"x"
    response = {"Content-Type": _MEDIA_TYPES.get(kind, "application/octet-stream"), "Content-Length": str(len(body))}
    return an_exchange(url, at=NOON + timedelta(hours=turn), request=request, response=response, body=body)
