"""From the order queue to the workflow, five messages at a time; one that fails takes no other along."""

import logging

from expediter.app import intake
from expediter.asl.protocol import Json
from expediter.aws import wiring
from expediter.aws.events import message_of, owned

_log = logging.getLogger("expediter.intake")


def handler(event: Json, _: object) -> Json:
    """The messages that failed, for SQS to deliver again: a partial batch response."""
    work = wiring.work()
    failed = []
    for record in event["Records"]:
        message = message_of(record)
        try:
            intake.take(work, owned(message))
        except Exception as error:  # noqa: BLE001  # one message that fails must not stop the others
            _log.warning("message %s was not taken in: %s", message.id, type(error).__name__)
            work.queue.fail(message.receipt, f"{type(error).__name__}: {error}", work.now)
            failed.append({"itemIdentifier": message.id})
    return {"batchItemFailures": failed}
