"""Moves what the write-ahead log holds into the database file, on a connection and a thread of its own.

The writer's own COMMIT never does it (``wal_autocheckpoint=0``): a checkpoint waits for two fsyncs, and every order in
that commit would wait with it. https://www.sqlite.org/wal.html#performance_considerations
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import apsw

#: A checkpoint runs beside the writer when so many pages of the log are not moved yet: 4 MiB. A larger one would cost
#: less in all, but COMMIT would wait longer for the disk.
BESIDE = 1_000
#: When the log has LONG pages (128 MiB) and only FEW of them are not moved, the writer waits for these: then the log
#: starts from its beginning.
LONG, FEW = 32_000, 500
#: When the log has so many pages (1 GiB), the writer waits in any case.
MOST = 8 * LONG
#: Milliseconds that emptying the log waits for readers at most, and the writer with it; seconds until the next try.
PATIENCE, AGAIN = 100, 10.0

_log = logging.getLogger("expediter.checkpoints")


def late(pages: int, moved: int) -> bool:
    """Whether the writer waits for a checkpoint.

    It does not wait while many pages are left, as after a burst or a backup. Most of them are moved beside the writer
    first.
    """
    return pages >= LONG and (pages - moved <= FEW or pages >= MOST)


class BetweenCommits(Protocol):
    """What the writer awaits between commits when it is ``due``."""

    due: bool

    async def between_batches(self) -> None: ...


class Checkpoints:
    def __init__(self, writing: apsw.Connection, file: Path) -> None:
        self._connection = apsw.Connection(str(file))
        # A connection that has not read the file yet does not know of the log, and checkpoints nothing.
        self._connection.pragma("journal_mode", "wal")
        self._connection.pragma("synchronous", "FULL")
        self._connection.set_busy_timeout(PATIENCE)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        #: Pages in the log, and how many of them are in the file.
        self._pages, self._moved = 0, 0
        self._running: asyncio.Future[int] | None = None
        #: Whether the log is to be emptied; the future of that; the time of the next try, in the loop's seconds.
        self._owed = False
        self._wanted: asyncio.Future[bool] | None = None
        self._next_try = 0.0
        #: Whether ``between_batches`` has something to do.
        self.due = False
        writing.set_wal_hook(self._committed)

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._pages = pages
        self.due = self._is_due()
        return apsw.SQLITE_OK

    async def between_batches(self) -> None:
        """Starts a checkpoint when it is time, and waits for one when it is late."""
        if self._owed:
            await self._empty()
        if self._running is not None and self._running.done():
            self._moved, self._running = self._running.result(), None
        if self._moved > self._pages:
            self._moved = 0  # the log has started again
        waits = self._pages >= LONG and late(self._pages, self._moved)
        if self._running is None and (waits or self._pages >= LONG or self._pages - self._moved >= BESIDE):
            loop = asyncio.get_running_loop()
            self._running = loop.run_in_executor(self._thread, self._checkpoint, self._moved)
        if waits and self._running is not None:
            await self._running
        self.due = self._is_due()

    def _is_due(self) -> bool:
        started_again = self._pages < self._moved
        much = self._pages >= LONG or self._pages - self._moved >= BESIDE
        return self._owed or self._running is not None or started_again or much

    def _checkpoint(self, moved: int) -> int:
        """Returns how many pages of the log are in the file now. ``moved``: how many were before.

        A checkpoint that fails (disk full) loses nothing: the log keeps everything until a later one works.
        """
        try:
            return self._connection.wal_checkpoint()[1]
        except apsw.Error as error:
            _log.warning("the log could not be moved into the database file; trying again later", exc_info=error)
            return moved

    def empty(self) -> asyncio.Future[bool]:
        """Moves the whole log into the file, and empties it, at the writer's next pause. The result: whether it worked.

        It fails while a reader needs an older state (a backup). Then it is tried again until it works.
        """
        if self._wanted is None:
            self._wanted = asyncio.get_running_loop().create_future()
        self._owed, self._next_try, self.due = True, 0.0, True
        return self._wanted

    async def _empty(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_try:
            return
        self._owed = not await loop.run_in_executor(self._thread, self._truncate)
        self._next_try = loop.time() + AGAIN
        if self._wanted is not None:
            self._wanted.set_result(not self._owed)
            self._wanted = None

    def _truncate(self) -> bool:
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error as error:
            _log.warning("the log could not be emptied; trying again later (%s)", type(error).__name__)
            return False
        return True

    async def close(self) -> None:
        if self._running:
            await self._running
        self._thread.shutdown()
        self._connection.close()
