"""CPU time of a request through capper, against another proxy's for the same: the process's own and its children's.

For capper that includes the ledger's server. Client and origin are processes of their own and do not count.
"""

import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.processes import cpu
from benchmarks.proxies import Origin, Proxy, both, origin, trusted
from benchmarks.run import Run

CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked for, how often in a round of a full run, and over what."""

    scheme: str
    path: str
    count: int
    fresh: bool = False
    """Each request on a connection, and in a TLS session, of its own."""


SCENARIOS = {
    "small-http": Scenario("http", "/1k", 3000),
    "small-tls": Scenario("https", "/1k", 3000),
    "new-tls": Scenario("https", "/1k", 300, fresh=True),
    "page": Scenario("http", "/page", 600),
    "page-tls": Scenario("https", "/page", 600),
    "page-withheld": Scenario("http", "/withheld-page", 600),
    "page-plain": Scenario("http", "/plain-page", 600),
    "image": Scenario("http", "/photo.png", 1500),
    "image-tls": Scenario("https", "/photo.png", 1500),
    "image-ad": Scenario("http", "/adbanners/banner.png", 1500),
}
"""By the key of the row."""


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """Capper and mitmdump in turns."""
    with origin(run.folder) as asked, both(run.folder, asked, run.lists) as proxies:
        authority = trusted(run.folder, proxies)
        for key, scenario in SCENARIOS.items():
            if key in keys:
                own, other = in_turns(proxies, scenario, asked, authority, run)
                yield Figure.ratio(key, own, other)


def in_turns(
    proxies: Sequence[Proxy], scenario: Scenario, asked: Origin, authority: Path, run: Run
) -> list[list[float]]:
    """For each of the proxies the CPU milliseconds a request took, round by round."""
    count = run.scaled(scenario.count, 10 * CONNECTIONS)
    for proxy in proxies:
        load(proxy, scenario, asked, authority, max(count // 10, 10 * CONNECTIONS))
    found: list[list[float]] = [[] for _ in proxies]
    for _ in range(run.rounds):
        for proxy, times in zip(proxies, found, strict=True):
            times.append(load(proxy, scenario, asked, authority, count))
    return found


def load(proxy: Proxy, scenario: Scenario, asked: Origin, authority: Path, count: int) -> float:
    """One round of about `count` requests; CPU milliseconds for each.

    Raises:
        SystemExit: an answer was not what it should be.
    """
    command = [
        sys.executable,
        "-m",
        "benchmarks.load",
        str(proxy.port),
        scenario.scheme,
        asked.address(scenario.scheme),
    ]
    command += [scenario.path, str(count), str(CONNECTIONS), str(authority), *(["--new"] if scenario.fresh else [])]
    before = cpu(proxy.pid)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{proxy.name}, {scenario.scheme} {scenario.path}: {done.stderr}")
    return (cpu(proxy.pid) - before) * 1000 / int(done.stdout)
