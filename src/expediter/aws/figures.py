"""Counts the orders that need an operator, as CloudWatch metrics.

A line in the log is enough for a metric: it needs no call and no permission.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import sys
from collections.abc import Iterator

import msgspec

from expediter.app.ports import Query
from expediter.asl.protocol import Json
from expediter.aws import clock, wiring
from expediter.domain.alert import owed_since
from expediter.domain.order import Order, Status

#: The namespace of the metrics, and their names.
NAMESPACE, OWED, UNWELL = "Expediter", "RefundsOwedForAnHour", "OrdersThatNeedAnOperator"
HOUR = 3600 * 1000


def count() -> Json:
    """The metrics: refunds owed for an hour, and orders whose workflow failed and that have not ended since."""
    now = clock.now()
    owed = sum(now - owed_since(order) >= HOUR for order in _owing())
    figures = {OWED: owed, UNWELL: sum(not order.ended for order in _failed())}
    metrics = [{"Name": name, "Unit": "Count"} for name in figures]
    described = {"Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": metrics}
    head = {"Timestamp": now, "CloudWatchMetrics": [described]}
    line = {"_aws": head, "Stage": wiring.configured().stage, **figures}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    return figures


def _owing() -> Iterator[Order]:
    """The orders whose customers are owed money."""
    orders, cursor = wiring.work().orders, None
    while True:
        page = orders.page(Query(status=Status.REFUND_PENDING, limit=100, cursor=cursor))
        yield from page.items
        if (cursor := page.cursor) is None:
            return


def _failed() -> Iterator[Order]:
    """The orders of workflows that failed or timed out in the last 90 days."""
    orders = wiring.work().orders
    for order_id in wiring.executions().unsuccessful():
        order = orders.find(order_id)
        if order is not None:
            yield order
