"""Counts what happens, minute by minute, and keeps a day of it in the file.

Counting is an addition in memory; once a minute, and when the server stops, what was counted is written down. A
process that dies loses the counts of its last minute, and nothing else.
"""

import asyncio
from collections import deque
from contextlib import suppress

import msgspec

from expediter.app.operator.flow import MINUTE, Minute, bucket, count, count_reason
from expediter.domain.errors import StoreUnavailable
from expediter.domain.order import Order, Status
from expediter.embedded.clock import Clock
from expediter.embedded.sqlite.database import Session, Statements
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.stores.executions import Executions
from expediter.embedded.stores.queue import SqliteQueue

DAY = 24 * 60 * MINUTE
#: Milliseconds between looks at the depth of the queue.
LOOK = 5_000

_SQL = Statements("operator")


class FlowRecorder:
    """``reading`` only reads, ``writing`` is used inside units of the writer."""

    def __init__(self, reading: Session, writing: Session, writer: Writer, clock: Clock) -> None:
        self._reading = reading
        self._writing = writing
        self._writer = writer
        self._clock = clock
        self._minutes: deque[Minute] = deque(maxlen=DAY // MINUTE)
        #: The minute that is counted into, and when the next one begins.
        self._minute, self._minute_ends = Minute(0), 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    # ── what is counted ───────────────────────────────────────────────────────────────────────────────────────────

    def accepted(self) -> None:
        """An order was accepted."""
        self._now().accepted += 1

    def answered(self, seconds: float) -> None:
        """The accept of an order was answered after this long."""
        count(self._now().accept, bucket(int(seconds * 1_000_000)))

    def ended(self, order: Order) -> None:
        minute = self._now()
        count(minute.ended, order.status)
        count(minute.finish, bucket(order.updated_at - order.created_at))
        if order.status is not Status.SUCCESS:
            count_reason(minute, order.error_message or "no reason given")

    def minutes(self, since: int) -> tuple[Minute, ...]:
        return tuple(minute for minute in self._minutes if minute.at >= since - since % MINUTE)

    # ── keeping ───────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, queue: SqliteQueue, executions: Executions) -> None:
        rows = self._reading.rows(_SQL["minutes"], (self._clock.now() - DAY,))
        self._minutes.extend(msgspec.json.decode(body, type=Minute) for (body,) in rows)
        self._minute_ends = 0
        self._task = asyncio.create_task(self._run(queue, executions), name="flow")

    async def stop(self) -> None:
        """Writes down what was counted last."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task

    def _now(self) -> Minute:
        now = self._clock.now()
        if now >= self._minute_ends:
            at = now - now % MINUTE
            if not self._minutes or self._minutes[-1].at < at:
                self._minutes.append(Minute(at))
            self._minute, self._minute_ends = self._minutes[-1], self._minutes[-1].at + MINUTE
        return self._minute

    async def _run(self, queue: SqliteQueue, executions: Executions) -> None:
        kept = self._clock.now() // MINUTE
        while not self._stopping:
            with suppress(StoreUnavailable):  # what cannot be read now is missing from this look only
                self._look(queue, executions)
            await self._clock.wait_until(self._clock.now() + LOOK, self._wake)
            if self._clock.now() // MINUTE > kept:
                kept = self._clock.now() // MINUTE
                self._keep()
        self._keep()

    def _look(self, queue: SqliteQueue, executions: Executions) -> None:
        depth, running = queue.waiting()[0], executions.running()
        if depth or running:
            minute = self._now()
            minute.queue = max(minute.queue, depth)
            minute.running = max(minute.running, running)

    def _keep(self) -> None:
        """Has the last two minutes written down: the one that may have ended since, and the one that lasts."""
        recent = [(minute.at, msgspec.json.encode(minute).decode()) for minute in list(self._minutes)[-2:]]

        def write() -> None:
            for values in recent:
                self._writing.rows(_SQL["keep_minute"], values)
            self._writing.rows(_SQL["drop_minutes"], (self._clock.now() - DAY,))

        if recent:
            self._writer.submit("flow", write, _kept)


def _kept(_: None, __: Exception | None) -> None:
    """Counts that could not be written are written with the next ones."""
