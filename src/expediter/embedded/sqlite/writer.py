"""The one writer: units of work, many to a commit, each answered after the fsync that holds it.

    batch 1   … ─→ statements ─→ COMMIT ·······················→ told
    batch 2                      units, and those that come ···→ the other units ─→ statements ─→ COMMIT ···→ told

Rules:
 - statements run on the event loop's thread, only COMMIT runs in a thread of its own: a second Python thread running
   statements would give the GIL away at every step and fall to a fraction of its speed;
 - while COMMIT runs the connection belongs to it. The next batch's units run meanwhile, first the work that waits, then
   whatever comes, as far as they find in memory what they need; one that needs the file (``Committing``) runs again
   after COMMIT. Whoever had no turn by then runs after it, so everybody who comes meanwhile is taken along;
 - a unit that raises loses its own writes and nobody else's;
 - what a unit wants done outside (``after``) happens once the commit that holds it returned, or never;
 - a COMMIT that fails (disk full) takes back the whole batch: everybody in it is told StoreUnavailable. What ran
   meanwhile had built on it, and runs again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import chain, islice
from time import perf_counter
from typing import NamedTuple, Protocol, TypeVar

import apsw

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.sqlite.admission import JOINED, PATIENCE, Entry, Places
from expediter.embedded.sqlite.commit_thread import Commit, Committer
from expediter.embedded.sqlite.database import Committing
from expediter.embedded.sqlite.metrics import Metrics

T = TypeVar("T")

#: What SQLite says of rows, not of the disk.
_REFUSED = (apsw.ConstraintError, apsw.MismatchError, apsw.TooBigError)

_log = logging.getLogger("expediter.writer")

Done = Callable[[T | None, Exception | None], None]


class Observer(Protocol):
    """Is told of every commit: the names of its units, before it is asked for and after it returned."""

    def before_commit(self, names: list[str]) -> None: ...

    def after_commit(self, names: list[str]) -> None: ...


class Around(Protocol):
    """Is told where each unit begins, and whether it ended or has to be undone; then to write what the batch holds,
    that nobody may touch the file while COMMIT runs, and whether the batch was kept or lost.
    """

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def undo(self) -> None: ...

    def write(self) -> None: ...

    def committing(self) -> None: ...

    def kept(self) -> None: ...

    def lost(self) -> None: ...


class BatchLost(Exception):
    """SQLite rolled the whole transaction back by itself (disk full, I/O error)."""


class _Running(NamedTuple):
    """A COMMIT under way, and the units that it holds."""

    batch: list[Entry]
    commit: Commit
    begun: float


def _settle(future: asyncio.Future[T], result: T, error: Exception | None) -> None:
    if future.done():
        return  # who asked went away; what was written stays written
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class Writer:
    """Group commits over one connection. Create and use it on the event loop's thread.

    ``between`` is awaited after every commit: the time for checkpoints.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        around: Around,
        between: Callable[[], Awaitable[None]],
        observer: Observer | None = None,
    ) -> None:
        self._connection = connection
        self.metrics = Metrics()
        self._around = around
        self._between = between
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._places = Places(self._loop.time, self.metrics)
        self._wake = asyncio.Event()
        self._committer = Committer(connection)
        self._running: _Running | None = None
        self._current: Entry | None = None
        #: The units of the commit that is being made, and how many of them had their turn while the one before it
        #: runs; those of them that need the file; whether it is one of those that hold a single unit.
        self._batch: list[Entry] = []
        self._ran = 0
        self._left: list[Entry] = []
        self._apart = False
        #: The COMMIT that is waited for with nothing to do: who comes has his turn at once.
        self._beside: Commit | None = None
        #: Units that had their turn and were not told yet.
        self._untold = 0
        self._stopping = False
        self._failing = False
        self._task = asyncio.create_task(self._run(), name="writer")

    def run(self, name: str, unit: Callable[[], T]) -> asyncio.Future[T]:
        """For the doors: will have the unit's result once that is durable, or what the unit raised, StoreUnavailable or
        TooBusy: nothing was done then, nor will be. Raises TooBusy.
        """
        if self.too_busy():
            self.metrics.shed += 1
            raise TooBusy
        future: asyncio.Future[T] = self._loop.create_future()
        entry = Entry(name, unit, partial(_settle, future), self._loop.time())
        if not self._joins(entry):
            self._places.at_the_doors(entry)
            self._wake.set()
        return future

    def submit(self, name: str, unit: Callable[[], T], done: Done[T]) -> None:
        """For what follows from what was accepted: never refused, so whoever submits bounds how much there can be.

        Has the unit run and committed; then calls ``done`` with its result or the error that undid it. From inside a
        unit: it runs behind the others of this commit, and is in it.
        """
        entry = Entry(name, unit, done, 0)  # type: ignore[arg-type]  # result and done agree on T
        if self._current is not None and not self._apart:
            self._batch.append(entry)
            self._untold += 1
        elif not self._joins(entry):
            self._places.add_work(entry)
            self._wake.set()

    def _joins(self, entry: Entry) -> bool:
        """Whether it has its turn at once, in the next commit: COMMIT is waited for with nothing else to do."""
        if self._beside is None or len(self._batch) >= JOINED:
            return False
        self._batch.append(entry)
        self._untold += 1
        self._run_ahead(self._beside)
        return True

    def after(self, action: Callable[[], None]) -> None:
        """From inside a unit: have this done once the unit is durable; forgotten if it is undone."""
        if self._current is None:
            raise RuntimeError("after() belongs inside a unit")
        self._current.after.append(action)

    def too_busy(self) -> bool:
        """Whether a unit from the doors would wait for seconds: there are too many, or the disk stands still."""
        late = self._running is not None and self._loop.time() - self._running.begun > PATIENCE
        return late or self._stopping or self._places.too_busy()

    @property
    def waiting(self) -> int:
        """Units that were not told yet what came of them."""
        return len(self._places) + self._untold

    async def stop(self) -> None:
        """Commits what was submitted and stops."""
        self._stopping = True
        self._wake.set()
        await self._task
        self._committer.stop()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._places or self._running:
                await self._next()
            if self._stopping:
                return

    async def _next(self) -> None:
        """Writes the next batch: the work that waits now, and who is at the doors once the COMMIT before it is over."""
        batch = self._batch = self._places.take_work()
        self._untold += len(batch)
        self._left, self._ran = [], 0
        if self._running:
            self._run_ahead(self._running.commit)
            self._beside = self._running.commit
            if not await self._end_commit():
                for entry in batch:
                    entry.begin_again()
                self._left, self._ran = [], 0
        doors = self._places.take_doors()
        self._untold += len(doors)
        batch += doors
        if batch:
            await self._commit(batch, self._left + batch[self._ran :])

    async def _commit(self, batch: list[Entry], left: list[Entry]) -> None:
        """Runs the units that are left of a batch, and begins its COMMIT."""
        try:
            self._execute(left, batch)
            if self._observer:
                self._observer.before_commit([entry.name for entry in batch])
        except (apsw.Error, StoreUnavailable, BatchLost) as error:
            await self._lose(batch, error)
            return
        self._around.committing()
        self._running = _Running(batch, self._committer.begin(), self._loop.time())

    def _run_ahead(self, commit: Commit) -> None:
        """Gives the units of the next batch their turn until COMMIT has returned; those that need the file are left."""
        while self._ran < len(self._batch) and not commit.done:
            entry = self._batch[self._ran]
            self._ran += 1
            try:
                self._run_unit(entry)
            except Committing:
                self._around.undo()
                entry.begin_again()
                self._left.append(entry)

    async def _end_commit(self) -> bool:
        """Waits for the COMMIT that runs, and tells its units. False: it failed, and what was staged since is lost."""
        running = self._running
        if running is None:
            return True
        try:
            self.metrics.commits.observe(await running.commit.ended())
        except apsw.Error as error:
            self._running = self._beside = None
            await self._lose(running.batch, error)
            return False
        self._running = self._beside = None
        self.metrics.batches.observe(len(running.batch))
        self._around.kept()
        self._say_whether_it_works(None)
        if self._observer:
            self._observer.after_commit([entry.name for entry in running.batch])
        self._tell(running.batch)
        await self._between()
        await asyncio.sleep(0)  # who was told answers before the next units run
        return True

    async def _lose(self, batch: list[Entry], error: Exception) -> None:
        """Takes the batch back. When SQLite refused something that one of its units staged, each runs again by itself,
        so that only that one fails.
        """
        self._undo(batch, error)
        refused = isinstance(error.__cause__, _REFUSED)
        self.metrics.commits_lost += not refused
        self._say_whether_it_works(error)
        if len(batch) == 1 or not refused:
            self._tell(batch)
            return
        self._apart = True
        for entry in batch:
            entry.begin_again()
            await self._commit([entry], [entry])
            await self._end_commit()
        self._apart = False

    def _say_whether_it_works(self, error: Exception | None) -> None:
        """Logs that nothing can be written when that begins and when it is over: it concerns every unit meanwhile."""
        if bool(error) != self._failing and not isinstance(error and error.__cause__, _REFUSED):
            self._failing = bool(error)
            if error:
                _log.error("nothing can be written: doors answer 503 until that is over", exc_info=error)
            else:
                _log.warning("writing works again")

    def _execute(self, left: list[Entry], batch: list[Entry]) -> None:
        """Runs the units that are left of a batch, those that they have join it, and its statements.

        Raises what SQLite cannot do.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        self._batch, joining = batch, islice(batch, len(batch), None)
        for entry in chain(left, joining):
            self._run_unit(entry)
        begun = perf_counter()
        self._around.write()
        self.metrics.writes.observe(perf_counter() - begun)

    def _run_unit(self, entry: Entry) -> None:
        """Raises Committing, and BatchLost."""
        begun = perf_counter()
        self._current = entry
        self._around.begin()
        try:
            entry.result = entry.unit()
            self._around.end()
        except Exception as error:  # noqa: BLE001  # whatever a unit raises undoes that unit and is handed to its owner
            self._undo_unit(entry, error)
        finally:
            self._current = None
        self.metrics.units[entry.name].observe(perf_counter() - begun)

    def _undo_unit(self, entry: Entry, error: Exception) -> None:
        entry.error = error
        entry.after.clear()
        if not self._running and not self._connection.in_transaction:
            raise BatchLost from error
        self._around.undo()

    def _undo(self, batch: list[Entry], error: Exception) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._around.lost()
        for entry in batch:
            entry.after.clear()
            entry.error = StoreUnavailable()
            entry.error.__cause__ = error

    def _tell(self, batch: list[Entry]) -> None:
        self._untold -= len(batch)
        for entry in batch:
            for action in entry.after:
                action()
            entry.done(entry.result if entry.error is None else None, entry.error)
