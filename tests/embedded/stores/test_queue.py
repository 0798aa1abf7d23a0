"""The queue stays quick however long it gets: what is asked of it for every order reads no more than it has to."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from expediter.embedded.sqlite.session import Session, Statements
from expediter.embedded.stores.queue import MAX_RECEIVES, SqliteQueue
from tests.support.database import in_memory

_SQL = Statements("queue")


@pytest.fixture
def session() -> Iterator[Session]:
    with closing(in_memory()) as connection:
        yield Session(connection)


def plan(session: Session, name: str) -> list[str]:
    sql = _SQL[name]
    values = tuple(range(sum(f"?{number}" in sql for number in range(1, 9))))
    return [str(row[3]) for row in session.rows(f"EXPLAIN QUERY PLAN {sql}", values)]


@pytest.mark.parametrize("name", ["any_exhausted", "bury_exhausted", "drop_exhausted"])
def test_messages_received_too_often_are_found_without_reading_the_queue(session: Session, name: str) -> None:
    assert any("INDEX message_exhausted" in line for line in plan(session, name))
    assert f"receive_count >= {MAX_RECEIVES}" in _SQL[name]


def test_what_could_be_received_is_counted_up_to_a_bound(session: Session) -> None:
    queue = SqliteQueue(session, lambda: None)
    for _ in range(7):
        queue.send(b"", {}, 1_000)
    queue.receive(2, 1_000)

    assert queue.receivable(1_000, 100) == 5
    assert queue.receivable(1_000, 3) == 3
    assert queue.receivable(999, 100) == 0


def test_the_age_of_the_queue_is_that_of_the_message_that_is_longest_in_it(session: Session) -> None:
    queue = SqliteQueue(session, lambda: None)
    assert queue.waiting() == (0, None)
    queue.send(b"", {}, 1_000)
    queue.send(b"", {}, 2_000)

    assert queue.waiting() == (2, 1_000)
