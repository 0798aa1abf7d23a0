"""Calls that executions wait for, and their failures."""

from collections.abc import Callable
from typing import TypeAlias, final

import msgspec

from expediter.app.tasks.calls import Answer, Call
from expediter.asl.protocol import ScheduleTask


@final
class PendingCall(msgspec.Struct, frozen=True, gc=False):
    """A call that has to be made for a task of an execution, by the execution's number."""

    execution: int
    task: ScheduleTask
    call: Call


@final
class CallFailed(msgspec.Struct, frozen=True, gc=False):
    """A call that brought no answer: the ASL error name and its cause; ``error`` None: it took too long."""

    error: str | None
    cause: str


#: Runs in a unit of work with the answer of a call.
Settle: TypeAlias = Callable[[PendingCall, Answer | CallFailed], None]
