"""Tasks that end when their token comes back with an answer, as Step Functions' ``.waitForTaskToken``.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from expediter.asl.protocol import AnyEvent, Json, ScheduleTask, TaskFailed, TaskSucceeded
from expediter.embedded.engine.ports import NEVER, TaskTokenStore


class TaskSuccess(msgspec.Struct, frozen=True):
    """The task is done; ``output`` is its result."""

    output: Json


class TaskFailure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The task failed. ``error`` is what Retry and Catch compare with."""

    error: str | None = None
    cause: str | None = None


class TaskHeartbeat(msgspec.Struct, frozen=True):
    """The task is still being worked on: its HeartbeatSeconds begin anew."""


TaskReport: TypeAlias = TaskSuccess | TaskFailure | TaskHeartbeat


class TokenWait:
    """Begins and ends the wait of a task for its token. ``wake_at``: is called with the end of its time limit."""

    def __init__(self, tokens: TaskTokenStore, wake_at: Callable[[int], None]) -> None:
        self._tokens = tokens
        self._wake_at = wake_at

    def begin(self, execution: int, task: ScheduleTask, now: int) -> None:
        """The task can be answered from now on, also before its own call is over."""
        self._tokens.expect(execution, task, now)
        limits = [seconds for seconds in (task.timeout_seconds, task.heartbeat_seconds) if seconds is not None]
        self._wake_at(now + 1000 * min(limits) if limits else NEVER)

    def called(self, execution: int, task: ScheduleTask) -> None:
        """The task's own call is over: only its token can end it now."""
        self._tokens.called(execution, task.task)


def event_of(report: TaskSuccess | TaskFailure, task: int, now: int, seed: int) -> AnyEvent:
    """Returns the event that the report is for the state machine."""
    if isinstance(report, TaskSuccess):
        return TaskSucceeded(at=now, seed=seed, task=task, output=report.output)
    return TaskFailed(at=now, seed=seed, task=task, error=report.error, cause=report.cause)
