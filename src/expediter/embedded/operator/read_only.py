"""The read-only view of the database: the same ports over a connection that only reads. The server need not run."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

from expediter.app.operator.services import Audit, Mailbox
from expediter.app.ports import OrderSettings, Work
from expediter.asl.run import no_pause
from expediter.embedded.clock import SystemClock
from expediter.embedded.engine.workflows import ReadOnlyWorkflows
from expediter.embedded.operator.services import SqliteAudit, SqliteMailbox
from expediter.embedded.sqlite.database import open_reader
from expediter.embedded.sqlite.session import Session
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.events import SqliteEvents
from expediter.embedded.stores.executions import SqliteExecutions
from expediter.embedded.stores.orders import SqliteOrders
from expediter.embedded.stores.queue import SqliteDeadLetters, SqliteQueue


class ReadOnlyView(NamedTuple):
    """The ports of the use cases, the mailbox, and the audit."""

    work: Work
    mailbox: Mailbox
    audit: Audit


@contextmanager
def open_read_only(data: Path, settings: OrderSettings) -> Iterator[ReadOnlyView]:
    """What is committed in the data folder. SQLite refuses whatever would write. Raises DataRefused."""
    with closing(open_reader(data / "expediter.db")) as connection:
        session = Session(connection)
        work = read_only_work(session, settings, SystemClock().now())
        yield ReadOnlyView(work, SqliteMailbox(session, None), SqliteAudit(session))


def read_only_work(session: Session, settings: OrderSettings, now: int, pause: Callable[[], None] = no_pause) -> Work:
    """The ports of the use cases over a session that only reads. ``now``: ms since 1970 UTC."""
    return Work(
        orders=SqliteOrders(session, settings, _never, None),
        claims=SqliteClaims(session),
        queue=read_only_queue(session),
        dead_letters=SqliteDeadLetters(session, _never),
        workflows=ReadOnlyWorkflows(SqliteExecutions(session), pause),
        refunds=SqliteEvents(session, _never),
        settings=settings,
        now=now,
    )


def read_only_queue(session: Session) -> SqliteQueue:
    """The queue over a session that only reads."""
    return SqliteQueue(session, _never)


def _never(*_: object) -> NoReturn:
    raise RuntimeError("nothing is written through the read-only view")
