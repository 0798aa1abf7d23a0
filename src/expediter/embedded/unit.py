"""One unit of work as it runs: the time it happens at, and its orders, each read once and written once.

Several tasks of a workflow often run in one unit, and each reads and changes the order's row. They see each other's
changes here; the file sees the last of them, in one statement when the unit ends.
"""

from collections.abc import Iterator

from expediter.app.ports import Mail, Orders, Outcome, Page, Query
from expediter.domain.errors import OrderChanged
from expediter.domain.ledger import Entry
from expediter.domain.order import Order
from expediter.embedded.clock import Clock
from expediter.embedded.staging import WritingSession


class UnitOrders:
    """The orders of the unit that runs now. ``flush`` ends it, ``forget`` undoes it."""

    def __init__(self, store: Orders) -> None:
        self._store = store
        self._forget()

    def _forget(self) -> None:
        #: Orders as they are in this unit; those that it changed, as it found them; what goes along with the changes.
        self._orders: dict[str, Order | None] = {}
        self._found: dict[str, Order | None] = {}
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._mails: dict[str, tuple[Mail, ...]] = {}

    def flush(self) -> None:
        """Hands what the unit changed to the store."""
        orders, found, entries, mails = self._orders, self._found, self._entries, self._mails
        if not orders:
            return
        self._forget()
        for order_id, before in found.items():
            order = orders[order_id]
            if order is not None:
                self._store.apply(before, Outcome(order, entries.get(order_id, ()), mails.get(order_id, ())))

    def forget(self) -> None:
        self._forget()

    def find(self, order_id: str) -> Order | None:
        if order_id in self._orders:
            return self._orders[order_id]
        order = self._orders[order_id] = self._store.find(order_id)
        return order

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        order = outcome.order
        current = self._orders[order.id] if order.id in self._orders else self.find(order.id)
        if current is not before and (current.version if current else 0) != (before.version if before else 0):
            raise OrderChanged
        if order.id not in self._found:
            self._found[order.id] = current
        self._orders[order.id] = order
        if outcome.entries:
            self._entries[order.id] = (*self._entries.get(order.id, ()), *outcome.entries)
        if outcome.mails:
            self._mails[order.id] = (*self._mails.get(order.id, ()), *outcome.mails)

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

    def committing(self) -> None:
        self._session.committing()

    def kept(self) -> None:
        self._session.kept()

    def lost(self) -> None:
        self._orders.forget()
        self._session.lost()
