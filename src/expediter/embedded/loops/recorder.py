"""The flow of orders: what happened in each minute, kept for a day.

Counting is an addition in memory. The counts are stored once a minute and when the server stops; a process that dies
loses the counts of its last minute.
"""

import msgspec

from expediter.app.operator.flow import DAY, MINUTE, FlowCounts, Minute
from expediter.embedded.clock import Clock
from expediter.embedded.loop import Loop
from expediter.embedded.sqlite.access import DatabaseAccess
from expediter.embedded.sqlite.session import Statements
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.queue import SqliteQueue

#: Milliseconds between rounds.
LOOK = 5_000

_SQL = Statements("operator")


class FlowRecorder(Loop):
    """Stores the counts. ``queue`` and ``executions`` only read."""

    def __init__(
        self,
        database: DatabaseAccess,
        clock: Clock,
        counts: FlowCounts,
        queue: SqliteQueue,
        executions: SqliteExecutions,
    ) -> None:
        super().__init__("flow", clock, LOOK)
        self._reading, self._writing, self._writer = database
        self._counts = counts
        self._queue = queue
        self._executions = executions
        #: The number of the minute in which the counts were stored last.
        self._stored = 0

    def start(self) -> None:
        """Loads the counts of the last day. Raises StoreUnavailable."""
        rows = self._reading.rows(_SQL["minutes"], (self._clock.now() - DAY,))
        self._counts.load(msgspec.json.decode(body, type=Minute) for (body,) in rows)
        self._stored = self._clock.now() // MINUTE
        super().start()

    async def stop(self) -> None:
        """Stores what was counted last."""
        await super().stop()
        self._store()

    async def one_round(self, now: int) -> int:
        """Notes how many orders wait and run, and stores the counts once a minute."""
        if now // MINUTE > self._stored:
            self._stored = now // MINUTE
            self._store()
        depth, running = self._queue.waiting()[0], self._executions.running()
        if depth or running:
            minute = self._counts.minute(now)
            minute.queue = max(minute.queue, depth)
            minute.running = max(minute.running, running)
        return now + LOOK

    def _store(self) -> None:
        """Stores the last two minutes: the one that may have ended since, and the current one."""
        recent = self._counts.minutes(self._clock.now() - DAY)[-2:]
        if not recent:
            return

        def write() -> None:
            for minute in recent:
                self._writing.rows(_SQL["keep_minute"], (minute.at, msgspec.json.encode(minute).decode()))
            self._writing.rows(_SQL["drop_minutes"], (self._clock.now() - DAY,))

        self._writer.submit("flow", write, _stored)


def _stored(_: None, __: Exception | None) -> None:
    """Counts that could not be stored are stored with the next ones."""
