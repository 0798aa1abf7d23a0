"""How long units of work hold the event loop: not for much longer than SHARE, however long they take.

A unit is plain code, and what customers send may make its expressions take long. So that code says between two steps
that it may be interrupted (``pause``). When the share of this turn is used up, the unit

- stands still until the loop has had its turn: units run in a coroutine of their own, which Python calls a greenlet
  (https://greenlet.readthedocs.io);
- or, where it runs on the loop itself, ends with ConnectionBusy: it is undone, and runs again in the coroutine. So the
  units of an ordinary batch need none: making one costs as much as 2 % of an order.
"""

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
        #: When the share of this turn is used up, in seconds of ``perf_counter``.
        self._until = inf
        #: The coroutine of the units, while they run in one.
        self._units: greenlet | None = None
        #: Seconds of the share that are left for units that run on the loop itself.
        self._left = SHARE

    def pause(self) -> None:
        """Units call it between two steps that may each take some milliseconds. Raises ConnectionBusy."""
        if perf_counter() < self._until:
            return
        if self._units is None:
            raise ConnectionBusy
        self._units.parent.switch()

    def turns(self, units: Callable[[], None]) -> Iterator[None]:
        """Runs the units. Yields whenever they stand still, and at their end; go on after the loop's turn."""
        self._units = greenlet(units)
        try:
            while True:
                self._until = perf_counter() + SHARE
                self._units.switch()
                yield
                if self._units.dead:
                    return
        finally:
            self._units, self._until = None, inf

    def renew(self) -> None:
        """The loop has had its turn, or a COMMIT begins: there is a whole share for what runs on the loop itself."""
        self._left = SHARE

    def begin_turn(self) -> float:
        """Units run on the loop itself until this time, of ``perf_counter``. ``pause`` breaks off one that goes on."""
        self._until = perf_counter() + self._left
        return self._until

    def end_turn(self) -> None:
        """What they did not use is left for the next turn of this share."""
        self._left, self._until = self._until - perf_counter(), inf
