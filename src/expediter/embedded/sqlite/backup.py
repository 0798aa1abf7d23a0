"""A copy of the database while the server writes to it: SQLite's online backup, out of one snapshot.

Rules:
 - the whole copy is as of one moment: every order acknowledged before it began is in it;
 - the server goes on. While the snapshot is read, its write-ahead log cannot begin anew, so it grows by what is written
   meanwhile and no more; that is why the copy is made as fast as the disk gives it;
 - a file with the final name is always a whole, checked and durable copy.

Source: https://www.sqlite.org/backup.html
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from expediter.embedded.sqlite.database import open_reader

#: Pages copied at a time: 4 MiB, between two moves of a progress bar.
STEP = 1_024


class BackupRefused(Exception):
    """The backup could not be made, and no part of it is left. The message says why and what to do."""


class Backup(NamedTuple):
    """What the finished file holds. ``waiting``: messages on the queue, whose workflows have not begun."""

    size: int
    orders: int
    waiting: int


#: Is told how many pages of how many are copied.
Progress = Callable[[int, int], None]


def back_up(data: Path, file: Path, progress: Progress) -> Backup:
    """Copies the database in ``data`` to ``file``, checked and durable. Raises DataRefused, BackupRefused."""
    _require_new(file)
    with closing(open_reader(data / "expediter.db")) as source, _unfinished(file) as part:
        try:
            with closing(apsw.Connection(str(part))) as copy:
                _copy(source, copy, progress)
                found = _checked(copy)
            _durable(part)
            size = part.stat().st_size
            _require_new(file)
            part.rename(file)
            _durable(file.parent)
        except (apsw.Error, OSError) as error:
            raise BackupRefused(f"{file} could not be written: {error}. Nothing is left of it.") from error
    return Backup(size, *found)


def _require_new(file: Path) -> None:
    if file.exists() or file.is_symlink():
        raise BackupRefused(f"{file} exists. Name a file that does not: a backup never replaces anything.")


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """An empty file beside the final one, which only its owner can read. It is removed when the copy fails."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BackupRefused(f"{file} cannot be written: {error.strerror}. Choose another place.") from error
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _copy(source: apsw.Connection, copy: apsw.Connection, progress: Progress) -> None:
    """One snapshot, read to its end; without it every commit of the server would begin the copy anew."""
    # Nothing of the copy has to survive a crash before it is whole.
    copy.pragma("journal_mode", "off")
    copy.pragma("synchronous", "off")
    with source, copy.backup("main", source, "main") as backup:
        source.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        while not backup.done:
            backup.step(STEP)
            progress(backup.page_count - backup.remaining, backup.page_count)


def _checked(copy: apsw.Connection) -> tuple[int, int]:
    """The copy as one file without a log, found to be whole; how many orders and messages it holds."""
    copy.pragma("journal_mode", "delete")
    problems = [text for (text,) in copy.execute("PRAGMA integrity_check") if text != "ok"]
    if problems:
        listed = "; ".join(problems[:3])
        raise BackupRefused(
            f"The copy is damaged, and so is the database or its disk: {listed}. Nothing is left of it."
        )
    (orders,), (waiting,) = copy.execute("SELECT count(*) FROM orders UNION ALL SELECT count(*) FROM message")
    return orders, waiting


def _durable(path: Path) -> None:
    """Returns once the file, or the folder's names, would survive a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
