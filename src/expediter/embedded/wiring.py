"""Puts one machine's home together: the file, its connections, the loops. The only place that knows all of them."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from expediter.app.operator.actions import Operator
from expediter.app.operator.erasing import Erased, erase
from expediter.app.operator.services import OperatorServices
from expediter.app.ports import Orders, Work, Workflows
from expediter.domain.errors import StoreUnavailable
from expediter.domain.order import ENDED, Order
from expediter.domain.outage import Outage
from expediter.embedded.clock import Clock, SystemClock, new_id
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.dispatcher import Dispatcher
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.task_tokens import TaskReport
from expediter.embedded.engine.workflows import EmbeddedWorkflows, ReadOnlyWorkflows
from expediter.embedded.loop import Loop
from expediter.embedded.loops.alerts import Alerts
from expediter.embedded.loops.health import Health, seen_at
from expediter.embedded.loops.recorder import FlowCounts, FlowRecorder
from expediter.embedded.loops.retention import Retention
from expediter.embedded.loops.traces import Collector, TraceContext, TraceExport
from expediter.embedded.mail.outbox import Outbox
from expediter.embedded.mail.smtp import Mailer
from expediter.embedded.operator.backlog import gauges
from expediter.embedded.operator.prometheus import PrometheusText
from expediter.embedded.operator.scrub import Scrub
from expediter.embedded.operator.services import SqliteMailbox, SqliteServices
from expediter.embedded.settings import Settings, library, workflow
from expediter.embedded.sqlite.access import DatabaseAccess
from expediter.embedded.sqlite.checkpoints import Checkpoints
from expediter.embedded.sqlite.database import DAMAGED, Session, open_reader, open_writer, owned, unwritable
from expediter.embedded.sqlite.unit_of_work import Unit, UnitOrders
from expediter.embedded.sqlite.write_behind import WritingSession
from expediter.embedded.sqlite.writer import Observer, Writer
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.engine import engine_stores
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.orders import SqliteOrders
from expediter.embedded.stores.queue import SqliteDeadLetters, SqliteQueue
from expediter.embedded.web.feed import Feed

T = TypeVar("T")
_log = logging.getLogger("expediter.server")

#: Seconds that calls under way get to end when the server stops.
GRACE = 5.0
#: Who acts through the REST door: nobody there has a name.
OPERATOR = Operator("operator")
#: The units that accept an order: how long their answers take is measured.
ACCEPTS = frozenset({"postOrder", "Mutation.postOrder", "console:place"})


class File(NamedTuple):
    """The database file, as it is held open."""

    writing: WritingSession
    reading: Session
    checkpoints: Checkpoints
    health: Health


class Home:
    """One machine's home, as its doors see it. Open one with ``open_home``."""

    def __init__(
        self, settings: Settings, clock: Clock, gateways: Gateways, file: File, observer: Observer | None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.feed = Feed()
        self._mail = bool(settings.smtp_url)
        orders = UnitOrders(self._orders(file.writing))
        self._unit = Unit(clock, orders, file.writing)
        self.health = file.health
        self._writer = Writer(file.writing.connection, self._unit, file.checkpoints.between_batches, observer)
        self._metrics = self._writer.metrics
        self._prometheus = PrometheusText(self._metrics)
        collector = _collector(settings)
        context = TraceContext(file.writing, clock, collector) if collector else None
        headers, ended = (context.headers, context.ended) if context else (None, None)
        self.dispatcher = Dispatcher(self._writer, self._work, gateways, clock, headers)
        stores = engine_stores(file.writing)
        definitions = Definitions(stores.definitions)
        dispatch, wake_at = self.dispatcher.dispatch, self.dispatcher.wake_at
        self._driver = Driver(stores, definitions, self._work, dispatch, wake_at, ended=ended)
        self.workflows = EmbeddedWorkflows(stores, definitions, self._driver, self._work)
        mailer = Mailer(settings.smtp_url) if settings.smtp_url else None
        database = DatabaseAccess(file.reading, file.writing, self._writer)
        self.outbox = Outbox(database, clock, mailer) if mailer else None
        self._claims = SqliteClaims(file.writing)
        self._writing = self._ports(file.writing, orders, self.workflows)
        self._executions = SqliteExecutions(file.reading)
        reading_workflows = ReadOnlyWorkflows(self._executions)
        self._reading = self._ports(file.reading, self._orders(file.reading), reading_workflows)
        self._reader, self._unit_session = file.reading, file.writing
        self._queue = SqliteQueue(file.reading, self._redriven)
        self._flow = FlowCounts(clock)
        self._scrub = Scrub(file.writing, self._writer, file.checkpoints)
        self._loops = self._background(database, collector)
        sender, posted = (mailer.sender, self._posted) if mailer else (None, None)
        writing, reading = (SqliteMailbox(session, posted, sender) for session in (file.writing, file.reading))
        self._writing_services = SqliteServices(file.writing, self.workflows, self._queue, self._flow, writing)
        self._reading_services = SqliteServices(file.reading, self.workflows, self._queue, self._flow, reading)
        self._ready = False

    def new_id(self) -> str:
        """An id for a new order. It was made just now, so no claim has it: the file is not searched for one."""
        made = new_id()
        self._claims.unclaimed(made)
        return made

    def write(self, handle: Callable[[Work], T], name: str) -> asyncio.Future[T]:
        """Will have what ``handle`` gives, once everything it wrote is durable, or the OrderError that it raised
        (nothing is written then), StoreUnavailable or TooBusy. Raises TooBusy, and StoreUnavailable once the file is
        known to be damaged.
        """
        if self.health.damaged:
            raise StoreUnavailable(DAMAGED)
        if name not in ACCEPTS:
            return self._writer.run(name, lambda: handle(self._work()))
        durable = partial(self._durable, time.perf_counter())

        def accept() -> T:
            accepted = handle(self._work())
            self._writer.after(durable)
            return accepted

        return self._writer.run(name, accept)

    def read(self, handle: Callable[[Work], T]) -> T:
        """What ``handle`` reads of what is committed, all of it as of one moment.

        Without one snapshot an order could be missed between queue and table: COMMIT runs beside the reads.
        """
        with self._reader.snapshot():
            return handle(msgspec.structs.replace(self._reading, now=self.clock.now()))

    async def write_as_operator(self, handle: Callable[[OperatorServices], T], name: str) -> T:
        """As ``write``, for what operators do."""
        return await self.write(lambda work: handle(self._writing_services.over(work)), name)

    def read_as_operator(self, handle: Callable[[OperatorServices], T]) -> T:
        """As ``read``, for what operators see."""
        return self.read(lambda work: handle(self._reading_services.over(work)))

    def report(self, token: str, report: TaskReport, name: str) -> asyncio.Future[None]:
        """Tells the task that waits for this token; done once that is durable.

        It may have TaskTokenUnknown, StoreUnavailable or TooBusy. Raises TooBusy.
        """
        return self._writer.run(name, lambda: self.workflows.report(token, report))

    async def erase(self, user_id: str) -> Erased:
        """Forgets a customer, and once nothing remains returns after the bytes are gone from the files.

        Raises OrdersUnderWay, OrderInvalid, StoreUnavailable or TooBusy.
        """
        erased = await self.write_as_operator(lambda services: erase(services, OPERATOR, user_id), "eraseUser")
        if not erased.remaining:
            await self._scrub.run()
        return erased

    def busy(self) -> bool:
        """Whether ``write`` would raise TooBusy now."""
        return self._writer.too_busy()

    def ready(self) -> bool:
        """Whether orders are taken in: from after the recovery until the stop begins, unless there is an outage."""
        return self._ready and not self.health.outages

    def outages(self) -> tuple[Outage, ...]:
        """What is wrong with the file."""
        return tuple(self.health.outages)

    def shed(self) -> None:
        """Counts a request that was refused because there is too much to do."""
        self._metrics.shed += 1

    def sign_in_failed(self) -> None:
        """Counts a token that was wrong, and logs it: not whose, that would be personal."""
        self._metrics.sign_ins_failed += 1
        _log.warning("somebody sent a token that is wrong")

    def metrics(self) -> bytes:
        """Prometheus text."""
        return self._prometheus.text(gauges(self._reader, self._queue, self.dispatcher.calls, self.clock.now()))

    async def start(self) -> None:
        """Pins the workflow, takes up what a process before left, and begins to take orders in."""
        await self.health.check_and_start(self._reader, self._unit_session, self._writer)
        file = self.settings.workflow
        await self._writer.run(
            "pin", lambda: self.workflows.definitions.use(workflow(file), self.clock.now(), lambda: library(file))
        )
        await self.dispatcher.start(self._driver, self._executions, self._queue)
        for loop in self._loops:
            loop.start()
        self._ready = True

    async def stop(self) -> None:
        """Ends what is under way within seconds; the rest goes on at the next start."""
        self._ready = False
        await self.dispatcher.stop(GRACE)
        for loop in self._loops:
            await loop.stop()
        await self.health.stop()
        await self._writer.stop()

    def _background(self, database: DatabaseAccess, collector: Collector | None) -> tuple[Loop, ...]:
        """The loops, in the order in which they start and stop."""
        clock, settings = self.clock, self.settings
        return (
            *([self.outbox] if self.outbox else []),
            *([Retention(database, clock, settings.keep_days)] if settings.keep_days else []),
            *([TraceExport(database, clock, collector)] if collector else []),
            Alerts(database, clock, settings.orders, self._posted if self.outbox else None),
            FlowRecorder(database, clock, self._flow, self._queue, self._executions),
        )

    def _orders(self, session: Session) -> SqliteOrders:
        return SqliteOrders(session, self.settings.orders, self._changed, self._posted if self._mail else None)

    def _ports(self, session: Session, orders: Orders, workflows: Workflows) -> Work:
        return Work(
            orders=orders,
            claims=SqliteClaims(session),
            queue=SqliteQueue(session, self._sent),
            dead_letters=SqliteDeadLetters(session, self._redriven),
            workflows=workflows,
            settings=self.settings.orders,
            now=0,
        )

    def _work(self) -> Work:
        if self._writing.now != self._unit.now:
            self._writing = msgspec.structs.replace(self._writing, now=self._unit.now)
        return self._writing

    def _changed(self, before: Order | None, order: Order) -> None:
        ends = order.status in ENDED and not (before and before.status in ENDED)
        self._writer.after(partial(self._ended if ends else self.feed.publish, order))

    def _durable(self, begun: float) -> None:
        """The accept of an order that came then is durable now."""
        seconds = time.perf_counter() - begun
        self._metrics.accepts.observe(seconds)
        self._flow.answered(seconds)

    def _accepted(self) -> None:
        self._metrics.accepted += 1
        self._flow.accepted()

    def _ended(self, order: Order) -> None:
        self._metrics.ended[order.status] += 1
        self._metrics.orders.observe((order.updated_at - order.created_at) / 1000)
        self._flow.ended(order)
        self.feed.publish(order)

    def _posted(self) -> None:
        if self.outbox:
            self.outbox.posted()

    def _sent(self) -> None:
        # Taken in by the same commit: then its message is never written.
        self._writer.after(self._accepted)
        self.dispatcher.sent()

    def _redriven(self) -> None:
        self._writer.after(self.dispatcher.sent)


def _collector(settings: Settings) -> Collector | None:
    """The collector of traces that the settings name."""
    if not settings.traces:
        return None
    from expediter.embedded.loops.otlp import OtlpCollector  # noqa: PLC0415  # it takes 0.1 s and some megabytes

    return OtlpCollector()


async def _start(home: Home) -> None:
    """Raises DataRefused when what a start has to write cannot be written."""
    try:
        await home.start()
    except StoreUnavailable as error:
        raise unwritable(home.settings.data, error.__cause__) from error


@asynccontextmanager
async def open_home(
    settings: Settings, clock: Clock | None = None, observer: Observer | None = None
) -> AsyncIterator[Home]:
    """A running home on ``settings.data``, stopped at the end. One process at a time owns the folder.

    Raises DataRefused, SettingRefused, DefinitionInvalid.
    """
    with owned(settings.data) as path, closing(open_writer(path)) as writing, closing(open_reader(path)) as reading:
        now = clock or SystemClock(seen_at(reading))
        health = Health(path, now, settings.orders, Mailer(settings.smtp_url) if settings.smtp_url else None)
        reader = Session(reading, health.saw)
        file = File(WritingSession(writing, reader), reader, Checkpoints(writing, path), health)
        gateways = Gateways(settings.payments, settings.restaurant, settings.restaurant_secret)
        home = Home(settings, now, gateways, file, observer)
        try:
            await _start(home)
            yield home
        finally:
            await home.stop()
            await gateways.aclose()
            await file.checkpoints.close()
