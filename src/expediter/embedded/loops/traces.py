"""Exports the trace of every order that has ended, where a collector is set.

An order's trace follows from what is stored of it, so nothing is recorded on its way. That it has ended is written in
the unit that ended it; a process that dies before the collector took the trace leaves it to the next one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

from expediter.app.operator.traces import Sent, Span, order_trace, trace_id, traceparent
from expediter.asl import Machine, parse
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock
from expediter.embedded.engine.workflows import Errand
from expediter.embedded.sqlite.database import Row, Session, Statements
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.stores.executions import Executions, decoded

#: Orders whose traces are exported at once.
BATCH = 32
#: Milliseconds between looks, and at most while the collector does not take them.
LOOK, LONGEST = 1_000, 60_000
#: Milliseconds that an order's mails get to be sent, so that they are in its trace.
MAILS = 60_000
#: Traces that are kept while the collector is away; beyond it the oldest orders go without.
KEPT = 100_000

_SQL = Statements("traces")
_log = logging.getLogger("expediter.tracing")


class Exporter(Protocol):
    def wants(self, trace: str) -> bool: ...

    def export(self, traces: list[tuple[str, list[Span]]]) -> bool: ...

    def close(self) -> None: ...


class Tracing:
    """``reading`` only reads, ``writing`` is used inside units; ``exporter`` exports in a thread of its own."""

    def __init__(self, reading: Session, writing: Session, writer: Writer, clock: Clock, exporter: Exporter) -> None:
        self._reading = reading
        self._writing = writing
        self._writer = writer
        self._clock = clock
        self._exporter = exporter
        self._executions = Executions(reading)
        self._machines: dict[int, Machine] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traces")
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def ended(self, no: int, order_id: str) -> None:
        """From inside the unit in which the order's workflow ends."""
        trace = trace_id(order_id)
        if trace is not None and self._exporter.wants(trace):
            self._writing.stage(_SQL["ended"], (no, self._clock.now()))

    def headers(self, errand: Errand, order_id: str) -> Mapping[str, str]:
        """What a call carries, so that whoever is called adds his spans to the order's trace."""
        trace = trace_id(order_id)
        if trace is None:
            return {}
        return {"traceparent": traceparent(trace, errand.task.task, sampled=self._exporter.wants(trace))}

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="tracing")

    async def stop(self) -> None:
        """Ends what is under way; the rest is exported after the next start."""
        self._stopping = True
        self._wake.set()
        self._exporter.close()
        if self._task:
            await self._task
        self._thread.shutdown()

    async def _run(self) -> None:
        pause = LOOK
        while not self._stopping:
            try:
                taken = await self._round(self._clock.now())
            except StoreUnavailable as error:
                _log.error("traces could not be read or their export written down; trying again", exc_info=error)
                taken = False
            pause = LOOK if taken else min(2 * pause, LONGEST)
            await self._clock.wait_until(self._clock.now() + pause, self._wake)

    async def _round(self, now: int) -> bool:
        """Exports what there is; False when the collector did not take it. Raises StoreUnavailable."""
        while not self._stopping and (rows := self._reading.rows(_SQL["untraced"], (now - MAILS, BATCH))):
            traces = list[tuple[str, list[Span]]]()
            for row in rows:
                trace = trace_id(row[1])
                if trace is not None and row[-1]:  # a history as old as to be pruned goes without
                    traces.append((trace, self._spans(trace, row, now)))
                    await asyncio.sleep(0)  # orders go first
            export = asyncio.get_running_loop().run_in_executor(self._thread, self._exporter.export, traces)
            if not await export:
                _log.warning("the collector did not take traces; trying again")
                await self._write(lambda: self._writing.stage(_SQL["too_many"], (KEPT,)))
                return False
            await self._write(partial(self._forget, [row[0] for row in rows]))
        return True

    def _spans(self, trace: str, row: Row, now: int) -> list[Span]:
        no, _, status, definition, history = row
        if definition not in self._machines:
            self._machines[definition] = parse(self._executions.definition(definition))
        mails = [Sent(*row) for row in self._reading.rows(_SQL["mails"], (no,))]
        return order_trace(trace, self._machines[definition], decoded(history), mails, now, status=status)

    def _forget(self, numbers: list[int]) -> None:
        for no in numbers:
            self._writing.stage(_SQL["traced"], (no,))

    async def _write(self, unit: Callable[[], object]) -> None:
        """Raises StoreUnavailable."""
        written = asyncio.get_running_loop().create_future()
        self._writer.submit("trace", unit, lambda _, error: written.set_result(error))
        if (error := await written) is not None:
            raise StoreUnavailable from error
