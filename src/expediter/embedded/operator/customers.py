"""Finds and erases what the database holds of one customer."""

from collections.abc import Sequence

import msgspec

from expediter.embedded.loops.retention import prune
from expediter.embedded.sqlite.session import Session, Statements, one

_SQL = Statements("customers")


class SqliteCustomers:
    def __init__(self, session: Session) -> None:
        self._session = session

    def under_way(self, user_id: str, limit: int) -> tuple[str, ...]:
        name = msgspec.json.encode(user_id).decode()
        values = (user_id, name, f'"user_id":{name}', limit)
        return tuple(str(row[0]) for row in self._session.rows(_SQL["under_way"], values))

    def orders(self, user_id: str, limit: int) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._session.rows(_SQL["orders"], (user_id, limit)))

    def count(self, user_id: str) -> int:
        (count,) = one(self._session, _SQL["count"], (user_id,))
        return int(count)

    def letters(self, user_id: str, limit: int) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._session.rows(_SQL["letters"], (user_id, limit)))

    def disown(self, order_id: str) -> None:
        self._session.rows(_SQL["disown_unless_begun"], (order_id,))

    def forget(self, order_ids: Sequence[str]) -> None:
        for order_id in order_ids:
            self._session.rows(_SQL["disown"], (order_id,))
            self._session.rows(_SQL["blank_audit"], (order_id,))
            self._session.rows(_SQL["drop_events"], (order_id,))
            row = self._session.row(_SQL["number"], (order_id,))
            if row:
                self._session.rows(_SQL["drop_mails"], row)
                prune(self._session, [row[0]])
        if order_ids and self._session.row(_SQL["starts_others"]):
            ids = msgspec.json.encode(order_ids).decode()
            prune(self._session, [row[0] for row in self._session.rows(_SQL["nested"], (ids,))])
