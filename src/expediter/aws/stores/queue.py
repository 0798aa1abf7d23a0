"""The order queue on SQS. ``dead_letters`` reads the dead-letter queue.

What cannot be taken in for its own fault (it is no order) moves to the dead letters at its third receive. What failed
for another reason (a service does not answer) comes again, later each time, for a day. Both are moved here, with the
reason as an attribute. SQS itself moves what was received MAX_RECEIVES times: then no code of ours got as far.

A receipt is the message's id and SQS's receipt handle. SQS says yes to a handle that is no longer the newest and does
nothing: so False, the port's answer to an old receipt, is what SQS can tell, and no promise.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import ClientError

from expediter.app.card_numbers import without_card_numbers
from expediter.app.ports import Message
from expediter.aws.failures import code, unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

#: Messages that one call to SQS gives at most.
BATCH = 10
#: Receives after which a message that cannot be taken in is a dead letter.
RECEIVES = 3
#: Seconds until the next receive, after each receive of a message whose failure is not its own.
BACKOFF = (2, 15, 60, 300, 900)
#: Milliseconds after which such a message is a dead letter all the same.
PATIENCE = 24 * 3600 * 1000
#: The redrive policy's maxReceiveCount. A function that ends without an answer costs a receive and 180 seconds.
MAX_RECEIVES = 500
#: The attribute of a dead letter that holds its Death as JSON.
DEATH = "dead_letter"
#: Characters of a reason that are kept.
LONGEST_REASON = 1000

_STALE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
#: What JSON may hold and SQS refuses (they are no characters of XML), as JSON writes it otherwise.
_ESCAPES = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}
#: What SQS refuses in an attribute.
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Death(msgspec.Struct, frozen=True):
    """Why and when (UTC, ms) a message was moved to the dead letters, and what it was before: a dead letter is a new
    message to SQS."""

    reason: str
    at: int
    sent_at: int
    receives: int


class SqsQueue:
    """``dead`` is the address of the dead-letter queue."""

    def __init__(self, client: "SQSClient", url: str, dead: str) -> None:
        self._client = client
        self._url = url
        self._dead = dead

    def send(
        self,
        body: bytes,
        attributes: dict[str, str],
        now: int,  # noqa: ARG002  # SQS has its own clock
    ) -> str:
        return self._send(self._url, body, attributes)

    def receive(self, limit: int, now: int) -> tuple[Message, ...]:  # noqa: ARG002  # SQS has its own clock
        with unavailable():
            got = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(limit, BATCH),
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
        return tuple(map(message_of, got.get("Messages", [])))

    def extend(self, receipt: str, seconds: int, now: int) -> bool:  # noqa: ARG002  # SQS has its own clock
        def act(handle: str) -> None:
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=seconds)

        return _newest(receipt, act)

    def delete(self, receipt: str) -> bool:
        return _newest(receipt, lambda handle: self._client.delete_message(QueueUrl=self._url, ReceiptHandle=handle))

    def fail(self, message: Message, reason: str, now: int) -> bool:
        if message.receive_count < RECEIVES:
            return self.extend(message.receipt, BACKOFF[0], now)
        return self._bury(message, reason, now)

    def postpone(self, message: Message, reason: str, now: int) -> bool:
        """Gives back a message that failed for no fault of its own. False when its receipt is not the newest."""
        if now - message.sent_at > PATIENCE:
            return self._bury(message, reason, now)
        return self.extend(message.receipt, BACKOFF[min(message.receive_count, len(BACKOFF)) - 1], now)

    def _bury(self, message: Message, reason: str, now: int) -> bool:
        """Sends the dead letter before it deletes the message: what stops in between leaves two of them, never none.
        Two are one order, because its claim is taken once."""
        death = Death(_NO_TEXT.sub("?", reason)[:LONGEST_REASON], now, message.sent_at, message.receive_count)
        body = without_card_numbers(message.body.decode()).encode()
        self._send(self._dead, body, message.attributes | {DEATH: msgspec.json.encode(death).decode()})
        return self.delete(message.receipt)

    def _send(self, url: str, body: bytes, attributes: dict[str, str]) -> str:
        with unavailable():
            sent = self._client.send_message(
                QueueUrl=url,
                MessageBody=body.decode().translate(_ESCAPES),
                MessageAttributes={name: _text(value) for name, value in attributes.items() if value},
            )
        return sent["MessageId"]


def message_of(got: "MessageTypeDef") -> Message:
    """A message as receive_message gives it."""
    return Message(
        id=got["MessageId"],
        body=got["Body"].encode(),
        attributes={name: value.get("StringValue", "") for name, value in got.get("MessageAttributes", {}).items()},
        sent_at=int(got["Attributes"]["SentTimestamp"]),
        receive_count=int(got["Attributes"]["ApproximateReceiveCount"]),
        receipt=f"{got['MessageId']} {got['ReceiptHandle']}",
    )


def _text(value: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": value}


def _newest(receipt: str, act: Callable[[str], object]) -> bool:
    with unavailable():
        try:
            act(receipt.partition(" ")[2])
        except ClientError as error:
            if code(error).rpartition(".")[2] in _STALE:
                return False
            raise
    return True
