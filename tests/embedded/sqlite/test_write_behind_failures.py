"""A row that SQLite refuses, a statement in between, a table changed past its rows: none is lost or doubled."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from expediter.asl import Execution, TimerFired
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.engine.ports import NEVER, StoredExecution
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.definitions import SqliteDefinitions
from expediter.embedded.stores.executions import SqliteExecutions, decoded
from tests.support.clock import VirtualClock
from tests.support.database import in_memory

SCHEMA = "CREATE TABLE note (text TEXT UNIQUE); CREATE TABLE good (text TEXT REFERENCES note (text))"
NOTE, GOOD = "INSERT INTO note (text) VALUES (?)", "INSERT INTO good (text) VALUES (?)"
ANYTHING = "SELECT 1"


@pytest.fixture
def session() -> Iterator[WriteBehind]:
    """In the middle of a transaction."""
    with closing(in_memory()) as connection:
        connection.execute(SCHEMA)
        connection.execute("BEGIN")
        yield WriteBehind(connection, VirtualClock())


def texts(session: WriteBehind, table: str) -> list[str]:
    return [text for (text,) in session.connection.execute(f"SELECT text FROM {table} ORDER BY text")]


def staged(session: WriteBehind, *notes: tuple[str, str]) -> None:
    """A unit that stages these rows and ends well."""
    session.begin()
    for sql, text in notes:
        session.execute(sql, (text,))
    session.end()


def test_a_write_that_failed_in_the_middle_is_not_tried_again(session: WriteBehind) -> None:
    staged(session, (GOOD, "a"), (NOTE, "b"), (NOTE, "b"))
    session.begin()
    with pytest.raises(StoreUnavailable):
        session.row(ANYTHING)
    session.undo()
    session.connection.execute("DELETE FROM note")  # whatever stood in the way is over

    with pytest.raises(StoreUnavailable):
        session.write()
    assert texts(session, "good") == ["a"]


def test_a_batch_that_is_lost_leaves_nothing_to_the_next(session: WriteBehind) -> None:
    staged(session, (NOTE, "b"), (NOTE, "b"))
    with pytest.raises(StoreUnavailable):
        session.write()
    session.connection.execute("ROLLBACK")
    session.lost(OSError())

    session.connection.execute("BEGIN")
    staged(session, (NOTE, "c"))
    session.write()

    assert texts(session, "note") == ["c"]


def test_what_an_undone_unit_staged_is_never_written(session: WriteBehind) -> None:
    session.begin()
    session.execute(GOOD, ("a",))
    session.execute(NOTE, ("b",))
    session.execute(NOTE, ("b",))
    with pytest.raises(StoreUnavailable):
        session.row(ANYTHING)
    session.undo()

    with pytest.raises(StoreUnavailable):
        session.write()
    assert texts(session, "good") == []


def test_a_statement_that_changes_a_table_is_seen_by_its_cached_rows_and_loses_no_change(session: WriteBehind) -> None:
    claims = SqliteClaims(session)
    session.begin()
    claims.take("earlier", "")
    session.end()
    session.begin()
    claims.take("mine", "")
    session.rows("UPDATE claim SET fingerprint = 'print' WHERE id = 'earlier'")
    assert claims.take("earlier", "")[0].fingerprint == "print"
    session.end()
    session.write()

    assert session.connection.execute("SELECT id FROM claim ORDER BY no").fetchall() == [("earlier",), ("mine",)]


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("when", ["before", "after", "before and after"])
def test_each_event_is_in_the_history_once_whatever_is_written_in_between(
    session: WriteBehind, new: bool, when: str
) -> None:
    executions = SqliteExecutions(session)
    session.begin()
    no = SqliteClaims(session).take("an order", "")[0].no
    SqliteDefinitions(session).pin("hash", {}, 0)
    running = Execution(status="RUNNING")
    executions.store(StoredExecution(no, "an order", 1, running), running, [], NEVER, 0)
    session.end()
    if not new:
        session.write()
    for at in (1, 2):  # two units of one batch
        session.begin()
        stored = executions.load(no)
        assert stored is not None
        if at == 2 and "before" in when:
            session.row(ANYTHING)
        executions.store(stored, running, [TimerFired(at=at, seed=0, timer=0)], NEVER, 0)
        if at == 2 and "after" in when:
            session.row(ANYTHING)
        session.end()
    session.write()

    ((history,),) = session.connection.execute("SELECT history FROM execution").fetchall()
    assert [event.at for event in decoded(str(history))] == [1, 2]


def test_events_that_are_written_take_no_more_memory(session: WriteBehind) -> None:
    executions = SqliteExecutions(session)
    session.begin()
    no = SqliteClaims(session).take("an order", "")[0].no
    SqliteDefinitions(session).pin("hash", {}, 0)
    running = Execution(status="RUNNING")
    executions.store(StoredExecution(no, "an order", 1, running), running, [TimerFired(1, 0, 0)], NEVER, 0)
    session.end()
    session.write()

    stored = executions.load(no)
    assert stored is not None
    assert stored.log == b""
