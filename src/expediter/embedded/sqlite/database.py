"""The SQLite file: how it is opened, what its statements are called, how it grows from version to version.

- one connection writes; reads and checkpoints have their own;
- WAL with synchronous=FULL: COMMIT returns after the fsync that holds the transaction
  (https://www.sqlite.org/pragma.html#pragma_synchronous);
- a file written by newer code is refused;
- JSON is bound as the bytes that it is encoded to, and CAST makes text of them: half of what decoding them first takes.
"""

import fcntl
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import apsw

from expediter.domain.errors import StoreUnavailable
from expediter.embedded.sqlite.files import close_to_others, make_private

#: What can be bound to a statement, and a row that comes back: the tables are STRICT, so its types are the schema's.
Value: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[Any, ...]

#: "Expd": marks the file as ours (https://www.sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x45787064

#: Places for prepared statements of the writer. For every row of an executemany apsw searches them from the first on,
#: and puts the statement back in the next place, whose statement is dropped: each outlives so many rows of others,
#: however few statements there are. With 256 the search took a quarter of what SQLite itself does for an order; with 64
#: the rows of small batches push other statements out, which are prepared anew.
PREPARED = 128

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_SQL = resources.files("expediter.embedded.sqlite") / "sql"


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Key_contra = TypeVar("Key_contra", bound=Hashable, contravariant=True)


#: What is said where SQLite meets a page that cannot be what was written.
DAMAGED = "The database file is damaged. Stop the server, and restore the last backup or repair the file."


class DataRefused(Exception):
    """The data folder cannot be used as it is; the message says why and what to do."""


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


class Mapper(NamedTuple, Generic[K, V]):
    """How the rows of one table become values, each with a key, and values become rows.

    ``table``: its name. A key that was deleted is not used again.
    ``read``: returns the value of a key, or None. ``write``: writes changes.
    ``keep``: returns what of a written value is kept in memory, or None. ``immutable``: rows are only added.
    """

    table: str
    read: Callable[["Session", K], V | None]
    write: Callable[["Session", Sequence[Change[V]]], None]
    keep: Callable[[V], V | None]
    immutable: bool = False


class Rows(Protocol[Key_contra, V]):
    """The rows of one table, each as the value of its key."""

    def get(self, key: Key_contra) -> V | None: ...

    def put(self, key: Key_contra, before: V | None, value: V | None) -> None:
        """Adds a row (``before`` is None), changes it, or deletes it (``value`` is None). ``before``: as read."""

    def is_empty(self) -> bool:
        """Whether the file holds no row of the table. Rows that are not written yet do not count."""

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        """All rows of a statement that only reads."""


#: Is told of a row that a unit changed: its value before and after.
Changed: TypeAlias = Callable[[V | None, V], None]


class UncachedRows(Rows[K, V]):
    """Every value is read from the file, and written to it at once."""

    def __init__(self, session: "Session", mapper: Mapper[K, V], changed: Changed[V] | None) -> None:
        self._session = session
        self._mapper = mapper
        self._changed = changed

    def get(self, key: K) -> V | None:
        return self._mapper.read(self._session, key)

    def put(self, key: K, before: V | None, value: V | None) -> None:  # noqa: ARG002  # the value knows its key
        self._mapper.write(self._session, ((before, value),))
        if self._changed and value is not None:
            self._changed(before, value)

    def is_empty(self) -> bool:
        return self._session.row(any_row(self._mapper.table)) is None

    def select(self, sql: str, values: tuple[Value, ...]) -> list[Row]:
        return self._session.rows(sql, values)


def any_row(table: str) -> str:
    """The statement that finds whether a table has a row. ``table``: a name of ours."""
    return f"SELECT 1 FROM {table} LIMIT 1"  # noqa: S608  # fixed names only


def ignore(_: BaseException) -> None:
    """Nobody has to be told."""


class Session:
    """A connection as the stores use it. What SQLite cannot do raises StoreUnavailable, and undoes the unit.

    ``failed`` is told what SQLite said.
    """

    def __init__(self, connection: apsw.Connection, failed: Callable[[BaseException], None] = ignore) -> None:
        self.connection = connection
        self.failed = failed

    def table(self, mapper: Mapper[K, V], changed: Changed[V] | None = None) -> Rows[K, V]:
        """The rows of a table. ``changed`` is told of each row that a unit changed, once, before the unit ends."""
        return UncachedRows(self, mapper, changed)

    def mark_absent(self, table: str, key: Hashable) -> None:
        """The caller knows that the file has no row of this key: no look at the file is needed."""

    def invalidate(self) -> None:
        """To be called after a statement that changed rows of a ``table``: they are read from the file again."""

    def next_number(self, sql: str) -> int:
        """A number for a new row: one more than the largest so far, which the statement returns."""
        return int(self.one(sql)[0]) + 1

    def execute(self, sql: str, values: tuple[Value, ...]) -> None:
        """Runs a statement without a result. It may run later, but before the commit and before ``rows`` or ``row``."""
        self.rows(sql, values)

    def execute_many(self, sql: str, rows: Sequence[tuple[Value, ...]]) -> None:
        """Runs the statement once for each row of values."""
        try:
            self.connection.executemany(sql, rows)
        except apsw.Error as error:
            raise self._unavailable(error) from error

    def rows(self, sql: str, values: tuple[Value, ...] = ()) -> list[Row]:
        """Runs the statement; all its rows."""
        try:
            return self.connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise self._unavailable(error) from error

    def row(self, sql: str, values: tuple[Value, ...] = ()) -> Row | None:
        """Runs the statement; its first row."""
        try:
            return self.connection.execute(sql, values).fetchone()
        except apsw.Error as error:
            raise self._unavailable(error) from error

    def one(self, sql: str, values: tuple[Value, ...] = ()) -> Row:
        """Runs a statement that always has a row."""
        row = self.row(sql, values)
        if row is None:
            raise StoreUnavailable(f"No row where there is always one: {sql}")
        return row

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Whatever is read inside is as of one moment."""
        try:
            with self.connection:
                yield
        except apsw.Error as error:
            raise self._unavailable(error) from error

    def each(self, sql: str) -> Iterator[Row]:
        """Runs a statement whose rows are too many to hold; goes through them one by one."""
        try:
            yield from self.connection.execute(sql)
        except apsw.Error as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: apsw.Error) -> StoreUnavailable:
        self.failed(error)
        return StoreUnavailable(DAMAGED if isinstance(error, apsw.CorruptError) else "")


def open_writer(file: Path, vfs: str | None = None, synchronous: str = "FULL") -> apsw.Connection:
    """The one connection that writes, with the newest tables. ``vfs`` and ``synchronous`` are for tests of power loss.

    Raises DataRefused when the file is not ours, newer than this code, or cannot be written.
    """
    try:
        return _opened(file, vfs, synchronous)
    except (OSError, apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.CorruptError) as error:
        raise unwritable(file.parent, error) from error


def unwritable(folder: Path, error: BaseException | None) -> DataRefused:
    """What is said when the server cannot begin because nothing can be written, or the file is damaged."""
    if isinstance(error, apsw.CorruptError):
        return DataRefused(f"{folder}: {DAMAGED}")
    why = "the disk is full" if isinstance(error, apsw.FullError) else str(error)
    return DataRefused(f"{folder} cannot be written: {why}. Make room or repair it, and start again; nothing is lost.")


def _opened(file: Path, vfs: str | None, synchronous: str) -> apsw.Connection:
    if vfs is None and not file.exists():
        make_private(file)  # SQLite would make it with whatever rights the umask leaves
    connection = apsw.Connection(str(file), vfs=vfs, statementcachesize=PREPARED)
    connection.set_busy_timeout(10_000)
    _keep_plans(connection)
    if vfs is not None:
        connection.pragma("locking_mode", "exclusive")
    with _closed_unless_ours(connection, file):  # before anything is written: another's file stays as it is
        _adopt(connection)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", synchronous)
    # Checkpoints are made beside the writer, on a connection of their own, or by close.
    connection.pragma("wal_autocheckpoint", 0)
    # A log that grew beyond this (128 MiB) while a backup was made is cut when it begins anew.
    connection.pragma("journal_size_limit", 128 * 2**20)
    connection.pragma("temp_store", "memory")
    # What is removed is overwritten with zeros where its page is written anyway (see scrub.py for the others).
    connection.pragma("secure_delete", "fast")
    connection.pragma("cache_size", -64_000)
    _migrate(connection)
    # SQLite gives its log and its shared memory the rights of the file; those of a former version may have others.
    close_to_others(file.with_name(file.name + suffix) for suffix in ("", "-wal", "-shm"))
    return connection


def open_reader(file: Path) -> apsw.Connection:
    """A connection that only reads; it sees what is committed. Raises DataRefused when there is no file of ours."""
    if not file.exists():
        raise DataRefused(f"There is no data in {file.parent}. Start the server first: expediter serve")
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=128)
    connection.set_busy_timeout(10_000)
    _keep_plans(connection)
    with _closed_unless_ours(connection, file):
        connection.pragma("query_only", True)
    return connection


@contextmanager
def owned(folder: Path) -> Iterator[Path]:
    """The data folder for this process alone; gives the database file in it.

    Raises DataRefused when it is in use, or cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = make_private(folder / "lock").open("w")
    except OSError as error:
        raise DataRefused(f"{folder} cannot be used: {error.strerror}. Choose another EXPEDITER_DATA.") from error
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataRefused(
                f"Another server is using {folder}. Stop it, or choose another EXPEDITER_DATA."
            ) from error
        yield folder / "expediter.db"


def _keep_plans(connection: apsw.Connection) -> None:
    """A statement keeps its plan whatever is bound to it. Otherwise SQLite looks if a partial index fits the values,
    and prepares the statement anew at every use: a third of all that it did for an order.

    https://www.sqlite.org/queryplanner-ng.html#the_query_planner_stability_guarantee
    """
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)


def _adopt(connection: apsw.Connection) -> None:
    """Marks an empty file as ours."""
    empty = connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None
    if empty and connection.pragma("user_version") == 0:
        connection.pragma("application_id", APPLICATION_ID)


def _migrate(connection: apsw.Connection) -> None:
    """Brings the tables up to date, each step in its own transaction (https://www.sqlite.org/pragma.html#pragma_user_version)."""
    for number, script in _migrations()[connection.pragma("user_version") :]:
        with connection:
            connection.execute(script)
            connection.pragma("user_version", number)


@contextmanager
def _closed_unless_ours(connection: apsw.Connection, file: Path) -> Iterator[None]:
    """Looks, at its end, whose file it is. Raises DataRefused when it is another's, or newer than this code."""
    try:
        yield
        ours = connection.pragma("application_id") == APPLICATION_ID
        version, known = connection.pragma("user_version"), len(_migrations())
    except apsw.NotADBError:
        ours, version, known = False, 0, 0
    if ours and version <= known:
        return
    connection.close()
    if not ours:
        raise DataRefused(f"{file} is not a database of Expediter. Choose another EXPEDITER_DATA.")
    raise DataRefused(f"{file} was written by a newer Expediter (tables {version}, known {known}). Update Expediter.")


def _migrations() -> list[tuple[int, str]]:
    files = sorted((_SQL / "migrations").iterdir(), key=lambda entry: entry.name)
    return [(int(entry.name.split("_")[0]), entry.read_text()) for entry in files if entry.name.endswith(".sql")]
