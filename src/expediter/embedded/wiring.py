"""Puts one machine's home together: the file, its connections, the loops. The only place that knows all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import TypeVar

import msgspec

from expediter.app.ports import Work
from expediter.domain.order import Order
from expediter.embedded.checkpoints import Checkpoints
from expediter.embedded.claims import SqliteClaims
from expediter.embedded.clock import Clock, SystemClock
from expediter.embedded.database import Session, open_reader, open_writer, owned
from expediter.embedded.executions import Executions
from expediter.embedded.feed import Feed
from expediter.embedded.mailer import Mailer
from expediter.embedded.metrics import Metrics
from expediter.embedded.order_store import SqliteOrders
from expediter.embedded.outbox import Outbox
from expediter.embedded.parties import Parties
from expediter.embedded.queue import SqliteDeadLetters, SqliteQueue
from expediter.embedded.runtime import Runtime
from expediter.embedded.settings import Settings, workflow
from expediter.embedded.workflows import Errand, SqliteWorkflows
from expediter.embedded.writer import Observer, Writer

T = TypeVar("T")

#: Seconds that calls under way get to end when the server stops.
GRACE = 5.0


class Home:
    """One machine's home, as its doors see it. Open one with ``open_home``."""

    def __init__(
        self, settings: Settings, clock: Clock, *, parties: Parties, writer: Writer, writing: Session, reading: Session
    ) -> None:
        self.settings = settings
        self.feed = Feed()
        self.clock = clock
        self._writer = writer
        self._metrics = Metrics()
        mailer = Mailer(settings.smtp_url) if settings.smtp_url else None
        self.outbox = Outbox(writer, writing, reading, mailer, clock) if mailer else None
        self.workflows = SqliteWorkflows(writing, self._work, self._dispatch, self._wake_at)
        self.runtime = Runtime(writer, self.workflows, self._work, parties, clock)
        self._writing = self._ports(writing, self.workflows)
        self._reading = self._ports(reading, SqliteWorkflows(reading, self._work, self._dispatch, self._wake_at))
        self._waiting = SqliteQueue(reading, self.runtime.sent).waiting
        self._running = Executions(reading).running
        self._ready = False

    async def write(self, handle: Callable[[Work], T], name: str) -> T:
        """What ``handle`` gives, once everything it wrote is durable.

        Raises the OrderError that it raised (nothing is written then), StoreUnavailable or TooBusy.
        """
        return await self._writer.run(name, lambda: handle(self._work()))

    def read(self, handle: Callable[[Work], T]) -> T:
        """What ``handle`` reads of what is committed."""
        return handle(msgspec.structs.replace(self._reading, now=self.clock.now()))

    def ready(self) -> bool:
        """Whether orders are taken in: from after the recovery until the stop begins."""
        return self._ready

    def metrics(self) -> bytes:
        """Prometheus text."""
        count, oldest = self._waiting()
        age = (self.clock.now() - oldest) / 1000 if oldest else 0
        dead = self._reading.dead_letters.count()
        return self._metrics.text(queue=count, oldest=age, dead=dead, running=self._running(), calls=self.runtime.calls)

    async def start(self, reading: Session) -> None:
        """Pins the workflow, takes up what a process before left, and begins to take orders in."""
        await self._writer.run("pin", lambda: self.workflows.use(workflow(self.settings.workflow), self.clock.now()))
        await self.runtime.start(Executions(reading), SqliteQueue(reading, self.runtime.sent))
        if self.outbox:
            self.outbox.start()
        self._ready = True

    async def stop(self) -> None:
        """Ends what is under way within seconds; the rest goes on at the next start."""
        self._ready = False
        await self.runtime.stop(GRACE)
        if self.outbox:
            await self.outbox.stop()
        await self._writer.stop()

    def _ports(self, session: Session, workflows: SqliteWorkflows) -> Work:
        posted = self.outbox.posted if self.outbox else None
        return Work(
            orders=SqliteOrders(session, self.settings.orders, self._changed, posted),
            claims=SqliteClaims(session),
            queue=SqliteQueue(session, self._sent),
            dead_letters=SqliteDeadLetters(session, self.runtime.sent),
            workflows=workflows,
            settings=self.settings.orders,
            now=0,
        )

    def _work(self) -> Work:
        return msgspec.structs.replace(self._writing, now=self.clock.now())

    def _changed(self, before: Order | None, order: Order) -> None:
        if order.ended and not (before and before.ended):
            self._writer.after(lambda: self._metrics.ended(order.status))
        self._writer.after(lambda: self.feed.publish(order))

    def _sent(self) -> None:
        self._writer.after(self._metrics.accepted)
        self.runtime.sent()

    def _dispatch(self, errand: Errand) -> None:
        self.runtime.dispatch(errand)

    def _wake_at(self, at: int) -> None:
        self.runtime.wake_at(at)


@asynccontextmanager
async def open_home(
    settings: Settings, clock: Clock | None = None, observer: Observer | None = None
) -> AsyncIterator[Home]:
    """A running home on ``settings.data``, stopped at the end. One process at a time owns the folder.

    Raises DataRefused, SettingRefused, DefinitionInvalid.
    """
    with owned(settings.data) as file, closing(open_writer(file)) as connection, closing(open_reader(file)) as reader:
        checkpoints = Checkpoints(connection, file)
        writer = Writer(connection, checkpoints.between_batches, observer)
        parties = Parties(settings.payments, settings.restaurant, settings.restaurant_secret)
        reading = Session(reader)
        home = Home(
            settings,
            clock or SystemClock(),
            parties=parties,
            writer=writer,
            writing=Session(connection),
            reading=reading,
        )
        try:
            await home.start(reading)
            yield home
        finally:
            await home.stop()
            await parties.aclose()
            await checkpoints.close()
