"""The adapter sets that every contract in this folder is held against. A new home adds one line to ADAPTERS."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from expediter.app.ports import Work
from expediter.embedded.sqlite.write_behind import WriteBehind
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.events import SqliteEvents
from expediter.embedded.stores.orders import SqliteOrders
from expediter.embedded.stores.queue import SqliteDeadLetters, SqliteQueue
from tests.support.clock import NOON, VirtualClock
from tests.support.database import in_memory
from tests.support.engine import workflows_on
from tests.support.values import SETTINGS


class Adapters(Protocol):
    """One home's adapters on a fresh store."""

    def unit(self, now: int = NOON) -> AbstractContextManager[Work]:
        """One unit of work at ``now``; everything in it is stored unless it raises."""

    def close(self) -> None: ...


class Undone(Exception):
    """What makes a unit fail on purpose."""


@contextmanager
def undone(adapters: Adapters) -> Iterator[Work]:
    """A unit that fails when everything in it is done."""
    with suppress(Undone), adapters.unit() as work:
        yield work
        raise Undone


class EmbeddedAdapters:
    def __init__(self) -> None:
        connection = in_memory()
        session = self._session = WriteBehind(connection, VirtualClock())
        self._connection = connection
        self._now = NOON
        self._orders = SqliteOrders(session, SETTINGS, lambda _: None, None)
        self._claims = SqliteClaims(session)
        self._queue = SqliteQueue(session, lambda: None)
        self._dead_letters = SqliteDeadLetters(session, lambda: None)
        self._workflows = workflows_on(session, self._work, NOON)

    @contextmanager
    def unit(self, now: int = NOON) -> Iterator[Work]:
        self._now = now
        with self._connection:
            self._session.begin()
            try:
                yield self._work()
            except BaseException:
                self._session.undo()
                raise
            self._session.end()
            self._session.write()

    def close(self) -> None:
        self._connection.close()

    def _work(self) -> Work:
        return Work(
            orders=self._orders,
            claims=self._claims,
            queue=self._queue,
            dead_letters=self._dead_letters,
            workflows=self._workflows,
            refunds=SqliteEvents(self._session, lambda: None),
            settings=SETTINGS,
            now=self._now,
        )


ADAPTERS: dict[str, Callable[[], Adapters]] = {
    "embedded": EmbeddedAdapters,
}
