"""The order queue on SQS. ``dead_letters`` reads the dead-letter queue.

A message that fails for its own fault (it is not an order) moves to the dead letters at its third receive. One that
fails for another reason (a service does not answer) comes again, later each time, for a day. This module moves both,
with the reason as an attribute. SQS itself moves a message that was received MAX_RECEIVES times, which happens when our
code does not reach its end.

A receipt is the message's id and SQS's receipt handle. SQS may accept an old handle and do nothing. So the port's False
for an old receipt is not guaranteed here.
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

#: Messages of one call to SQS at most.
BATCH = 10
#: Receives after which a message that fails for its own fault is a dead letter.
RECEIVES = 3
#: Seconds until the next receive of a message that fails for another reason, by the number of receives.
BACKOFF = (2, 15, 60, 300, 900)
#: Milliseconds after which such a message is a dead letter too.
PATIENCE = 24 * 3600 * 1000
#: The redrive policy's maxReceiveCount. A function that ends without an answer costs a receive and 180 seconds.
MAX_RECEIVES = 500
#: The attribute of a dead letter that holds its Death as JSON.
DEATH = "dead_letter"
#: Characters of a reason at most.
LONGEST_REASON = 1000

_STALE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
#: Characters that JSON allows and SQS refuses, because XML has none of them. They are written as JSON escapes.
_ESCAPES = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}
#: Characters that SQS refuses in an attribute.
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Death(msgspec.Struct, frozen=True):
    """Why and when (UTC, ms) a message became a dead letter, and its id and receives before: for SQS a dead letter is a
    new message.
    """

    reason: str
    at: int
    sent_at: int
    receives: int


class SqsQueue:
    """``dead``: the URL of the dead-letter queue."""

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
        """Gives back a message that failed for another reason than its own fault. False when its receipt is not the
        newest.
        """
        if now - message.sent_at > PATIENCE:
            return self._bury(message, reason, now)
        return self.extend(message.receipt, BACKOFF[min(message.receive_count, len(BACKOFF)) - 1], now)

    def _bury(self, message: Message, reason: str, now: int) -> bool:
        """Sends the dead letter before it deletes the message. A failure in between leaves two messages, never none.
        Two messages are one order, because its claim is taken once.
        """
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
    """The message, from SQS's ReceiveMessage."""
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
