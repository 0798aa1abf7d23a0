"""What can be counted from outside, as Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from expediter.domain.order import Status


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        make = self._registry
        self._accepted = Counter("expediter_orders_accepted", "Orders accepted since the start.", registry=make)
        self._ended = Counter("expediter_orders_ended", "Orders ended since the start.", ["status"], registry=make)
        self._gauges = {
            "queue": Gauge("expediter_queue_messages", "Messages on the order queue.", registry=make),
            "oldest": Gauge("expediter_queue_oldest_seconds", "Age of the oldest message on the queue.", registry=make),
            "dead": Gauge("expediter_dead_letters", "Messages in the dead-letter queue.", registry=make),
            "running": Gauge("expediter_workflows_running", "Workflows that have not ended.", registry=make),
            "calls": Gauge("expediter_calls_under_way", "Calls to outside parties under way.", registry=make),
        }

    def accepted(self) -> None:
        self._accepted.inc()

    def ended(self, status: Status) -> None:
        self._ended.labels(status).inc()

    def text(self, **gauges: float) -> bytes:
        for name, value in gauges.items():
            self._gauges[name].set(value)
        return generate_latest(self._registry)
