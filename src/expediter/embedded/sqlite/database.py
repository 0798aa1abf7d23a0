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
from typing import Any, Protocol, TypeAlias, TypeVar

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


class Committing(BaseException):
    """COMMIT runs, and the connection belongs to it: the unit runs again once that is over.

    No Exception, because nobody in between has an answer to it.
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


class Rows(Protocol[Key_contra, V]):
    """The rows of one table that are read and written one by one, each by its key."""

    def get(self, key: Key_contra) -> V | None: ...

    def put(self, key: Key_contra, value: V) -> None: ...


class Direct(Rows[K, V]):
    """Rows that are read from the file, and written to it, whenever somebody asks."""

    def __init__(self, read: Callable[[K], V | None], write: Callable[[Sequence[V]], None]) -> None:
        self._read = read
        self._write = write

    def get(self, key: K) -> V | None:
        return self._read(key)

    def put(self, key: K, value: V) -> None:  # noqa: ARG002  # the value knows its key
        self._write((value,))


def ignore(_: BaseException) -> None:
    """Nobody has to be told."""


class Session:
    """A connection as the stores use it: whatever SQLite cannot do is StoreUnavailable, and undoes the unit.

    ``failed`` is told what SQLite said.
    """

    #: The number of the unit that runs now; 0: this connection knows no units.
    unit = 0

    def __init__(self, connection: apsw.Connection, failed: Callable[[BaseException], None] = ignore) -> None:
        self.connection = connection
        self.failed = failed

    def table(
        self,
        name: str,
        read: Callable[[K], V | None],
        write: Callable[[Sequence[V]], None],
        filed: Callable[[V], V | None],
        since: Callable[[V, V], V] | None = None,
    ) -> Rows[K, V]:
        """The rows of a table. ``filed``: what a value is once it is in the file; None: it will hardly be asked for.

        ``since``: what a value is that was made from another one, once that one is in the file; without it the same.
        """
        del name, filed, since  # every value is read anew
        return Direct(read, write)

    def absent(self, name: str, key: Hashable) -> None:
        """The caller knows that the table has no row of this key: nobody needs to look."""

    def recall(self, sql: str) -> Row | None:
        """The first row of a statement; it may be remembered until ``unsure`` or ``forget``."""
        return self.row(sql)

    def unsure(self, sql: str) -> None:
        """The caller wrote something that may change what ``recall`` gives."""

    def number(self, sql: str) -> int:
        """A number for a new row: the one behind what the statement gives as the largest so far."""
        return int(self.one(sql)[0]) + 1

    def stage(self, sql: str, values: tuple[Value, ...]) -> None:
        """Has the statement run before the unit is committed, and before anything else is read or written directly."""
        self.rows(sql, values)

    def look(self, name: str, sql: str, values: tuple[Value, ...]) -> list[Row]:
        """All rows of a statement that only reads, and only the table ``name``."""
        del name  # nothing waits to be written
        return self.rows(sql, values)

    def forget(self) -> None:
        """To be called after a statement that changed rows of a ``table`` past it: they are read anew, as all that was
        remembered.
        """

    def peek(self, sql: str, values: tuple[Value, ...]) -> Row | None:
        """The first row of a statement that reads nothing of what may be staged."""
        return self.row(sql, values)

    def glance(self, sql: str, values: tuple[Value, ...]) -> Row | None:
        """As ``peek``, when what the file holds before the COMMIT that runs is as good as what it holds after it."""
        return self.row(sql, values)

    def many(self, sql: str, rows: Sequence[tuple[Value, ...]]) -> None:
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
