"""Fair queueing of requests: in one turn of the event loop each caller has so many read, and no more.

Without it a caller with a thousand connections has a thousand requests in every turn, and everybody else's waits until
they are answered. What is over waits in a queue of its caller, and the next turns begin with it.
"""

import asyncio
from collections import Counter, deque
from typing import Protocol

#: Requests of one caller in one turn: as many as one commit holds. One that is refused with 429 counts as so many: it
#: brings nothing, and who floods the server is refused most of the time.
EACH, REFUSED = 128, 8


class Waiting(Protocol):
    """A connection whose request waits for its turn."""

    def turn(self) -> None:
        """Reads what it has."""


class FairQueue:
    """Use it on the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: Requests of each caller in this turn.
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[Waiting]] = {}
        self._scheduled = False

    def __len__(self) -> int:
        """The requests that wait."""
        return sum(map(len, self._waiting.values()))

    def take(self, caller: str) -> bool:
        """Whether one more request of this caller may be read in this turn. Else it has to ``wait``."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._next_turn)
        taken = self._taken[caller] = self._taken[caller] + 1
        return taken <= EACH and caller not in self._waiting

    def refused(self, caller: str) -> None:
        """A request that was read in this turn was refused with 429."""
        self._taken[caller] += REFUSED - 1

    def wait(self, caller: str, connection: Waiting) -> None:
        """It is told when it is its turn."""
        self._waiting.setdefault(caller, deque()).append(connection)

    def _next_turn(self) -> None:
        self._scheduled = False
        self._taken.clear()
        for caller, waiting in list(self._waiting.items()):
            while waiting and self._taken[caller] < EACH:
                self._taken[caller] += 1
                waiting.popleft().turn()
            if not waiting:
                del self._waiting[caller]
        if self._waiting and not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._next_turn)
