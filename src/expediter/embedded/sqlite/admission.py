"""Who comes next at the writer: the doors, which may be refused, and the work that follows from what they accepted.

Both have places of their own in each commit: a flood at the doors does not keep orders from ending, and work that
piled up does not close the doors.
"""

from collections import deque
from collections.abc import Callable

import msgspec

from expediter.domain.errors import TooBusy
from expediter.embedded.sqlite.metrics import Metrics

#: Units of each side in one commit at most: bounds how long a batch keeps the event loop from reading requests.
BATCH = 128
#: Units that may be in the next commit already while the one before it is waited for: whoever comes then has his turn.
JOINED = 2 * BATCH
#: From so many units at the doors on it is LARGE: nobody hurries then to read still more requests, and each round in
#: which thousands are read and refused is one in which this many are written.
CROWD, LARGE = 1024, 512
#: Units waiting at the doors, and seconds that one waits there while others push: beyond either a door answers 503.
WAITING = 4096
PATIENCE = 2.0

Unit = Callable[[], object]
Done = Callable[[object, Exception | None], None]


class Entry(msgspec.Struct, eq=False):
    """A unit on its way: its name, the function, who hears of its end, and when it came (the loop's seconds).

    ``result`` or ``error``: what came of it. ``after``: what shall happen once it is durable.
    """

    name: str
    unit: Unit
    done: Done
    came: float
    result: object = None
    error: Exception | None = None
    after: list[Callable[[], None]] = []

    def begin_again(self) -> None:
        """Nothing came of it so far."""
        self.result = self.error = None
        self.after.clear()


class AdmissionQueue:
    """The units that wait for a place in a commit: those of ``requests``, which may be refused, and the ``work`` that
    follows from what was accepted. ``clock``: seconds, as the loop counts them.
    """

    def __init__(self, clock: Callable[[], float], metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self.requests: deque[Entry] = deque()
        self.work: deque[Entry] = deque()

    def too_busy(self) -> bool:
        """Whether a request's unit would wait for seconds: there are too many, or the disk stands still."""
        if len(self.requests) >= WAITING:
            return True
        return bool(self.requests) and self._clock() - self.requests[0].came > PATIENCE

    def take_work(self) -> list[Entry]:
        """The work that has a place in the next batch."""
        return _first(self.work, BATCH if len(self.requests) < CROWD else LARGE)

    def take_requests(self) -> list[Entry]:
        """The requests that have a place in the next batch.

        While there are more than places, those that waited too long are refused: they were let in when there was more
        time.
        """
        places = BATCH if len(self.requests) < CROWD else LARGE
        late = self._clock() - PATIENCE
        while len(self.requests) > places and self.requests[0].came < late:
            self._metrics.shed += 1
            self.requests.popleft().done(None, TooBusy())
        return _first(self.requests, places)


def _first(waiting: deque[Entry], most: int) -> list[Entry]:
    if len(waiting) > most:
        return [waiting.popleft() for _ in range(most)]
    taken = list(waiting)
    waiting.clear()
    return taken
