"""The turns of the event loop: plain code that takes long gives the loop its turn in its middle.

So that it can stand still there, it runs in a coroutine of its own, which Python calls a greenlet
(https://greenlet.readthedocs.io).
"""

import asyncio
from collections.abc import Callable
from math import inf
from time import perf_counter
from typing import TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

#: Seconds that plain code may go on until its next pause ends its turn.
TURN = 0.01
#: Rounds of the loop in its turn. In the first one it sees what came in; in the second one the callbacks for that run;
#: in the third one the tasks that waited for them.
ROUNDS = 3


async def whole_turn() -> None:
    """Returns once everything that has become ready meanwhile had its turn."""
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


class _LongCode(greenlet):  # type: ignore[misc]  # the library has no types
    #: When its turn is over, in seconds of ``perf_counter``.
    until = inf


def pause() -> None:
    """Plain code calls it between two steps. What does not run in ``Turns`` goes on at once."""
    code = getcurrent()
    if isinstance(code, _LongCode) and code.parent and perf_counter() >= code.until:
        code.parent.switch()


class Turns:
    """Runs plain code of several callers. What takes long goes on one after the other, a turn each."""

    def __init__(self) -> None:
        self._next = asyncio.Lock()

    async def run(self, code: Callable[[], T]) -> T:
        """The result of ``code``. Raises what it raises."""
        results: list[T] = []
        running = _LongCode(lambda: results.append(code()))
        while True:
            running.until = perf_counter() + TURN
            running.switch()
            if running.dead:
                return results[0]
            async with self._next:
                await whole_turn()
