"""The metrics as Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from expediter.domain.order import ENDED
from expediter.domain.outage import Outage
from expediter.embedded.sqlite.metrics import Histogram, Metrics


class Family(NamedTuple):
    """One metric: what it means, and the labels that tell its series apart."""

    help: str
    labels: tuple[str, ...] = ()


#: Since the start of the process. A name ends in _total.
COUNTERS: dict[str, Family] = {
    "expediter_orders_accepted_total": Family("Orders accepted."),
    "expediter_orders_ended_total": Family("Orders ended.", ("status",)),
    "expediter_requests_shed_total": Family("Requests refused with 503 because there was too much to do."),
    "expediter_sign_ins_failed_total": Family("Tokens that were wrong: at the console's sign-in, and in requests."),
    "expediter_commits_lost_total": Family("Commits that failed (a full disk): every request in them got 503."),
}

#: Since the start of the process.
HISTOGRAMS: dict[str, Family] = {
    "expediter_accept_seconds": Family("From an order's request being read until it is durable."),
    "expediter_order_seconds": Family("From an order's accept to its end, the hold included."),
    "expediter_transition_seconds": Family(
        "One unit of work of the writer: an accept, or a transition of a workflow (intake: up to five).",
        ("unit",),
    ),
    "expediter_task_seconds": Family(
        "A task's call through a gateway: from when it has to be made until its answer. Not of simulated ones.",
        ("call", "outcome"),
    ),
    "expediter_write_seconds": Family("The statements that write what the units of one commit changed."),
    "expediter_commit_seconds": Family("COMMIT: until the disk has what a batch of units wrote."),
    "expediter_commit_units": Family("Units of work in one commit."),
}

#: 1 while the server takes no orders for this reason, else 0. It is shown also when the file cannot be read.
OUTAGE: dict[str, Family] = {
    "expediter_outage": Family("1 while the server takes no orders for this reason.", ("outage",)),
}

#: 1 when this part is simulated, else 0.
SIMULATED: dict[str, Family] = {
    "expediter_simulated": Family(
        "1 while this is simulated: no money is taken, no meal is cooked, no mail is sent.", ("part",)
    ),
}

#: Read from the file when asked for, and left out while it cannot be read.
GAUGES: dict[str, Family] = {
    "expediter_queue_messages": Family("Messages on the order queue."),
    "expediter_queue_oldest_seconds": Family("Age of the oldest message on the queue; 0 without one."),
    "expediter_dead_letters": Family("Messages in the dead-letter queue."),
    "expediter_dead_letters_oldest_seconds": Family("Time since the first of them died; 0 without one."),
    "expediter_refunds_owed": Family("Orders whose customers are owed money."),
    "expediter_refunds_owed_oldest_seconds": Family("For how long the first of them is owed; 0 without one."),
    "expediter_workflows_running": Family("Workflows that have not ended."),
    "expediter_workflows_failed": Family("Orders that need an operator."),
    "expediter_calls_under_way": Family("Calls through the gateways under way."),
    "expediter_clock_difference_seconds": Family(
        "By how much the machine's clock is ahead of the server's time; negative: behind it."
    ),
    "expediter_mails_waiting": Family("Mails that are to be sent."),
    "expediter_events_dead": Family("Events of payment providers that could not be processed."),
    "expediter_events_unknown": Family("Events of payment providers, of the last month, from which nothing follows."),
    "expediter_mails_given_up": Family(
        "Mails that could not be sent and are not tried any more, until they are sent once more."
    ),
}


class PrometheusText(Collector):
    """``metrics``: what is counted as it happens; ``simulated``: of each part whether it is simulated."""

    def __init__(self, metrics: Metrics, simulated: Mapping[str, bool]) -> None:
        self._metrics = metrics
        self._simulated = simulated
        self._gauges: Mapping[str, float] = {}
        self._outages: Collection[Outage] = ()
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)  # memory, CPU, open files, where the system tells (Linux)

    def text(self, gauges: Mapping[str, float], outages: Collection[Outage]) -> bytes:
        """Everything, with the gauges as they are now by name, and what is wrong with the file."""
        self._gauges, self._outages = gauges, outages
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """As prometheus-client asks for it."""
        seen = self._metrics
        ended = [((status,), float(seen.ended[status])) for status in sorted(ENDED)]
        yield _counter("expediter_orders_accepted_total", [((), seen.accepted)])
        yield _counter("expediter_orders_ended_total", ended)
        yield _counter("expediter_requests_shed_total", [((), seen.shed)])
        yield _counter("expediter_sign_ins_failed_total", [((), seen.sign_ins_failed)])
        yield _counter("expediter_commits_lost_total", [((), seen.commits_lost)])
        yield _histogram("expediter_accept_seconds", [((), seen.accepts)])
        yield _histogram("expediter_order_seconds", [((), seen.orders)])
        yield _histogram("expediter_transition_seconds", [((unit,), it) for unit, it in sorted(seen.units.items())])
        yield _histogram("expediter_task_seconds", sorted(seen.calls.items(), key=lambda entry: entry[0]))
        yield _histogram("expediter_write_seconds", [((), seen.writes)])
        yield _histogram("expediter_commit_seconds", [((), seen.commits)])
        yield _histogram("expediter_commit_units", [((), seen.batches)])
        yield _flags(OUTAGE, {outage.value: outage in self._outages for outage in Outage})
        yield _flags(SIMULATED, self._simulated)
        for name, value in self._gauges.items():
            yield GaugeMetricFamily(name, GAUGES[name].help, value=value)


def _flags(named: Mapping[str, Family], values: Mapping[str, bool]) -> Metric:
    """A gauge with one label: 1 for each of its values that holds, else 0."""
    ((name, family),) = named.items()
    gauge = GaugeMetricFamily(name, family.help, labels=family.labels)
    for label, holds in values.items():
        gauge.add_metric((label,), float(holds))
    return gauge


def _counter(name: str, series: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = CounterMetricFamily(name, COUNTERS[name].help, labels=COUNTERS[name].labels)
    for labels, value in series:
        family.add_metric(labels, value)
    return family


def _histogram(name: str, series: Iterable[tuple[tuple[str, ...], Histogram]]) -> Metric:
    family = HistogramMetricFamily(name, HISTOGRAMS[name].help, labels=HISTOGRAMS[name].labels)
    for labels, seen in series:
        bounds = [*map(floatToGoString, seen.bounds), "+Inf"]
        family.add_metric(labels, list(zip(bounds, seen.cumulated(), strict=True)), seen.total)
    return family
