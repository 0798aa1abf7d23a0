"""The one writer: units of work, many to a commit, each answered after the fsync that holds it.

    batch 1   … ─→ statements ─→ COMMIT ·······················→ told
    batch 2                      units, and those that come ···→ the other units ─→ statements ─→ COMMIT ···→ told

Rules:
 - statements run on the event loop's thread, only COMMIT runs in a thread of its own: a second Python thread running
   statements would give the GIL away at every step and fall to a fraction of its speed;
 - while COMMIT runs the connection belongs to it. The next batch's units run meanwhile, first the work that waits, then
   whatever comes, as far as they find in memory what they need; one that needs the file (``ConnectionBusy``) runs again
   after COMMIT. Whoever had no turn by then runs after it, so everybody who comes meanwhile is taken along;
 - a unit that raises loses its own writes and nobody else's;
 - what a unit wants done outside (``after``) happens once the commit that holds it returned, or never;
 - a COMMIT that fails (disk full) takes back the whole batch: everybody in it is told StoreUnavailable. What ran
   meanwhile had built on it, and runs again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import NamedTuple, Protocol, TypeVar

import apsw

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.sqlite.admission import JOINED, PATIENCE, AdmissionQueue, Entry
from expediter.embedded.sqlite.commit_thread import Commit, Committer
from expediter.embedded.sqlite.database import ConnectionBusy
from expediter.embedded.sqlite.metrics import Metrics

T = TypeVar("T")
Done = Callable[[T | None, Exception | None], None]

#: What SQLite says of rows, not of the disk.
_REFUSED = (apsw.ConstraintError, apsw.MismatchError, apsw.TooBigError)

_log = logging.getLogger("expediter.writer")


class Observer(Protocol):
    """Is told of every commit: the names of its units, before it is asked for and after it returned."""

    def before_commit(self, names: list[str]) -> None: ...

    def after_commit(self, names: list[str]) -> None: ...


class TransactionHooks(Protocol):
    """Told of each unit: it begins, ends or is undone; of each batch: it is written, COMMIT runs, is kept or lost."""

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def undo(self) -> None: ...

    def write(self) -> None: ...

    def committing(self) -> None: ...

    def kept(self) -> None: ...

    def lost(self, why: BaseException) -> None: ...


class BatchLost(Exception):
    """SQLite rolled the whole transaction back by itself (disk full, I/O error)."""


class _Running(NamedTuple):
    """A COMMIT under way, the units that it holds, and when it began (the loop's seconds)."""

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
        hooks: TransactionHooks,
        between: Callable[[], Awaitable[None]],
        observer: Observer | None = None,
    ) -> None:
        self._connection = connection
        self.metrics = Metrics()
        self._hooks = hooks
        self._between = between
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._admission = AdmissionQueue(self._loop.time, self.metrics)
        self._wake = asyncio.Event()
        self._committer = Committer(connection)
        self._running: _Running | None = None
        self._current: Entry | None = None
        #: The units of the next commit; those of them that had no turn yet; those that need the file and had to stop.
        self._batch: list[Entry] = []
        self._turns: deque[Entry] = deque()
        self._left: list[Entry] = []
        #: Units that run again, each in a commit of its own; whether the next commit is one of these.
        self._again: deque[Entry] = deque()
        self._alone = False
        #: The COMMIT that is waited for with nothing to do: who comes has his turn at once.
        self._beside: Commit | None = None
        #: Units that had their turn and were not told yet.
        self._untold = 0
        self._stopping = self._failing = False
        self._task = asyncio.create_task(self._run(), name="writer")

    def run(self, name: str, unit: Callable[[], T]) -> asyncio.Future[T]:
        """For requests: will have the unit's result once that is durable, or what the unit raised, StoreUnavailable or
        TooBusy: nothing was done then, nor will be. Raises TooBusy.
        """
        if self.too_busy():
            self.metrics.shed += 1
            raise TooBusy
        future: asyncio.Future[T] = self._loop.create_future()
        entry = Entry(name, unit, partial(_settle, future), self._loop.time())
        self._add(entry, self._admission.requests)
        return future

    def submit(self, name: str, unit: Callable[[], T], done: Done[T]) -> None:
        """For what follows from what was accepted: never refused, so whoever submits bounds how much there can be.

        Has the unit run and committed; then calls ``done`` with its result or the error that undid it. From inside a
        unit: it runs behind the others of this commit, and is in it.
        """
        entry = Entry(name, unit, done, 0)  # type: ignore[arg-type]  # result and done agree on T
        if self._current is not None and not self._alone:
            self._batch.append(entry)
            self._turns.append(entry)
            self._untold += 1
        else:
            self._add(entry, self._admission.work)

    def _add(self, entry: Entry, queue: deque[Entry]) -> None:
        """Has the unit wait in the queue; while COMMIT is waited for with nothing to do it runs at once."""
        if self._beside is None or len(self._batch) >= JOINED:
            queue.append(entry)
            self._wake.set()
            return
        self._batch.append(entry)
        self._turns.append(entry)
        self._untold += 1
        self._run_ahead(self._beside)

    def after(self, action: Callable[[], None]) -> None:
        """From inside a unit: have this done once the unit is durable; forgotten if it is undone."""
        if self._current is None:
            raise RuntimeError("after() belongs inside a unit")
        self._current.after.append(action)

    def too_busy(self) -> bool:
        """Whether a request's unit would wait for seconds: there are too many, or the disk stands still."""
        late = self._running is not None and self._loop.time() - self._running.begun > PATIENCE
        return late or self._stopping or self._admission.too_busy()

    @property
    def waiting(self) -> int:
        """Units that were not told yet what came of them."""
        return len(self._admission.requests) + len(self._admission.work) + self._untold

    async def stop(self) -> None:
        """Commits what was submitted and stops."""
        self._stopping = True
        self._wake.set()
        await self._task
        self._committer.stop()

    async def _run(self) -> None:
        """Writes one batch after the other while there is something to write."""
        admission = self._admission
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._running or admission.work or admission.requests or self._again:
                self._begin_batch()
                if running := self._running:
                    self._run_ahead(running.commit)
                    self._beside = None if self._alone else running.commit
                    if not running.commit.done:
                        await running.commit.wait()
                    if not self._end_commit(running):
                        continue
                    await self._between()
                    await asyncio.sleep(0)  # who was told answers before the next units run
                self._begin_commit()
            if self._stopping:
                return

    def _begin_batch(self) -> None:
        """The work that waits is the first in the next batch: it runs while COMMIT of the one before does."""
        self._batch, self._left = [], []
        self._turns.clear()
        self._alone = bool(self._again)
        if self._again:
            self._batch.append(self._again.popleft())
        elif self._admission.work:
            self._batch = self._admission.take_work()
            self._untold += len(self._batch)
        self._turns.extend(self._batch)

    def _run_ahead(self, commit: Commit) -> None:
        """Gives the units of the next batch their turn until COMMIT has returned; those that need the file are left."""
        while self._turns and not commit.done:
            entry = self._turns.popleft()
            try:
                self._run_unit(entry)
            except ConnectionBusy:
                self._hooks.undo()
                entry.begin_again()
                self._left.append(entry)

    def _end_commit(self, running: _Running) -> bool:
        """Tells the units of a COMMIT that has returned. False: it failed, and what was staged since is lost."""
        self._running = self._beside = None
        if running.commit.error is not None:
            self._lose(running.batch, running.commit.error)
            self._put_back()
            return False
        self.metrics.commits.observe(running.commit.seconds)
        self.metrics.batches.observe(len(running.batch))
        self._hooks.kept()
        if self._failing:
            self._say_whether_it_works(None)
        if self._observer:
            self._observer.after_commit([entry.name for entry in running.batch])
        self._tell(running.batch)
        return True

    def _put_back(self) -> None:
        """The next batch had built on what is lost: its units wait again, as the next to have their turn."""
        for entry in self._batch:
            entry.begin_again()
        if self._alone:
            self._again.extendleft(self._batch)
        else:
            self._untold -= len(self._batch)
            self._admission.work.extendleft(reversed(self._batch))

    def _begin_commit(self) -> None:
        """Runs the units of the next batch that had no turn yet, with the requests that wait, and begins its COMMIT."""
        if self._admission.requests and not self._alone:
            requests = self._admission.take_requests()
            self._untold += len(requests)
            self._batch += requests
            self._turns += requests
        batch = self._batch
        if not batch:
            return
        try:
            self._execute()
            if self._observer:
                self._observer.before_commit([entry.name for entry in batch])
        except (apsw.Error, StoreUnavailable, BatchLost) as error:
            self._lose(batch, error)
            return
        self._hooks.committing()
        self._running = _Running(batch, self._committer.begin(), self._loop.time())

    def _execute(self) -> None:
        """Runs the units that are left of the batch, those that they have join it, and its statements.

        Raises what SQLite cannot do.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        for entry in self._left:
            self._run_unit(entry)
        while self._turns:
            self._run_unit(self._turns.popleft())
        begun = perf_counter()
        self._hooks.write()
        self.metrics.writes.observe(perf_counter() - begun)

    def _run_unit(self, entry: Entry) -> None:
        """Raises ConnectionBusy, and BatchLost."""
        begun = perf_counter()
        self._current = entry
        self._hooks.begin()
        try:
            entry.result = entry.unit()
            self._hooks.end()
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
        self._hooks.undo()

    def _lose(self, batch: list[Entry], error: Exception) -> None:
        """Takes the batch back. When SQLite refused something that one of its units staged, each runs again by itself,
        so that only that one fails.
        """
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._hooks.lost(error.__cause__ or error)
        refused = isinstance(error.__cause__, _REFUSED)
        self.metrics.commits_lost += not refused
        self._say_whether_it_works(error)
        if refused and len(batch) > 1:
            for entry in batch:
                entry.begin_again()
            self._again.extend(batch)
            return
        for entry in batch:
            entry.after.clear()
            entry.error = StoreUnavailable()
            entry.error.__cause__ = error
        self._tell(batch)

    def _say_whether_it_works(self, error: Exception | None) -> None:
        """Logs that nothing can be written when that begins and when it is over: it concerns every unit meanwhile."""
        if bool(error) != self._failing and not isinstance(error and error.__cause__, _REFUSED):
            self._failing = bool(error)
            if error:
                _log.error("nothing can be written: doors answer 503 until that is over", exc_info=error)
            else:
                _log.warning("writing works again")

    def _tell(self, batch: list[Entry]) -> None:
        self._untold -= len(batch)
        for entry in batch:
            for action in entry.after:
                action()
            entry.done(entry.result if entry.error is None else None, entry.error)
