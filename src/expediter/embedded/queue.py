"""The order queue and its dead-letter queue on SQLite, with SQS's semantics.

A receipt is the message's number and how often it was delivered: only the newest delivery can delete or extend it.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import apsw
import msgspec

from expediter.app.ports import DeadLetter, Message
from expediter.embedded.database import Statements

#: Milliseconds that a received message stays hidden.
VISIBILITY = 30_000
#: Receives after which a message that was not deleted moves to the dead-letter queue.
MAX_RECEIVES = 3
#: Milliseconds after a failed receive until the message can be received again.
RETRY_AFTER = 2_000

_SQL = Statements("queue")


class SqliteQueue:
    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    def send(self, body: bytes, attributes: dict[str, str], now: int) -> str:
        text = msgspec.json.encode(attributes).decode()
        return str(self._execute(_SQL["send"], (attributes.get("order_id"), body, text, now)).fetchone()[0])

    def receive(self, limit: int, now: int) -> tuple[Message, ...]:
        if self._execute(_SQL["any_exhausted"], (now, MAX_RECEIVES)).fetchone():
            self._execute(_SQL["bury_exhausted"], (now, MAX_RECEIVES))
            self._execute(_SQL["drop_exhausted"], (now, MAX_RECEIVES))
        rows = self._execute(_SQL["receive"], (now, VISIBILITY, limit, MAX_RECEIVES)).fetchall()
        return tuple(
            Message(
                id=str(no),
                body=body,
                attributes=_attributes(attributes),
                sent_at=sent_at,
                receive_count=receive_count,
                receipt=f"{no}-{deliveries}",
            )
            for no, body, attributes, sent_at, receive_count, deliveries in sorted(rows)
        )

    def extend(self, receipt: str, seconds: int, now: int) -> bool:
        return bool(self._execute(_SQL["extend"], (*_numbers(receipt), now + seconds * 1000)).fetchone())

    def delete(self, receipt: str) -> bool:
        return bool(self._execute(_SQL["delete"], _numbers(receipt)).fetchone())

    def fail(self, receipt: str, reason: str, now: int) -> bool:
        no, deliveries = _numbers(receipt)
        row = self._execute(_SQL["fail"], (no, deliveries, reason, now + RETRY_AFTER)).fetchone()
        if row and row[0] >= MAX_RECEIVES:
            self._execute(_SQL["bury"], (no, now))
            self._execute(_SQL["drop"], (no,))
        return bool(row)

    def waiting(self) -> tuple[int, int | None]:
        """How many messages are on the queue, and when the oldest was sent (ms since 1970 UTC)."""
        count, oldest = self._execute(_SQL["waiting"]).fetchone()
        return count, oldest


class SqliteDeadLetters:
    def __init__(self, connection: apsw.Connection) -> None:
        self._execute = connection.execute

    def page(self, limit: int, after: str | None = None) -> tuple[DeadLetter, ...]:
        return tuple(map(_dead_letter, self._execute(_SQL["dead_page"], (_number(after or "0"), limit))))

    def find(self, message_id: str) -> DeadLetter | None:
        row = self._execute(_SQL["dead_find"], (_number(message_id),)).fetchone()
        return _dead_letter(row) if row else None

    def redrive(self, message_id: str, now: int) -> bool:
        no = _number(message_id)
        self._execute(_SQL["dead_revive"], (no, now))
        return self.delete(message_id)

    def delete(self, message_id: str) -> bool:
        return bool(self._execute(_SQL["dead_delete"], (_number(message_id),)).fetchone())

    def count(self) -> int:
        (count,) = self._execute(_SQL["dead_count"]).fetchone()
        return int(count)


def _numbers(receipt: str) -> tuple[int, int]:
    """The message and its delivery; what is no receipt of ours matches no message."""
    no, _, deliveries = receipt.partition("-")
    return _number(no), _number(deliveries)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _attributes(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _dead_letter(row: apsw.SQLiteValues) -> DeadLetter:
    no, body, attributes, sent_at, died_at, receive_count, reason = row
    return msgspec.convert(
        {
            "id": str(no),
            "body": body,
            "attributes": _attributes(str(attributes)),
            "sent_at": sent_at,
            "died_at": died_at,
            "receive_count": receive_count,
            "reason": reason,
        },
        DeadLetter,
    )
