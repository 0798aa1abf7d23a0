"""Task: has the caller do work outside, and waits for the result."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import DATA_LIMIT, RUNTIME, TIMEOUT, StateFailure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut
from expediter.asl.states.integrations import INTEGRATION, service_and_action, unfit_parameters
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import ErrorHandlers
from expediter.asl.states.state import Arguments, Finish, Put, State, too_large
from expediter.asl.texts import PAYLOAD_LIMIT, encode, json_text, sha256

#: TimeoutSeconds and HeartbeatSeconds, where they are constant.
Fixed: TypeAlias = tuple[int | None, int | None]
Limits: TypeAlias = Callable[[Scope, Frame], Fixed]


class Pattern(NamedTuple):
    """The history events of one kind of Resource. ``submitted``: the service answers before the work is done."""

    prefix: str
    submitted: bool = False
    service: str = ""
    action: str = ""


def pattern_of(resource: str) -> Pattern:
    """Which kind of task a Resource names: an optimised or SDK integration, an activity, else a Lambda function."""
    if INTEGRATION.match(resource):
        service, action = service_and_action(resource)
        return Pattern("Task", ".sync" in action or action.endswith(".waitForTaskToken"), service, action)
    if ":activity:" in resource:
        return Pattern("Activity")
    return Pattern("LambdaFunction")


class Task(State):
    __slots__ = (
        "activity",
        "checked",
        "growth",
        "limits",
        "pattern",
        "prefix",
        "reports",
        "resource",
        "service",
        "token",
    )
    kind = "Task"
    works = True

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        handlers: ErrorHandlers,
        *,
        put: Put | None,
        resource: str,
        limits: Limits | Fixed,
        growth: int | None,
    ) -> None:
        """``growth``: the bytes that ResultPath adds to those of input and result, or more.

        None where other fields shape the output.
        """
        super().__init__(name, target, arguments, finish, handlers, put=put)
        self.resource = resource
        self.pattern = pattern_of(resource)
        self.prefix = self.pattern.prefix
        #: What every history event of an integration names first.
        self.service = _service(self.pattern)
        self.token = self.pattern.submitted
        self.activity = self.prefix == "Activity"
        self.reports = self.activity or self.pattern.submitted
        #: Whether the task's input must be checked. A raw input is within the size limit already.
        self.checked = arguments is not None or bool(self.pattern.service)
        self.limits = limits
        self.growth = growth

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        """Schedule the task: the first time, and again for each retry."""
        run.numbers = frame.task = number = run.numbers + 1
        frame.seed = run.seed
        task = self._request(run, frame, number)
        if self.checked:
            self._check(task.input)
        run.commands.append(task)
        if run.history is None:
            run.events = frame.last = run.events + (1 if self.activity else 2)
            return None
        self._record(run, frame, "Scheduled", self._scheduled(task))
        if not self.activity:  # an activity starts when a worker takes it: that event is recorded with the answer
            self._record(run, frame, "Started", {})
        return None

    def _scheduled(self, task: ScheduleTask) -> dict[str, Json]:
        """The details of the event of this request."""
        timeout, heartbeat = task.timeout_seconds, task.heartbeat_seconds
        if self.service:
            return {"parameters": task.input, "timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat}
        return {
            "resource": task.resource,
            "input": task.input,
            "timeoutInSeconds": timeout,
            "heartbeatInSeconds": heartbeat,
        }

    def _check(self, value: Json) -> None:
        """Raise StateFailure for an input with which AWS does not start the task."""
        if len(encode(value)) > PAYLOAD_LIMIT:
            raise StateFailure(
                DATA_LIMIT, f"The state/task '{self._called()}' was given an input above the service limit."
            )
        if (unfit := unfit_parameters(self.resource, value)) is not None:
            raise runtime_failure(f"The Parameters '{json_text(value)}' could not be used to start the Task: [{unfit}]")

    def _record(self, run: Interpreter, frame: Frame, how: str, details: dict[str, Json]) -> None:
        """Record one of the history events of this kind of Resource."""
        run.record(frame, self.prefix + how, {**self.service, **details} if self.service else details)

    def request(self, run: Interpreter, frame: Frame) -> ScheduleTask | None:
        if frame.task is None:
            return None
        run.seed, run.draws = frame.seed, 0
        return self._request(run, frame, frame.task)

    def _request(self, run: Interpreter, frame: Frame, number: int) -> ScheduleTask:
        """The request is derived from the frame alone, so it can be built again after a crash."""
        given = frame.input if self.arguments is None else self.arguments(run, frame)
        limits = self.limits
        timeout, heartbeat = limits if isinstance(limits, tuple) else limits(run, frame)
        token = self._token(frame) if self.token else None
        return ScheduleTask(number, self.name, self.resource, given, frame.attempt, timeout, heartbeat, token)

    def _token(self, frame: Frame) -> str:
        """Nobody can guess the token without the seed of the event."""
        return sha256(f"token:{frame.seed}:{frame.task}").hex()

    def context(self, run: Interpreter, frame: Frame) -> dict[str, Json]:  # noqa: ARG002 - the frame holds all of it
        return {"Task": {"Token": self._token(frame)}} if self.token else {}

    def succeeded(self, run: Interpreter, frame: Frame, event: TaskSucceeded) -> State | None:
        frame.task = None
        result = event.output
        size = len(encode(result))
        if self.reports:
            self._answered(run, frame, submitted=True)
        if size > PAYLOAD_LIMIT:
            failure = too_large(f"The state/task '{self._called()}'")
            self._record(run, frame, "Failed", {"error": failure.error, "cause": failure.cause})
            raise failure
        if run.history is None:
            run.events = frame.last = run.events + 1
        else:
            self._record(run, frame, "Succeeded", {"output": result})
        if self.put is not None:
            output, assigned = self.put(frame.input, result), None
        else:
            output, assigned = (result, None) if self.finish is None else self.finish(run, frame, result)
        before, growth = frame.size, self.growth
        most = before + growth + size if before and growth is not None else 0
        return self.leave(run, frame, output, assigned, self.following, most)

    def failed(self, run: Interpreter, frame: Frame, event: TaskFailed) -> State | None:
        frame.task = None
        self._answered(run, frame, submitted=event.submitted)
        # A service answers States.Runtime when it refuses the request: neither Retry nor Catch sees it.
        final = event.error == RUNTIME
        failure = StateFailure(event.error, event.cause, fatal=final, located=final)
        self._record(run, frame, "Failed", {"error": failure.error, "cause": failure.cause})
        raise failure

    def timed_out(self, run: Interpreter, frame: Frame, _event: TaskTimedOut) -> State | None:
        frame.task = None
        self._answered(run, frame, submitted=True)
        self._record(run, frame, "TimedOut", {"error": TIMEOUT, "cause": None})
        raise StateFailure(TIMEOUT, None)

    def _answered(self, run: Interpreter, frame: Frame, *, submitted: bool) -> None:
        """Record the events before the answer for which the caller sends no event."""
        if self.activity:
            self._record(run, frame, "Started", {})
        elif self.pattern.submitted and submitted:
            self._record(run, frame, "Submitted", {})

    def _called(self) -> str:
        """What AWS names in the cause: the service or the function, never the state."""
        return self.pattern.service if self.prefix == "Task" else self.resource


def _service(pattern: Pattern) -> dict[str, Json]:
    return {"resourceType": pattern.service, "resource": pattern.action} if pattern.prefix == "Task" else {}
