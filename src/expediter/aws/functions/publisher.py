"""Reads the order table's stream and publishes to AppSync each change that a customer can see."""

import logging

from expediter.asl.protocol import Json
from expediter.aws import wiring
from expediter.aws.stores.items import order_of
from expediter.aws.stores.news import is_news

_log = logging.getLogger("expediter.publisher")


def handler(event: Json, _: object) -> Json:
    """The first record that failed. The stream goes on from there."""
    for record in event["Records"]:
        if not changed(record):
            continue
        try:
            wiring.publisher().publish(record["dynamodb"]["NewImage"])
        except Exception:  # noqa: BLE001  # the stream brings the record again
            _log.exception("an order's change was not published")
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def changed(record: Json) -> bool:
    """Whether a customer can see what this write changed."""
    images = record["dynamodb"]
    if "NewImage" not in images:
        return False
    before = order_of(images["OldImage"]) if "OldImage" in images else None
    return is_news(before, order_of(images["NewImage"]))
