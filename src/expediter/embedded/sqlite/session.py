"""What stores do with a connection: statements, and the rows of a table as values.

JSON is bound as the bytes that it is encoded to, and CAST makes text of them: half of what decoding them first takes.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import apsw

from expediter.domain.errors import StoreUnavailable

#: What can be bound to a statement, and a row that comes back: the tables are STRICT, so its types are the schema's.
Value: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[Any, ...]


_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)

_SQL = resources.files("expediter.embedded.sqlite") / "sql"

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Key_contra = TypeVar("Key_contra", bound=Hashable, contravariant=True)


#: The message when SQLite finds a damaged page.
DAMAGED = "The database file is damaged. Stop the server, and restore the last backup or repair the file."

#: The message while another program has the lock.
LOCKED = "Another program has locked the database file. Try again in a moment."

#: What SQLite raises when it refuses a row. All other errors are of the file or of the disk.
ROW_REFUSED = (apsw.ConstraintError, apsw.MismatchError, apsw.TooBigError)


class ConnectionBusy(BaseException):
    """The unit needs the file while COMMIT runs. The writer undoes the unit, and runs it again after COMMIT.

    Not an Exception: the code between the unit and the writer must not catch it.
    """


class Statements:
    """The named statements of one .sql file, each in one line without its comments: ``Statements("queue")["send"]``.

    For every row of an executemany apsw hashes the whole text again, to find what it has prepared: 8 instructions a
    character.
    """

    def __init__(self, file: str) -> None:
        parts = _NAME.split((_SQL / f"{file}.sql").read_text())
        self._texts: dict[str, str] = dict(zip(parts[1::2], map(_one_line, parts[2::2]), strict=True))

    def __getitem__(self, name: str) -> str:
        return self._texts[name]


def _one_line(text: str) -> str:
    lines = (line.strip() for line in text.splitlines())
    return " ".join(line for line in lines if line and not line.startswith("--"))


#: A row that changed: the value that the table holds, and the value that it shall hold. None: no row.
Change: TypeAlias = tuple[V | None, V | None]
#: Statements without a result, in their order, each with the rows of values that it runs for.
Writes: TypeAlias = Iterable[tuple[str, Sequence[tuple[Value, ...]]]]


class Mapper(NamedTuple, Generic[K, V]):
    """How the rows of one table become values, each with a key, and values become rows.

    ``table``: its name. A key that was deleted is not used again.
    ``read``: returns the value of a key, or None. ``write``: returns the statements that write these changes.
    ``keep``: returns what of a written value is kept in memory, or None. ``immutable``: rows are only added.
    ``children``: tables whose rows belong to a row of this one, and what gives the key of the child. A new row has no
    child yet.
    ``last``: the statement that returns the largest number of a row, for a table that numbers its rows.
    """

    table: str
    read: Callable[["Session", K], V | None]
    write: Callable[[Sequence[Change[V]]], Writes]
    keep: Callable[[V], V | None]
    immutable: bool = False
    children: Mapping[str, Callable[[V], Hashable]] = {}
    last: str = ""


class Rows(Protocol[Key_contra, V]):
    """The rows of one table, each as the value of its key."""

    def __getitem__(self, key: Key_contra) -> V | None:
        """The row of this key; None: there is none."""

    def put(self, key: Key_contra, before: V | None, value: V | None) -> None:
        """Adds a row (``before`` is None), changes it, or deletes it (``value`` is None). ``before``: as read."""

    def mark_absent(self, key: Key_contra) -> None:
        """The caller knows that the file has no row with this key. So the file is not read to find that out."""

    def next_number(self) -> int:
        """A number for a new row: one more than the largest so far."""

    def is_empty(self) -> bool:
        """Whether the file holds no row of the table. Rows that are not written yet do not count."""

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        """All rows of a statement that only reads."""


#: Called with the rows that changed, once that is durable.
Changed: TypeAlias = Callable[[Sequence[Change[V]]], None]


class UncachedRows(Rows[K, V]):
    """Every value is read from the file, and written to it at once."""

    def __init__(self, session: "Session", mapper: Mapper[K, V], changed: Changed[V] | None) -> None:
        self._session = session
        self._mapper = mapper
        self._changed = changed

    def __getitem__(self, key: K) -> V | None:
        return self._mapper.read(self._session, key)

    def put(self, key: K, before: V | None, value: V | None) -> None:  # noqa: ARG002  # the value knows its key
        changes = ((before, value),)
        for sql, rows in self._mapper.write(changes):
            for values in rows:
                self._session.rows(sql, values)
        if self._changed:
            self._changed(changes)

    def mark_absent(self, key: K) -> None:
        """Nothing is kept, so every read asks the file."""

    def next_number(self) -> int:
        return int(one(self._session, self._mapper.last)[0]) + 1

    def is_empty(self) -> bool:
        return self._session.row(any_row(self._mapper.table)) is None

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        return self._session.rows(sql, values)


def any_row(table: str) -> str:
    """The statement that finds whether a table has a row. ``table``: a name of ours."""
    return f"SELECT 1 FROM {table} LIMIT 1"  # noqa: S608  # fixed names only


def ignore(_: BaseException) -> None:
    """Does nothing."""


class Session:
    """A connection as the stores use it. What SQLite cannot do raises StoreUnavailable, and undoes the unit. ``failed``
    is called with SQLite's error.
    """

    def __init__(self, connection: apsw.Connection, failed: Callable[[BaseException], None] = ignore) -> None:
        self.connection = connection
        self.failed = failed

    def table(self, mapper: Mapper[K, V], changed: Changed[V] | None = None) -> Rows[K, V]:
        """The rows of a table. ``changed`` is called with the rows that each commit changed, once it is durable."""
        return UncachedRows(self, mapper, changed)

    def execute(self, sql: str, values: tuple[Value, ...]) -> None:
        """Runs a statement without a result. It may run later, but before the commit and before ``rows`` or ``row``."""
        self.rows(sql, values)

    def rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[Row]:
        """Runs the statement; all its rows."""
        try:
            return self.connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise self.unavailable(error) from error

    def row(self, sql: str, values: tuple[Value, ...] = ()) -> Row | None:
        """Runs the statement; its first row."""
        try:
            return self.connection.execute(sql, values).fetchone()
        except apsw.Error as error:
            raise self.unavailable(error) from error

    def unavailable(self, error: apsw.Error) -> StoreUnavailable:
        """What is raised for an error of SQLite."""
        self.failed(error)
        return StoreUnavailable(DAMAGED if isinstance(error, apsw.CorruptError) else "")


def one(session: Session, sql: str, values: tuple[Value, ...] = ()) -> Row:
    """Runs a statement that always has a row. Returns its first row."""
    row = session.row(sql, values)
    if row is None:
        raise StoreUnavailable(f"No row where there is always one: {sql}")
    return row


@contextmanager
def snapshot(session: Session) -> Iterator[None]:
    """All that a session reads inside is as of one moment. For sessions that only read."""
    try:
        with session.connection:
            yield
    except apsw.Error as error:
        raise session.unavailable(error) from error


def each(session: Session, sql: str) -> Iterator[Row]:
    """Runs a statement that has too many rows to hold, and gives them one by one. For sessions that only read."""
    try:
        yield from session.connection.execute(sql)
    except apsw.Error as error:
        raise session.unavailable(error) from error
