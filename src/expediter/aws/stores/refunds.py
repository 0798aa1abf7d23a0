"""Refunds in part that wait for the payment provider: messages on the queue of events.

SQS and DynamoDB share no transaction. The message goes first, and is delivered only after the function that sent it has
ended: by then the order has the refund, or never will, and then nothing follows from the message.
"""

from typing import TYPE_CHECKING

from expediter.app.payments.events import OURSELVES, refund_asked
from expediter.aws.failures import unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

#: Seconds: more than the longest time of the function that sends (infra/compute/functions.py).
DELAY = 45


class SqsRefunds:
    """``url``: of the queue of events."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, order_id: str, key: str, now: int) -> None:  # noqa: ARG002  # SQS has its own clock
        with unavailable():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=refund_asked(order_id, key).decode(),
                MessageAttributes={"provider": {"DataType": "String", "StringValue": OURSELVES}},
                DelaySeconds=DELAY,
            )
