"""What happens to orders, passed on once it is durable: to the metrics, the flow, and those who follow orders."""

from functools import partial
from time import perf_counter

from expediter.domain.order import ENDED, Order
from expediter.embedded.loops.recorder import FlowCounts
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.web.feed import Feed


class OrderEvents:
    """Call its methods in units of work."""

    def __init__(self, writer: Writer, flow: FlowCounts, feed: Feed) -> None:
        self._after = writer.after
        self._metrics = writer.metrics
        self._flow = flow
        self._feed = feed

    def accepted(self) -> None:
        """An order was put on the queue."""
        self._after(self._accepted)

    def answered(self, begun: float) -> None:
        """The customer gets the answer to an order whose request was read at ``begun`` (of ``perf_counter``)."""
        self._after(partial(self._answered, begun))

    def changed(self, before: Order | None, order: Order) -> None:
        """The order is new or was changed."""
        ends = order.status in ENDED and not (before and before.status in ENDED)
        self._after(partial(self._ended if ends else self._feed.publish, order))

    def _accepted(self) -> None:
        self._metrics.accepted += 1
        self._flow.accepted()

    def _answered(self, begun: float) -> None:
        seconds = perf_counter() - begun
        self._metrics.accepts.observe(seconds)
        self._flow.answered(seconds)

    def _ended(self, order: Order) -> None:
        self._metrics.ended[order.status] += 1
        self._metrics.orders.observe((order.updated_at - order.created_at) / 1000)
        self._flow.ended(order)
        self._feed.publish(order)
