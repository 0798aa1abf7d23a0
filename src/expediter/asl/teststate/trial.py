"""One state is run.

A mocked Map or Parallel is run as a Task: what it does to its data is the same, and its branches do not run.
"""

from typing import Any, NamedTuple

from expediter.asl.execution import Execution, Frame
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine
from expediter.asl.protocol import (
    Json,
    Redriven,
    ScheduleTask,
    StartTimer,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
)
from expediter.asl.steps import Steps, fixed_context
from expediter.asl.teststate.definition import ITSELF, machine_of
from expediter.asl.teststate.request import StateRequest

#: 1 January 2026, 00:00 UTC: when every state under test begins.
START = 1_767_225_600_000
#: The fixed part of the context object if none is given: TestState runs a state as an Express execution.
CONTEXT: dict[str, Json] = {
    "Execution": {
        "Id": "arn:aws:states:us-east-1:111111111111:express:TestState:execution",
        "Name": "execution",
        "RoleArn": "arn:aws:iam::111111111111:role/TestState",
    },
    "StateMachine": {"Id": "arn:aws:states:us-east-1:111111111111:stateMachine:TestState", "Name": "TestState"},
}
#: The Resource of a Task that takes the place of a mocked Map or Parallel.
_STAND_IN = "arn:aws:lambda:us-east-1:111111111111:function:mocked"
#: The same for one whose service answers later: its context object has a token.
_WAITING = "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken"
#: What a Task in place of a Map or Parallel keeps of its fields.
_SHAPING = {
    "QueryLanguage",
    "InputPath",
    "ResultSelector",
    "ResultPath",
    "OutputPath",
    "Output",
    "Assign",
    "Retry",
    "Catch",
    "Next",
    "End",
}
_ASKING = {"Parallel": {"Parameters", "Arguments"}, "Map": set[str]()}

Outcome = TaskSucceeded | TaskFailed


class Trial(NamedTuple):
    """How the state ended. ``status``: SUCCEEDED, FAILED, or RUNNING where it waits for its next retry.

    ``asked``: the input of its task, None where it called none. ``following``: the state after it, if there is one.
    """

    status: str
    output: Json
    error: str | None
    cause: str | None
    following: str | None
    asked: ScheduleTask | None
    assigned: dict[str, Json]


class OneState(Steps):
    """Takes events as Steps does; the context object is the one given, if one is."""

    __slots__ = ("given",)

    def __init__(self, request: StateRequest, machine: Machine, history: list[HistoryEvent]) -> None:
        frame = Frame(variables=request.variables)
        context = fixed_context(CONTEXT)
        ended = Execution("FAILED", {0: frame}, started_at=START, context=context, input=request.input)
        super().__init__(machine, ended, history)
        self.given = request.context

    def context(self) -> dict[str, Json]:
        if self.given is None:
            return super().context()
        item = self._item(self.frame)
        return self.given if item is None else {**self.given, "Map": {"Item": item}}


def as_task(request: StateRequest, *fields: str) -> dict[str, Any]:
    """A Task with some of the fields of the state."""
    kept = {field: request.spec[field] for field in fields if field in request.spec}
    language = {"QueryLanguage": "JSONata" if request.jsonata else "JSONPath"}
    resource = _WAITING if request.waits else _STAND_IN
    return {"Type": "Task", "Resource": resource, "End": True, **language, **kept}


def mocked_spec(request: StateRequest) -> dict[str, Any]:
    """The state as it is run with a mock."""
    if request.kind == "Task":
        return request.spec
    kept = (_SHAPING | _ASKING[request.kind]) & request.spec.keys()
    spec = as_task(request, *kept)
    return {key: value for key, value in spec.items() if key in request.spec or key != "End"}


def run_once(request: StateRequest, spec: dict[str, Any], outcome: Outcome | None) -> Trial:
    """Run the state from its start to its end or its next retry. Raises RequestRefused for a state that cannot run."""
    machine = machine_of(request.name, spec, jsonata=request.jsonata)
    history: list[HistoryEvent] = []
    run = OneState(request, machine, history)
    commands = run.take(Redriven(at=START, seed=1, state=request.name, input=request.input))
    asked = next((command for command in commands if isinstance(command, ScheduleTask)), None)
    if asked is not None and outcome is not None:
        run.frames[0].retries = [request.retries] * len(machine.states[request.name].handlers.retriers)
        run.take(outcome)
    elif asked is None and request.kind == "Wait":
        for timer in (command for command in commands if isinstance(command, StartTimer)):
            run.take(TimerFired(at=timer.at, seed=1, timer=timer.timer))
    return _ended(run, history, asked)


def _ended(run: OneState, history: list[HistoryEvent], asked: ScheduleTask | None) -> Trial:
    execution = run.freeze()
    entered = [event.details["name"] for event in history if event.type.endswith("StateEntered")]
    assigned = next((event.details.get("assignedVariables") for event in history if "Exited" in event.type), None)
    following = entered[1].removeprefix(ITSELF) if len(entered) > 1 else None
    return Trial(execution.status, execution.output, execution.error, execution.cause, following, asked, assigned or {})
