"""What happens to orders, passed on once it is durable: to the metrics, the flow, and those who follow orders."""

from functools import partial
from time import perf_counter

from expediter.app.operator.flow import FlowCounts
from expediter.domain.order import ENDED, Order
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.web.feed import Feed


class OrderEvents:
    """Call its methods in units of work."""

    def __init__(self, writer: Writer, unit: WriteBehind, flow: FlowCounts, feed: Feed) -> None:
        self._after = writer.after
        self._unit = unit
        self._metrics = writer.metrics
        self._flow = flow
        self._feed = feed

    def accepted(self) -> None:
        """An order was put on the queue."""
        self._after(partial(self._accepted, self._unit.now))

    def answered(self, begun: float) -> None:
        """The customer gets the answer to an order whose request was read at ``begun`` (of ``perf_counter``)."""
        self._after(partial(self._answered, self._unit.now, begun))

    def changed(self, before: Order | None, order: Order) -> None:
        """The order is new or was changed."""
        ends = order.status in ENDED and not (before and before.status in ENDED)
        self._after(partial(self._ended if ends else self._publish, order))

    def _accepted(self, now: int) -> None:
        self._metrics.accepted += 1
        self._flow.accepted(now)

    def _answered(self, now: int, begun: float) -> None:
        seconds = perf_counter() - begun
        self._metrics.accepts.observe(seconds)
        self._flow.answered(now, seconds)

    def _ended(self, order: Order) -> None:
        self._metrics.ended[order.status] += 1
        self._metrics.orders.observe((order.updated_at - order.created_at) / 1000)
        self._flow.ended(order)
        if self._feed.followers:
            self._feed.publish(order)

    def _publish(self, order: Order) -> None:
        if self._feed.followers:
            self._feed.publish(order)
