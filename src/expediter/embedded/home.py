"""The running server as the web uses it: its units of work, its reads, its state."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Generic, NamedTuple, TypeVar

import msgspec

from expediter.app.operator.audit import Operator
from expediter.app.operator.erasing import Erased, erase
from expediter.app.operator.flow import FlowCounts
from expediter.app.operator.services import OperatorServices
from expediter.app.outages import text
from expediter.app.ports import TaskPorts, Work
from expediter.domain.errors import StoreUnavailable
from expediter.domain.order import ENDED, Order
from expediter.domain.outage import Outage
from expediter.embedded.clock import Clock, new_id
from expediter.embedded.engine.dispatcher import Dispatcher
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.task_tokens import TaskReport
from expediter.embedded.engine.workflows import EmbeddedWorkflows, HistoryTakesLong, KnownHistory
from expediter.embedded.loop import Loop
from expediter.embedded.loops.health import Health
from expediter.embedded.operator.backlog import gauges
from expediter.embedded.operator.histories import Histories
from expediter.embedded.operator.keys import KeysInForce
from expediter.embedded.operator.prometheus import PrometheusText
from expediter.embedded.operator.reconciler import Reconciler
from expediter.embedded.operator.scrub import Scrub
from expediter.embedded.operator.services import SqliteServices
from expediter.embedded.settings import PARTS, ServerSettings, library, workflow
from expediter.embedded.sqlite.access import DatabaseAccess
from expediter.embedded.sqlite.session import Change, snapshot
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.orders import Numbered
from expediter.embedded.stores.queue import SqliteQueue
from expediter.embedded.stores.task_tokens import SqliteTaskTokens
from expediter.embedded.web.customer_links import links_in
from expediter.embedded.web.feed import Feed

T = TypeVar("T")
P = TypeVar("P", bound=TaskPorts)

_log = logging.getLogger("expediter.server")

#: Seconds that calls under way get to end when the server stops.
GRACE = 5.0
#: The units of work that accept an order. The time until their answer is measured.
ACCEPTS = frozenset({"postOrder", "Mutation.postOrder", "console:place"})


class OrderEvents:
    """Passes on what happens to orders, once it is durable: to the metrics, the flow, and those who follow orders.

    Call ``accepted`` and ``answered`` in units of work, and ``changed`` after their commit.
    """

    def __init__(self, writer: Writer, unit: WriteBehind, flow: FlowCounts, feed: Feed) -> None:
        self._after = writer.after
        self._unit = unit
        self._metrics = writer.metrics
        self._flow = flow
        self._feed = feed

    def accepted(self, take_in: Callable[[], None]) -> None:
        """An order was put on the queue. If its workflow starts in the same commit, its message is never written."""
        self._after(partial(self._accepted, self._unit.now))
        take_in()

    def answered(self, begun: float) -> None:
        """The customer gets the answer to an order whose request was read at ``begun`` (of ``perf_counter``)."""
        self._after(partial(self._answered, self._unit.now, begun))

    def changed(self, changes: Sequence[Change[Numbered]]) -> None:
        """Orders are new or were changed."""
        for before, row in changes:
            if row is None:
                continue  # an order's row is never deleted
            order = row.order
            if order.status in ENDED and not (before and before.order.status in ENDED):
                self._ended(order)
            if self._feed.followers:
                self._feed.publish(order)

    def _accepted(self, now: int) -> None:
        self._metrics.accepted += 1
        self._flow.accepted(now)

    def _answered(self, now: int, begun: float) -> None:
        seconds = perf_counter() - begun
        self._metrics.accepts.observe(seconds)
        self._flow.answered(now, seconds)

    def _ended(self, order: Order) -> None:
        self._metrics.ended[order.status] += 1
        self._metrics.orders.observe((order.updated_at - order.created_at) / 1000)
        self._flow.ended(order)


class UnitPorts(Generic[P]):
    """The ports in the unit of work that runs. Executions have the ports of tasks; use cases have all of them."""

    def __init__(self, unit: WriteBehind, ports: P) -> None:
        self._unit = unit
        self._ports = ports

    def __call__(self) -> P:
        """The ports at the time of the unit of work."""
        if self._ports.now != self._unit.now:
            self._ports = msgspec.structs.replace(self._ports, now=self._unit.now)
        return self._ports


class Engine(NamedTuple):
    """What runs executions. ``work`` gives the ports of the unit of work that runs."""

    work: Callable[[], Work]
    claims: SqliteClaims
    dispatcher: Dispatcher
    driver: Driver
    workflows: EmbeddedWorkflows


class Committed(NamedTuple):
    """What is committed, over a connection that only reads."""

    work: Work
    services: SqliteServices
    executions: SqliteExecutions
    queue: SqliteQueue
    histories: Histories


class Home:
    """Open one with ``wiring.open_home``. ``services`` are those of units of work."""

    def __init__(
        self,
        settings: ServerSettings,
        clock: Clock,
        feed: Feed,
        *,
        database: DatabaseAccess,
        engine: Engine,
        events: OrderEvents,
        services: SqliteServices,
        committed: Committed,
        scrub: Scrub,
        health: Health,
        loops: tuple[Loop, ...],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.feed = feed
        self.health = health
        self.customer_links = links_in(settings.data, settings.link_days)
        self.keys = KeysInForce(lambda: self.read_as_operator(lambda services: services.keys.all()))
        self.reconciler = Reconciler(settings.data)
        self._database = database
        self._writer = database.writer
        self.engine = engine
        self._work = engine.work
        self._events = events
        self._services = services
        self._committed = committed
        self._task_tokens = SqliteTaskTokens(database.reading)
        self._histories = committed.histories
        self._scrub = scrub
        self._loops = loops
        self._prometheus = PrometheusText(database.writer.metrics, {part: part in settings.simulated for part in PARTS})
        self._ready = False

    # ── units of work and reads ───────────────────────────────────────────────────────────────────────────────────

    def write(self, handle: Callable[[Work], T], name: str) -> asyncio.Future[T]:
        """Runs ``handle`` in a unit of work. Its result comes once everything it wrote is durable.

        The future may raise the OrderError that ``handle`` raised (then nothing is written), StoreUnavailable or
        TooBusy. Raises TooBusy, and StoreUnavailable when the file is damaged or was replaced.
        """
        if self.health.lasting:
            raise StoreUnavailable(text(self.health.lasting))
        if name not in ACCEPTS:
            return self._writer.run(name, lambda: handle(self._work()))
        begun = perf_counter()

        def accept() -> T:
            accepted = handle(self._work())
            self._events.answered(begun)
            return accepted

        return self._writer.run(name, accept)

    def new_id(self) -> str:
        """An id for a new order. No claim can have it, so the file is not searched for one."""
        made = new_id()
        self.engine.claims.unclaimed(made)
        return made

    def read(self, handle: Callable[[Work], T]) -> T:
        """Returns what ``handle`` reads. It sees what is committed, all of it as of one moment.

        Without the snapshot an order could be missed between queue and table, because COMMIT runs beside the reads.
        """
        with snapshot(self._database.reading):
            return handle(msgspec.structs.replace(self._committed.work, now=self.clock.now()))

    def read_in_turn(self, handle: Callable[[Work], T]) -> T:
        """As ``read``. Raises HistoryTakesLong when it takes too long to derive a history: then use
        ``read_with_history``.
        """
        with self._histories.bounded():
            return self.read(handle)

    async def read_with_history(self, handle: Callable[[Work], T], name: str) -> T:
        """As ``read``. Derives the history of this execution in a thread before. Raises TooBusy."""
        known = KnownHistory(self._committed.executions, name, await self._histories.derive(name))
        return self.read(lambda work: handle(msgspec.structs.replace(work, workflows=known)))

    async def write_as_operator(self, handle: Callable[[OperatorServices], T], name: str) -> T:
        """As ``write``, with the ports of operators."""
        return await self.write(lambda work: handle(self._services.over(work)), name)

    def read_as_operator(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read``, with the ports of operators."""
        return self.read(lambda work: handle(self._committed.services.over(work)))

    async def read_page(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read_as_operator``, for a history that takes long to derive. Raises TooBusy."""
        try:
            with self._histories.bounded():
                return self.read_as_operator(handle)
        except HistoryTakesLong as long:
            return await self.read_with_history(lambda work: handle(self._committed.services.over(work)), long.name)

    def report(self, token: str, report: TaskReport, name: str) -> asyncio.Future[None]:
        """Reports to the task that waits for this token. The future ends once that is durable. It may raise
        TaskTokenUnknown, StoreUnavailable or TooBusy. Raises TaskTokenUnknown, StoreUnavailable, TooBusy.

        Anybody can send a wrong token, so it is looked for before the writer has work with it. A token is given away
        once it is committed.
        """
        with snapshot(self._database.reading):
            self._task_tokens.find(token, self.clock.now())
        return self._writer.run(name, lambda: self.engine.workflows.report(token, report))

    async def erase(self, user_id: str, who: Operator) -> Erased:
        """Erases a customer. When nothing remains, it returns after the bytes are gone from the files too.

        Raises OrdersUnderWay, OrderInvalid, StoreUnavailable or TooBusy.
        """
        erased = await self.write_as_operator(lambda services: erase(services, who, user_id), "eraseUser")
        if not erased.remaining:
            await self._scrub.run()
        return erased

    # ── the state of the server ───────────────────────────────────────────────────────────────────────────────────────

    def busy(self) -> bool:
        """Whether ``write`` would raise TooBusy now."""
        return self._writer.too_busy()

    def room_taken(self) -> float:
        """How much is taken of the places in which requests wait to be written; 1: all."""
        return self._writer.admission.room_taken()

    def ready(self) -> bool:
        """Whether orders are accepted: from the end of the recovery until the stop, unless there is an outage or the
        disk stands still.
        """
        return self._ready and not self.health.outages and not self._writer.stalled()

    def outages(self) -> tuple[Outage, ...]:
        """What is wrong with the file."""
        return tuple(self.health.outages)

    def shed(self) -> None:
        """Counts a request that was refused because the server is too busy."""
        self._writer.metrics.shed += 1

    def sign_in_failed(self, key_id: str) -> None:
        """Counts and logs a wrong token, with the id of a key if it looked like one. The address is not logged, because
        it is personal.
        """
        self._writer.metrics.sign_ins_failed += 1
        _log.warning("a request had a wrong token", extra={"key": key_id or None})

    def note(self, handle: Callable[[OperatorServices], None], name: str) -> None:
        """Writes something that no request waits for."""

        def done(_: None, error: Exception | None) -> None:
            if error is not None:
                _log.error("a note could not be written", exc_info=error)

        self._writer.submit(name, lambda: handle(self._services.over(self._work())), done)

    def metrics(self) -> bytes:
        """Prometheus text. While the file cannot be read, it has only the outage and what is counted in memory."""
        calls = self.engine.dispatcher.calls
        try:
            found = gauges(self._database.reading, self._committed.queue, calls, self.clock.now())
        except StoreUnavailable:
            found = {}
        found["expediter_clock_difference_seconds"] = self.clock.machine_ahead() / 1000
        return self._prometheus.text(found, self.health.outages)

    # ── start and stop ────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Reads the workflow, goes on with the work of the process before, and begins to accept orders."""
        await self.health.check_and_start(*self._database)
        await self._writer.run("pin", self._pin)
        engine = self.engine
        await engine.dispatcher.start(engine.driver, engine.work)
        for loop in self._loops:
            loop.start()
        self._ready = True

    def _pin(self) -> None:
        file = self.settings.workflow
        self.engine.workflows.definitions.use(workflow(file), self.clock.now(), lambda: library(file))

    async def stop(self) -> None:
        """Ends what is under way, within seconds. The next start goes on with the rest."""
        self._ready = False
        await self.engine.dispatcher.stop(GRACE)
        for loop in self._loops:
            await loop.stop()
        await self.health.stop()
        await self._writer.stop()
