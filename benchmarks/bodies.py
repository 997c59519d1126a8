"""What judging a body adds, through the whole gate in one process: milliseconds of CPU, and as many times `json.loads`.

python -m benchmarks.bodies

`json.loads` of 100 kB of an auction's answer is the measure beside it, so that figures of two machines can be compared.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from benchmarks import auctions, pages, videos
from benchmarks.asked import policy
from benchmarks.gates import NEWS, gate, recogniser
from benchmarks.timing import least_and_median
from capper.ledger.memory import MemoryLedger
from capper.recognise.recogniser import Recogniser
from capper.testing import FrozenClock, an_exchange

EXCHANGE = "https://ib.adnxs.com/openrtb2/bid"
ROUNDS = 40


@dataclass(frozen=True)
class Row:
    """A body and the most it may add, in milliseconds."""

    name: str
    url: str
    media_type: str
    body: bytes
    limit: float
    cap: str = "1000 per advertiser per day"


def rows() -> Iterator[Row]:
    """What is measured."""
    served = pages.content()
    bids = json.dumps(auctions.openrtb(adomain=["shoes.example"])).encode()
    clicks = json.dumps(auctions.openrtb()).encode()
    html, xml, plain = "text/html; charset=utf-8", "application/xml", "application/json"
    yield Row("auction, 100 kB, adomain", EXCHANGE, plain, bids, 2.0)
    yield Row("auction, 100 kB, adomain, all withheld", EXCHANGE, plain, bids, 2.0, "never")
    yield Row("auction, 100 kB, by the click", EXCHANGE, plain, clicks, 2.0)
    yield Row("video, 100 kB, 6 ads", "https://ib.adnxs.com/vast", xml, videos.answer(6, 1100), 2.0)
    yield Row("JSON without ads, 100 kB", EXCHANGE, plain, json.dumps(auctions.no_auction()).encode(), 2.0)
    yield Row("page of 210 kB without ads", NEWS, html, served["/plain-page"][1], 4.0)
    yield Row("page of 210 kB with 10 ads", NEWS, html, served["/withheld-page"][1], 4.0)
    yield Row("page of 210 kB with 10 ads, all withheld", NEWS, html, served["/withheld-page"][1], 4.0, "never")


async def cost(row: Row, known: Recogniser) -> tuple[float, float]:
    """The least and the median time that the gate took, in milliseconds of CPU."""
    judging = gate(known, MemoryLedger(), policy(row.cap))
    clock, times = FrozenClock(), []
    request = {"Sec-Fetch-Dest": "document"} if row.url == NEWS else {"Sec-Fetch-Dest": "empty", "Referer": NEWS}
    for _ in range(ROUNDS):
        clock.forward(minutes=1)
        exchange = an_exchange(
            row.url, at=clock(), request=request, response={"Content-Type": row.media_type}, body=row.body
        )
        start = time.process_time()
        await judging.admit(exchange)
        times.append((time.process_time() - start) * 1000)
    return least_and_median(times)


async def table() -> AsyncIterator[str]:
    """Lines of a table in Markdown."""
    known, yard = recogniser(), auctions.yardstick()
    yield "| what judging a body adds | bytes | least, ms | median, ms | times `json.loads` | limit, ms |"
    yield "|---|--:|--:|--:|--:|--:|"
    for row in rows():
        least, median = await cost(row, known)
        yield f"| {row.name} | {len(row.body):,} | {least:.2f} | {median:.2f} | {least / yard:.1f} | {row.limit:g} |"


async def main() -> None:
    """Print the table."""
    async for line in table():
        print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
