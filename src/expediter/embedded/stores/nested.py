"""The names of nested executions, and the tasks that wait for them, on SQLite."""

from expediter.embedded.engine.ports import ClaimedName, ParentTask
from expediter.embedded.sqlite.session import Session, Statements
from expediter.embedded.stores.claims import SqliteClaims

_SQL = Statements("nested")


class SqliteNestedExecutions:
    """The port ``NestedExecutionStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._claims = SqliteClaims(session)

    def claim(self, name: str, fingerprint: str) -> ClaimedName:
        taken, new = self._claims.take(name, fingerprint)
        return ClaimedName(taken.no, taken.fingerprint, new)

    def wait(self, child: int, parent: ParentTask) -> None:
        self._session.rows(_SQL["wait"], (child, parent.execution, parent.task, int(parent.parsed)))

    def take_parents(self, child: int) -> list[ParentTask]:
        rows = self._session.rows(_SQL["parents"], (child,))
        return [ParentTask(parent, task, bool(parsed)) for parent, task, parsed in rows]
