"""The order queue and its dead-letter queue on SQLite, with SQS's semantics.

A receipt is the message's number and how often it was delivered: only the newest delivery can delete or extend it.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from expediter.app.ports import DeadLetter, Message
from expediter.embedded.sqlite import database
from expediter.embedded.sqlite.database import Rows, Session, Statements, Value

#: Milliseconds that a received message stays hidden.
VISIBILITY = 30_000
#: Receives after which a message that was not deleted moves to the dead-letter queue. queue.sql has it too.
MAX_RECEIVES = 3
#: Milliseconds after a failed receive until the message can be received again.
RETRY_AFTER = 2_000

_SQL = Statements("queue")
_LAST, _FIND, _RECEIVE = _SQL["last"], _SQL["find"], _SQL["receive"]
_ANY, _ANY_EXHAUSTED = _SQL["any"], _SQL["any_exhausted"]
_encode = msgspec.json.Encoder().encode
_attributes = msgspec.json.Decoder(dict[str, str]).decode


class Sent(msgspec.Struct, frozen=True, gc=False):
    """What stays the same about a message."""

    no: int
    body: bytes
    attributes: dict[str, str]
    at: int


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message as it is now. ``filed``: the file has it; ``gone``: it shall have it no more."""

    sent: Sent
    visible_at: int
    receive_count: int = 0
    deliveries: int = 0
    reason: str | None = None
    filed: bool = True
    gone: bool = False


class SqliteQueue:
    """``sent`` is told, from inside the unit, that there is a message to receive."""

    def __init__(self, session: Session, sent: Callable[[], None]) -> None:
        self._session = session
        self._rows: Rows[int, Row] = session.table("message", self._read, self._write, _filed, _since)
        self._sent = sent
        #: Messages that were sent and not received, as long as no statement has written them.
        self._new: deque[int] = deque()

    def send(self, body: bytes, attributes: dict[str, str], now: int) -> str:
        no = self._session.number(_LAST)
        self._new.append(no)
        self._rows.put(no, Row(Sent(no, body, attributes, now), now, filed=False))
        self._sent()
        return str(no)

    def receive(self, limit: int, now: int) -> tuple[Message, ...]:
        rows = self._not_yet_filed(limit) if self._none_is_older(now) else []
        if not rows:
            rows = [_row(found) for found in self._session.look("message", _RECEIVE, (now, limit, MAX_RECEIVES))]
        return tuple([self._deliver(row, now) for row in rows])

    def _none_is_older(self, now: int) -> bool:
        """Whether the file holds nothing that can be received; what was received too often is buried first.

        Mostly the file holds no message at all, and then it stays so until one is written, or comes back with a
        redrive or a batch that is lost: so this is remembered, and asked anew only after whatever may have changed it.
        """
        if self._session.recall(_ANY) is None:
            return True
        # What a COMMIT that runs hides from a glance is received the next time; what it makes stale ``receive`` sees.
        if self._session.glance(_ANY_EXHAUSTED, (now,)):
            self._session.rows(_SQL["bury_exhausted"], (now,))
            self._session.rows(_SQL["drop_exhausted"], (now,))
            self._session.forget()
        return self._session.glance(_RECEIVE, (now, 1, MAX_RECEIVES)) is None

    def _not_yet_filed(self, limit: int) -> list[Row]:
        """Up to ``limit`` messages that this commit has brought so far, which nobody has received."""
        found: list[Row] = []
        while self._new and len(found) < limit:
            row = self._rows.get(self._new.popleft())
            if row is not None and not row.deliveries:  # it was not undone, nor filed and received since
                found.append(row)
        return found

    def _deliver(self, row: Row, now: int) -> Message:
        sent, count, deliveries = row.sent, row.receive_count + 1, row.deliveries + 1
        self._rows.put(sent.no, Row(sent, now + VISIBILITY, count, deliveries, row.reason, row.filed))
        receipt = _receipt(sent.no, deliveries)
        return Message(str(sent.no), sent.body, sent.attributes, sent.at, count, receipt)

    def extend(self, receipt: str, seconds: int, now: int) -> bool:
        row = self._held(receipt)
        if row is not None:
            self._rows.put(row.sent.no, msgspec.structs.replace(row, visible_at=now + seconds * 1000))
        return row is not None

    def delete(self, receipt: str) -> bool:
        row = self._held(receipt)
        if row is not None:
            self._rows.put(row.sent.no, msgspec.structs.replace(row, gone=True))
        return row is not None

    def fail(self, receipt: str, reason: str, now: int) -> bool:
        row = self._held(receipt)
        if row is None:
            return False
        dies = row.receive_count >= MAX_RECEIVES
        after = msgspec.structs.replace(row, reason=reason, visible_at=now + RETRY_AFTER, gone=dies)
        self._rows.put(row.sent.no, after)
        if dies:
            self._session.stage(_SQL["bury"], _values(after, now))
        return True

    def _held(self, receipt: str) -> Row | None:
        """The message whose newest delivery this is."""
        no = _number(receipt.partition("-")[0])
        row = self._rows.get(no)
        return row if row is not None and not row.gone and receipt == _receipt(no, row.deliveries) else None

    def _read(self, no: int) -> Row | None:
        row = self._session.peek(_FIND, (no,))
        return _row(row) if row else None

    def _write(self, rows: Sequence[Row]) -> None:
        session = self._session
        self._new.clear()
        if gone := [(row.sent.no,) for row in rows if row.gone and row.filed]:
            session.many(_SQL["delete"], gone)
        if sent := [_values(row, row.visible_at) for row in rows if not row.filed and not row.gone]:
            session.many(_SQL["send"], sent)
        if moved := [_moved(row) for row in rows if row.filed and not row.gone]:
            session.many(_SQL["move"], moved)
        if sent or gone:
            session.unsure(_ANY)

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
        self._session.forget()
        self._sent()
        return self.delete(message_id)

    def delete(self, message_id: str) -> bool:
        return bool(self._session.row(_SQL["dead_delete"], (_number(message_id),)))

    def count(self) -> int:
        (count,) = self._session.one(_SQL["dead_count"])
        return int(count)


def _row(found: database.Row) -> Row:
    no, body, attributes, sent_at, *now = found
    return Row(Sent(no, body, _attributes(attributes), sent_at), *now)


def _values(row: Row, at: int) -> tuple[Value, ...]:
    """The whole row for a table. ``at``: when it can be received, or when it died."""
    sent = row.sent
    attributes = _encode(sent.attributes).decode()
    counts = row.receive_count, row.deliveries, row.reason
    return sent.no, sent.attributes.get("order_id"), sent.body, attributes, sent.at, at, *counts


def _moved(row: Row) -> tuple[Value, ...]:
    return row.sent.no, row.visible_at, row.receive_count, row.deliveries, row.reason


def _filed(_: Row) -> None:
    """A message is read again when it is asked for: most are received once, and gone."""


def _since(later: Row, written: Row) -> Row:
    return msgspec.structs.replace(later, filed=not written.gone)


def _receipt(no: int, deliveries: int) -> str:
    return f"{no}-{deliveries}"


def _number(text: str) -> int:
    """What is no number of ours matches no message."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _dead_letter(row: database.Row) -> DeadLetter:
    no, body, attributes, sent_at, died_at, receive_count, reason = row
    return DeadLetter(str(no), body, _attributes(attributes), sent_at, died_at, receive_count, reason)
