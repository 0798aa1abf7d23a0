"""Executions that a workflow starts: each is an execution of its own, named ``MACHINE:NAME`` in the table of claims.

As on AWS, the same name and input again is the same execution as long as it runs, and anything else under the name is
refused. Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html and
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from expediter.asl import Execution
from expediter.asl.protocol import AnyEvent, Json, ScheduleTask, TaskFailed, TaskSucceeded, fixed_context
from expediter.embedded.engine.aws_services import METADATA, ServiceFailure, name_in
from expediter.embedded.sqlite.database import Session, Statements
from expediter.embedded.stores.claims import SqliteClaims
from expediter.embedded.stores.executions import Executions, Stored

#: Executions that start each other within one unit at most: a workflow that starts itself must not go on for ever.
DEEPEST = 16
#: AWS's longest name of an execution.
LONGEST_NAME = 80

_SQL = Statements("children")
_SEPARATOR = ":"


class Child(NamedTuple):
    """A nested execution, and whether it has yet to begin with this input."""

    stored: Stored
    new: bool
    input: Json


class Parent(NamedTuple):
    """The task that waits for a nested execution. ``parsed``: it gets the output as JSON, not as text."""

    execution: int
    task: int
    parsed: bool


class Children:
    """``library``: the number of the definition of each state machine that may be started, by its name."""

    def __init__(self, session: Session, store: Executions) -> None:
        self._session = session
        self._claims = SqliteClaims(session)
        self._store = store
        self.library: Mapping[str, int] = {}

    def claim(self, parent: int, task: ScheduleTask) -> Child:
        """The execution that a task asks for. Raises ServiceFailure."""
        given = task.input if isinstance(task.input, dict) else {}
        machine = name_in(given.get("StateMachineArn"))
        if machine not in self.library:
            known = ", ".join(self.library)
            raise _failure("StateMachineDoesNotExist", f"State Machine Does Not Exist: {machine}. There are: {known}.")
        (parents_name,) = self._session.one(_SQL["name_of"], (parent,))
        name = given.get("Name", f"{short_name(parents_name)}-{task.task}")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or _SEPARATOR in name:
            raise _failure("InvalidName", f"Invalid Name: '{name}'")
        return self._claim(f"{machine}{_SEPARATOR}{name}", self.library[machine], _input(given.get("Input", {})))

    def _claim(self, claim_id: str, definition: int, input: Json) -> Child:
        fingerprint = hashlib.sha256(msgspec.json.encode(input, order="sorted")).hexdigest()
        taken, new = self._claims.take(claim_id, fingerprint)
        if new:
            return Child(Stored(taken.no, claim_id, definition, Execution()), new=True, input=input)
        found = self._store.load(taken.no)
        if found is None or taken.fingerprint != fingerprint or found.execution.status != "RUNNING":
            raise _failure("ExecutionAlreadyExists", f"Execution Already Exists: '{claim_id}'")
        return Child(found, new=False, input=input)

    def wait(self, child: Stored, parent: Parent) -> None:
        """The parent's task ends when the child does."""
        self._session.rows(_SQL["wait"], (child.no, parent.execution, parent.task, int(parent.parsed)))

    def waiting(self, child: Stored) -> list[Parent]:
        """Who waits for a child that has ended; nobody does any more."""
        rows = self._session.rows(_SQL["parents"], (child.no,))
        return [Parent(parent, task, bool(parsed)) for parent, task, parsed in rows]

    def answer(self, child: Stored, parent: Parent, now: int, seed: int) -> AnyEvent:
        """What an ended child is to the task that waited for it."""
        described = self._description(child, now, parsed=parent.parsed)
        if child.execution.status == "SUCCEEDED":
            return TaskSucceeded(at=now, seed=seed, task=parent.task, output=described)
        cause = msgspec.json.encode(described, order="sorted").decode()
        return TaskFailed(at=now, seed=seed, task=parent.task, error="States.TaskFailed", cause=cause)

    def _description(self, child: Stored, now: int, *, parsed: bool) -> dict[str, Json]:
        """The child as DescribeExecution tells of it; times in milliseconds since 1970 UTC."""
        execution, history = child.execution, self._store.history(child.name)
        begun = history[1][0] if history else None
        shown = (lambda value: value) if parsed else _text
        ended = (
            {"Output": shown(execution.output), "OutputDetails": {"Included": True}}
            if execution.status == "SUCCEEDED"
            else {"Error": execution.error, "Cause": execution.cause}
        )
        return {
            "ExecutionArn": child.name,
            "Input": shown(getattr(begun, "input", None)),
            "InputDetails": {"Included": True},
            "Name": short_name(child.name),
            "StartDate": execution.started_at,
            "StateMachineArn": child.name.partition(_SEPARATOR)[0],
            "Status": execution.status,
            "StopDate": now,
            **ended,
        }


def is_child(name: str) -> bool:
    """Whether an execution of this name was started by another: an order's id has no separator."""
    return _SEPARATOR in name


def short_name(name: str) -> str:
    """The execution's own name, without the state machine's."""
    return name.rpartition(_SEPARATOR)[2]


def context(name: str) -> msgspec.Raw:
    """The fixed part of a child's context object."""
    machine = name.partition(_SEPARATOR)[0]
    own = {"Id": name, "Name": short_name(name)}
    return fixed_context({"Execution": own, "StateMachine": {"Id": machine, "Name": machine}})


def started(child: Stored, now: int) -> dict[str, Json]:
    """The answer of StartExecution; ``StartDate`` in milliseconds since 1970 UTC."""
    return {"ExecutionArn": child.name, "StartDate": child.execution.started_at or now, **METADATA}


def too_deep() -> ServiceFailure:
    return _failure("ExecutionLimitExceeded", f"At most {DEEPEST} executions may start each other at once.")


def _input(given: Json) -> Json:
    """A text is the JSON text of the input, as AWS's own parameter is."""
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
