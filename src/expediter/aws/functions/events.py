"""Processes the events of payment providers from their queue. One that fails does not stop the others."""

import logging

from expediter.app.payments.events import EventInvalid
from expediter.asl.protocol import Json
from expediter.aws import clock, wiring
from expediter.aws.events import message_of
from expediter.aws.provider_events import take_in

_log = logging.getLogger("expediter.events")


def handler(event: Json, _: object) -> Json:
    """The messages that failed, for SQS to deliver again. What cannot be read is a dead event after three receives."""
    failed, queue = [], wiring.events_queue()
    for record in event["Records"]:
        message = message_of(record)
        try:
            take_in(message)
        except Exception as error:  # noqa: BLE001  # one message that fails must not stop the others
            failed.append({"itemIdentifier": message.id})
            _log.warning("event %s was not processed: %s", message.id, type(error).__name__)
            refuse = queue.fail if isinstance(error, EventInvalid) else queue.postpone
            try:
                refuse(message, f"{type(error).__name__}: {error}", clock.now())
            except Exception:  # noqa: BLE001  # the message comes back after its visibility timeout
                _log.exception("message %s comes back after its visibility timeout", message.id)
    return {"batchItemFailures": failed}
