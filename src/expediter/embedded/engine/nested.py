"""Executions that a workflow starts: each is an execution of its own, named ``MACHINE:NAME`` in the table of claims.

As on AWS, a start with the same name and input finds the same execution while that runs. Any other start under that
name is refused. Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html and
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from expediter.app.ports import TaskPorts
from expediter.app.tasks.calls import Answer
from expediter.asl import Execution, fixed_context
from expediter.asl.protocol import (
    AnyEvent,
    Json,
    ScheduleTask,
    Started,
    TaskFailed,
    TaskSucceeded,
)
from expediter.embedded.clock import SEEDS
from expediter.embedded.engine.aws_services import (
    METADATA,
    START,
    START_AND_WAIT,
    SYNC,
    PerformTask,
    ServiceFailure,
    name_in,
)
from expediter.embedded.engine.definitions import Definitions
from expediter.embedded.engine.ports import (
    EngineStores,
    ParentTask,
    StoredExecution,
)
from expediter.embedded.engine.task_tokens import TokenWait

#: Executions that may start each other within one unit of work. A workflow that starts itself must come to an end.
DEEPEST = 16
#: AWS's longest name of an execution.
LONGEST_NAME = 80

#: Between the state machine's name and the execution's own. An order's id has none.
SEPARATOR = ":"


class NestedExecutions:
    """The Resources that start another state machine. ``drive``: advances an execution by these events."""

    def __init__(
        self,
        stores: EngineStores,
        definitions: Definitions,
        wait: TokenWait,
        drive: Callable[[TaskPorts, StoredExecution, Sequence[AnyEvent]], None],
    ) -> None:
        self._executions = stores.executions
        self._nested = stores.nested
        self._definitions = definitions
        self._wait = wait
        self._drive = drive
        self._depth = 0
        self.resources: Mapping[str, PerformTask] = {
            START: self.start,
            START_AND_WAIT: self.start_and_wait,
            **{resource: partial(self.run, parsed=parsed) for resource, parsed in SYNC.items()},
        }

    def start(
        self, work: TaskPorts, parent: StoredExecution, task: ScheduleTask, _: Answer | None, __: bool
    ) -> AnyEvent | None:
        """``startExecution``: the task ends when the other execution has begun. Raises ServiceFailure."""
        child = self._begun(work, parent, task)
        output = {"ExecutionArn": child.name, "StartDate": child.execution.started_at or work.now, **METADATA}
        return TaskSucceeded(at=work.now, seed=next(SEEDS), task=task.task, output=output)

    def start_and_wait(
        self, work: TaskPorts, parent: StoredExecution, task: ScheduleTask, _: Answer | None, repeat: bool
    ) -> AnyEvent | None:
        """``startExecution.waitForTaskToken``: the token ends the task. Raises ServiceFailure."""
        if not repeat:
            self._wait.begin(parent.no, task, work.now)
        self._begun(work, parent, task)
        self._wait.called(parent.no, task)
        return None

    def run(
        self,
        work: TaskPorts,
        parent: StoredExecution,
        task: ScheduleTask,
        _: Answer | None,
        repeat: bool,
        *,
        parsed: bool,
    ) -> AnyEvent | None:
        """``startExecution.sync``: the task ends when the other execution does. Raises ServiceFailure."""
        if not repeat:
            self._wait.begin(parent.no, task, work.now)
        child = self._begun(work, parent, task)
        waiting = ParentTask(parent.no, task.task, parsed)
        if child.execution.status != "RUNNING":
            return self._answer(child, waiting, work.now)
        self._nested.wait(child.no, waiting)
        self._wait.called(parent.no, task)
        return None

    def ended(self, work: TaskPorts, child: StoredExecution) -> None:
        """A nested execution has ended. The tasks that wait for it go on in the same unit of work."""
        for parent in self._nested.take_parents(child.no):
            stored = self._executions.load(parent.execution)
            if stored is not None:
                self._drive(work, stored, [self._answer(child, parent, work.now)])

    def _begun(self, work: TaskPorts, parent: StoredExecution, task: ScheduleTask) -> StoredExecution:
        """Starts the execution that a task asks for, and drives it until it waits. Raises ServiceFailure."""
        if self._depth == DEEPEST:
            raise _failure("ExecutionLimitExceeded", f"At most {DEEPEST} executions may start each other at once.")
        name, definition, given = self._asked(parent, task)
        fingerprint = hashlib.sha256(msgspec.json.encode(given, order="sorted")).hexdigest()
        claimed = self._nested.claim(name, fingerprint)
        if claimed.new:
            self._depth += 1
            try:
                started = Started(work.now, next(SEEDS), input=given, context=_context(name))
                self._drive(work, StoredExecution(claimed.no, name, definition, Execution()), [started])
            finally:
                self._depth -= 1
        child = self._executions.load(claimed.no)
        same = claimed.new or (claimed.fingerprint == fingerprint and child and child.execution.status == "RUNNING")
        if child is None or not same:
            raise _failure("ExecutionAlreadyExists", f"Execution Already Exists: '{name}'")
        return child

    def _asked(self, parent: StoredExecution, task: ScheduleTask) -> tuple[str, int, Json]:
        """Name, definition and input of the execution that a task asks for. Raises ServiceFailure."""
        given = task.input if isinstance(task.input, dict) else {}
        machine, library = name_in(given.get("StateMachineArn")), self._definitions.library
        if machine not in library:
            known = ", ".join(library)
            raise _failure("StateMachineDoesNotExist", f"State Machine Does Not Exist: {machine}. There are: {known}.")
        name = given.get("Name", f"{_short_name(parent.name)}-{task.task}")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or SEPARATOR in name:
            raise _failure("InvalidName", f"Invalid Name: '{name}'")
        return f"{machine}{SEPARATOR}{name}", library[machine], _input(given.get("Input", {}))

    def _answer(self, child: StoredExecution, parent: ParentTask, now: int) -> AnyEvent:
        """The event that ends the task of the parent."""
        described = self._description(child, now, parsed=parent.parsed)
        if child.execution.status == "SUCCEEDED":
            return TaskSucceeded(at=now, seed=next(SEEDS), task=parent.task, output=described)
        cause = msgspec.json.encode(described, order="sorted").decode()
        return TaskFailed(at=now, seed=next(SEEDS), task=parent.task, error="States.TaskFailed", cause=cause)

    def _description(self, child: StoredExecution, now: int, *, parsed: bool) -> dict[str, Json]:
        """The child as DescribeExecution shows it; times in milliseconds since 1970 UTC."""
        execution, history = child.execution, self._executions.history(child.name)
        started = history[1][0] if history else None
        shown = (lambda value: value) if parsed else _text
        ended = (
            {"Output": shown(execution.output), "OutputDetails": {"Included": True}}
            if execution.status == "SUCCEEDED"
            else {"Error": execution.error, "Cause": execution.cause}
        )
        return {
            "ExecutionArn": child.name,
            "Input": shown(getattr(started, "input", None)),
            "InputDetails": {"Included": True},
            "Name": _short_name(child.name),
            "StartDate": execution.started_at,
            "StateMachineArn": child.name.partition(SEPARATOR)[0],
            "Status": execution.status,
            "StopDate": now,
            **ended,
        }


def _short_name(name: str) -> str:
    """The execution's own name, without the state machine's."""
    return name.rpartition(SEPARATOR)[2]


def _context(name: str) -> msgspec.Raw:
    """The fixed part of a nested execution's context object."""
    machine = name.partition(SEPARATOR)[0]
    own = {"Id": name, "Name": _short_name(name)}
    return fixed_context({"Execution": own, "StateMachine": {"Id": machine, "Name": machine}})


def _input(given: Json) -> Json:
    """A text is read as the JSON text of the input: AWS's own parameter is such a text."""
    if not isinstance(given, str):
        return given
    try:
        return msgspec.json.decode(given)
    except msgspec.DecodeError as error:
        raise _failure("InvalidExecutionInput", f"Invalid State Machine Execution Input: {error}") from error


def _text(value: Json) -> str:
    return msgspec.json.encode(value).decode()


def _failure(kind: str, cause: str) -> ServiceFailure:
    return ServiceFailure(f"StepFunctions.{kind}Exception", cause)
