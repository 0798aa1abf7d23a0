"""What the server holds in memory does not grow with the orders that wait."""

from collections.abc import Iterator
from contextlib import closing

import apsw
import pytest

from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.definitions import SqliteDefinitions
from tests.support.database import in_memory

#: Orders that wait in the hold, and bytes of the definition that they are on.
COUNT, BODY = 3_000, 10_000


@pytest.fixture
def session() -> Iterator[Session]:
    with closing(in_memory()) as connection, connection:
        connection.execute("INSERT INTO definition VALUES (1, 'hash', ?, 0)", (f'"{"x" * BODY}"',))
        for no in range(1, COUNT + 1):
            connection.execute("INSERT INTO claim VALUES (?, ?, '')", (no, str(no)))
            connection.execute("INSERT INTO execution VALUES (?, 1, 'RUNNING', 9e15, 0, '', '')", (no,))
        yield Session(connection)


def test_what_a_start_asks_of_the_definitions_in_use_takes_no_room_per_order(session: Session) -> None:
    before = apsw.memory_used()
    apsw.memory_high_water(True)
    ((no, _, count),) = SqliteDefinitions(session).live()

    assert (no, count) == (1, COUNT)
    assert apsw.memory_high_water() - before < COUNT * BODY / 10
