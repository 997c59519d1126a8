"""What a second worker brings: the same load of several devices on a capper with one worker and on one with two, in turns.

Where client and origin have processors of their own, requests a second tell. Where all of them share two, what tells is the CPU time of
the busiest worker: it is what bounds the throughput. The estimate is how many requests that would be, against one worker.
"""

import json
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.processes import alone, proportional, wait_ready
from benchmarks.proxies import HOST, Origin, Proxy, capper, origin, subscribe, trusted
from benchmarks.run import Run
from capper.proxy.steering import place_of

WORKERS = 2
DEVICES = tuple(
    next(each for each in (f"127.0.0.{n}" for n in range(first, 255)) if place_of(each, WORKERS) == place)
    for first, place in ((2, 0), (2, 1), (100, 0), (100, 1))
)
"""As many at each worker."""
_PATH, _COUNT = "/1k", 4000


@dataclass(frozen=True, slots=True)
class _Round:
    """One load: seconds it took, CPU seconds of each worker, requests answered."""

    seconds: float
    workers: tuple[float, ...]
    requests: int


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """One worker and two, in turns; and the memory they hold after it, parent and ledger included."""
    del keys  # they come of the same rounds
    folders = [run.folder / f"{number}" for number in (1, WORKERS)]
    with origin(run.folder) as asked, ExitStack() as stack:
        proxies = [_started(stack, folder, asked, run, 1 if folder is folders[0] else WORKERS) for folder in folders]
        authority = trusted(run.folder, proxies)
        rounds: list[list[_Round]] = [[] for _ in proxies]
        for number in range(run.rounds + 1):
            for proxy, folder, found in zip(proxies, folders, rounds, strict=True):
                one = _load(proxy, folder, asked, authority, run.scaled(_COUNT, 80))
                if number:  # the first warms up
                    found.append(one)
        single, double = rounds
        yield Figure.ratio("workers-cpu", _cpu(double), _cpu(single))
        yield Figure.ratio("workers-estimate", _bound(double), _bound(single))
        yield Figure.ratio("workers-wall", _rate(double), _rate(single))
        memory = [proportional(proxy.pid) for proxy in proxies]
        yield Figure.ratio("workers-memory", memory[1:], memory[:1])


def _started(stack: ExitStack, folder: Path, asked: Origin, run: Run, workers: int) -> Proxy:
    folder.mkdir()
    subscribe(folder, run.lists)
    proxy = stack.enter_context(capper(folder, asked, "--workers", str(workers)))
    wait_ready(folder / "capper" / "running.json", proxy.process)
    return proxy


def _load(proxy: Proxy, folder: Path, asked: Origin, authority: Path, count: int) -> _Round:
    """`count` requests of all devices together, each a process with two connections.

    Raises:
        SystemExit: an answer was not what it should be.
    """
    told = json.loads((folder / "capper" / "running.json").read_text())
    pids = [worker["pid"] for worker in told["workers"]] or [proxy.pid]
    command = [sys.executable, "-m", "benchmarks.load", str(proxy.port), "http", f"{HOST}:{asked.plain}", _PATH]
    command += [str(count // len(DEVICES)), "2", str(authority)]
    before, start = [alone(pid) for pid in pids], time.perf_counter()
    loads = [
        subprocess.Popen([*command, "--from", device], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for device in DEVICES
    ]
    ended = [load.communicate() for load in loads]
    seconds = time.perf_counter() - start
    if any(load.returncode for load in loads):
        raise SystemExit(f"{proxy.name}, {len(pids)} workers: {''.join(errors for _, errors in ended)}")
    spent = tuple(alone(pid) - was for pid, was in zip(pids, before, strict=True))
    return _Round(seconds, spent, sum(int(answered) for answered, _ in ended))


def _cpu(rounds: Sequence[_Round]) -> list[float]:
    """CPU milliseconds a request, of all workers together."""
    return [1000 * sum(each.workers) / each.requests for each in rounds]


def _bound(rounds: Sequence[_Round]) -> list[float]:
    """Requests a second that the busiest worker would allow, had each a processor of its own."""
    return [each.requests / max(each.workers) for each in rounds]


def _rate(rounds: Sequence[_Round]) -> list[float]:
    """Requests a second that there were."""
    return [each.requests / each.seconds for each in rounds]
