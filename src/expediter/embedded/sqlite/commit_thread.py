"""COMMIT in a thread of its own, which the writer's loop does not wait for.

    loop      begin() ─→ hands over ─┐ …runs units… ─→ wait() ──────────────→
    thread                           └→ COMMIT (without the interpreter's lock) ─→ done

Rules:
 - the loop's thread waits in ``begin`` until the other one has the interpreter's lock, and is about to give it away for
   as long as COMMIT takes. A thread that only asks for the lock gets it after the switch interval; one that sleeps for
   no time at all to give it away sleeps for the 80 µs that a timer takes. Waiting for each other takes 30 µs;
 - nobody is woken who does not wait.
"""

import asyncio
import threading
from queue import SimpleQueue
from time import perf_counter

import apsw
import msgspec


class Commit(msgspec.Struct, eq=False):
    """A COMMIT under way. ``done`` may be read at any time, from the loop's thread; from then on there are the seconds
    that it took, and what SQLite raised.
    """

    loop: asyncio.AbstractEventLoop
    done: bool = False
    seconds: float = 0.0
    error: Exception | None = None
    #: Set by who waits.
    heard: asyncio.Future[None] | None = None

    def wait(self) -> asyncio.Future[None]:
        """Will be done once this is. Ask for it once."""
        heard = self.heard = self.loop.create_future()
        if self.done:  # in between: the thread looks for who waits after it is done
            _tell(heard)
        return heard

    def run(self, connection: apsw.Connection) -> None:
        """In the thread."""
        begun = perf_counter()
        try:
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  # whatever it is, who waits for it hears it
            self.error = error
        self.seconds = perf_counter() - begun
        self.done = True
        if self.heard is not None:
            self.loop.call_soon_threadsafe(_tell, self.heard)


def _tell(heard: asyncio.Future[None]) -> None:
    if not heard.done():
        heard.set_result(None)


class Committer:
    """Create and use it on the event loop's thread."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._asked: SimpleQueue[Commit | None] = SimpleQueue()
        #: Free when the thread has begun what it was asked for.
        self._begun = threading.Lock()
        self._begun.acquire()
        self._thread = threading.Thread(target=self._serve, name="commit", daemon=True)
        self._thread.start()

    def begin(self) -> Commit:
        """Begins a COMMIT; the connection belongs to it until it is ``done``."""
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
