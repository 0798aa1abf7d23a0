"""The one writer: it runs units of work and commits them in batches. Each is answered after the fsync that holds it.

    batch 1   … ─→ statements ─→ COMMIT ·············→ answers
    batch 2                      units run ··········→ the other units run ─→ statements ─→ COMMIT ···→ answers

- Units and statements run on the event loop's thread. Only COMMIT has a thread of its own: a second Python thread that
  runs statements gives the GIL away at every step, and falls to a fraction of its speed.
- While COMMIT runs, nothing else may use the connection. Units of the next batch run meanwhile: first the work that
  waits, then what comes. A unit that needs the file (``ConnectionBusy``) runs again after COMMIT, with the units that
  were not reached before.
- A unit that raises loses its own writes only.
- The actions that a unit gives to ``after`` run once its COMMIT has returned. If the unit is undone, they never run.
- When a COMMIT fails (disk full), every unit in it gets StoreUnavailable. The units that ran meanwhile read what is
  lost now, so they run again.
- When SQLite refuses a row, the units of the batch run again, each in a commit of its own. So only one fails.
- While another program has the file's lock, the loop goes on: after LOCK_LIMIT the requests that wait get
  StoreUnavailable, and the work that follows from what was accepted waits.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TypeVar

import apsw

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.sqlite.checkpoints import BetweenCommits
from expediter.embedded.sqlite.commit_thread import BatchLost, Commit, Committer, Observer, Running
from expediter.embedded.sqlite.metrics import Metrics
from expediter.embedded.sqlite.session import LOCKED, ROW_REFUSED, ConnectionBusy
from expediter.embedded.sqlite.units import (
    RUN_AHEAD_LIMIT,
    WAIT_LIMIT,
    AdmissionQueue,
    TimeBudget,
    TransactionHooks,
    UnitOfWork,
    fail,
    settle,
)
from expediter.embedded.time_slices import in_slices, run_what_is_ready

T = TypeVar("T")
Done = Callable[[T | None, Exception | None], None]
#: Seconds that a batch waits for the lock of the file while another program has it, and between two tries.
LOCK_LIMIT, LOCK_PAUSE = 1.0, 0.02
_log = logging.getLogger("expediter.writer")


class Writer:
    """Create and use it on the event loop's thread. ``between`` is awaited after each commit at which it is due."""

    def __init__(
        self,
        connection: apsw.Connection,
        hooks: TransactionHooks,
        between: BetweenCommits,
        observer: Observer | None = None,
    ) -> None:
        self._connection = connection
        connection.set_busy_timeout(0)  # SQLite would wait for the lock on the loop's thread
        self.metrics = Metrics()
        self._hooks = hooks
        self._between = between
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self.admission = AdmissionQueue(self._loop.time, self.metrics)
        self._wake = asyncio.Event()
        self._committer = Committer(connection)
        self.budget = TimeBudget()
        self._running: Running | None = None
        self._current: UnitOfWork | None = None
        #: The units of the next commit; those that did not run yet; those that ran, and run again after COMMIT.
        self._batch: list[UnitOfWork] = []
        self._to_run: deque[UnitOfWork] = deque()
        self._need_file: list[UnitOfWork] = []
        #: Units that run again, each in a commit of its own; whether the next commit is one of these.
        self._retries: deque[UnitOfWork] = deque()
        #: The COMMIT that is waited for, when there is nothing else to do: a unit that comes runs at once.
        self._waited_for: Commit | None = None
        self._unanswered = 0  # units that are in a batch and have no answer yet
        self._stopping = self._failing = self._retrying = False
        self._task = asyncio.create_task(self._run(), name="writer")

    def run(self, name: str, function: Callable[[], T]) -> asyncio.Future[T]:
        """Runs the unit of a request. The future gets the result once it is durable.

        Or it gets what the unit raised, StoreUnavailable or TooBusy: then nothing is stored. Raises TooBusy.
        """
        if self.too_busy():
            self.metrics.shed += 1
            raise TooBusy
        future: asyncio.Future[T] = self._loop.create_future()
        unit = UnitOfWork(name, function, partial(settle, future), self._loop.time())
        self._add(unit, self.admission.requests)
        return future

    def submit(self, name: str, function: Callable[[], T], done: Done[T]) -> None:
        """Runs a unit that follows from what was accepted. It is never refused: the caller bounds how many there are.

        Calls ``done`` with the result once it is durable, or with the error that undid the unit. A unit that is
        submitted inside a unit joins the same commit.
        """
        unit = UnitOfWork(name, function, done, 0)  # type: ignore[arg-type]  # result and done agree on T
        self._add(unit, self.admission.work)

    def _add(self, unit: UnitOfWork, queue: deque[UnitOfWork]) -> None:
        """It joins the running unit's commit, or waits. While the writer only waits for a COMMIT, it runs at once."""
        inside = self._current is not None and not self._retrying
        at_once = self._waited_for if not inside and len(self._batch) < RUN_AHEAD_LIMIT else None
        if not inside and at_once is None:
            queue.append(unit)
            self._wake.set()
            return
        self._batch.append(unit)
        self._to_run.append(unit)
        self._unanswered += 1
        if at_once:
            self._run_ahead(at_once)

    def after(self, action: Callable[[], None]) -> None:
        """Called inside a unit. The action is done once the unit is durable, and never if the unit is undone."""
        if self._current is None:
            raise RuntimeError("after() belongs inside a unit")
        self._current.after.append(action)

    def too_busy(self) -> bool:
        """Whether a request would wait for seconds: too many wait, or the disk stands still."""
        return self.stalled() or self._stopping or self.admission.too_busy()

    def stalled(self) -> bool:
        """Whether a COMMIT takes so long that requests are refused."""
        return self._running is not None and self._loop.time() - self._running.begun > WAIT_LIMIT

    @property
    def waiting(self) -> int:
        """The number of units without an answer."""
        return len(self.admission.requests) + len(self.admission.work) + self._unanswered

    async def stop(self) -> None:
        """Commits what was submitted and stops."""
        self._stopping = True
        self._wake.set()
        await self._task
        self._committer.stop()

    async def _run(self) -> None:
        """Writes one batch after the other while there is something to write."""
        admission = self.admission
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._running or admission.work or admission.requests or self._retries:
                self._begin_batch()
                if running := self._running:
                    self._run_ahead(running.commit)
                    self._waited_for = None if self._retrying else running.commit
                    if not running.commit.done:
                        await running.commit.wait()
                    if not self._end_commit(running):
                        continue
                    if self._between.due:
                        await self._between.between_batches()
                    await asyncio.sleep(0)  # the answers are sent before the next units run
                await self._begin_commit()
            if self._stopping:
                return

    def _begin_batch(self) -> None:
        """The next batch begins with the work that waits. It runs while the COMMIT before it does."""
        self._retrying, self._need_file = bool(self._retries), []
        if self._retrying:
            self._batch = [self._retries.popleft()]
        else:
            self._batch = self.admission.take_work() if self.admission.work else []
            self._unanswered += len(self._batch)
        self._to_run = deque(self._batch)

    def _run_ahead(self, commit: Commit | None) -> None:
        """Runs units of the next batch until COMMIT has returned, or until others need the loop."""
        if not self._to_run:
            return
        until = self.budget.begin()
        while self._to_run and not (commit and commit.done) and perf_counter() < until:
            unit = self._to_run.popleft()
            try:
                self._run_unit(unit)
            except ConnectionBusy:
                self._hooks.undo()
                unit.reset()
                self._need_file.append(unit)
        self.budget.end()

    def _end_commit(self, running: Running) -> bool:
        """Answers the units of a COMMIT that has returned. False: it failed, and the changes since are lost too."""
        self._running = self._waited_for = None
        if running.commit.error is not None:
            self._lose(running.batch, running.commit.error)
            self._requeue()
            return False
        self.metrics.commits.observe(running.commit.seconds)
        self.metrics.batches.observe(len(running.batch))
        self._hooks.kept()
        if self._failing:
            self._say_whether_it_works(None)
        if self._observer:
            self._observer.after_commit([unit.name for unit in running.batch])
        self._answer(running.batch)
        return True

    def _requeue(self) -> None:
        """The units of the next batch have read changes that are lost now. They run again, before all others."""
        for unit in self._batch:
            unit.reset()
        if self._retrying:
            self._retries.extendleft(self._batch)
        else:
            self._unanswered -= len(self._batch)
            self.admission.work.extendleft(reversed(self._batch))

    async def _begin_commit(self) -> None:
        """Runs the other units of the next batch and the requests that wait, then begins its COMMIT."""
        self._take_requests()
        if not self._batch:
            return
        try:
            await self._begin_transaction()
            await self._execute()
            if self._observer:
                self._observer.before_commit([unit.name for unit in self._batch])
        except apsw.BusyError as error:
            self._refuse(error)
            return
        except (apsw.Error, StoreUnavailable, BatchLost) as error:
            self._lose(self._batch, error)
            return
        self._hooks.committing()
        self._running = Running(self._batch, self._committer.begin(), self._loop.time())

    def _take_requests(self) -> None:
        """Requests that wait join the batch."""
        requests = [] if self._retrying or not self.admission.requests else self.admission.take_requests()
        self._unanswered += len(requests)
        self._batch += requests
        self._to_run += requests

    async def _begin_transaction(self) -> None:
        """Takes the lock of the file. Raises BusyError when another program has it for LOCK_LIMIT."""
        until = self._loop.time() + LOCK_LIMIT
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                return
            except apsw.BusyError:
                await asyncio.sleep(LOCK_PAUSE)
                if self._loop.time() > until:
                    raise

    def _refuse(self, error: apsw.BusyError) -> None:
        """Another program keeps the lock: requests get StoreUnavailable, and the work of the batch waits on."""
        self._hooks.lost(error)
        self._say_whether_it_works(error)
        refused = [unit for unit in self._batch if unit.came or self._stopping]
        self._batch = [unit for unit in self._batch if not (unit.came or self._stopping)]
        self._requeue()
        self._unanswered += len(self.admission.requests)
        refused += self.admission.requests
        self.admission.requests.clear()
        fail(refused, StoreUnavailable(LOCKED), error)
        self._answer(refused)

    async def _execute(self) -> None:
        """Runs units, also those that join meanwhile, and the statements of the batch. Raises what SQLite cannot do."""
        self._to_run.extendleft(reversed(self._need_file))
        self._need_file = []
        self._run_ahead(None)
        self._to_run.extend(self._need_file)  # those that take long
        if self._to_run:
            for _ in in_slices(self._run_units):
                unit, self._current = self._current, None  # what is submitted meanwhile does not belong to this unit
                await run_what_is_ready()
                self._current = unit
            await run_what_is_ready()
        self.budget.renew()
        begun = perf_counter()
        self._hooks.write()
        self.metrics.writes.observe(perf_counter() - begun)

    def _run_units(self) -> None:
        while self._to_run:
            self._run_unit(self._to_run.popleft())
            if self._to_run:
                self.budget.pause()

    def _run_unit(self, unit: UnitOfWork) -> None:
        """Raises ConnectionBusy, and BatchLost."""
        begun = perf_counter()
        self._current = unit
        self._hooks.begin()
        try:
            unit.result = unit.run()
            self._hooks.end()
        except Exception as error:  # noqa: BLE001  # whatever a unit raises undoes it, and is its answer
            self._undo_unit(unit, error)
        finally:
            self._current = None
        self.metrics.units[unit.name].observe(perf_counter() - begun)

    def _undo_unit(self, unit: UnitOfWork, error: Exception) -> None:
        unit.error = error
        unit.after.clear()
        if not self._running and not self._connection.in_transaction:
            raise BatchLost from error
        self._hooks.undo()

    def _lose(self, batch: list[UnitOfWork], error: Exception) -> None:
        """The batch is not stored. When SQLite refused a row, its units run again, each in a commit of its own."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._hooks.lost(error.__cause__ or error)
        refused = isinstance(error.__cause__, ROW_REFUSED)
        self.metrics.commits_lost += not refused
        self._say_whether_it_works(error)
        if refused and len(batch) > 1:
            for unit in batch:
                unit.reset()
            self._retries.extend(batch)
            return
        fail(batch, StoreUnavailable(), error)
        self._answer(batch)

    def _say_whether_it_works(self, error: Exception | None) -> None:
        """Logs once when nothing can be written, and once when it can again. Units meanwhile fail for that reason."""
        if bool(error) != self._failing and not isinstance(error and error.__cause__, ROW_REFUSED):
            self._failing = bool(error)
            if error:
                _log.error("nothing can be written: requests get 503 until that is over", exc_info=error)
            else:
                _log.warning("writing works again")

    def _answer(self, batch: list[UnitOfWork]) -> None:
        self._unanswered -= len(batch)
        for unit in batch:
            for action in unit.after:
                action()
            unit.done(unit.result if unit.error is None else None, unit.error)
