"""How long capper takes until it listens, and the memory it holds when that has settled: at rest, and after some load."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager

from benchmarks.figures import Figure
from benchmarks.processes import cpu, settled
from benchmarks.proxies import Origin, Proxy, capper, mitmdump, origin, subscribe, trusted
from benchmarks.run import Run
from benchmarks.traffic import SCENARIOS, load


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """Started once for the engines to be built, then in turns with mitmdump."""
    subscribe(run.folder, run.lists)
    with origin(run.folder) as asked:
        built, _ = _started(capper(run.folder, asked))
        yield Figure.plain("start-first", [built])
        rounds = [
            (_started(capper(run.folder, asked)), _started(mitmdump(run.folder, asked))) for _ in range(run.rounds)
        ]
        yield Figure.plain("start", [own[0] for own, _ in rounds])
        yield Figure.ratio("start-cpu", [own[1] for own, _ in rounds], [other[1] for _, other in rounds])
        if any(key.startswith("rss") for key in keys):
            at_rest, loaded = zip(*(_held(run, asked) for _ in range(min(run.rounds, 3))), strict=True)
            yield Figure.plain("rss-start", at_rest)
            yield Figure.plain("rss-load", loaded)


def _started(starting: AbstractContextManager[Proxy]) -> tuple[float, float]:
    """Seconds until it listens, and the CPU seconds it spent on that."""
    with starting as proxy:
        return proxy.started, cpu(proxy.pid)


def _held(run: Run, asked: Origin) -> tuple[float, float]:
    """MB at rest, and after a tenth of each scenario of a full run."""
    with capper(run.folder, asked) as proxy:
        at_rest = settled(proxy.pid)
        authority = trusted(run.folder, [proxy])
        for scenario in SCENARIOS.values():
            load(proxy, scenario, asked, authority, run.scaled(scenario.count // 10, 80))
        return at_rest, settled(proxy.pid)
