"""While the file holds no message, what comes is received without a look at it; whatever puts one there is seen."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

import apsw
import pytest

from expediter.app.ports import Message
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.stores.queue import MAX_RECEIVES, RETRY_AFTER, VISIBILITY, SqliteDeadLetters, SqliteQueue
from tests.support.clock import VirtualClock
from tests.support.database import in_memory

NOON = 43_200_000


class Line:
    """A queue over a connection that writes; ``looks`` counts the statements that read messages."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.session = WriteBehind(connection, VirtualClock())
        self.queue = SqliteQueue(self.session, lambda: None)
        self.dead = SqliteDeadLetters(self.session, lambda: None)
        self.looks = 0
        connection.exec_trace = self._note

    def _note(self, _: apsw.Cursor, sql: str, __: object) -> bool:
        self.looks += sql.startswith("SELECT") and "FROM message" in sql
        return True

    def unit(self, run: Callable[[], object]) -> None:
        self.session.begin()
        run()
        self.session.end()

    def send(self, body: bytes) -> None:
        self.unit(lambda: self.queue.send(body, {}, NOON))

    def receive(self, now: int) -> list[Message]:
        received: list[Message] = []
        self.unit(lambda: received.extend(self.queue.receive(5, now)))
        return received

    def take_in(self, now: int) -> list[bytes]:
        """Receives what there is and deletes it."""
        received = self.receive(now)
        for message in received:
            self.unit(partial(self.queue.delete, message.receipt))
        return [message.body for message in received]

    def fail(self, message: Message, now: int) -> None:
        self.unit(lambda: self.queue.fail(message, "no order", now))

    def commit(self) -> None:
        self.session.write()
        self.session.committing()
        self.session.kept()


@pytest.fixture
def line() -> Iterator[Line]:
    """A queue that has found the file without messages."""
    with closing(in_memory()) as connection:
        line = Line(connection)
        line.send(b"first")
        assert line.take_in(NOON) == [b"first"]
        line.commit()
        line.looks = 0
        yield line


def test_nothing_of_the_file_is_read_for_messages_of_the_same_commit(line: Line) -> None:
    for body in (b"a", b"b"):
        line.send(body)
        assert line.take_in(NOON) == [body]
        line.commit()

    assert line.looks == 0


def test_a_message_that_was_written_is_received_before_a_newer_one(line: Line) -> None:
    line.send(b"older")
    line.commit()
    line.send(b"newer")

    assert line.take_in(NOON) == [b"older", b"newer"]


def test_once_the_last_message_of_the_file_is_gone_the_file_is_read_once_more(line: Line) -> None:
    line.send(b"older")
    line.commit()
    assert line.take_in(NOON) == [b"older"]
    line.commit()
    line.looks = 0
    for body in (b"a", b"b"):
        line.send(body)
        assert line.take_in(NOON) == [body]

    assert line.looks == 1


def test_a_message_that_was_hidden_comes_again_before_a_newer_one(line: Line) -> None:
    line.send(b"older")
    (message,) = line.receive(NOON)
    line.fail(message, NOON)
    line.commit()
    line.send(b"between")
    assert line.take_in(NOON) == [b"between"]
    line.commit()
    line.send(b"newer")

    assert line.take_in(NOON + RETRY_AFTER) == [b"older", b"newer"]


def test_a_message_received_too_often_is_buried_although_others_come(line: Line) -> None:
    line.send(b"poison")
    for count in range(MAX_RECEIVES):
        assert [message.body for message in line.receive(NOON + count * VISIBILITY)] == [b"poison"]
        line.commit()
    line.send(b"newer")

    assert line.take_in(NOON + MAX_RECEIVES * VISIBILITY) == [b"newer"]
    assert line.dead.count() == 1


def test_a_redriven_message_is_received_before_a_newer_one(line: Line) -> None:
    line.send(b"redriven")
    for count in range(MAX_RECEIVES):
        (message,) = line.receive(NOON + count * RETRY_AFTER)
        line.fail(message, NOON + count * RETRY_AFTER)
        line.commit()
    line.send(b"between")
    assert line.take_in(NOON) == [b"between"]
    line.unit(lambda: line.dead.redrive(line.dead.page(1)[0].id, NOON))
    line.commit()
    line.send(b"newer")

    assert line.take_in(NOON) == [b"redriven", b"newer"]


def test_a_message_whose_deletion_was_lost_with_its_batch_is_received_again(line: Line) -> None:
    line.send(b"older")
    line.commit()
    line.session.connection.execute("BEGIN")
    assert line.take_in(NOON) == [b"older"]
    line.session.write()
    line.send(b"meanwhile")
    assert line.take_in(NOON) == [b"meanwhile"]
    line.session.connection.execute("ROLLBACK")
    line.session.lost(OSError())
    line.send(b"newer")

    assert line.take_in(NOON) == [b"older", b"newer"]
