"""Whether the database file is what was written: SQLite's own checks of its pages.

https://www.sqlite.org/pragma.html#pragma_integrity_check
"""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic

import apsw

from expediter.embedded.sqlite.database import open_reader

#: Seconds that a start takes for the quick check at most. What it did not reach is left to the thorough one.
QUICK = 1.0
#: Steps of SQLite's virtual machine, or pages of its check, between two questions whether to go on.
STEPS = 10_000
#: How SQLite says that the file is damaged.
DAMAGE = (apsw.CorruptError, apsw.NotADBError)


def quick_check(file: Path, seconds: float = QUICK) -> bool:
    """Whether the file is sound, as far as it can be read in so many seconds."""
    end = monotonic() + seconds
    with closing(open_reader(file)) as connection:
        return _sound(connection, "PRAGMA quick_check(1)", lambda: monotonic() > end)


def thorough_check(file: Path, stopping: Callable[[], bool]) -> bool:
    """Whether the file is sound: every page, row and index entry. Table by table, so that the log is not held back for
    long. Ends early once ``stopping`` says so.
    """
    with closing(open_reader(file)) as connection:
        try:
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        except DAMAGE:
            return False
        return all(_sound(connection, f'PRAGMA integrity_check("{name}")', stopping) for (name,) in tables)


def _sound(connection: apsw.Connection, check: str, stopping: Callable[[], bool]) -> bool:
    """Whether a check finds nothing, as far as it comes until ``stopping``."""
    connection.set_progress_handler(stopping, STEPS)
    try:
        return connection.execute(check).fetchone() == ("ok",)
    except DAMAGE:
        return False
    except apsw.InterruptError:
        return True
    finally:
        connection.set_progress_handler(None)
