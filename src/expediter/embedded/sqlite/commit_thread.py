"""COMMIT in a thread of its own, which the writer's loop does not wait for.

    loop      begin() ─→ hands over ─┐ …runs units… ─→ wait() ──────────────→
    thread                           └→ COMMIT (without the interpreter's lock) ─→ done

- The loop's thread waits in ``begin`` until the other thread has the interpreter's lock (the GIL) and is about to
  release it for the COMMIT. That takes 30 µs. Without it the other thread would get the lock only after the switch
  interval; ``time.sleep(0)``, which also releases the lock, takes 80 µs.
- The loop is woken only when something waits for the COMMIT.
"""

import asyncio
import threading
from queue import SimpleQueue
from time import perf_counter
from typing import Protocol

import apsw
import msgspec

from expediter.embedded.sqlite.units import UnitOfWork


class Observer(Protocol):
    """Is told the names of the units in each commit, before the COMMIT begins and after it returned."""

    def before_commit(self, names: list[str]) -> None: ...

    def after_commit(self, names: list[str]) -> None: ...


class BatchLost(Exception):
    """SQLite rolled the whole transaction back by itself (disk full, I/O error)."""


class Commit(msgspec.Struct, eq=False):
    """A COMMIT that runs. ``done`` may be read at any time on the loop's thread. ``seconds``: how long it took.
    ``error``: what SQLite raised. Both are set when ``done`` is.
    """

    loop: asyncio.AbstractEventLoop
    done: bool = False
    seconds: float = 0.0
    error: Exception | None = None
    #: What waits for it.
    heard: asyncio.Future[None] | None = None

    def wait(self) -> asyncio.Future[None]:
        """A future that is done when the COMMIT is. Call it once."""
        heard = self.heard = self.loop.create_future()
        if self.done:  # just now: the thread looked for ``heard`` before it was set
            _tell(heard)
        return heard

    def run(self, connection: apsw.Connection) -> None:
        """In the thread."""
        begun = perf_counter()
        try:
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # whatever it is, the writer gets it
            self.error = error
        self.seconds = perf_counter() - begun
        self.done = True
        if self.heard is not None:
            self.loop.call_soon_threadsafe(_tell, self.heard)


class Running(msgspec.Struct, frozen=True):
    """A COMMIT under way, the units that it holds, and when it began (the loop's seconds)."""

    batch: list[UnitOfWork]
    commit: Commit
    begun: float


def _tell(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)


class Committer:
    """Create and use it on the event loop's thread."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._asked: SimpleQueue[Commit | None] = SimpleQueue()
        #: Is released when the thread has taken a COMMIT up.
        self._begun = threading.Lock()
        self._begun.acquire()
        self._thread = threading.Thread(target=self._serve, name="commit", daemon=True)
        self._thread.start()

    def begin(self) -> Commit:
        """Begins a COMMIT. Until it is ``done`` nothing else may use the connection."""
        commit = Commit(self._loop)
        self._asked.put(commit)
        self._begun.acquire()
        return commit

    def stop(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (commit := self._asked.get()) is not None:
            self._begun.release()
            commit.run(self._connection)
