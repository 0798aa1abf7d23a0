"""The order table with its ledger and outbox, on SQLite."""

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter

import msgspec

from expediter.app.intake import read
from expediter.app.ports import Mail, Message, Outcome, Page, Query, Settings
from expediter.domain.errors import Fault, OrderChanged, OrderError, OrderInvalid
from expediter.domain.ledger import Entry, Kind
from expediter.domain.order import Order, Status
from expediter.embedded.database import Row, Session, Statements, Value

_SQL = Statements("orders")
_QUEUED = Statements("queue")["by_order"]
_FIND, _INSERT, _UPDATE, _CLAIMED = _SQL["find"], _SQL["insert"], _SQL["update"], _SQL["claimed"]
_decode = msgspec.json.Decoder(Order).decode
_encode = msgspec.json.Encoder().encode


class SqliteOrders:
    """``changed`` is told of every order written, as it was and as it is; ``posted`` that mails were written.

    Both are told from inside the unit. Without ``posted`` nobody sends mails: they are kept in the mailbox.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        changed: Callable[[Order | None, Order], None],
        posted: Callable[[], None] | None,
    ) -> None:
        self._session = session
        self._settings = settings
        self._changed = changed
        self._posted = posted

    def find(self, order_id: str) -> Order | None:
        row = self._session.row(_FIND, (order_id,))
        return _decode(row[0]) if row else None

    def accepted(self, order_id: str) -> Order | None:
        row = self._session.row(_QUEUED, (order_id,))
        if row is None:
            return None
        body, attributes, sent_at = row
        message = Message("", body, msgspec.json.decode(attributes), sent_at, receive_count=0, receipt="")
        try:
            return read(message, self._settings)[0]
        except OrderError:
            return None  # a message that is no order: the intake will say so

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
            where.append("status <> 'SUCCESS'")  # only so does SQLite see that the index of the rare ones fits
        if query.cursor is not None:
            where.append("no < ?")
            values.append(self._number(query.cursor))
        sql = f"SELECT body FROM orders WHERE {' AND '.join(where)} ORDER BY no DESC LIMIT ?"  # noqa: S608  # fixed words only
        orders = tuple(_decode(body) for (body,) in self._session.rows(sql, (*values, query.limit + 1)))
        more = len(orders) > query.limit
        return Page(orders[: query.limit], cursor=orders[query.limit - 1].id if more else None)

    def apply(self, before: Order | None, outcome: Outcome) -> None:
        order = outcome.order
        if before is None:
            self._insert(order)
        else:
            self._update(before, order)
        if outcome.entries or outcome.mails:
            self._book(self._number(order.id), outcome)
        self._changed(before, order)

    def entries(self, order_id: str) -> tuple[Entry, ...]:
        return tuple(_entry(order_id, row) for row in self._session.rows(_SQL["entries"], (order_id,)))

    def books(self) -> Iterator[tuple[Order, tuple[Entry, ...]]]:
        for _, rows in groupby(self._session.each(_SQL["books"]), key=itemgetter(0)):
            listed = list(rows)
            order = _decode(listed[0][1])
            yield order, tuple(_entry(order.id, row[2:]) for row in listed if row[2] is not None)

    def _insert(self, order: Order) -> None:
        values = (order.id, order.user_id, order.restaurant_id, order.status.value, order.deleted_at is not None)
        if not self._session.row(_INSERT, (*values, order.version, _encode(order).decode())):
            if not self._session.row(_CLAIMED, (order.id,)):
                raise OrderInvalid((Fault("order.id", "no order was accepted under this id"),))
            raise OrderChanged

    def _update(self, before: Order, order: Order) -> None:
        values = (order.id, before.version, order.status.value, order.deleted_at is not None, order.version)
        if not self._session.row(_UPDATE, (*values, _encode(order).decode())):
            raise OrderChanged
        if (before.user_id, before.restaurant_id) != (order.user_id, order.restaurant_id):
            self._session.rows(_SQL["readdress"], (self._number(order.id), order.user_id, order.restaurant_id))

    def _book(self, no: int, outcome: Outcome) -> None:
        for entry in outcome.entries:
            values = (entry.kind.value, entry.key, entry.amount, entry.currency, entry.at, entry.reference)
            self._session.rows(_SQL["enter"], (no, *values))
        for mail in outcome.mails:
            self._post(no, mail, outcome.order.updated_at)
        if outcome.mails and self._posted:
            self._posted()

    def _post(self, no: int, mail: Mail, now: int) -> None:
        next_at = now if self._posted else None
        self._session.rows(_SQL["post"], (no, mail.status.value, mail.recipient, mail.subject, mail.text, now, next_at))

    def _number(self, order_id: str) -> int:
        row = self._session.row(_CLAIMED, (order_id,))
        if row is None:
            raise OrderInvalid((Fault("cursor", "this is no cursor of a page; leave it out to start at the newest"),))
        return int(row[0])


def _entry(order_id: str, row: Row) -> Entry:
    kind, key, amount, currency, at, reference = row
    return Entry(order_id, Kind(kind), key, amount, currency, at, reference)
