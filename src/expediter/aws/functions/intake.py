"""From the order queue to the workflow, five messages at a time; one that fails takes no other along."""

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
            _log.warning("message %s was not taken in: %s", message.id, type(error).__name__)
            _give_back(message, error, work.now)
    return {"batchItemFailures": failed}


def _give_back(message: Message, error: Exception, now: int) -> None:
    """Its own fault: a dead letter after three receives. Else: it is tried again for a day."""
    queue = wiring.queue()
    refuse = queue.fail if isinstance(error, ITS_OWN) else queue.postpone
    try:
        refuse(message, f"{type(error).__name__}: {error}", now)
    except Exception:  # noqa: BLE001  # the visibility timeout brings the message back all the same
        _log.exception("message %s comes again after the visibility timeout", message.id)
