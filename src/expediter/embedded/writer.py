"""The one writer: units of work, many to a commit, each answered after the fsync that holds it.

Rules:
 - statements run on the event loop's thread, only COMMIT runs in a thread of its own: a second Python thread running
   statements would give the GIL away at every step and fall to a fraction of its speed;
 - a unit that raises loses its own writes and nobody else's;
 - while COMMIT runs the connection belongs to it; units that come in meanwhile make the next batch;
 - what a unit wants done outside (``after``) happens once the commit that holds it returned, or never;
 - a COMMIT that fails (disk full) takes back the whole batch: everybody in it is told StoreUnavailable;
 - the doors and what is under way share each commit, half of its places each while both want more: a flood at the doors
   does not keep orders from ending, and work that piled up does not close the doors.
"""

import asyncio
import logging
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
#: From so many units at the doors on a commit holds up to LARGE: nobody hurries then to read still more requests, and
#: each round in which thousands are read and refused is one in which this many are written.
CROWD, LARGE = 1024, 1024
#: Units waiting at the doors, and seconds that one waits there while others push: beyond either a door answers 503.
WAITING = 4096
PATIENCE = 2.0

#: What SQLite says of rows, not of the disk.
_REFUSED = (apsw.ConstraintError, apsw.MismatchError, apsw.TooBigError)

_log = logging.getLogger("expediter.writer")

Unit = Callable[[], T]
Done = Callable[[T | None, Exception | None], None]


class Observer(Protocol):
    """Is told of every commit: the names of its units, before it is asked for and after it returned."""

    def before_commit(self, names: list[str]) -> None: ...

    def after_commit(self, names: list[str]) -> None: ...


class Around(Protocol):
    """Is told where each unit begins, and whether it ended or has to be undone; then to write what the batch holds,
    and whether that was kept or lost.
    """

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def undo(self) -> None: ...

    def write(self) -> None: ...

    def kept(self) -> None: ...

    def lost(self) -> None: ...


class _Entry:
    """A unit on its way: its name, the function, who hears of its end, and when it came (the loop's seconds)."""

    __slots__ = ("after", "came", "done", "error", "name", "result", "unit")

    def __init__(self, name: str, unit: Unit[object], done: Done[object], came: float) -> None:
        self.name, self.unit, self.done, self.came = name, unit, done, came
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
        self._loop = asyncio.get_running_loop()
        self._doors: deque[_Entry] = deque()
        self._work: deque[_Entry] = deque()
        self._wake = asyncio.Event()
        self._committer = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._current: _Entry | None = None
        self._stopping = False
        self._failing = False
        self._task = asyncio.create_task(self._run(), name="writer")

    async def run(self, name: str, unit: Unit[T]) -> T:
        """For the doors: the unit's result, once it is durable.

        Raises what the unit raised, StoreUnavailable, or TooBusy: nothing was done then, nor will be.
        """
        if self.too_busy():
            self.meters.shed += 1
            raise TooBusy
        future: asyncio.Future[T] = self._loop.create_future()

        def done(result: T | None, error: Exception | None) -> None:
            if future.done():
                return  # who asked went away; what was written stays written
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]  # the unit's own result, T
            else:
                future.set_exception(error)

        self._doors.append(_Entry(name, unit, done, self._loop.time()))  # type: ignore[arg-type]  # result and done agree on T
        self._wake.set()
        return await future

    def submit(self, name: str, unit: Unit[T], done: Done[T]) -> None:
        """For what follows from what was accepted: never refused, so whoever submits bounds how much there can be.

        Has the unit run and committed; then calls ``done`` with its result or the error that undid it.
        """
        self._work.append(_Entry(name, unit, done, 0))  # type: ignore[arg-type]  # result and done agree on T
        self._wake.set()

    def after(self, action: Callable[[], None]) -> None:
        """From inside a unit: have this done once the unit is durable; forgotten if it is undone."""
        if self._current is None:
            raise RuntimeError("after() belongs inside a unit")
        self._current.after.append(action)

    def too_busy(self) -> bool:
        """Whether a unit from the doors would wait for seconds: there are too many, or the disk stands still."""
        if self._stopping or len(self._doors) >= WAITING:
            return True
        return bool(self._doors) and self._loop.time() - self._doors[0].came > PATIENCE

    @property
    def waiting(self) -> int:
        """Units that wait for their turn."""
        return len(self._doors) + len(self._work)

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
            while batch := self._next_batch():
                await self._commit(batch)
                await self._between()
            if self._stopping:
                return

    def _next_batch(self) -> list[_Entry]:
        """Half of the places for each side; what one leaves free the other gets.

        Who has waited too long at the doors for a place is refused now: he was let in when there was more time.
        """
        most = BATCH if len(self._doors) < CROWD else LARGE
        places = max(most // 2, most - len(self._work))
        late = self._loop.time() - PATIENCE
        while len(self._doors) > places and self._doors[0].came < late:
            self.meters.shed += 1
            self._doors.popleft().done(None, TooBusy())
        doors = min(len(self._doors), places)
        work = min(len(self._work), most - doors)
        batch = [self._work.popleft() for _ in range(work)]
        batch += [self._doors.popleft() for _ in range(doors)]
        return batch

    async def _commit(self, batch: list[_Entry]) -> None:
        try:
            self._execute(batch)
            names = [entry.name for entry in batch]
            if self._observer:
                self._observer.before_commit(names)
            begun = perf_counter()
            await self._loop.run_in_executor(self._committer, self._connection.execute, "COMMIT")
            self.meters.commits.observe(perf_counter() - begun)
            self.meters.batches.observe(len(batch))
            self._around.kept()
            self._say_whether_it_works(None)
            if self._observer:
                self._observer.after_commit(names)
        except (apsw.Error, StoreUnavailable, BatchLost) as error:
            self._undo(batch, error)
            self.meters.commits_lost += not isinstance(error.__cause__, _REFUSED)
            self._say_whether_it_works(error)
            if len(batch) > 1 and isinstance(error.__cause__, _REFUSED):
                await self._one_by_one(batch)
                return
        self._tell(batch)

    def _say_whether_it_works(self, error: Exception | None) -> None:
        """Logs that nothing can be written when that begins and when it is over: it concerns every unit meanwhile."""
        if bool(error) != self._failing and not isinstance(error and error.__cause__, _REFUSED):
            self._failing = bool(error)
            if error:
                _log.error("nothing can be written: doors answer 503 until that is over", exc_info=error)
            else:
                _log.warning("writing works again")

    async def _one_by_one(self, batch: list[_Entry]) -> None:
        """SQLite refused something that one of the units staged: each again by itself, so that only that one fails."""
        for entry in batch:
            await self._commit([_Entry(entry.name, entry.unit, entry.done, entry.came)])

    def _execute(self, batch: list[_Entry]) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        units, begun = self.meters.units, perf_counter()
        for entry in batch:
            self._current = entry
            self._around.begin()
            try:
                entry.result = entry.unit()
                self._around.end()
            except Exception as error:  # noqa: BLE001  # whatever a unit raises undoes that unit and is handed to its owner
                self._undo_unit(entry, error)
            ended = perf_counter()
            units[entry.name].observe(ended - begun)
            begun = ended
        self._current = None
        self._around.write()
        self.meters.writes.observe(perf_counter() - begun)

    def _undo_unit(self, entry: _Entry, error: Exception) -> None:
        entry.error = error
        entry.after.clear()
        if not self._connection.in_transaction:
            raise BatchLost from error
        self._around.undo()

    def _undo(self, batch: list[_Entry], error: Exception) -> None:
        self._current = None
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._around.lost()
        for entry in batch:
            entry.after.clear()
            entry.error = StoreUnavailable()
            entry.error.__cause__ = error

    def _tell(self, batch: list[_Entry]) -> None:
        for entry in batch:
            for action in entry.after:
                action()
            entry.done(entry.result if entry.error is None else None, entry.error)
