"""Long code without ``await`` yields to the event loop in its middle.

asyncio runs one piece of code at a time: nothing else goes on until that code reaches an ``await``. An expression of a
workflow, or a query for ten thousand fields, is plain code without one. It would keep the whole server waiting.

So plain code that may take long calls ``pause()`` between two steps. After TIME_SLICE, ``pause`` suspends it. The loop
runs everything else that is ready, and then the code goes on where it was.

Only a coroutine can be suspended. With ``async`` each function from the loop down to ``pause`` would have to be one. So
the code runs in a greenlet: a coroutine that any function called in it can suspend (https://greenlet.readthedocs.io).
SQLAlchemy's asyncio works in the same way.
"""

import asyncio
from collections.abc import Callable, Iterator
from math import inf
from time import perf_counter
from typing import TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

#: Seconds that plain code may hold the loop. It may go on for one step more: an expression takes 30 ms at most.
TIME_SLICE = 0.01
#: Rounds of the loop after which everything that was ready has run. In the first one the loop sees what came in; in the
#: second one the callbacks for that run; in the third one the tasks that waited for these.
ROUNDS = 3


class _Suspendable(greenlet):  # type: ignore[misc]  # the library has no types
    #: When its time slice is used up, in seconds of ``perf_counter``.
    until = inf


def pause() -> None:
    """Suspends the code that calls it if its time slice is used up. Does nothing outside of ``in_slices``."""
    code = getcurrent()
    if isinstance(code, _Suspendable) and code.parent and perf_counter() >= code.until:
        code.parent.switch()


def in_slices(code: Callable[[], object]) -> Iterator[None]:
    """Runs the code. Yields each time that it is suspended; the next step of the iterator resumes it.

    Raises what the code raises.
    """
    running = _Suspendable(code)
    while True:
        running.until = perf_counter() + TIME_SLICE
        running.switch()
        if running.dead:
            return
        yield


async def run_what_is_ready() -> None:
    """Returns once the loop has run everything else that was ready."""
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


class RoundRobin:
    """Runs long code of several callers, one time slice each in turn."""

    def __init__(self) -> None:
        self._next = asyncio.Lock()

    async def run(self, code: Callable[[], T]) -> T:
        """The result of ``code``. Raises what it raises."""
        results: list[T] = []
        for _ in in_slices(lambda: results.append(code())):
            async with self._next:
                await run_what_is_ready()
        return results[0]
