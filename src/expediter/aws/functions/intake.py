"""Starts the workflows of orders on the queue, five messages at a time. A failure stops no other message."""

import logging

from expediter.app import intake
from expediter.app.ports import Message
from expediter.asl.protocol import Json
from expediter.aws import wiring
from expediter.aws.events import ITS_OWN, admitted, message_of

_log = logging.getLogger("expediter.intake")


def handler(event: Json, _: object) -> Json:
    """The messages that failed, for SQS to deliver again: a partial batch response."""
    work = wiring.work()
    failed = []
    for record in event["Records"]:
        message = message_of(record)
        try:
            intake.take(work, admitted(message))
        except Exception as error:  # noqa: BLE001  # one message that fails must not stop the others
            failed.append({"itemIdentifier": message.id})
            _log.warning("message %s was not processed: %s", message.id, type(error).__name__)
            _give_back(message, error, work.now)
    return {"batchItemFailures": failed}


def _give_back(message: Message, error: Exception, now: int) -> None:
    """A failure by its own fault is a dead letter after three receives. Any other is tried again for a day."""
    queue = wiring.queue()
    refuse = queue.fail if isinstance(error, ITS_OWN) else queue.postpone
    try:
        refuse(message, f"{type(error).__name__}: {error}", now)
    except Exception:  # noqa: BLE001  # the message comes back after its visibility timeout
        _log.exception("message %s comes back after its visibility timeout", message.id)
