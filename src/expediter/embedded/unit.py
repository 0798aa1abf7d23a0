"""One unit of work as it runs: the time it happens at, and its orders, each read once and written once.

Several tasks of a workflow often run in one unit, and each reads and changes the order's row. They see each other's
changes here; the file sees the last of them, in one statement when the unit ends.
"""

from collections.abc import Iterator

import msgspec

from expediter.app.ports import Orders, Outcome, Page, Query
from expediter.domain.errors import OrderChanged
from expediter.domain.ledger import Entry
from expediter.domain.order import Order
from expediter.embedded.clock import Clock
from expediter.embedded.staging import WritingSession


class UnitOrders:
    """The orders of the unit that runs now. ``flush`` ends it, ``forget`` undoes it."""

    def __init__(self, store: Orders) -> None:
        self._store = store
        self._read: dict[str, Order | None] = {}
        self._outcomes: dict[str, Outcome] = {}

    def flush(self) -> None:
        """Hands what the unit changed to the store."""
        outcomes, read = self._outcomes, self._read
        if outcomes:
            self._outcomes, self._read = {}, {}
            for order_id, outcome in outcomes.items():
                self._store.apply(read[order_id], outcome)
        else:
            read.clear()

    def forget(self) -> None:
        self._read.clear()
        self._outcomes.clear()

    def find(self, order_id: str) -> Order | None:
        if order_id in self._outcomes:
            return self._outcomes[order_id].order
        if order_id not in self._read:
            self._read[order_id] = self._store.find(order_id)
        return self._read[order_id]

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        current = self.find(outcome.order.id)
        if (current.version if current else 0) != (before.version if before else 0):
            raise OrderChanged
        earlier = self._outcomes.get(outcome.order.id)
        if earlier is not None:
            entries, mails = (*earlier.entries, *outcome.entries), (*earlier.mails, *outcome.mails)
            outcome = msgspec.structs.replace(outcome, entries=entries, mails=mails)
        self._outcomes[outcome.order.id] = outcome

    def accepted(self, order_id: str) -> Order | None:
        return self._store.accepted(order_id)

    def page(self, query: Query) -> Page:
        return self._store.page(query)

    def entries(self, order_id: str) -> tuple[Entry, ...]:
        return self._store.entries(order_id)

    def books(self) -> Iterator[tuple[Order, tuple[Entry, ...]]]:
        return self._store.books()


class Unit:
    """What the writer begins, ends or undoes around each unit, and around the batch; ``now`` stands still in a unit."""

    def __init__(self, clock: Clock, orders: UnitOrders, session: WritingSession) -> None:
        self._clock = clock
        self._orders = orders
        self._session = session
        session.before = orders.flush
        self.now = clock.now()

    def begin(self) -> None:
        self.now = self._clock.now()
        self._session.begin()

    def end(self) -> None:
        self._orders.flush()
        self._session.end()

    def undo(self) -> None:
        self._orders.forget()
        self._session.undo()

    def write(self) -> None:
        self._session.write()

    def kept(self) -> None:
        self._session.kept()

    def lost(self) -> None:
        self._orders.forget()
        self._session.lost()
