"""The SQLite file: how it is opened, and how its tables change from version to version.

- One connection writes. Reads and checkpoints have their own.
- WAL with synchronous=FULL: COMMIT returns after the fsync that holds the transaction
  (https://www.sqlite.org/pragma.html#pragma_synchronous).
- A file that newer code wrote is refused.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import apsw

from expediter.embedded.sqlite.files import close_to_others, make_private
from expediter.embedded.sqlite.session import DAMAGED

#: "Expd": marks the file as ours (https://www.sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x45787064

#: Prepared statements that the writer keeps. For every row of an executemany apsw searches them from the first on, and
#: puts the statement back into the next place, where it replaces another one. So a statement stays for so many rows of
#: other statements. With 256 the search took a quarter of what SQLite itself does for an order. With 64, small batches
#: push other statements out, and these have to be prepared again.
PREPARED = 128

#: What is said of a file that another program keeps from being written.
LOCKED_AT_START = (
    "Another program has locked the database file. End it, or its transaction, and start again; nothing is lost."
)
#: How SQLite says that a file cannot be used now.
_UNUSABLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.BusyError,
)

_SQL = resources.files("expediter.embedded.sqlite") / "sql"


class DataRefused(Exception):
    """The data folder cannot be used as it is; the message says why and what to do."""


def open_writer(file: Path, vfs: str | None = None, synchronous: str = "FULL") -> apsw.Connection:
    """The one connection that writes, with the newest tables. ``vfs`` and ``synchronous`` are for tests of power loss.

    Raises DataRefused when the file is not ours, newer than this code, or cannot be written.
    """
    try:
        return _opened(file, vfs, synchronous)
    except (OSError, *_UNUSABLE) as error:
        raise unwritable(file.parent, error) from error


def unwritable(folder: Path, error: BaseException | None) -> DataRefused:
    """What is said when the server cannot begin because nothing can be written, or the file is damaged or locked."""
    if isinstance(error, apsw.CorruptError):
        return DataRefused(f"{folder}: {DAMAGED}")
    if isinstance(error, apsw.BusyError):
        return DataRefused(f"{folder}: {LOCKED_AT_START}")
    why = "the disk is full" if isinstance(error, apsw.FullError) else str(error)
    return DataRefused(f"{folder} cannot be written: {why}. Make room or repair it, and start again; nothing is lost.")


def _opened(file: Path, vfs: str | None, synchronous: str) -> apsw.Connection:
    if vfs is None and not file.exists():
        make_private(file)  # SQLite would make it with whatever rights the umask leaves
    connection = apsw.Connection(str(file), vfs=vfs, statementcachesize=PREPARED)
    connection.set_busy_timeout(10_000)
    if vfs is not None:
        connection.pragma("locking_mode", "exclusive")
    with _closed_unless_ours(connection, file):  # before anything is written: another's file stays as it is
        _adopt(connection)
    prepare(connection, synchronous)
    # SQLite gives its log and its shared memory the rights of the file; those of a former version may have others.
    close_to_others(file.with_name(file.name + suffix) for suffix in ("", "-wal", "-shm"))
    return connection


def prepare(connection: apsw.Connection, synchronous: str = "FULL") -> None:
    """Makes the settings of the connection that writes, and brings the tables up to date."""
    _keep_plans(connection)
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
