"""The order queue on SQS. The dead-letter queue is in ``dead_letters``; SQS itself moves messages there.

A receipt is the message's id and SQS's receipt handle. SQS says yes to a handle that is no longer the newest and does
nothing: so False, the port's answer to an old receipt, is what SQS can tell, and no promise.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from expediter.app.ports import Message
from expediter.aws.failures import code, unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

#: Messages that one call to SQS gives at most.
BATCH = 10
#: Seconds after a failed receive until the message can be received again.
RETRY_AFTER = 2
#: Seconds that a reason is kept: SQS keeps a message for 14 days at most, and again as long after a redrive.
KEPT = 35 * 24 * 3600

_STALE = frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"})
#: What JSON may hold and SQS refuses (they are no characters of XML), as JSON writes it otherwise.
_ESCAPES = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}


class SqsQueue:
    """``failures`` is the table that keeps why a message could not be taken in."""

    def __init__(self, client: "SQSClient", url: str, tables: "DynamoDBClient", failures: str) -> None:
        self._client = client
        self._url = url
        self._tables = tables
        self._failures = failures

    def send(
        self,
        body: bytes,
        attributes: dict[str, str],
        now: int,  # noqa: ARG002  # SQS has its own clock
    ) -> str:
        with unavailable():
            sent = self._client.send_message(
                QueueUrl=self._url,
                MessageBody=body.decode().translate(_ESCAPES),
                MessageAttributes={name: _text(value) for name, value in attributes.items()},
            )
        return sent["MessageId"]

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

    def fail(self, receipt: str, reason: str, now: int) -> bool:
        """SQS moves the message at the receive that follows the last allowed one, not here."""
        if not self.extend(receipt, RETRY_AFTER, now):
            return False
        with unavailable():
            self._tables.put_item(
                TableName=self._failures,
                Item={
                    "message_id": {"S": receipt.partition(" ")[0]},
                    "reason": {"S": reason},
                    "at": {"N": str(now)},
                    "expires_at": {"N": str(now // 1000 + KEPT)},
                },
            )
        return True


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
