"""From the order queue to the workflow, five messages at a time; one that fails takes no other along."""

import logging

import msgspec

from expediter.app import intake
from expediter.app.drafts import Draft, parse
from expediter.app.orders import owned_by
from expediter.app.ports import Caller, Message
from expediter.asl.protocol import Json
from expediter.aws import wiring

_log = logging.getLogger("expediter.intake")


def handler(event: Json, _: object) -> Json:
    """The messages that failed, for SQS to deliver again: a partial batch response."""
    work = wiring.work()
    failed = []
    for record in event["Records"]:
        message = message_of(record)
        try:
            intake.take(work, owned(message))
        except Exception as error:  # noqa: BLE001  # whatever one message brings up, the others go on
            _log.warning("message %s was not taken in: %s", message.id, type(error).__name__)
            work.queue.fail(message.receipt, f"{type(error).__name__}: {error}", work.now)
            failed.append({"itemIdentifier": message.id})
    return {"batchItemFailures": failed}


def message_of(record: Json) -> Message:
    """A record of Lambda's SQS event."""
    return Message(
        id=record["messageId"],
        body=record["body"].encode(),
        attributes={name: value["stringValue"] for name, value in record["messageAttributes"].items()},
        sent_at=int(record["attributes"]["SentTimestamp"]),
        receive_count=int(record["attributes"]["ApproximateReceiveCount"]),
        receipt=f"{record['messageId']} {record['receiptHandle']}",
    )


def owned(message: Message) -> Message:
    """The message with its caller as the order's owner, where the API wrote down who called.

    An operator orders for whom the body names. What is no order is left for the intake to refuse.
    """
    caller = message.attributes.get("caller")
    if caller is None:
        return message
    operator = "operators" in message.attributes.get("groups", "").strip("[]").replace(",", " ").split()
    try:
        draft = owned_by(Caller(caller, operator), parse(message.body, Draft))
    except ValueError:
        return message
    return msgspec.structs.replace(message, body=msgspec.json.encode(draft))
