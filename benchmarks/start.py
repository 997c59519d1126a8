"""How long capper takes until it listens, and the memory it holds when that has settled: at rest, and after some load."""

from collections.abc import Collection, Iterator

from benchmarks.figures import Figure
from benchmarks.processes import settled
from benchmarks.proxies import Origin, capper, origin, subscribe, trusted
from benchmarks.run import Run
from benchmarks.traffic import SCENARIOS, load


def measure(run: Run, keys: Collection[str]) -> Iterator[Figure]:
    """Started once for the engines to be built, then once a round."""
    del keys  # they come of the same starts
    subscribe(run.folder, run.lists)
    with origin(run.folder) as asked:
        with capper(run.folder, asked) as first:
            built = first.started
        started, at_rest, loaded = zip(*(_one(run, asked) for _ in range(run.rounds)), strict=True)
    yield Figure.plain("start-first", [built])
    yield Figure.plain("start", started)
    yield Figure.plain("rss-start", at_rest)
    yield Figure.plain("rss-load", loaded)


def _one(run: Run, asked: Origin) -> tuple[float, float, float]:
    """Seconds until it listens, MB at rest, MB after a tenth of each scenario of a full run."""
    with capper(run.folder, asked) as proxy:
        at_rest = settled(proxy.pid)
        authority = trusted(run.folder, [proxy])
        for scenario in SCENARIOS.values():
            load(proxy, scenario, asked, authority, run.scaled(scenario.count // 10, 80))
        return proxy.started, at_rest, settled(proxy.pid)
