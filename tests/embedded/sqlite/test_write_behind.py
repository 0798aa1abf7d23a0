"""Whatever units stage, read, run directly or take back: it is as if each had written at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.embedded.sqlite import write_behind
from expediter.embedded.sqlite.database import Committing, Row, Rows, Session
from expediter.embedded.sqlite.write_behind import WritingSession

READ = "SELECT no, value FROM line WHERE no = ?"
WRITE = "INSERT INTO line (no, value) VALUES (?1, ?2) ON CONFLICT (no) DO UPDATE SET value = ?2"
NOTE = "INSERT INTO note (text) VALUES (?)"

Line = tuple[int, str]
Fact = tuple[dict[int, str], list[str]]


class Lines:
    """A table of lines and one of notes, behind a writing session."""

    def __init__(self, connection: apsw.Connection, beside: Session | None = None) -> None:
        connection.execute("CREATE TABLE line (no INTEGER PRIMARY KEY, value TEXT); CREATE TABLE note (text TEXT)")
        self.connection = connection
        self.session = WritingSession(connection, beside)
        self.rows: Rows[int, Line] = self.session.table("line", self._read, self._write, lambda line: line)

    def stored(self) -> Fact:
        lines: dict[int, str] = dict(map(tuple, self.connection.execute("SELECT no, value FROM line")))
        return lines, [text for (text,) in self.connection.execute("SELECT text FROM note ORDER BY text")]

    def _read(self, no: int) -> Line | None:
        row: Row | None = self.session.peek(READ, (no,))
        return (row[0], row[1]) if row else None

    def _write(self, rows: Sequence[Line]) -> None:
        self.session.many(WRITE, rows)


def noting(ran: list[Any]) -> Callable[..., bool]:
    """Writes down each statement that runs, and what was bound to it."""

    def note(_: object, sql: str, values: object) -> bool:
        ran.append((sql, values))
        return True

    return note


numbers, texts = st.integers(0, 4), st.text("ab", min_size=1, max_size=3)
acts = st.one_of(
    st.tuples(st.just("put"), numbers, texts),
    st.tuples(st.just("note"), st.just(0), texts),
    st.tuples(st.just("get"), numbers, st.just("")),
    st.tuples(st.just("count"), st.just(0), st.just("")),
    st.tuples(st.just("look"), st.just(0), st.just("")),
)
units = st.tuples(st.lists(acts, max_size=6), st.booleans())
batches = st.lists(st.tuples(st.lists(units, max_size=5), st.booleans()), max_size=6)


def act(lines: Lines, model: Fact, kind: str, no: int, text: str) -> None:
    """Does it to the session and to the model, and compares what can be seen."""
    lines_now, notes_now = model
    if kind == "put":
        lines.rows.put(no, (no, text))
        lines_now[no] = text
    elif kind == "note":
        lines.session.stage(NOTE, (text,))
        notes_now.append(text)
    elif kind == "get":
        assert lines.rows.get(no) == ((no, lines_now[no]) if no in lines_now else None)
    elif kind == "look":
        assert lines.session.look("line", "SELECT no, value FROM line ORDER BY no", ()) == sorted(lines_now.items())
    else:
        found = lines.session.row("SELECT (SELECT count(*) FROM line), (SELECT count(*) FROM note)")
        assert found == (len(lines_now), len(notes_now))


@given(batches)
def test_staging_changes_nothing_but_when_sqlite_hears_of_it(given: list[tuple[list, bool]]) -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines, kept = Lines(connection), (dict[int, str](), list[str]())
        for batch, is_lost in given:
            now: Fact = (dict(kept[0]), list(kept[1]))
            connection.execute("BEGIN")
            for unit, fails in batch:
                mine: Fact = (dict(now[0]), list(now[1]))
                lines.session.begin()
                for one in unit:
                    act(lines, mine, *one)
                if fails:
                    lines.session.undo()
                else:
                    lines.session.end()
                    now = mine
            lines.session.write()
            if is_lost:
                connection.execute("ROLLBACK")
                lines.session.lost()
            else:
                connection.execute("COMMIT")
                lines.session.kept()
                kept = now
            assert lines.stored() == (kept[0], sorted(kept[1]))


def test_rows_that_several_units_of_a_batch_change_are_written_once() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines = Lines(connection)
        for text in "abc":
            lines.session.begin()
            lines.rows.put(1, (1, text))
            lines.session.end()
        before = connection.total_changes()
        lines.session.write()

        assert (lines.stored()[0], connection.total_changes() - before) == ({1: "c"}, 1)


def test_a_unit_that_only_stages_needs_no_savepoint() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines, ran = Lines(connection), list[Any]()
        connection.exec_trace = noting(ran)
        lines.session.begin()
        lines.rows.put(1, (1, "a"))
        lines.session.stage(NOTE, ("a",))
        lines.session.end()

        assert ran == []


def test_memory_keeps_the_rows_that_were_written_last() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines, read = Lines(connection), list[Any]()
        lines.session.begin()
        for no in range(write_behind.KNOWN + 5):
            lines.rows.put(no, (no, "a"))
        lines.session.end()
        lines.session.write()
        lines.session.kept()
        connection.exec_trace = noting(read)

        assert lines.rows.get(write_behind.KNOWN + 4) == (write_behind.KNOWN + 4, "a")
        assert read == []
        assert lines.rows.get(0) == (0, "a")
        assert read == [(READ, (0,))]


@contextmanager
def beside(file: Path) -> Iterator[Lines]:
    """Lines whose session may read on another connection."""
    with closing(apsw.Connection(str(file))) as writing, closing(apsw.Connection(str(file))) as other:
        writing.pragma("journal_mode", "wal")
        yield Lines(writing, Session(other))


def test_a_glance_while_commit_runs_goes_to_another_connection(tmp_path: Path) -> None:
    with beside(tmp_path / "test.db") as lines:
        writing = lines.connection
        writing.execute("INSERT INTO line VALUES (1, 'in the file')")
        writing.execute("BEGIN IMMEDIATE")
        lines.session.begin()
        lines.rows.put(2, (2, "on its way"))
        lines.session.end()
        lines.session.write()
        lines.session.committing()

        assert lines.session.glance(READ, (1,)) == (1, "in the file")
        assert lines.session.glance(READ, (2,)) is None
        with pytest.raises(Committing):
            lines.session.peek(READ, (1,))
        writing.execute("COMMIT")
        lines.session.kept()
        assert lines.session.glance(READ, (2,)) == (2, "on its way")


def test_nobody_glances_while_a_commit_runs_that_holds_a_statement_of_a_units_own(tmp_path: Path) -> None:
    with beside(tmp_path / "test.db") as lines:
        writing = lines.connection
        for statement in ("UPDATE line SET value = 'new'", None):
            writing.execute("BEGIN IMMEDIATE")
            lines.session.begin()
            if statement:
                lines.session.rows(statement)
            lines.session.end()
            lines.session.committing()
            if statement:
                with pytest.raises(Committing):
                    lines.session.glance(READ, (1,))
            else:
                assert lines.session.glance(READ, (1,)) is None
            writing.execute("COMMIT")
            lines.session.kept()
