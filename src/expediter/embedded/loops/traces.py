"""Exports the trace of every order that has ended, where a collector is set.

The trace is made from the stored order, so nothing is recorded on its way. The unit of work that ends the order writes
down that its trace is to be exported; so a trace is exported also when the process dies before.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Protocol

from expediter.app.operator.traces import Sent, Span, order_trace, trace_id, traceparent
from expediter.asl import Machine, parse
from expediter.embedded.clock import Clock
from expediter.embedded.engine.pending_calls import PendingCall
from expediter.embedded.loop import Loop
from expediter.embedded.sqlite.access import DatabaseAccess, complete
from expediter.embedded.sqlite.session import Row, Session, Statements
from expediter.embedded.stores.definitions import SqliteDefinitions
from expediter.embedded.stores.executions import decoded

#: Orders whose traces are exported at once.
BATCH = 32
#: Milliseconds between rounds, and at most while the collector takes nothing.
LOOK, LONGEST = 1_000, 60_000
#: Milliseconds after the end of an order in which its mails may still be sent, so that they are in its trace.
MAILS = 60_000
#: Orders that wait while the collector takes nothing; beyond it the oldest ones get no trace.
KEPT = 100_000

_SQL = Statements("traces")


class Collector(Protocol):
    """Takes traces. ``otlp`` has the one that OTEL_EXPORTER_OTLP_ENDPOINT names."""

    def wants(self, trace: str) -> bool:
        """Whether this trace is sampled; the same answer for the same trace."""

    def export(self, traces: list[tuple[str, list[Span]]]) -> bool:
        """Sends the spans of each trace; False when the collector did not take them. Blocks."""

    def close(self) -> None:
        """Ends an export that waits for the collector."""


class TraceContext:
    """What is written and sent for an order's trace while the order runs. ``writing`` is used in units of work."""

    def __init__(self, writing: Session, clock: Clock, collector: Collector) -> None:
        self._writing = writing
        self._clock = clock
        self._collector = collector

    def ended(self, no: int, order_id: str) -> None:
        """In the unit of work that ends the order's workflow: has its trace exported."""
        trace = trace_id(order_id)
        if trace is not None and self._collector.wants(trace):
            self._writing.execute(_SQL["ended"], (no, self._clock.now()))

    def headers(self, pending: PendingCall, order_id: str) -> Mapping[str, str]:
        """The headers of a call: with them the called server adds its spans to the order's trace."""
        trace = trace_id(order_id)
        if trace is None:
            return {}
        return {"traceparent": traceparent(trace, pending.task.task, sampled=self._collector.wants(trace))}


class TraceExport(Loop):
    """``collector`` is called in another thread."""

    def __init__(self, database: DatabaseAccess, clock: Clock, collector: Collector) -> None:
        super().__init__("traces", clock, LONGEST)
        self._reading, self._writing, self._writer = database
        self._collector = collector
        self._definitions = SqliteDefinitions(self._reading)
        self._machines: dict[int, Machine] = {}
        #: Milliseconds until the next round; doubled while the collector takes nothing.
        self._pause = LOOK

    async def stop(self) -> None:
        """Ends the export under way. What is left is exported after the next start."""
        self._collector.close()
        await super().stop()

    async def one_round(self, now: int) -> int:
        """Exports the traces of the orders that have ended since."""
        self._pause = LOOK if await self._export(now) else min(2 * self._pause, LONGEST)
        return now + self._pause

    async def _export(self, now: int) -> bool:
        """False when the collector did not take a batch. Raises StoreUnavailable."""
        while not self._stopping and (rows := self._reading.rows(_SQL["untraced"], (now - MAILS, BATCH))):
            traces = list[tuple[str, list[Span]]]()
            for row in rows:
                trace = trace_id(row[1])
                if trace is not None and row[-1]:  # a history that was pruned has no trace
                    traces.append((trace, self._spans(trace, row, now)))
                    await asyncio.sleep(0)  # orders run in between
            if not await asyncio.to_thread(self._collector.export, traces):
                self._log.warning("the collector did not take traces; they are sent again")
                await complete(self._writer, "trace", partial(self._writing.execute, _SQL["too_many"], (KEPT,)))
                return False
            await complete(self._writer, "trace", partial(self._forget, [row[0] for row in rows]))
        return True

    def _spans(self, trace: str, row: Row, now: int) -> list[Span]:
        no, _, status, definition, history = row
        if definition not in self._machines:
            self._machines[definition] = parse(self._definitions.definition(definition), accepted=True)
        mails = [Sent(*row) for row in self._reading.rows(_SQL["mails"], (no,))]
        return order_trace(trace, self._machines[definition], decoded(history), mails, now, status=status)

    def _forget(self, numbers: list[int]) -> None:
        for no in numbers:
            self._writing.execute(_SQL["traced"], (no,))
