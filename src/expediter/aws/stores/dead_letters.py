"""The dead-letter queue on SQS.

SQS shows messages only to a receiver, and hides them from all others meanwhile. So every function here gives back at
once what it does not take out. Two callers at the same time may each see a part. This is for the few letters that an
operator looks at; SQS itself redrives hundreds (see the runbook).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from expediter.app.ports import DeadLetter, Message
from expediter.aws.failures import unavailable
from expediter.aws.stores.queue import BATCH, DEATH, Death, SqsQueue, message_of

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

#: Seconds that letters are hidden from others while they are listed.
LOOKING = 20
#: Letters that are received in one go at most.
MOST = 1000
#: The reason of a message that SQS itself moved here.
MOVED = "received too often and never deleted: a function ended without an answer"


class SqsDeadLetters:
    def __init__(self, client: "SQSClient", url: str, queue: SqsQueue) -> None:
        self._client = client
        self._url = url
        self._queue = queue

    def page(self, limit: int, after: str | None = None) -> tuple[DeadLetter, ...]:
        found = sorted(map(_letter, self._look()), key=_age)
        start = next((place for place, letter in enumerate(found, 1) if letter.id == after), 0)
        return tuple(found[start : start + limit])

    def find(self, message_id: str) -> DeadLetter | None:
        message = self._take(message_id)
        return _letter(message) if message else None

    def redrive(self, message_id: str, now: int) -> bool:
        message = self._take(message_id)
        if message is None:
            return False
        self._queue.send(message.body, _letter(message).attributes, now)
        return self._remove(message)

    def delete(self, message_id: str) -> bool:
        message = self._take(message_id)
        return message is not None and self._remove(message)

    def count(self) -> int:
        with unavailable():
            found = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )
        return sum(int(number) for number in found["Attributes"].values())

    def _take(self, message_id: str) -> Message | None:
        """The message with this id. All others that were received to find it are given back."""
        return next((message for message in self._look(message_id) if message.id == message_id), None)

    def _look(self, until: str | None = None) -> list[Message]:
        """The letters, up to MOST of them or up to the one with the id ``until``."""
        seen: dict[str, Message] = {}
        with unavailable():
            try:
                for batch in self._receive():
                    again = seen.keys() & batch.keys()
                    seen |= batch
                    if again or until in seen or len(seen) > MOST - BATCH:
                        break
            finally:
                self._give_back(list(seen.values()))
        return list(seen.values())

    def _receive(self) -> Iterator[dict[str, Message]]:
        """Yields letters by their ids, those of one call at a time, until there are none."""
        while True:
            got = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                VisibilityTimeout=LOOKING,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not got:
                return
            yield {message.id: message for message in map(message_of, got)}

    def _give_back(self, messages: list[Message]) -> None:
        for start in range(0, len(messages), BATCH):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": message.receipt.partition(" ")[2], "VisibilityTimeout": 0}
                    for place, message in enumerate(messages[start : start + BATCH])
                ],
            )

    def _remove(self, message: Message) -> bool:
        with unavailable():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt.partition(" ")[2])
        return True


def _letter(message: Message) -> DeadLetter:
    """The letter. SQS itself moved a message that has no reason."""
    attributes = dict(message.attributes)
    death = _death(attributes.pop(DEATH, None)) or Death(MOVED, message.sent_at, message.sent_at, message.receive_count)
    return DeadLetter(
        id=message.id,
        body=message.body,
        attributes=attributes,
        sent_at=death.sent_at,
        died_at=death.at,
        receive_count=death.receives,
        reason=death.reason,
    )


def _death(text: str | None) -> Death | None:
    try:
        return msgspec.json.decode(text, type=Death) if text else None
    except msgspec.MsgspecError:
        return None  # another program has set an attribute of this name


def _age(letter: DeadLetter) -> tuple[int, str]:
    return letter.sent_at, letter.id
