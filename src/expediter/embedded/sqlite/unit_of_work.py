"""One unit of work as it runs: the time it happens at, and its orders, each read once and written once.

Several tasks of a workflow often run in one unit, and each reads and changes the order's row. They see each other's
changes here; the file sees the last of them, in one statement when the unit ends.
"""

from collections.abc import Iterator

import msgspec

from expediter.app.ports import Mail, Orders, Outcome, Page, Query
from expediter.domain.errors import OrderChanged
from expediter.domain.ledger import LedgerEntry
from expediter.domain.order import Order
from expediter.embedded.clock import Clock
from expediter.embedded.sqlite.write_behind import WritingSession


class Held(msgspec.Struct, gc=False):
    """An order in the unit that runs now: as it was found, as it is, and what goes along with its changes."""

    found: Order | None
    order: Order | None
    entries: tuple[LedgerEntry, ...] = ()
    mails: tuple[Mail, ...] = ()


# As those of ``asl.execution.Frame``: set in a seventh of the time.
Held.__setattr__ = object.__setattr__  # type: ignore[method-assign]
Held.__delattr__ = object.__delattr__  # type: ignore[method-assign]


class UnitOrders:
    """The orders of the unit that runs now, by their ids. ``flush`` ends it, ``forget`` undoes it."""

    def __init__(self, store: Orders) -> None:
        self._store = store
        self._held: dict[str, Held] = {}

    def flush(self) -> None:
        """Hands what the unit changed to the store."""
        if not self._held:
            return
        held, self._held = self._held, {}
        for one in held.values():
            if one.order is not None and (one.order is not one.found or one.entries or one.mails):
                self._store.apply(one.found, Outcome(one.order, one.entries, one.mails))

    def forget(self) -> None:
        self._held = {}

    def find(self, order_id: str) -> Order | None:
        return (self._held.get(order_id) or self._hold(order_id)).order

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        order = outcome.order
        held = self._held.get(order.id) or self._hold(order.id)
        current = held.order
        if current is not before and (current.version if current else 0) != (before.version if before else 0):
            raise OrderChanged
        held.order = order
        if outcome.entries:
            held.entries += outcome.entries
        if outcome.mails:
            held.mails += outcome.mails

    def _hold(self, order_id: str) -> Held:
        found = self._store.find(order_id)
        held = self._held[order_id] = Held(found, found)
        return held

    def accepted(self, order_id: str) -> Order | None:
        return self._store.accepted(order_id)

    def page(self, query: Query) -> Page:
        return self._store.page(query)

    def entries(self, order_id: str) -> tuple[LedgerEntry, ...]:
        return self._store.entries(order_id)

    def with_entries(self) -> Iterator[tuple[Order, tuple[LedgerEntry, ...]]]:
        return self._store.with_entries()


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

    def lost(self, why: BaseException) -> None:
        self._orders.forget()
        self._session.failed(why)
        self._session.lost()
