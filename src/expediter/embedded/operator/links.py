"""Stores which links of an order are revoked."""

from expediter.embedded.sqlite.session import Session, Statements

_SQL = Statements("links")


class SqliteLinks:
    def __init__(self, session: Session) -> None:
        self._session = session

    def generation(self, order_id: str) -> int:
        row = self._session.row(_SQL["generation"], (order_id,))
        return int(row[0]) if row else 0

    def revoke(self, order_id: str) -> None:
        self._session.rows(_SQL["revoke"], (order_id,))
