"""Builds the parts of the server in their order. Each part is finished when it is handed to the next. Only this file
knows all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from email.headerregistry import Address
from functools import partial
from typing import NamedTuple

from expediter.app.gateways import GatewayName
from expediter.app.operator.flow import FlowCounts
from expediter.app.ports import Orders, OrderSettings, TaskPorts, Work
from expediter.domain.errors import StoreUnavailable
from expediter.embedded.clock import Clock, SystemClock
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.dispatcher import Dispatcher
from expediter.embedded.engine.driver import Driver
from expediter.embedded.engine.gateways import Gateways
from expediter.embedded.engine.workflows import EmbeddedWorkflows
from expediter.embedded.home import Committed, Engine, Home, OrderEvents, UnitPorts
from expediter.embedded.loop import Loop
from expediter.embedded.loops.alerts import Alerts
from expediter.embedded.loops.clock_watch import ClockWatch
from expediter.embedded.loops.events import Events
from expediter.embedded.loops.health import Health, seen_at
from expediter.embedded.loops.recorder import FlowRecorder
from expediter.embedded.loops.retention import Retention
from expediter.embedded.loops.traces import Collector, TraceContext, TraceExport
from expediter.embedded.mail.offers import MailServerOffers
from expediter.embedded.mail.outbox import Outbox
from expediter.embedded.mail.smtp import Mailer
from expediter.embedded.operator.histories import Histories
from expediter.embedded.operator.read_only import read_only_queue, read_only_work
from expediter.embedded.operator.scrub import Scrub
from expediter.embedded.operator.services import SqliteMailbox, SqliteServices
from expediter.embedded.settings import ServerSettings
from expediter.embedded.sqlite.access import DatabaseAccess
from expediter.embedded.sqlite.checkpoints import Checkpoints
from expediter.embedded.sqlite.commit_thread import Observer
from expediter.embedded.sqlite.database import open_reader, open_writer, owned, unwritable
from expediter.embedded.sqlite.session import Session
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.sqlite.writer import Writer
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.engine import engine_stores
from expediter.embedded.stores.events import SqliteEvents
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.orders import SqliteOrders
from expediter.embedded.stores.queue import SqliteDeadLetters, SqliteQueue
from expediter.embedded.web.feed import Feed


class File(NamedTuple):
    """The open database file."""

    writing: WriteBehind
    reading: Session
    checkpoints: Checkpoints
    health: Health


class Outside(NamedTuple):
    """What the server calls. ``mailer`` and ``collector`` are None where the settings name none."""

    gateways: Gateways
    mailer: Mailer | None
    collector: Collector | None


class Mailing(NamedTuple):
    """The outbox and the address that its mails carry. ``posted`` is called in units of work that post mails."""

    outbox: Outbox
    posted: Callable[[], None]
    sender: Address


def build(
    settings: ServerSettings, clock: Clock, file: File, outside: Outside, observer: Observer | None = None
) -> Home:
    """The server over an open file, not started."""
    feed, flow = Feed(), FlowCounts()
    writer = Writer(file.writing.connection, file.writing, file.checkpoints, observer)
    database = DatabaseAccess(file.reading, file.writing, writer)
    events = OrderEvents(writer, file.writing, flow, feed)
    mailing = _mailing(database, clock, outside.mailer)
    orders = SqliteOrders(file.writing, settings.orders, events.changed, mailing.posted if mailing else None)
    arrived = asyncio.Event()
    received = SqliteEvents(file.writing, partial(writer.after, arrived.set))
    engine = _engine(
        settings.orders, clock, database, outside, unit=file.writing, orders=orders, events=events, received=received
    )
    queue, executions = read_only_queue(file.reading), SqliteExecutions(file.reading)
    recorder = FlowRecorder(database, clock, flow, queue, executions)
    provider_events = Events(database, clock, engine.work, outside.gateways.call, arrived)
    histories = Histories(settings.data / "expediter.db")
    writing, reading = (
        _services(session, engine, queue=queue, flow=flow, mailing=mailing, arrived=received.received)
        for session in (file.writing, file.reading)
    )
    loops = _loops(settings, clock, database, outside, mailing=mailing, health=file.health)
    return Home(
        settings,
        clock,
        feed,
        database=database,
        engine=engine,
        events=events,
        services=writing,
        committed=Committed(
            read_only_work(file.reading, settings.orders, 0, histories.pause), reading, executions, queue, histories
        ),
        scrub=Scrub(file.writing, writer, file.checkpoints),
        health=file.health,
        loops=(*loops, provider_events, recorder),
    )


def _services(
    session: Session,
    engine: Engine,
    *,
    queue: SqliteQueue,
    flow: FlowCounts,
    mailing: Mailing | None,
    arrived: Callable[[], None],
) -> SqliteServices:
    """The ports of operators over one session."""
    events = SqliteEvents(session, arrived)
    return SqliteServices(session, engine.workflows, queue, flow, _mailbox(session, mailing), events=events)


def _loops(
    settings: ServerSettings,
    clock: Clock,
    database: DatabaseAccess,
    outside: Outside,
    *,
    mailing: Mailing | None,
    health: Health,
) -> tuple[Loop, ...]:
    """The work in the background, in the order in which it starts and stops; behind it the recorder of the flow."""
    return (
        *([mailing.outbox] if mailing else []),
        *([MailServerOffers(clock, outside.mailer)] if outside.mailer else []),
        *([Retention(database, clock, settings.keep_days)] if settings.keep_days else []),
        *([TraceExport(database, clock, outside.collector)] if outside.collector else []),
        Alerts(database, clock, settings.orders, mailing.posted if mailing else None),
        ClockWatch(clock, settings.orders, health.send),
    )


def _mailing(database: DatabaseAccess, clock: Clock, mailer: Mailer | None) -> Mailing | None:
    if mailer is None:
        return None
    outbox = Outbox(database, clock, mailer)
    return Mailing(outbox, outbox.posted, mailer.sender)


def _mailbox(session: Session, mailing: Mailing | None) -> SqliteMailbox:
    return SqliteMailbox(session, mailing.posted, mailing.sender) if mailing else SqliteMailbox(session)


def _engine(
    settings: OrderSettings,
    clock: Clock,
    database: DatabaseAccess,
    outside: Outside,
    *,
    unit: WriteBehind,
    orders: Orders,
    events: OrderEvents,
    received: SqliteEvents,
) -> Engine:
    """What runs executions, and the ports of units of work."""
    reading, session, writer = database
    claims = SqliteClaims(session)
    trace = TraceContext(session, clock, outside.collector) if outside.collector else None
    executions, queue, headers = SqliteExecutions(reading), read_only_queue(reading), trace.headers if trace else None
    dispatcher = Dispatcher(writer, outside.gateways, clock, executions, queue, headers=headers)
    stores = engine_stores(session)
    definitions = Definitions(stores.definitions)
    ended = trace.ended if trace else None
    tasks = UnitPorts(unit, TaskPorts(orders=orders, settings=settings, now=0))
    pause = database.writer.budget.pause
    driver = Driver(stores, definitions, tasks, dispatcher.dispatch, dispatcher.wake_at, pause=pause, ended=ended)
    workflows = EmbeddedWorkflows(stores, definitions, driver, tasks, database.writer.after)
    queue = SqliteQueue(session, partial(events.accepted, dispatcher.sent))
    ports = Work(
        orders=orders,
        claims=claims,
        queue=queue,
        dead_letters=SqliteDeadLetters(session, partial(writer.after, dispatcher.sent)),
        workflows=workflows,
        refunds=received,
        mail_server=outside.mailer,
        settings=settings,
        now=0,
    )
    return Engine(UnitPorts(unit, ports), claims, dispatcher, driver, workflows)


def _collector(settings: ServerSettings) -> Collector | None:
    """The collector of traces that the settings name."""
    if not settings.traces:
        return None
    from expediter.embedded.loops.otlp import OtlpCollector  # noqa: PLC0415  # it takes 0.1 s and some megabytes

    return OtlpCollector()


async def _start(home: Home) -> None:
    """Raises DataRefused when the start cannot write to the file."""
    try:
        await home.start()
    except StoreUnavailable as error:
        raise unwritable(home.settings.data, error.__cause__) from error


@asynccontextmanager
async def open_home(
    settings: ServerSettings, clock: Clock | None = None, observer: Observer | None = None
) -> AsyncIterator[Home]:
    """A running server on ``settings.data``, stopped at the end. One process at a time owns the folder.

    Raises DataRefused, SettingRefused, DefinitionInvalid.
    """
    with owned(settings.data) as path, closing(open_writer(path)) as writing, closing(open_reader(path)) as reading:
        clock = clock or SystemClock(seen_at(reading))
        mailer = Mailer(settings.smtp_url) if settings.smtp_url else None
        health = Health(path, clock, settings.orders, mailer)
        reading.set_busy_timeout(0)  # SQLite would wait on the loop's thread
        reader = Session(reading, health.saw)
        file = File(WriteBehind(writing, clock, reader), reader, Checkpoints(writing, path), health)
        secrets = {
            GatewayName.PAYMENTS: settings.payments_token,
            GatewayName.RESTAURANT: settings.restaurant_secret,
        }
        gateways = Gateways(settings.payments, settings.restaurant, secrets)
        home = build(settings, clock, file, Outside(gateways, mailer, _collector(settings)), observer)
        try:
            await _start(home)
            yield home
        finally:
            await home.stop()
            await gateways.aclose()
            await file.checkpoints.close()
