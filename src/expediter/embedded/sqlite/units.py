"""Units of work: how they wait for a place in a commit, and how long they may hold the event loop.

There are two queues. Units of requests may be refused. Units that follow from what was accepted may not. Each queue has
places of its own in each commit. So accepted orders end although there are many requests, and requests are answered
although there is much work.

A unit is code without ``await``, and the expressions of customers' orders may make it take long. So it calls
``TimeBudget.pause`` between two steps. While there is time, units run on the loop itself, because a greenlet costs as
much as 2 % of an order. A unit that takes longer is undone (ConnectionBusy) and runs again in ``time_slices``, where it
yields to the loop in its middle.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Protocol, TypeVar

import msgspec

from expediter.domain.errors import OrderError, TooBusy
from expediter.embedded.sqlite.metrics import Metrics
from expediter.embedded.sqlite.session import ConnectionBusy
from expediter.embedded.time_slices import TIME_SLICE, pause

T = TypeVar("T")

#: Units of each queue in one commit at most. It bounds how long a batch keeps the event loop from reading requests.
BATCH_LIMIT = 128
#: Units that may run at once while a COMMIT runs. The next ones wait in the queue.
RUN_AHEAD_LIMIT = 2 * BATCH_LIMIT
#: While at least so many requests wait, a commit holds up to LARGE_BATCH_LIMIT units of each queue: then more of the
#: requests that are read are also written, and fewer are refused.
LONG_QUEUE, LARGE_BATCH_LIMIT = 1024, 512
#: Requests that wait at most, and seconds that a request waits at most while the queue is full or COMMIT takes so long.
#: Beyond either, requests are answered with 503.
QUEUE_LIMIT = 4096
WAIT_LIMIT = 2.0


class UnitOfWork(msgspec.Struct, eq=False):
    """A function whose writes are all stored, or none.

    ``name``: for the metrics. ``done``: is called with the result once it is durable, or with the error that undid the
    unit.
    ``came``: when a request submitted it, in the loop's seconds; 0 for work. ``after``: what to do once it is durable.
    """

    name: str
    run: Callable[[], object]
    done: Callable[[object, Exception | None], None]
    came: float
    result: object = None
    error: Exception | None = None
    after: list[Callable[[], None]] = []

    def reset(self) -> None:
        """The unit is as if it had never run."""
        self.result = self.error = None
        self.after.clear()


def settle(future: asyncio.Future[T], result: T, error: Exception | None) -> None:
    """Sets the result or the error of a unit as that of its future."""
    if future.done():
        return  # the caller went away; the unit stays written
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def fail(units: list[UnitOfWork], error: OrderError, cause: Exception) -> None:
    """Gives undone units the error that they are answered with."""
    error.__cause__ = cause
    for unit in units:
        unit.after.clear()
        unit.error = error


class TransactionHooks(Protocol):
    """Called when a unit begins, ends or is undone; when a batch is written, its COMMIT begins, it is kept or lost."""

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def undo(self) -> None: ...

    def write(self) -> None: ...

    def committing(self) -> None: ...

    def kept(self) -> None: ...

    def lost(self, why: BaseException) -> None: ...


class AdmissionQueue:
    """``requests`` may be refused; ``work`` follows from what was accepted. ``clock``: returns the loop's seconds."""

    def __init__(self, clock: Callable[[], float], metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self.requests: deque[UnitOfWork] = deque()
        self.work: deque[UnitOfWork] = deque()

    def too_busy(self) -> bool:
        """Whether a request's unit would wait for seconds: there are too many, or the disk stands still."""
        if len(self.requests) >= QUEUE_LIMIT:
            return True
        return bool(self.requests) and self._clock() - self.requests[0].came > WAIT_LIMIT

    def room_taken(self) -> float:
        """How much is taken of the places in which requests wait; 1: all."""
        return len(self.requests) / QUEUE_LIMIT

    def take_work(self) -> list[UnitOfWork]:
        """Removes and returns the work that has a place in the next batch."""
        return _first(self.work, BATCH_LIMIT if len(self.requests) < LONG_QUEUE else LARGE_BATCH_LIMIT)

    def take_requests(self) -> list[UnitOfWork]:
        """Removes and returns the requests that have a place in the next batch.

        While there are more requests than places, those that waited longer than WAIT_LIMIT are refused.
        """
        places = BATCH_LIMIT if len(self.requests) < LONG_QUEUE else LARGE_BATCH_LIMIT
        late = self._clock() - WAIT_LIMIT
        while len(self.requests) > places and self.requests[0].came < late:
            self._metrics.shed += 1
            self.requests.popleft().done(None, TooBusy())
        return _first(self.requests, places)


def _first(waiting: deque[UnitOfWork], most: int) -> list[UnitOfWork]:
    if len(waiting) > most:
        return [waiting.popleft() for _ in range(most)]
    taken = list(waiting)
    waiting.clear()
    return taken


class TimeBudget:
    """How long units on the loop itself may hold it: one time slice until a COMMIT begins."""

    def __init__(self) -> None:
        self._left = TIME_SLICE
        #: When the budget is used up, in seconds of ``perf_counter``; None while no unit runs on the loop itself.
        self._until: float | None = None

    def pause(self) -> None:
        """Units call it between two steps that may each take some milliseconds. Raises ConnectionBusy."""
        if self._until is None:
            pause()
        elif perf_counter() >= self._until:
            raise ConnectionBusy

    def renew(self) -> None:
        """The loop has run everything else, or a COMMIT begins: there is a whole time slice again."""
        self._left = TIME_SLICE

    def begin(self) -> float:
        """Units run on the loop itself from now on. Returns until when, in seconds of ``perf_counter``."""
        self._until = perf_counter() + self._left
        return self._until

    def end(self) -> None:
        """Units run on the loop itself no longer. What they did not use is left for the next ones."""
        if self._until is not None:
            self._left, self._until = self._until - perf_counter(), None
