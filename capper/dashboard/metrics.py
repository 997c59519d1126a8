"""The figures of a running capper as Prometheus reads them: of everybody together, with no name in them. Owner of `prometheus_client`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from capper import __version__
from capper.fleet import Row
from capper.journal import Totals

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(
    totals: Totals,
    *,
    ledger: bool,
    version: int,
    people: int,
    rules: int,
    started: datetime,
    ends: datetime | None,
    workers: Sequence[Row] = (),
) -> bytes:
    """The text of `/metrics` at one moment.

    Args:
        ledger: whether the ledger answers.
        version: of the policy in force; 0 where that is the file.
        rules: of all filter lists in use.
        ends: when the certificate does.
        workers: what each says of itself, where there are several.
    """
    # A registry of our own: what others register with the library's is not ours to tell.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(lambda: _families(totals, ledger, version, people, rules, started, ends)))
    registry.register(_Read(lambda: _of_workers(workers)))
    return generate_latest(registry)


class _Read(Collector):
    """Reads the figures when it is asked."""

    def __init__(self, read: Callable[[], Iterator[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        """The figures now."""
        return self._read()


def _families(
    totals: Totals, ledger: float, version: int, people: int, rules: int, started: datetime, ends: datetime | None
) -> Iterator[Metric]:
    yield _gauge("info", "The version that runs; always 1.", 1, version=__version__)
    ads = CounterMetricFamily(
        "capper_ads", "Ads decided on since the start, by what became of them.", labels=["outcome"]
    )
    for outcome, count in (("shown", totals.shown), ("withheld", totals.withheld), ("repeated", totals.repeated)):
        ads.add_metric([outcome], count)
    yield ads
    for name, text, count in (
        ("ads_uncounted", "Ads decided on while the ledger did not answer.", totals.uncounted),
        ("credit_prompts_cut", "Credit prompts taken out or marked.", totals.prompts),
        ("exchanges_untouched", "Exchanges that could not be judged and passed as they were.", totals.untouched),
        ("journal_records_dropped", "Journal records lost because the ledger was too slow or gone.", totals.dropped),
    ):
        yield CounterMetricFamily(f"capper_{name}", text, value=count)
    yield _gauge("ledger_up", "Whether the ledger answers.", ledger)
    yield _gauge("policy_version", "The version of the policy in force, 0 for the file of this host.", version)
    yield _gauge("people", "People in the policy.", people)
    yield _gauge("list_rules", "Rules of the filter lists in use.", rules)
    yield _gauge("start_time_seconds", "When this process started, in seconds since 1970.", started.timestamp())
    if ends:
        yield _gauge("certificate_end_seconds", "When the certificate ends, in seconds since 1970.", ends.timestamp())


def _of_workers(workers: Sequence[Row]) -> Iterator[Metric]:
    if not workers:
        return
    connections = GaugeMetricFamily("capper_worker_connections", "Clients that a worker serves now.", labels=["worker"])
    restarts = CounterMetricFamily("capper_worker_restarts", "How often a worker was started anew.", labels=["worker"])
    decided = CounterMetricFamily("capper_worker_ads", "Ads that a worker decided on.", labels=["worker"])
    for number, row in enumerate(workers, 1):
        totals = row.totals
        connections.add_metric([str(number)], row.connections)
        restarts.add_metric([str(number)], row.restarts)
        decided.add_metric([str(number)], totals.shown + totals.withheld + totals.repeated)
    yield from (connections, restarts, decided)


def _gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(f"capper_{name}", text, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
