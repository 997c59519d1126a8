"""Twenty minutes of a household's traffic, connections opening and closing all the time: nothing grows."""

import asyncio
import os
import random
import statistics
import time
from pathlib import Path

import pytest

from capper.proxy.testing import LOOPBACK

SECONDS = float(os.environ.get("CAPPER_SOAK_SECONDS", "1200"))
WORKERS = 100
PAUSE = 1.0
"""Seconds between a worker's connections, on average: a hundred new ones a second."""
MARGIN = 2.0
"""Megabytes by which a process that others hold up now and then differs from itself."""
PAGE = b"GET http://news.test/ HTTP/1.1\r\nHost: news.test\r\nSec-Fetch-Dest: document\r\nConnection: close\r\n\r\n"
AD = (
    b"GET http://ads.test/shoes.png HTTP/1.1\r\nHost: ads.test\r\nReferer: http://news.test/\r\n"
    b"Sec-Fetch-Dest: image\r\nConnection: close\r\n\r\n"
)
HALF = b"POST http://news.test/form HTTP/1.1\r\nHost: news.test\r\nContent-Length: 5000\r\n\r\nhalf of"
TUNNEL = b"CONNECT news.test:80 HTTP/1.1\r\nHost: news.test:80\r\n\r\n"
KINDS = (PAGE, PAGE, AD, AD, HALF, TUNNEL)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 300)]


async def works(port: int, over: float, chance: random.Random) -> int:
    """Open a connection, ask for something, close it, some of them in the middle; how often."""
    done = 0
    while time.monotonic() < over:
        kind = chance.choice(KINDS)
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(kind)
            await writer.drain()
            if kind in (PAGE, AD):
                await asyncio.wait_for(reader.read(), 60)
            elif kind is TUNNEL:
                await asyncio.wait_for(reader.read(64), 60)
            done += 1
        except ConnectionError:
            pass
        finally:
            writer.transport.abort() if kind is HALF else writer.close()
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE))
    return done


def files(process: int) -> int:
    """How many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


async def looks(capper, over: float) -> list[tuple[float, int]]:
    """Resident megabytes and open files, every few seconds."""
    seen = []
    while time.monotonic() < over:
        await asyncio.sleep(min(5.0, SECONDS / 40))
        seen.append((capper.resident(), files(capper.process.pid)))
    return seen


async def soak(capper) -> tuple[int, list[tuple[float, int]]]:
    over = time.monotonic() + SECONDS
    workers = [works(capper.port, over, random.Random(number)) for number in range(WORKERS)]
    seen, *done = await asyncio.gather(looks(capper, over), *workers)
    return sum(done), seen


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
def test_nothing_grows(household):
    """After warming up neither memory nor open files grow, and what was opened is closed in the end."""
    capper = household().start()
    process = capper.process.pid
    rest = files(process)

    done, seen = asyncio.run(soak(capper))

    quarter = len(seen) // 4
    # In the first half it warms up: what is remembered for ten minutes, and for an outage of the ledger, fills.
    early, late = seen[2 * quarter : 3 * quarter], seen[-quarter:]
    # Medians: a machine that is held up for seconds has all of the workers' connections open at a time.
    (before, few), (after, many) = (
        [statistics.median(column) for column in zip(*part, strict=True)] for part in (early, late)
    )
    print(f"{done} connections; {before:.1f} MB, {after:.1f} MB in the end; {few:.0f} files, {many:.0f} in the end")
    assert done > WORKERS * SECONDS / PAUSE / 4
    assert after < before + MARGIN
    assert many <= few * 1.2 + 10
    deadline = time.monotonic() + 90
    while (left := files(process)) > rest + 10 and time.monotonic() < deadline:
        time.sleep(1)
    assert left <= rest + 10
    assert capper.well()
