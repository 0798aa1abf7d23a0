"""The order queue and its dead-letter queue on SQLite, with SQS's semantics.

A receipt is the message's number and how often it was delivered: only the newest delivery can delete or extend it.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from collections.abc import Callable

import msgspec

from expediter.app.ports import DeadLetter, Message
from expediter.embedded.database import Row, Session, Statements

#: Milliseconds that a received message stays hidden.
VISIBILITY = 30_000
#: Receives after which a message that was not deleted moves to the dead-letter queue. queue.sql has it too.
MAX_RECEIVES = 3
#: Milliseconds after a failed receive until the message can be received again.
RETRY_AFTER = 2_000

_SQL = Statements("queue")
_SEND, _LAST, _RECEIVE, _DELETE, _DELETE_NOW = (
    _SQL[name] for name in ("send", "last", "receive", "delete", "delete_now")
)


class SqliteQueue:
    """``sent`` is told, from inside the unit, that there is a message to receive."""

    def __init__(self, session: Session, sent: Callable[[], None]) -> None:
        self._session = session
        self._sent = sent
        #: What was received last, by which unit.
        self._received = frozenset[str]()
        self._receiver = 0

    def send(self, body: bytes, attributes: dict[str, str], now: int) -> str:
        no, text = self._session.number(_LAST), msgspec.json.encode(attributes).decode()
        self._session.stage(_SEND, (no, attributes.get("order_id"), body, text, now))
        self._sent()
        return str(no)

    def receive(self, limit: int, now: int) -> tuple[Message, ...]:
        if self._session.row(_SQL["any_exhausted"], (now,)):
            self._session.rows(_SQL["bury_exhausted"], (now,))
            self._session.rows(_SQL["drop_exhausted"], (now,))
        rows = self._session.rows(_RECEIVE, (now, VISIBILITY, limit, MAX_RECEIVES))
        messages = tuple(
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
        self._received, self._receiver = frozenset(message.receipt for message in messages), self._session.unit
        return messages

    def extend(self, receipt: str, seconds: int, now: int) -> bool:
        return bool(self._session.row(_SQL["extend"], (*_numbers(receipt), now + seconds * 1000)))

    def delete(self, receipt: str) -> bool:
        if receipt in self._received and self._receiver == self._session.unit != 0:
            self._session.stage(_DELETE, _numbers(receipt))  # this very unit has the newest delivery
            return True
        return bool(self._session.row(_DELETE_NOW, _numbers(receipt)))

    def fail(self, receipt: str, reason: str, now: int) -> bool:
        no, deliveries = _numbers(receipt)
        row = self._session.row(_SQL["fail"], (no, deliveries, reason, now + RETRY_AFTER))
        if row and row[0] >= MAX_RECEIVES:
            self._session.rows(_SQL["bury"], (no, now))
            self._session.rows(_SQL["drop"], (no,))
        return bool(row)

    def waiting(self) -> tuple[int, int | None]:
        """How many messages are on the queue, and when the oldest was sent (ms since 1970 UTC)."""
        count, oldest = self._session.one(_SQL["waiting"])
        return count, oldest

    def receivable(self, now: int, most: int) -> int:
        """How many messages could be received now; ``most`` if there are that many or more."""
        (count,) = self._session.one(_SQL["receivable"], (now, most))
        return int(count)


class SqliteDeadLetters:
    """``sent`` is told, from inside the unit, that a message went back to the queue."""

    def __init__(self, session: Session, sent: Callable[[], None]) -> None:
        self._session = session
        self._sent = sent

    def page(self, limit: int, after: str | None = None) -> tuple[DeadLetter, ...]:
        return tuple(map(_dead_letter, self._session.rows(_SQL["dead_page"], (_number(after or "0"), limit))))

    def find(self, message_id: str) -> DeadLetter | None:
        row = self._session.row(_SQL["dead_find"], (_number(message_id),))
        return _dead_letter(row) if row else None

    def redrive(self, message_id: str, now: int) -> bool:
        no = _number(message_id)
        self._session.rows(_SQL["dead_revive"], (no, now))
        self._sent()
        return self.delete(message_id)

    def delete(self, message_id: str) -> bool:
        return bool(self._session.row(_SQL["dead_delete"], (_number(message_id),)))

    def count(self) -> int:
        (count,) = self._session.one(_SQL["dead_count"])
        return int(count)


def _numbers(receipt: str) -> tuple[int, int]:
    """The message and its delivery; what is no receipt of ours matches no message."""
    no, _, deliveries = receipt.partition("-")
    return _number(no), _number(deliveries)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _attributes(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _dead_letter(row: Row) -> DeadLetter:
    no, body, attributes, sent_at, died_at, receive_count, reason = row
    return DeadLetter(str(no), body, _attributes(attributes), sent_at, died_at, receive_count, reason)
