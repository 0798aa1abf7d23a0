"""The one writer: units of work, many to a commit, each answered after the fsync that holds it.

Rules:
 - statements run on the event loop's thread, only COMMIT runs in a thread of its own: a second Python thread running
   statements would give the GIL away at every step and fall to a fraction of its speed;
 - each unit has a SAVEPOINT: a unit that raises loses its own writes and nobody else's;
 - while COMMIT runs the connection belongs to it; units that come in meanwhile make the next batch;
 - what a unit wants done outside (``after``) happens once the commit that holds it returned, or never;
 - a COMMIT that fails (disk full) takes back the whole batch: everybody in it is told StoreUnavailable.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Protocol, TypeVar

import apsw

from expediter.domain.errors import StoreUnavailable, TooBusy
from expediter.embedded.meters import Meters

T = TypeVar("T")

#: Units in one commit at most: bounds how long a batch keeps the event loop from reading requests.
BATCH = 256
#: Units waiting from the doors at most; beyond it a door answers 503.
WAITING = 4096

Unit = Callable[[], T]
Done = Callable[[T | None, Exception | None], None]


class Observer(Protocol):
    """Is told of every commit: the names of its units, before it is asked for and after it returned."""

    def before_commit(self, names: list[str]) -> None: ...

    def after_commit(self, names: list[str]) -> None: ...


class Around(Protocol):
    """Is told where each unit begins, and whether it ended (its last writes belong in ``end``) or was undone."""

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def undo(self) -> None: ...


class _Entry:
    """A unit on its way: its name, the function, and who hears of its end."""

    __slots__ = ("after", "done", "error", "name", "result", "unit")

    def __init__(self, name: str, unit: Unit[object], done: Done[object]) -> None:
        self.name, self.unit, self.done = name, unit, done
        self.result: object = None
        self.error: Exception | None = None
        self.after: list[Callable[[], None]] = []


class BatchLost(Exception):
    """SQLite rolled the whole transaction back by itself (disk full, I/O error)."""


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
        self.meters = Meters()
        self._around = around
        self._between = between
        self._observer = observer
        self._waiting: deque[_Entry] = deque()
        self._wake = asyncio.Event()
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._current: _Entry | None = None
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name="writer")

    async def run(self, name: str, unit: Unit[T]) -> T:
        """The unit's result, once it is durable. Raises what the unit raised, StoreUnavailable, or TooBusy."""
        if self._stopping or len(self._waiting) >= WAITING:
            raise TooBusy
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def done(result: T | None, error: Exception | None) -> None:
            if future.done():
                return  # who asked went away; what was written stays written
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]  # the unit's own result, T
            else:
                future.set_exception(error)

        self.submit(name, unit, done)
        return await future

    def submit(self, name: str, unit: Unit[T], done: Done[T]) -> None:
        """Has the unit run and committed; then calls ``done`` with its result or the error that undid it."""
        self._waiting.append(_Entry(name, unit, done))  # type: ignore[arg-type]  # result and done agree on T
        self._wake.set()

    def after(self, action: Callable[[], None]) -> None:
        """From inside a unit: have this done once the unit is durable; forgotten if it is undone."""
        if self._current is None:
            raise RuntimeError("after() belongs inside a unit")
        self._current.after.append(action)

    @property
    def waiting(self) -> int:
        """Units that wait for their turn."""
        return len(self._waiting)

    async def stop(self) -> None:
        """Commits what was submitted and stops."""
        self._stopping = True
        self._wake.set()
        await self._task
        self._committer.shutdown()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._commit([self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))])
                await self._between()
            if self._stopping:
                return

    async def _commit(self, batch: list[_Entry]) -> None:
        try:
            self._execute(batch)
            names = [entry.name for entry in batch]
            if self._observer:
                self._observer.before_commit(names)
            begun = perf_counter()
            await asyncio.get_running_loop().run_in_executor(self._committer, self._connection.execute, "COMMIT")
            self.meters.commits.observe(perf_counter() - begun)
            self.meters.batches.observe(len(batch))
            if self._observer:
                self._observer.after_commit(names)
        except (apsw.Error, BatchLost) as error:
            self._undo(batch, error)
        self._tell(batch)

    def _execute(self, batch: list[_Entry]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        units, begun = self.meters.units, perf_counter()
        for entry in batch:
            self._current = entry
            execute("SAVEPOINT unit")
            self._around.begin()
            try:
                entry.result = entry.unit()
                self._around.end()
            except Exception as error:  # noqa: BLE001  # whatever a unit raises undoes that unit and is handed to its owner
                self._undo_unit(entry, error)
            execute("RELEASE unit")
            ended = perf_counter()
            units[entry.name].observe(ended - begun)
            begun = ended
        self._current = None

    def _undo_unit(self, entry: _Entry, error: Exception) -> None:
        self._around.undo()
        entry.error = error
        entry.after.clear()
        if not self._connection.in_transaction:
            raise BatchLost from error
        self._connection.execute("ROLLBACK TO unit")

    def _undo(self, batch: list[_Entry], error: Exception) -> None:
        self._current = None
        self.meters.commits_lost += 1
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for entry in batch:
            entry.after.clear()
            entry.error = StoreUnavailable()
            entry.error.__cause__ = error

    def _tell(self, batch: list[_Entry]) -> None:
        for entry in batch:
            for action in entry.after:
                action()
            entry.done(entry.result if entry.error is None else None, entry.error)
