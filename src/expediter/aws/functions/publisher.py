"""Follows the order table's stream and tells AppSync of every order that its customer would see changed."""

import logging

from expediter.api.graphql import order_json
from expediter.asl.protocol import Json
from expediter.aws import wiring
from expediter.aws.stores.items import order_of

_log = logging.getLogger("expediter.publisher")


def handler(event: Json, _: object) -> Json:
    """The first record that failed: the stream goes on from there."""
    for record in event["Records"]:
        if not changed(record):
            continue
        try:
            wiring.feed().publish(record["dynamodb"]["NewImage"]["id"]["S"])
        except Exception:  # noqa: BLE001  # the stream brings the record again
            _log.exception("an order's news was not published")
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def changed(record: Json) -> bool:
    """Whether a subscriber would see a difference; when it was written last is none, and what had ended when it came
    was carried over from another home."""
    images = record["dynamodb"]
    if "NewImage" not in images:
        return False
    if "OldImage" not in images:
        return not order_of(images["NewImage"]).ended
    return bool(seen(images["NewImage"]) != seen(images["OldImage"]))


def seen(image: Json) -> Json:
    return {**order_json(order_of(image)), "updatedAt": None}
