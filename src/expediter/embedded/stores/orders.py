"""The order table with its ledger and outbox, on SQLite."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

import msgspec

from expediter.app.intake import order_in
from expediter.app.ports import NO_CURSOR, Message, OrderSettings, Outcome, Page, Query
from expediter.domain.errors import NO_LIST, Fault, OrderChanged, OrderError, OrderInvalid
from expediter.domain.ledger import EntryKind, LedgerEntry
from expediter.domain.order import ENDED, Order, Status
from expediter.embedded.sqlite.session import Change, Mapper, Row, Session, Statements, Value, Writes, each
from expediter.embedded.stores.claims import SqliteClaims

_SQL = Statements("orders")
_QUEUED = Statements("queue")["by_order"]
_FIND, _ADD, _CHANGE = _SQL["find"], _SQL["add"], _SQL["change"]
_READDRESS, _ENTER, _POST = _SQL["readdress"], _SQL["enter"], _SQL["post"]
_decode = msgspec.json.Decoder(Order).decode
_encode = msgspec.json.Encoder().encode


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """An order and the number of its id."""

    no: int
    order: Order


class SqliteOrders:
    """``changed`` is called once for each order that a unit changed: with the order before the unit, and after it.

    ``posted`` is called in the unit of work that writes mails. None: mails are not sent, and stay in the mailbox.
    """

    def __init__(
        self,
        session: Session,
        settings: OrderSettings,
        changed: Callable[[Sequence[Change[Numbered]]], None],
        posted: Callable[[], None] | None,
    ) -> None:
        self._session = session
        self._claims = SqliteClaims(session)
        self._rows = session.table(_TABLE, changed)
        self._settings = settings
        self._posted = posted

    def find(self, order_id: str) -> Order | None:
        found = self._rows[order_id]
        return None if found is None else found.order

    def accepted(self, order_id: str) -> Order | None:
        row = self._session.row(_QUEUED, (order_id,))
        if row is None:
            return None
        body, attributes, sent_at = row
        message = Message("", body, msgspec.json.decode(attributes), sent_at, receive_count=0, receipt="")
        try:
            return order_in(message, self._settings, claimed=self._claims.taken(order_id)).order
        except OrderError:
            return None  # the message is not an order: the intake reports that

    def page(self, query: Query) -> Page:
        where, values = ["deleted = 0"], list[Value]()
        for column, value in (
            ("user_id", query.user_id),
            ("restaurant_id", query.restaurant_id),
            ("status", query.status),
        ):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(str(value))
        if query.status is not None and query.status is not Status.SUCCESS and len(values) == 1:
            where.append("status <> 'SUCCESS'")  # with this SQLite uses the index of the rare statuses
        if query.cursor is not None:
            where.append("no < ?")
            values.append(self._number(query.cursor))
        sql = f"SELECT body FROM orders WHERE {' AND '.join(where)} ORDER BY no DESC LIMIT ?"  # noqa: S608  # fixed words only
        orders = tuple(_decode(body) for (body,) in self._session.rows(sql, (*values, query.limit + 1)))
        more = len(orders) > query.limit
        return Page(orders[: query.limit], cursor=orders[query.limit - 1].id if more else None)

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        order = outcome.order
        row = self._rows[order.id]
        found = None if row is None else row.order
        if found is not before and (found.version if found else 0) != (before.version if before else 0):
            raise OrderChanged
        no = self._claimed(order.id) if row is None else row.no
        if order is not found:
            self._rows.put(order.id, row, Numbered(no, order))
        for entry in outcome.entries:
            values = (entry.kind, entry.key, entry.amount, entry.currency, entry.at, entry.reference)
            self._session.execute(_ENTER, (no, *values))
        if outcome.mails:
            self._post(no, outcome)

    def entries(self, order_id: str) -> tuple[LedgerEntry, ...]:
        return tuple(_entry(order_id, row) for row in self._session.rows(_SQL["entries"], (order_id,)))

    def with_entries(self) -> Iterator[tuple[Order, tuple[LedgerEntry, ...]]]:
        for _, rows in groupby(each(self._session, _SQL["with_entries"]), key=itemgetter(0)):
            listed = list(rows)
            order = _decode(listed[0][1])
            yield order, tuple(_entry(order.id, row[2:]) for row in listed if row[2] is not None)

    def _post(self, no: int, outcome: Outcome) -> None:
        at = outcome.order.updated_at
        for mail in outcome.mails:
            values = (mail.status, mail.recipient, mail.subject, mail.text, at, at if self._posted else None)
            self._session.execute(_POST, (no, *values))
        if self._posted:
            self._posted()

    def _claimed(self, order_id: str) -> int:
        no = self._claims.number(order_id)
        if no is None:
            raise OrderInvalid((Fault("order.id", "no order was accepted under this id"),))
        return no

    def _number(self, cursor: str) -> int:
        no = self._claims.number(cursor)
        if no is None:
            raise OrderInvalid((NO_CURSOR,), NO_LIST)
        return no


def _read(session: Session, order_id: str) -> Numbered | None:
    row = session.row(_FIND, (order_id,))
    return Numbered(row[0], _decode(row[1])) if row else None


def _write(changes: Sequence[Change[Numbered]]) -> Writes:
    new: list[tuple[Value, ...]] = []
    changed: list[tuple[Value, ...]] = []
    readdressed: list[tuple[Value, ...]] = []
    for before, row in changes:
        if row is None:
            continue  # an order's row is never deleted
        order = row.order
        values = (row.no, order.status, order.deleted_at is not None, order.version, _encode(order))
        if before is None:
            new.append((*values, order.user_id, order.restaurant_id))
            continue
        changed.append(values)
        if before.order.user_id != order.user_id or before.order.restaurant_id != order.restaurant_id:
            readdressed.append((row.no, order.user_id, order.restaurant_id))
    return (_ADD, new), (_CHANGE, changed), (_READDRESS, readdressed)


def _keep(row: Numbered) -> Numbered | None:
    return None if row.order.status in ENDED else row


_TABLE = Mapper("orders", _read, _write, _keep)


def _entry(order_id: str, row: Row) -> LedgerEntry:
    kind, key, amount, currency, at, reference = row
    return LedgerEntry(order_id, EntryKind(kind), key, amount, currency, at, reference)
