"""Reads the outbox's stream and sends each new mail. A mail that cannot be sent is reported, and the stream brings it
again.
"""

import logging

from expediter.asl.protocol import Json
from expediter.aws import clock, wiring

_log = logging.getLogger("expediter.mailer")


def handler(event: Json, _: object) -> Json:
    """The first record that failed. The stream goes on from there."""
    for record in event["Records"]:
        if record["eventName"] != "INSERT":
            continue
        try:
            wiring.mailer().deliver(record["dynamodb"]["Keys"], clock.now())
        except Exception:  # noqa: BLE001  # the stream brings the record again
            _log.exception("a mail was not sent")
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
