"""The tasks that wait for their tokens, on SQLite.

A token answers one task once. It is unguessable, because it is derived from a random seed, and only its hash is stored.
It is deleted when the wait ends: by an answer, by a time limit, or because another branch failed.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from expediter.asl.protocol import ScheduleTask
from expediter.domain.errors import TaskTokenUnknown
from expediter.embedded.engine.ports import NEVER, AwaitedTask, TokenTask
from expediter.embedded.sqlite.session import Session, Statements

_SQL = Statements("task_tokens")


class SqliteTaskTokens:
    """The port ``TaskTokenStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def expect(self, execution: int, task: ScheduleTask, now: int) -> None:
        limits = (now, task.timeout_seconds, task.heartbeat_seconds)
        self._session.rows(_SQL["expect"], (_hash(task.token or ""), execution, task.task, *limits))

    def called(self, execution: int, task: int) -> None:
        self._session.rows(_SQL["called"], (execution, task))

    def awaited(self, execution: int, outstanding: Iterable[int]) -> tuple[AwaitedTask, ...]:
        self._session.rows(_SQL["forget"], (execution, msgspec.json.encode(list(outstanding)).decode()))
        rows = self._session.rows(_SQL["awaited"], (execution, NEVER))
        return tuple(AwaitedTask(task, bool(busy), until) for task, busy, until in rows)

    def find(self, token: str, now: int) -> TokenTask:
        row = self._session.row(_SQL["find"], (_hash(token), NEVER))
        if row is None or row[2] <= now:
            raise TaskTokenUnknown
        return TokenTask(row[0], row[1])

    def beat(self, token: str, now: int) -> None:
        self._session.rows(_SQL["beat"], (_hash(token), now))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
