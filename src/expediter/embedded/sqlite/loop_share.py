"""How long units of work hold the event loop: not for much longer than SHARE, however long they take.

A unit is plain code, and what customers send may make its expressions take long. So that code says between two steps
that it may be interrupted (``pause``). When the share of this turn is used up, the unit

- stands still until the loop has had its turn: units run in a coroutine of their own, which Python calls a greenlet
  (https://greenlet.readthedocs.io);
- or, where it runs ahead of its batch, ends with ConnectionBusy: it is undone, and runs again after COMMIT.
"""

import asyncio
from collections.abc import Callable, Iterator
from math import inf
from time import perf_counter

from greenlet import greenlet

from expediter.embedded.sqlite.session import ConnectionBusy

#: Seconds of one turn. A unit may hold the loop for one step more: an expression takes 30 ms at most.
SHARE = 0.01


class LoopShare:
    """Use it on the event loop's thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        #: When the share of this turn is used up, in seconds of ``perf_counter``.
        self._until = inf
        #: The coroutine of the units, while they run in one.
        self._units: greenlet | None = None
        #: Whether something has run ahead in this turn of the loop.
        self._began = False

    def pause(self) -> None:
        """Units call it between two steps that may each take some milliseconds. Raises ConnectionBusy."""
        if perf_counter() < self._until:
            return
        if self._units is None:
            raise ConnectionBusy
        self._units.parent.switch()

    def turns(self, units: Callable[[], None]) -> Iterator[None]:
        """Runs the units. Yields whenever they stand still; go on after the loop's turn."""
        self._units = greenlet(units)
        try:
            while True:
                self._until = perf_counter() + SHARE
                self._units.switch()
                if self._units.dead:
                    return
                yield
        finally:
            self._units, self._until = None, inf

    def begin_turn(self) -> bool:
        """Begins the share of this turn for units that run ahead, if it has not begun. Returns whether time is left."""
        now = perf_counter()
        if not self._began:
            self._began = True
            self._until = now + SHARE
            self._loop.call_soon(self._end_turn)
        return now < self._until

    def _end_turn(self) -> None:
        self._began = False
