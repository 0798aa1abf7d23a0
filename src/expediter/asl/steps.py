"""Taking in events: ``advance`` takes one, ``Steps`` takes several, ``replay`` takes all for their history."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from expediter.asl.errors import DATA_LIMIT
from expediter.asl.execution import Execution, Frame, new_execution
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine
from expediter.asl.protocol import (
    AnyEvent,
    Command,
    Json,
    Redriven,
    ScheduleTask,
    Started,
    StartTimer,
    Stopped,
    TaskFailed,
    TaskSucceeded,
    TaskTimedOut,
    TimerFired,
)
from expediter.asl.run import NOWHERE, Run
from expediter.asl.texts import PAYLOAD_LIMIT, decode, encode
from expediter.asl.transitions import begin, proceed, walk


def advance(
    machine: Machine, execution: Execution, event: AnyEvent, history: list[HistoryEvent] | None = None
) -> tuple[Execution, tuple[Command, ...]]:
    """Take in one event and go on until every line of the execution waits or it has ended.

    Never raises for what a workflow does. An event that nothing waits for changes nothing. With ``history``, the
    history events of this step are appended to it. What the caller does to the event's values later changes nothing.
    """
    if type(event) in _VALUED:
        event = _copied(encode(event))
    run = Steps(machine, execution, history)
    commands = run.take(event)
    return (run.freeze(), tuple(commands)) if run.changed else (execution, ())


#: Events that carry values of whoever sends them.
_VALUED = frozenset({Started, TaskSucceeded, Redriven})
_copied = msgspec.json.Decoder(AnyEvent).decode


class Steps(Run):
    """Several steps of one execution in a row, each as ``advance`` takes it, and one value at their end: ``freeze()``.

    What lies between is not stored, so it need not be a value: this saves most of the copying. The rest is saved by
    giving the events away: from then on nobody may alter the values that they carry.
    """

    __slots__ = ()

    def take(self, event: AnyEvent) -> list[Command]:
        """Take in one event; what that step asks for."""
        if self.lane:
            self.look(NOWHERE)
        self.at = event.at
        self.seed = event.seed
        self.draws = 0
        self.commands = []
        _HANDLERS[type(event)](self, event)
        if self.ready:
            proceed(self)
        return self.commands


def _started(run: Run, event: Started) -> None:
    machine = run.machine
    if run.execution.status != "NEW":
        return
    given, size = event.input, len(encode(event.input))
    deadline = due = None
    if machine.timeout_seconds is not None:
        deadline, due = run.number(), event.at + 1000 * machine.timeout_seconds
        run.commands.append(StartTimer(deadline, due))
    run.execution = Execution(
        "RUNNING",
        started_at=event.at,
        context=event.context,
        input=given if machine.keeps_input else None,
        deadline=deadline,
        due=due or 0,
    )
    frame = run.open(Frame(input=given, size=size))
    run.note(frame, "ExecutionStarted", {} if run.history is None else {"input": given, **_role(event)})
    if size > PAYLOAD_LIMIT:
        # AWS would not have started it: StartExecution refuses such an input.
        cause = "The execution's input exceeds the maximum number of bytes service limit."
        run.note(frame, "ExecutionFailed", {"error": DATA_LIMIT, "cause": cause})
        run.end("FAILED", error=DATA_LIMIT, cause=cause)
        return
    walk(run, frame, begin, run.states[machine.start])


def _role(event: Started) -> dict[str, Json]:
    role = decode(event.context).get("Execution", {}).get("RoleArn")
    return {"roleArn": role} if role else {}


def _task_succeeded(run: Run, event: TaskSucceeded) -> None:
    if (frame := run.asking(event.task)) is not None:
        walk(run, frame, run.states[frame.state].succeeded, event)


def _task_failed(run: Run, event: TaskFailed) -> None:
    if (frame := run.asking(event.task)) is not None:
        walk(run, frame, run.states[frame.state].failed, event)


def _task_timed_out(run: Run, event: TaskTimedOut) -> None:
    if (frame := run.asking(event.task)) is not None:
        walk(run, frame, run.states[frame.state].timed_out, event)


def _timer_fired(run: Run, event: TimerFired) -> None:
    if run.execution.status != "RUNNING":
        return
    if run.execution.deadline == event.timer:
        run.note(next(iter(run.frames.values())), "ExecutionTimedOut", {})
        run.end("TIMED_OUT")
        return
    for found in run.frames.values():
        if found.timer == event.timer:
            frame = run.own(found)
            frame.timer = None
            frame.due = 0
            walk(run, frame, run.states[frame.state].fired, event)
            return


def _stopped(run: Run, event: Stopped) -> None:
    if run.execution.status == "RUNNING":
        run.note(next(iter(run.frames.values())), "ExecutionAborted", {"error": event.error, "cause": event.cause})
        run.end("ABORTED", error=event.error, cause=event.cause)


def _redriven(run: Run, event: Redriven) -> None:
    machine, ended = run.machine, run.execution
    if ended.status not in {"FAILED", "TIMED_OUT", "ABORTED"} or event.state not in machine.definition["States"]:
        return
    deadline = due = None
    if machine.timeout_seconds is not None:
        deadline, due = run.number(), event.at + 1000 * machine.timeout_seconds
        run.commands.append(StartTimer(deadline, due))
    run.execution = Execution(
        "RUNNING",
        started_at=ended.started_at,
        context=ended.context,
        input=ended.input,
        deadline=deadline,
        due=due or 0,
    )
    stood = run.frames[0]
    frame = run.open(Frame(input=event.input, last=stood.last, variables=stood.variables))
    run.note(frame, "ExecutionRedriven", {"state": event.state})
    walk(run, frame, begin, run.states[event.state])


Handler: TypeAlias = Callable[[Run, Any], None]
_HANDLERS: dict[type, Handler] = {
    Started: _started,
    TaskSucceeded: _task_succeeded,
    TaskFailed: _task_failed,
    TaskTimedOut: _task_timed_out,
    TimerFired: _timer_fired,
    Stopped: _stopped,
    Redriven: _redriven,
}


def outstanding(machine: Machine, execution: Execution) -> tuple[Command, ...]:
    """Everything the execution waits for, equal to the commands once emitted: what to do again after a crash."""
    if execution.status != "RUNNING":
        return ()
    run = Run(machine, execution)
    found: list[ScheduleTask | StartTimer] = []
    if execution.deadline is not None:
        found.append(StartTimer(execution.deadline, execution.due))
    for frame in execution.frames.values():
        run.frame = frame
        if frame.timer is not None:
            found.append(StartTimer(frame.timer, frame.due))
        if (task := machine.states[frame.state].request(run, frame)) is not None:
            found.append(task)
    return tuple(sorted(found, key=_number))


def _number(command: ScheduleTask | StartTimer) -> int:
    return command.task if isinstance(command, ScheduleTask) else command.timer


def replay(machine: Machine, events: Iterable[AnyEvent]) -> list[HistoryEvent]:
    """The whole history of an execution, derived again from the events it was given."""
    history: list[HistoryEvent] = []
    execution = new_execution()
    for event in events:
        execution, _ = advance(machine, execution, event, history)
    return history
