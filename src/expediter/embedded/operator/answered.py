"""Answers to operators' requests by their idempotency keys, on SQLite."""

from expediter.embedded.sqlite.session import Session, Statements

_SQL = Statements("answered")


class SqliteAnswered:
    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, key: str) -> tuple[str, bytes] | None:
        row = self._session.row(_SQL["find"], (key,))
        return (str(row[0]), bytes(row[1])) if row else None

    def keep(self, key: str, asked: str, body: bytes, now: int) -> None:
        self._session.rows(_SQL["keep"], (key, asked, body, now))

    def forget(self, before: int) -> None:
        self._session.rows(_SQL["forget"], (before,))
