"""The order queue and its dead-letter queue on SQLite, with SQS's semantics.

A receipt is the message's number and how often it was delivered: only the newest delivery can delete or extend it.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import repeat

import msgspec

from expediter.app.ports import DeadLetter, Message
from expediter.embedded.sqlite.session import Change, Mapper, Row, Session, Statements, Value, Writes, one

#: Milliseconds that a received message stays hidden.
VISIBILITY = 30_000
#: Receives after which a message that was not deleted moves to the dead-letter queue. queue.sql has it too.
MAX_RECEIVES = 3
#: Milliseconds after a failed receive until the message can be received again.
RETRY_AFTER = 2_000

_SQL = Statements("queue")
_LAST, _FIND, _RECEIVE = _SQL["last"], _SQL["find"], _SQL["receive"]
_SEND, _MOVE, _DELETE = _SQL["send"], _SQL["move"], _SQL["delete"]
_EXHAUSTED = _SQL["any_exhausted"]
_encode = msgspec.json.Encoder().encode
_attributes = msgspec.json.Decoder(dict[str, str]).decode


class SentMessage(msgspec.Struct, frozen=True, gc=False):
    """What never changes about a message. ``at``: when it was sent."""

    no: int
    body: bytes
    attributes: dict[str, str]
    at: int


class StoredMessage(msgspec.Struct, frozen=True, gc=False):
    """A message as it is now. ``visible_at``: when it can be received."""

    sent: SentMessage
    visible_at: int
    receive_count: int = 0
    deliveries: int = 0
    reason: str | None = None


class SqliteQueue:
    """``sent`` is called, in the unit, when there is a message to receive."""

    def __init__(self, session: Session, sent: Callable[[], None]) -> None:
        self._session = session
        self._rows = session.table(Mapper("message", _read, self._write, _keep, last=_LAST))
        #: The numbers of messages that are neither in the file nor received.
        self._new: deque[int] = deque()
        self._sent = sent

    def send(self, body: bytes, attributes: dict[str, str], now: int) -> str:
        no = self._rows.next_number()
        self._new.append(no)
        self._rows.put(no, None, StoredMessage(SentMessage(no, body, attributes, now), now))
        self._sent()
        return str(no)

    def receive(self, limit: int, now: int) -> tuple[Message, ...]:
        """A message in the file is older than those of this batch, so it is received first.

        Mostly the file holds no message, and this is known without a read. Then a message that is sent, received and
        deleted in one batch is never written.
        """
        rows = self._sent_in_this_batch(limit) if self._rows.is_empty() else []
        if not rows:
            self._bury_exhausted(now)
            rows = [_row(found) for found in self._rows.select(_RECEIVE, (now, limit, MAX_RECEIVES))]
        return tuple(map(self._deliver, rows, repeat(now)))

    def _sent_in_this_batch(self, limit: int) -> list[StoredMessage]:
        """Up to ``limit`` messages that are not in the file, and that were not received yet."""
        found: list[StoredMessage] = []
        while self._new and len(found) < limit:
            row = self._rows[self._new.popleft()]
            if row is not None and not row.deliveries:  # its unit may have been undone
                found.append(row)
        return found

    def _bury_exhausted(self, now: int) -> None:
        """Moves messages that were received too often to the dead letters."""
        if self._rows.select(_EXHAUSTED, (now,)):
            self._session.rows(_SQL["bury_exhausted"], (now,))
            self._session.rows(_SQL["drop_exhausted"], (now,))

    def _deliver(self, row: StoredMessage, now: int) -> Message:
        sent, count, deliveries = row.sent, row.receive_count + 1, row.deliveries + 1
        self._rows.put(sent.no, row, StoredMessage(sent, now + VISIBILITY, count, deliveries, row.reason))
        return Message(str(sent.no), sent.body, sent.attributes, sent.at, count, f"{sent.no}-{deliveries}")

    def extend(self, receipt: str, seconds: int, now: int) -> bool:
        row = self._delivered(receipt)
        if row is not None:
            self._rows.put(row.sent.no, row, msgspec.structs.replace(row, visible_at=now + seconds * 1000))
        return row is not None

    def delete(self, receipt: str) -> bool:
        row = self._delivered(receipt)
        if row is not None:
            self._rows.put(row.sent.no, row, None)
        return row is not None

    def fail(self, message: Message, reason: str, now: int) -> bool:
        row = self._delivered(message.receipt)
        if row is None:
            return False
        after = msgspec.structs.replace(row, reason=reason, visible_at=now + RETRY_AFTER)
        if row.receive_count < MAX_RECEIVES:
            self._rows.put(row.sent.no, row, after)
        else:
            self._rows.put(row.sent.no, row, None)
            self._session.execute(_SQL["bury"], _values(after, now))
        return True

    def _delivered(self, receipt: str) -> StoredMessage | None:
        """The message, if this is the receipt of its newest delivery."""
        row = self._rows[_number(receipt.partition("-")[0])]
        return row if row is not None and receipt == f"{row.sent.no}-{row.deliveries}" else None

    def _write(self, changes: Sequence[Change[StoredMessage]]) -> Writes:
        self._new.clear()
        deleted: list[tuple[Value, ...]] = []
        sent: list[tuple[Value, ...]] = []
        moved: list[tuple[Value, ...]] = []
        for before, row in changes:
            if row is None:
                if before is not None:
                    deleted.append((before.sent.no,))
            elif before is None:
                sent.append(_values(row, row.visible_at))
            else:
                moved.append((row.sent.no, row.visible_at, row.receive_count, row.deliveries, row.reason))
        return (_DELETE, deleted), (_SEND, sent), (_MOVE, moved)

    def waiting(self) -> tuple[int, int | None]:
        """How many messages are on the queue, and when the oldest was sent (ms since 1970 UTC)."""
        count, oldest = one(self._session, _SQL["waiting"])
        return count, oldest

    def receivable(self, now: int, most: int) -> int:
        """How many messages could be received now; ``most`` if there are that many or more."""
        (count,) = one(self._session, _SQL["receivable"], (now, most))
        return int(count)


class SqliteDeadLetters:
    """``sent`` is called, in the unit, when a message went back to the queue."""

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
        (count,) = one(self._session, _SQL["dead_count"])
        return int(count)


def _row(found: Row) -> StoredMessage:
    no, body, attributes, sent_at, *now = found
    return StoredMessage(SentMessage(no, body, _attributes(attributes), sent_at), *now)


def _values(row: StoredMessage, at: int) -> tuple[Value, ...]:
    """The values of a row. ``at``: when the message can be received, or when it moved to the dead letters."""
    sent = row.sent
    attributes = _encode(sent.attributes).decode()
    counts = row.receive_count, row.deliveries, row.reason
    return sent.no, sent.attributes.get("order_id"), sent.body, attributes, sent.at, at, *counts


def _read(session: Session, no: int) -> StoredMessage | None:
    row = session.row(_FIND, (no,))
    return _row(row) if row else None


def _keep(_: StoredMessage) -> None:
    """No message is kept: most are received once and deleted."""


def _number(text: str) -> int:
    """The number in the text; -1, which no message has, when the text is not a number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _dead_letter(row: Row) -> DeadLetter:
    no, body, attributes, sent_at, died_at, receive_count, reason = row
    return DeadLetter(str(no), body, _attributes(attributes), sent_at, died_at, receive_count, reason)
