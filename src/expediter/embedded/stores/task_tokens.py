"""Tasks that wait for whoever brings their token back, as they are stored, and what can be said with a token.

A token answers one task once. It is unguessable, because it is derived from a random seed, and only its hash is a key
of the table. What ends the wait (an answer, a time limit, another branch's failure) forgets it.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import msgspec

from expediter.asl.protocol import AnyEvent, Json, ScheduleTask, TaskFailed, TaskSucceeded
from expediter.domain.errors import TaskTokenUnknown
from expediter.embedded.sqlite.database import Session, Statements
from expediter.embedded.stores.executions import NEVER, Awaited

_SQL = Statements("task_tokens")


class Success(msgspec.Struct, frozen=True):
    """The task is done; ``output`` is its result."""

    output: Json


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The task failed. ``error`` is what Retry and Catch compare with."""

    error: str | None = None
    cause: str | None = None


class Heartbeat(msgspec.Struct, frozen=True):
    """The task is still being worked on: its HeartbeatSeconds begin anew."""


Report: TypeAlias = Success | Failure | Heartbeat


class Waiting(NamedTuple):
    """The task that a token stands for, and its execution."""

    execution: int
    task: int


class TaskTokens:
    def __init__(self, session: Session) -> None:
        self._session = session

    def expect(self, execution: int, task: ScheduleTask, now: int) -> None:
        """From now on the task can be answered with its token. Its time limits begin."""
        limits = (now, task.timeout_seconds, task.heartbeat_seconds)
        self._session.rows(_SQL["expect"], (_hash(task.token or ""), execution, task.task, *limits))

    def called(self, execution: int, task: int) -> None:
        """The task's own call is over: only its token can end it now."""
        self._session.rows(_SQL["called"], (execution, task))

    def awaited(self, execution: int, outstanding: Iterable[int]) -> tuple[Awaited, ...]:
        """The tasks that wait for their tokens; those that are outstanding no more are forgotten."""
        self._session.rows(_SQL["forget"], (execution, msgspec.json.encode(list(outstanding)).decode()))
        rows = self._session.rows(_SQL["awaited"], (execution, NEVER))
        return tuple(Awaited(task, bool(busy), until) for task, busy, until in rows)

    def find(self, token: str, now: int) -> Waiting:
        """Raises TaskTokenUnknown, also when the task's time is over and its timer only has to say so."""
        row = self._session.row(_SQL["find"], (_hash(token), NEVER))
        if row is None or row[2] <= now:
            raise TaskTokenUnknown
        return Waiting(row[0], row[1])

    def beat(self, token: str, now: int) -> None:
        self._session.rows(_SQL["beat"], (_hash(token), now))


def event_of(report: Success | Failure, task: int, now: int, seed: int) -> AnyEvent:
    """What the report is to the state machine."""
    if isinstance(report, Success):
        return TaskSucceeded(at=now, seed=seed, task=task, output=report.output)
    return TaskFailed(at=now, seed=seed, task=task, error=report.error, cause=report.cause)


def limit(task: ScheduleTask, now: int) -> int:
    """When the first of the task's time limits is over, if it is scheduled now."""
    given = [seconds for seconds in (task.timeout_seconds, task.heartbeat_seconds) if seconds is not None]
    return now + 1000 * min(given) if given else NEVER


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
