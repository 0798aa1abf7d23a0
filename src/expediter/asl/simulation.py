"""Runs a workflow from start to end in virtual time with prepared answers: a wait of a day takes no time.

    simulate(definition, {"order": …}, mocks={"ProcessPayment": [{"result": {"status": "ok"}}]}).output

Answers are per Resource (or per state, by its name), in the order of the calls. Each is one of ``{"result": …}``,
``{"failed": true, "error": …, "cause": …}``, ``{"timed_out": true}`` or ``{"never_finished": true}``, and may have
``request`` (it is picked first for an equal request), ``submitted`` (the service accepted the task before) and
``after_seconds`` (virtual time it takes).
"""

import base64
import hashlib
import heapq
from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from expediter.asl import protocol
from expediter.asl.compiler.definition import parse
from expediter.asl.execution import Execution, new_execution
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine
from expediter.asl.protocol import AnyEvent, Command, Json
from expediter.asl.states.datasets.reading import GET, LIST
from expediter.asl.states.datasets.results import PUT
from expediter.asl.steps import advance, fixed_context
from expediter.asl.texts import same_json

Mocks: TypeAlias = Mapping[str, list[dict[str, Json]]]
#: Bucket -> key -> content: what an ItemReader reads.
Objects: TypeAlias = Mapping[str, Mapping[str, str | bytes]]

#: 1 January 2026, 00:00 UTC: the start of a simulation if none is given.
START = 1_767_225_600_000


class Simulation(msgspec.Struct, frozen=True):
    """How a run ended. ``status`` RUNNING: it waits for an answer that was not prepared to come.

    ``events``: the history in AWS's shape; ``seconds``: virtual time it took; ``written``: what a ResultWriter wrote,
    bucket -> key -> text.
    """

    status: str
    output: Json
    error: str | None
    cause: str | None
    states_entered: list[str]
    events: list[dict[str, Json]]
    seconds: float
    written: dict[str, dict[str, str]] = {}


class Unanswered(LookupError):
    """A task was scheduled for which no answer is left. The text names the task."""


def simulate(
    definition: Json,
    input: Json = None,
    *,
    mocks: Mocks | None = None,
    objects: Objects | None = None,
    context: dict[str, Json] | None = None,
    clock: int = START,
    seed: int = 1,
    stop: dict[str, str] | None = None,
) -> Simulation:
    """Run a definition (or a parsed Machine) to its end.

    ``clock``: what the virtual clock shows at the start, in milliseconds since 1970 UTC. ``stop``: error and cause of a
    StopExecution one millisecond after the start. ``objects``: what an ItemReader finds in the store.
    Raises DefinitionInvalid, and Unanswered when a task has no answer prepared.
    """
    machine = definition if isinstance(definition, Machine) else parse(definition)
    simulator = _Simulator(machine, mocks or {}, objects or {}, clock, seed)
    return simulator.run(input, context or CONTEXT, stop)


#: The fixed part of the context object if none is given, in the shape of AWS's.
CONTEXT: dict[str, Json] = {
    "Execution": {
        "Id": "arn:aws:states:us-east-1:111111111111:execution:simulated:execution",
        "Name": "execution",
        "RoleArn": "arn:aws:iam::111111111111:role/simulated",
        "RedriveCount": 0,
    },
    "StateMachine": {"Id": "arn:aws:states:us-east-1:111111111111:stateMachine:simulated", "Name": "simulated"},
}


class _Simulator:
    """Takes the part of the server: it keeps the virtual time and gives the prepared answers."""

    def __init__(self, machine: Machine, mocks: Mocks, objects: Objects, start: int, seed: int) -> None:
        self.machine = machine
        self.left = {resource: list(answers) for resource, answers in mocks.items()}
        self.objects = objects
        self.written: dict[str, dict[str, str]] = {}
        self.start = self.now = start
        self.seed = seed
        self.due: list[tuple[int, int, AnyEvent]] = []
        self.counted = 0

    def run(self, input: Json, context: dict[str, Json], stop: dict[str, str] | None) -> Simulation:
        history: list[HistoryEvent] = []
        execution: Execution = new_execution()
        self.push(self.now, protocol.Started(at=self.now, seed=self.seed, input=input, context=fixed_context(context)))
        if stop is not None:
            # After the first states were entered, and before any other event.
            at = self.now + 1
            self.push(at, protocol.Stopped(at=at, seed=self.seed, error=stop.get("error"), cause=stop.get("cause")))
        while self.due:
            self.now, _, event = heapq.heappop(self.due)
            execution, commands = advance(self.machine, execution, event, history)
            for command in commands:
                self.carry_out(command)
        return self.result(execution, history)

    def result(self, execution: Execution, history: list[HistoryEvent]) -> Simulation:
        return Simulation(
            execution.status,
            execution.output,
            execution.error,
            execution.cause,
            [event.details["name"] for event in history if event.type.endswith("StateEntered")],
            [event.aws() for event in history],
            (history[-1].at - self.start) / 1000,
            self.written,
        )

    def push(self, at: int, event: AnyEvent) -> None:
        self.counted += 1
        heapq.heappush(self.due, (at, self.counted, event))

    def carry_out(self, command: Command) -> None:
        self.seed += 1
        if isinstance(command, protocol.End):
            self.due.clear()
        elif isinstance(command, protocol.StartTimer):
            at = max(command.at, self.now)
            self.push(at, protocol.TimerFired(at=at, seed=self.seed, timer=command.timer))
        elif command.resource in _STORE and command.resource not in self.left:
            self.push(self.now, self.read(command))
        else:
            self.answer(command)

    def answer(self, task: protocol.ScheduleTask) -> None:
        mock = self.pick(task)
        if "never_finished" in mock or "timed_out" in mock:
            limits = [limit for limit in (task.timeout_seconds, task.heartbeat_seconds) if limit is not None]
            if "timed_out" in mock or limits:
                at = self.now + 1000 * min(limits, default=0)
                self.push(at, protocol.TaskTimedOut(at=at, seed=self.seed, task=task.task))
            return
        at = self.now + int(1000 * mock.get("after_seconds", 0))
        if "result" in mock:
            self.push(at, protocol.TaskSucceeded(at=at, seed=self.seed, task=task.task, output=mock["result"]))
            return
        error, cause = mock.get("error"), mock.get("cause")
        self.push(at, protocol.TaskFailed(at, self.seed, task.task, error, cause, submitted="submitted" in mock))

    def pick(self, task: protocol.ScheduleTask) -> dict[str, Json]:
        answers = self.left.get(task.state) or self.left.get(task.resource, [])
        for index, answer in enumerate(answers):
            if "request" in answer and same_json(answer["request"], task.input):
                return answers.pop(index)
        if answers:
            return answers.pop(0)
        if ":activity:" in task.resource:  # there is no such activity: the answer of AWS in that case
            return {"failed": True, "error": "States.Runtime", "cause": f"The activity {task.resource} does not exist."}
        raise Unanswered(f"No answer is prepared for {task.resource} (state {task.state}, attempt {task.attempt})")

    def read(self, task: protocol.ScheduleTask) -> AnyEvent:
        """What the object store answers to an ItemReader or ResultWriter."""
        given = task.input if isinstance(task.input, dict) else {}
        name, key = str(given.get("Bucket", "")), str(given.get("Key", ""))
        bucket = self.objects.get(name, {})
        if task.resource == PUT:
            self.written.setdefault(name, {})[key] = given["Body"]
            return self.succeeded(task, {})
        if task.resource == LIST:
            prefix = str(given.get("Prefix", ""))
            listed = [_entry(key, bucket[key], self.now) for key in sorted(bucket) if key.startswith(prefix)]
            return self.succeeded(task, listed)
        if key in bucket:
            return self.succeeded(task, _content(bucket[key]))
        cause = f"The specified key does not exist: {key}"
        return protocol.TaskFailed(self.now, self.seed, task.task, "States.ItemReaderFailed", cause)

    def succeeded(self, task: protocol.ScheduleTask, output: Json) -> protocol.TaskSucceeded:
        return protocol.TaskSucceeded(at=self.now, seed=self.seed, task=task.task, output=output)


def _content(content: str | bytes) -> Json:
    """An object as the store answers it: a text, or ``{"Base64": …}``."""
    return content if isinstance(content, str) else {"Base64": base64.b64encode(content).decode()}


def _entry(key: str, content: str | bytes, now: int) -> dict[str, Json]:
    """One object as ListObjectsV2 lists it, in the form that Step Functions gives an iteration."""
    data = content.encode() if isinstance(content, str) else content
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {
        "Etag": f'"{digest}"',
        "Key": key,
        "LastModified": now // 1000,
        "Size": len(data),
        "StorageClass": "STANDARD",
    }


_STORE = frozenset({GET, LIST, PUT})
