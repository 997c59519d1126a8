"""How long a reader waits for the first byte of a long page that trickles in, through capper against asking the origin itself.

The origin takes a tenth of a second to its first byte and a second more to its last; a proxy that waits for the whole
page before it passes any of it on shows as eleven times as long. Wall time, of a sort that a busy machine hardly changes.
"""

import http.client
import time
from collections.abc import Collection, Iterator

from benchmarks.figures import Figure
from benchmarks.proxies import HOST, capper, origin, subscribe
from benchmarks.run import Run

PATH = "/trickling-page"


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """Direct and through capper, in turns; a round has one page each."""
    if "first-byte" not in keys:
        return
    subscribe(run.folder, run.lists)
    with origin(run.folder) as asked, capper(run.folder, asked) as proxy:
        where = f"http://{HOST}:{asked.plain}{PATH}"
        first_byte(proxy.port, where)
        own, direct = [], []
        for _ in range(max(run.rounds, 3)):
            direct.append(first_byte(asked.plain, PATH))
            own.append(first_byte(proxy.port, where))
    yield Figure.ratio("first-byte", own, direct)


def first_byte(port: int, target: str) -> float:
    """Milliseconds from the request to the first byte of the body, which is then read to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    start = time.perf_counter()
    connection.request("GET", target, headers={"Host": "localhost", "Sec-Fetch-Dest": "document"})
    response = connection.getresponse()
    response.read(1)
    took = (time.perf_counter() - start) * 1000
    response.read()
    connection.close()
    return took
