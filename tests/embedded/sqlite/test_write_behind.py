"""Whatever units change, read, run at once or take back: it is as if each had written at once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expediter.embedded.sqlite.row_cache import CAPACITY
from expediter.embedded.sqlite.session import Change, ConnectionBusy, Mapper, Rows, Session, Writes
from expediter.embedded.sqlite.write_behind import WriteBehind
from tests.support.clock import VirtualClock

READ = "SELECT value FROM line WHERE no = ?"
ADD = "INSERT INTO line (no, value) VALUES (?1, ?2)"
APPEND = "UPDATE line SET value = value || ?2 WHERE no = ?1"
DELETE = "DELETE FROM line WHERE no = ?1"
NOTE = "INSERT INTO note (text) VALUES (?)"
LOST = OSError("the disk is gone")

Fact = tuple[dict[int, str], list[str]]


class Line(NamedTuple):
    """A row that only grows, as an execution's history does. ``log``: what it grew by that is not written yet."""

    no: int
    text: str
    log: str


class Lines:
    """A table of lines and one of notes, behind the cache."""

    def __init__(self, connection: apsw.Connection, reading: Session | None = None, immutable: bool = False) -> None:
        connection.execute("CREATE TABLE line (no INTEGER PRIMARY KEY, value TEXT); CREATE TABLE note (text TEXT)")
        self.connection = connection
        self.session = WriteBehind(connection, VirtualClock(), reading)
        self.told: list[tuple[str | None, str | None]] = []
        #: A number that was deleted is not used again.
        self.deleted = set[int]()
        self.rows: Rows[int, Line] = self.session.table(Mapper("line", _read, _write, _keep, immutable), self._changed)

    def _changed(self, changes: Sequence[Change[Line]]) -> None:
        self.told.extend((before and before.text, line and line.text) for before, line in changes)

    def append(self, no: int, text: str) -> None:
        before = self.rows[no]
        whole, log = (before.text, before.log) if before else ("", "")
        self.rows.put(no, before, Line(no, whole + text, log + text))

    def delete(self, no: int) -> None:
        before = self.rows[no]
        if before is not None:
            self.rows.put(no, before, None)
            self.deleted.add(no)

    def text(self, no: int) -> str | None:
        line = self.rows[no]
        return line.text if line else None

    def stored(self) -> Fact:
        lines: dict[int, str] = dict(map(tuple, self.connection.execute("SELECT no, value FROM line")))
        return lines, [text for (text,) in self.connection.execute("SELECT text FROM note ORDER BY text")]

    def unit(self, *texts: tuple[int, str]) -> None:
        """A unit that appends these and ends well."""
        self.session.begin()
        for no, text in texts:
            self.append(no, text)
        self.session.end()


def _read(session: Session, no: int) -> Line | None:
    row = session.row(READ, (no,))
    return Line(no, row[0], "") if row else None


def _write(changes: Sequence[Change[Line]]) -> Writes:
    for before, line in changes:
        if line is None:
            yield DELETE, [(before.no,)] if before else []
        elif before is None:
            yield ADD, [(line.no, line.log)]
        else:
            yield APPEND, [(line.no, line.log[len(before.log) :])]


def _keep(line: Line) -> Line:
    return Line(line.no, line.text, "")


def noting(ran: list[Any]) -> Callable[..., bool]:
    """Writes down each statement that runs, and what was bound to it."""

    def note(_: object, sql: str, values: object) -> bool:
        ran.append((sql, values))
        return True

    return note


numbers, texts = st.integers(0, 6), st.text("ab", min_size=1, max_size=3)
acts = st.one_of(
    st.tuples(st.just("append"), numbers, texts),
    st.tuples(st.just("delete"), numbers, st.just("")),
    st.tuples(st.just("note"), st.just(0), texts),
    st.tuples(st.just("get"), numbers, st.just("")),
    st.tuples(st.sampled_from(["count", "select", "empty"]), st.just(0), st.just("")),
)
units = st.tuples(st.lists(acts, max_size=6), st.booleans())
batches = st.lists(st.tuples(st.lists(units, max_size=5), st.booleans()), max_size=6)


def act(lines: Lines, model: Fact, kind: str, no: int, text: str) -> None:
    """Does it to the cache and to the model, and compares what can be seen."""
    lines_now, notes_now = model
    if kind == "append" and no not in lines.deleted:
        lines.append(no, text)
        lines_now[no] = lines_now.get(no, "") + text
    elif kind == "delete":
        lines.delete(no)
        lines_now.pop(no, None)
    elif kind == "note":
        lines.session.execute(NOTE, (text,))
        notes_now.append(text)
    elif kind == "get":
        assert lines.text(no) == lines_now.get(no)
    elif kind == "select":
        assert lines.rows.select("SELECT no, value FROM line ORDER BY no", ()) == sorted(lines_now.items())
    elif kind == "empty":
        assert lines.rows.is_empty() == (lines.connection.execute("SELECT 1 FROM line").fetchone() is None)
    elif kind == "count":
        found = lines.session.row("SELECT (SELECT count(*) FROM line), (SELECT count(*) FROM note)")
        assert found == (len(lines_now), len(notes_now))


@given(batches)
def test_the_cache_changes_nothing_but_when_sqlite_hears_of_it(given: list[tuple[list, bool]]) -> None:
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
                lines.session.lost(LOST)
            else:
                lines.session.committing()
                connection.execute("COMMIT")
                lines.session.kept()
                kept = now
            assert lines.stored() == (kept[0], sorted(kept[1]))


def test_rows_that_several_units_of_a_batch_change_are_written_once() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines = Lines(connection)
        for text in "abc":
            lines.unit((1, text))
        before = connection.total_changes()
        lines.session.write()

        assert (lines.stored()[0], connection.total_changes() - before) == ({1: "abc"}, 1)


def test_a_row_that_is_added_and_deleted_in_one_batch_is_never_written() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines = Lines(connection)
        lines.unit((1, "a"))
        lines.session.begin()
        lines.delete(1)
        lines.session.end()
        before = connection.total_changes()
        lines.session.write()

        assert connection.total_changes() == before


def test_listeners_get_the_old_and_the_new_row_of_each_change_once_the_batch_is_kept() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines = Lines(connection)
        lines.unit((1, "a"), (1, "b"))
        lines.session.begin()
        lines.append(1, "undone")
        lines.session.undo()
        lines.unit((1, "c"), (2, "d"))
        lines.session.write()
        lines.session.committing()
        assert lines.told == []
        lines.session.kept()
        lines.unit((2, "e"))
        lines.session.write()
        lines.session.committing()
        lines.session.kept()

        assert lines.told == [(None, "abc"), (None, "d"), ("d", "de")]


def test_listeners_hear_nothing_of_what_is_lost_or_rolled_back() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines = Lines(connection)
        connection.execute("BEGIN")
        lines.unit((1, "lost"))
        lines.session.write()
        lines.session.committing()
        connection.execute("ROLLBACK")
        lines.session.lost(LOST)
        connection.execute("BEGIN")
        lines.unit((2, "stays"))
        lines.session.begin()
        lines.append(3, "rolled back")
        lines.session.row("SELECT 1")
        lines.session.undo()
        lines.session.write()
        lines.session.committing()
        lines.session.kept()

        assert lines.told == [(None, "stays")]


def test_a_unit_that_only_changes_the_cache_needs_no_savepoint() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines, ran = Lines(connection), list[Any]()
        lines.unit((1, "a"))
        connection.exec_trace = noting(ran)
        lines.session.begin()
        lines.append(1, "b")
        lines.session.execute(NOTE, ("a",))
        lines.session.end()

        assert ran == []


def test_memory_keeps_the_rows_that_were_written_last() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines, read = Lines(connection), list[Any]()
        lines.unit(*((no, "a") for no in range(CAPACITY + 5)))
        lines.session.write()
        lines.session.kept()
        assert lines.text(-1) is None
        connection.exec_trace = noting(read)

        assert lines.text(CAPACITY + 4) == "a"
        assert read == []
        assert lines.text(0) == "a"
        assert read == [(READ, (0,))]


def test_memory_that_is_full_drops_no_change_that_is_not_written() -> None:
    with closing(apsw.Connection(":memory:")) as connection:
        lines = Lines(connection)
        lines.unit((0, "a"))
        lines.session.write()
        lines.session.committing()
        lines.session.begin()
        lines.append(0, "b")
        for no in range(1, CAPACITY + 5):
            lines.rows.put(no, None, Line(no, "a", "a"))
        lines.session.end()
        lines.session.kept()
        assert lines.text(-1) is None
        lines.session.write()

        assert (lines.stored()[0][0], len(lines.stored()[0])) == ("ab", CAPACITY + 5)


@contextmanager
def beside(file: Path, immutable: bool) -> Iterator[Lines]:
    """Lines whose rows may be read on another connection."""
    with closing(apsw.Connection(str(file))) as writing, closing(apsw.Connection(str(file))) as other:
        writing.pragma("journal_mode", "wal")
        yield Lines(writing, Session(other), immutable)


def commit(lines: Lines) -> None:
    lines.connection.execute("COMMIT")
    lines.session.kept()


def test_while_commit_runs_rows_that_never_change_are_read_on_another_connection(tmp_path: Path) -> None:
    with beside(tmp_path / "test.db", immutable=True) as lines:
        lines.connection.execute("INSERT INTO line VALUES (1, 'in the file')")
        lines.connection.execute("BEGIN IMMEDIATE")
        lines.unit((2, "on its way"))
        lines.session.write()
        lines.session.committing()

        assert [lines.text(no) for no in (1, 2, 3)] == ["in the file", "on its way", None]
        with pytest.raises(ConnectionBusy):
            lines.rows.is_empty()
        with pytest.raises(ConnectionBusy):
            lines.rows.select(READ, (1,))
        commit(lines)
        assert not lines.rows.is_empty()


def test_while_commit_runs_rows_that_change_are_not_read(tmp_path: Path) -> None:
    with beside(tmp_path / "test.db", immutable=False) as lines:
        lines.connection.execute("BEGIN IMMEDIATE")
        lines.unit((2, "on its way"))
        lines.session.write()
        lines.session.committing()

        assert lines.text(2) == "on its way"
        with pytest.raises(ConnectionBusy):
            lines.text(1)
        commit(lines)
        assert lines.text(1) is None


def test_nothing_is_read_beside_a_commit_that_holds_a_statement_of_a_units_own(tmp_path: Path) -> None:
    with beside(tmp_path / "test.db", immutable=True) as lines:
        for statement in ("UPDATE line SET value = 'new'", None):
            lines.connection.execute("BEGIN IMMEDIATE")
            lines.session.begin()
            if statement:
                lines.session.rows(statement)
            lines.session.end()
            lines.session.committing()
            if statement:
                with pytest.raises(ConnectionBusy):
                    lines.text(1)
            else:
                assert lines.text(1) is None
            commit(lines)
