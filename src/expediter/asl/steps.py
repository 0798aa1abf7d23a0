"""Taking in events: ``advance`` takes one, ``Steps`` takes several, ``replay`` takes all for their history."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import msgspec

from expediter.asl import protocol
from expediter.asl.errors import DATA_LIMIT, StateFailure
from expediter.asl.execution import Execution, Frame, new_execution
from expediter.asl.failures import fail_state, stop_at_limit
from expediter.asl.history import HistoryEvent
from expediter.asl.machine import Machine
from expediter.asl.protocol import AnyEvent, Command, Json
from expediter.asl.run import EVENT_LIMIT, NOWHERE, Run, no_pause
from expediter.asl.states.state import State
from expediter.asl.texts import PAYLOAD_LIMIT, decode, encode, instant_text


def advance(
    machine: Machine, execution: Execution, event: AnyEvent, history: list[HistoryEvent] | None = None
) -> tuple[Execution, tuple[Command, ...]]:
    """Take in one event and go on until every frame waits or the execution has ended.

    A failing workflow raises nothing. An event that nothing waits for changes nothing. With ``history``, the history
    events of this step are appended to it. The caller may alter the values of the event afterwards.
    """
    if type(event) in _VALUED:
        event = _copied(encode(event))
    run = Steps(machine, execution, history)
    commands = run.take(event)
    return (run.freeze(), tuple(commands)) if run.changed else (execution, ())


def fixed_context(fixed: dict[str, Json]) -> msgspec.Raw:
    """The fixed part of a context object, as an execution is started with it."""
    return msgspec.Raw(encode(fixed))


#: Events that carry values of the caller: ``advance`` copies them.
_VALUED = frozenset({protocol.Started, protocol.TaskSucceeded, protocol.Redriven})
_copied = msgspec.json.Decoder(AnyEvent).decode


#: States of one frame that are entered between two pauses.
STATES_AT_ONCE = 4


class Steps(Run):
    """Takes several events of one execution, each as ``advance`` does. ``freeze()`` returns the execution at the end.

    The executions in between are never made, and the values of an event are not copied: the caller may not alter them
    afterwards.
    """

    __slots__ = ()

    def take(self, event: AnyEvent) -> list[Command]:
        """Take in one event; returns the commands of this step."""
        if self.child_execution:
            self.select(NOWHERE)
        self.at = event.at
        self.seed = event.seed
        self.draws = self.spent = 0
        self.commands = []
        try:
            state = _HANDLERS[type(event)](self, event)
        except StateFailure as failure:
            state = fail_state(self, self.frame, failure)
        if state is not None:
            enter_states(self, self.frame, state, self.events)
        while self.ended is not None or self.ready:
            if self.ended is not None:
                _end_frame(self, self.ended)
            else:
                self.pause()
                frame, name = self.ready.pop(0)
                self.select(frame)
                enter_states(self, frame, self.states[name], frame.last)
        return self.commands


# --- state transitions -------------------------------------------------------------------------------------------


def enter_states(run: Run, frame: Frame, state: State | None, last: int) -> None:
    """Enter this state and those that follow, until the selected frame waits or ends.

    ``last``: the id of the frame's last history event.
    """
    frame.entered_at = run.at
    until_pause = STATES_AT_ONCE
    while state is not None:
        number = run.events + 1
        if number >= EVENT_LIMIT:
            frame.last = last
            stop_at_limit(run, frame)
            break
        run.events = number
        frame.state = name = state.name
        if run.history is not None:
            details = {"name": name, "input": frame.input}
            run.history.append(HistoryEvent(number, last, run.at, state.entered, details))
        until_pause -= 1
        if not until_pause:
            until_pause = STATES_AT_ONCE
            run.pause()
        frame.entered = frame.last = number
        if frame.attempt and state.works:
            frame.attempt, frame.retries = 0, []
        run.draws = 0
        try:
            state = state.enter(run, frame)
        except StateFailure as failure:
            state = fail_state(run, frame, failure)
        last = run.events


def _end_frame(run: Run, frame: Frame) -> None:
    """A frame has ended: its output is that of the execution, or one result of the state around it."""
    run.ended = None
    if frame.parent is None:
        run.record(frame, "ExecutionSucceeded", {"output": frame.input})
        run.end("SUCCEEDED", frame.input)
        return
    parent = run.own(run.frames[frame.parent])
    run.select(parent)
    try:
        following = run.states[parent.state].child_ended(run, parent, frame)
    except StateFailure as failure:
        following = fail_state(run, parent, failure)
    if following is not None:
        parent.last = run.events
        run.enter(parent, following.name)


# --- one handler per event: it selects the frame that the event is for, and returns the state to enter next ------


def _started(run: Run, event: protocol.Started) -> State | None:
    machine = run.machine
    if run.execution.status != "NEW":
        return None
    given, size = event.input, len(encode(event.input))
    deadline, due = _deadline(run, event.at)
    run.execution = Execution(
        "RUNNING",
        started_at=event.at,
        context=event.context,
        input=given if machine.keeps_input else None,
        deadline=deadline,
        due=due,
    )
    frame = run.add_frame(Frame(input=given, size=size))
    run.record(frame, "ExecutionStarted", {} if run.history is None else {"input": given, **_role(event)})
    if size > PAYLOAD_LIMIT:
        # StartExecution of AWS refuses such an input.
        cause = "The execution's input exceeds the maximum number of bytes service limit."
        run.record(frame, "ExecutionFailed", {"error": DATA_LIMIT, "cause": cause})
        run.end("FAILED", error=DATA_LIMIT, cause=cause)
        return None
    run.frame = frame
    return run.states[machine.start]


def _deadline(run: Run, at: int) -> tuple[int | None, int]:
    """Starts the timer of the machine's own TimeoutSeconds: its number, and when it is due. None and 0 without one."""
    seconds = run.machine.timeout_seconds
    if seconds is None:
        return None, 0
    timer, due = run.number(), at + 1000 * seconds
    run.commands.append(protocol.StartTimer(timer, due))
    return timer, due


def _role(event: protocol.Started) -> dict[str, Json]:
    role = decode(event.context).get("Execution", {}).get("RoleArn")
    return {"roleArn": role} if role else {}


def _task_succeeded(run: Run, event: protocol.TaskSucceeded) -> State | None:
    frame = run.frame if run.frame.task == event.task else run.waiting_for(event.task)
    return None if frame is None else run.states[frame.state].succeeded(run, frame, event)


def _task_failed(run: Run, event: protocol.TaskFailed) -> State | None:
    frame = run.waiting_for(event.task)
    return None if frame is None else run.states[frame.state].failed(run, frame, event)


def _task_timed_out(run: Run, event: protocol.TaskTimedOut) -> State | None:
    frame = run.waiting_for(event.task)
    return None if frame is None else run.states[frame.state].timed_out(run, frame, event)


def _timer_fired(run: Run, event: protocol.TimerFired) -> State | None:
    for found in run.frames.values():
        if found.timer == event.timer:
            frame = run.own(found)
            run.select(frame)
            frame.timer = None
            frame.due = 0
            return run.states[frame.state].fired(run, frame, event)
    if run.execution.deadline == event.timer:
        run.record(run.own(next(iter(run.frames.values()))), "ExecutionTimedOut", {})
        run.end("TIMED_OUT")
    return None


def _stopped(run: Run, event: protocol.Stopped) -> State | None:
    if run.execution.status == "RUNNING":
        first = run.own(next(iter(run.frames.values())))
        run.record(first, "ExecutionAborted", {"error": event.error, "cause": event.cause})
        run.end("ABORTED", error=event.error, cause=event.cause)
    return None


def _redriven(run: Run, event: protocol.Redriven) -> State | None:
    machine, ended = run.machine, run.execution
    if ended.status not in {"FAILED", "TIMED_OUT", "ABORTED"} or event.state not in machine.definition["States"]:
        return None
    deadline, due = _deadline(run, event.at)
    run.execution = Execution(
        "RUNNING",
        started_at=ended.started_at,
        context=_counted(ended.context, event.at),
        input=ended.input,
        deadline=deadline,
        due=due,
    )
    root = run.frames[0]
    frame = run.add_frame(Frame(input=event.input, last=root.last, variables=root.variables))
    run.record(frame, "ExecutionRedriven", {"state": event.state})
    run.frame = frame
    return run.states[event.state]


def _counted(context: msgspec.Raw, at: int) -> msgspec.Raw:
    """The context with one redrive more, where it counts them (an Express execution has none)."""
    found: dict[str, Json] = decode(context)
    execution = found.get("Execution", {})
    if "RedriveCount" not in execution:
        return context
    more = {"RedriveCount": execution["RedriveCount"] + 1, "RedriveTime": instant_text(at)}
    return fixed_context({**found, "Execution": {**execution, **more}})


Handler: TypeAlias = Callable[[Run, Any], State | None]
_HANDLERS: dict[type, Handler] = {
    protocol.Started: _started,
    protocol.TaskSucceeded: _task_succeeded,
    protocol.TaskFailed: _task_failed,
    protocol.TaskTimedOut: _task_timed_out,
    protocol.TimerFired: _timer_fired,
    protocol.Stopped: _stopped,
    protocol.Redriven: _redriven,
}


def outstanding(machine: Machine, execution: Execution, pause: Callable[[], None] = no_pause) -> tuple[Command, ...]:
    """The commands that the execution waits for, equal to those once emitted: the caller repeats them after a crash."""
    if execution.status != "RUNNING":
        return ()
    run = Run(machine, execution, pause=pause)
    found: list[protocol.ScheduleTask | protocol.StartTimer] = []
    if execution.deadline is not None:
        found.append(protocol.StartTimer(execution.deadline, execution.due))
    for frame in execution.frames.values():
        run.frame = frame
        run.spent = 0
        if frame.timer is not None:
            found.append(protocol.StartTimer(frame.timer, frame.due))
        if (task := machine.states[frame.state].request(run, frame)) is not None:
            found.append(task)
    return tuple(sorted(found, key=_number))


def _number(command: protocol.ScheduleTask | protocol.StartTimer) -> int:
    return command.task if isinstance(command, protocol.ScheduleTask) else command.timer


def replay(machine: Machine, events: Iterable[AnyEvent], pause: Callable[[], None] = no_pause) -> list[HistoryEvent]:
    """The whole history of an execution, derived again from the events that it took in."""
    history: list[HistoryEvent] = []
    execution = new_execution()
    for event in events:
        pause()
        steps = Steps(machine, execution, history, pause)
        steps.take(event)
        if steps.changed:
            execution = steps.freeze()
    return history
