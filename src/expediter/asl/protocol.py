"""The events that go into the workflow core and the commands that come out of it: values that can be stored as JSON.

    advance(machine, execution, event) -> (execution, commands)

The core never looks at a clock and never draws a random number: every event carries ``at`` (integer milliseconds
since 1970, UTC) and ``seed`` (any integer; retry jitter, ``States.UUID`` and ``$random`` are derived from it), so the
same events always lead to the same execution. The caller stores the execution together with the commands
that it emitted, carries the commands out, and sends their results back as events. An event that the execution no longer
waits for (a late answer, a timer of a state already left) changes nothing.
"""

from typing import Any, TypeAlias

import msgspec

#: Any JSON value. The core never alters one that it was given, and ``advance`` keeps no reference into it.
Json: TypeAlias = Any


#: The fixed part of a context object that has none.
NO_CONTEXT = msgspec.Raw(b"{}")


class Event(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True, gc=False):
    """Something that happened outside. ``at``: milliseconds since 1970 UTC. ``seed``: source of all randomness."""

    at: int
    seed: int


class Started(Event, frozen=True, tag=True):
    """The execution begins.

    ``context`` is the fixed part of the context object (``$$.Execution``, ``$$.StateMachine``), as JSON text: few
    definitions read it, and it is stored with every step.
    """

    input: Json
    context: msgspec.Raw = NO_CONTEXT


class TaskSucceeded(Event, frozen=True, tag=True):
    """The task with this number answered ``output``."""

    task: int
    output: Json


class TaskFailed(Event, frozen=True, tag=True):
    """The task with this number failed. Error names are what Retry and Catch compare with."""

    task: int
    error: str | None = None
    cause: str | None = None
    #: Whether a ``.sync`` or ``.waitForTaskToken`` task had been accepted by the service before it failed.
    submitted: bool = True


class TaskTimedOut(Event, frozen=True, tag=True):
    """The task with this number did not answer within TimeoutSeconds (or missed a heartbeat): ``States.Timeout``."""

    task: int


class TimerFired(Event, frozen=True, tag=True):
    """The time of a StartTimer command has come."""

    timer: int


class Stopped(Event, frozen=True, tag=True):
    """The execution was ended from outside (StopExecution): status ABORTED."""

    error: str | None = None
    cause: str | None = None


class Redriven(Event, frozen=True, tag=True):
    """An execution that did not succeed goes on at a state of its top level, with this input.

    AWS calls it RedriveExecution, where input cannot be changed:
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """

    state: str
    input: Json


AnyEvent: TypeAlias = Started | TaskSucceeded | TaskFailed | TaskTimedOut | TimerFired | Stopped | Redriven


class ScheduleTask(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Do this work once, then send TaskSucceeded, TaskFailed or TaskTimedOut with the same ``task`` number.

    ``attempt`` counts from 0 and grows with each Retry; every attempt has a new ``task`` number. Times in seconds.
    ``token`` is set for ``.waitForTaskToken``. Its holder may answer the task, once. It is derived from the event's
    seed: nobody can guess it if nobody can guess the seed (at least 63 bits from a good source).
    """

    task: int
    state: str
    resource: str
    input: Json
    attempt: int = 0
    timeout_seconds: int | None = None
    heartbeat_seconds: int | None = None
    token: str | None = None


class StartTimer(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Send TimerFired with this number at ``at`` (milliseconds since 1970 UTC) or later, never before."""

    timer: int
    at: int


class End(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The execution ended: SUCCEEDED with ``output``, or FAILED, TIMED_OUT, ABORTED with ``error`` and ``cause``."""

    status: str
    output: Json = None
    error: str | None = None
    cause: str | None = None


Command: TypeAlias = ScheduleTask | StartTimer | End
