"""State transitions: enter one state after another until every frame waits, and handle the failures of states."""

from collections.abc import Callable
from typing import Any, TypeAlias

from expediter.asl.errors import QUERY, RUNTIME, StateFailure
from expediter.asl.execution import Frame
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import AnyEvent
from expediter.asl.run import EVENT_LIMIT, Run
from expediter.asl.states.retry import catcher_of, next_retry
from expediter.asl.states.state import State

#: The method of the waiting state that takes the event. It returns the state to enter next, as ``State.enter`` does.
Answer: TypeAlias = Callable[[Run, Frame, Any], State | None]


def enter_ready(run: Run) -> None:
    """Advance every frame that is queued to enter a state."""
    while run.ready:
        frame, state = run.ready.pop(0)
        advance_frame(run, frame, first_state, run.states[state])


def first_state(_run: Run, _frame: Frame, state: State) -> State | None:
    """The ``Answer`` of a new frame: it enters this state first."""
    return state


def advance_frame(run: Run, frame: Frame, answer: Answer, given: AnyEvent | State) -> None:
    """Pass the event to the waiting state, then enter one state after another until the frame waits or ends.

    ``given`` is the argument of ``answer``: the event, or the first state of a new frame.
    """
    run.frame = frame
    if frame.child_execution != run.child_execution:
        run.select(frame)
    try:
        state = answer(run, frame, given)
    except StateFailure as failure:
        state = failed(run, frame, failure)
    while state is not None:
        number = run.events + 1
        if number >= EVENT_LIMIT:
            _stop_at_limit(run, frame)
            break
        run.events = number
        if run.history is not None:
            details = {"name": state.name, "input": frame.input}
            run.history.append(HistoryEvent(number, frame.last, run.at, state.entered, details))
        frame.state = state.name
        frame.entered = frame.last = number
        frame.entered_at = run.at
        run.draws = 0
        try:
            state = state.enter(run, frame)
        except StateFailure as failure:
            state = failed(run, frame, failure)
    if run.ended is not None:
        _end_frame(run)


def failed(run: Run, frame: Frame, failure: StateFailure) -> State | None:
    """The current state of this frame failed: retry it, catch the error, or let the frame fail."""
    run.select(frame)
    state = run.states[frame.state]
    failure = _located(failure, frame)
    if frame.group is not None:
        run.close_children(frame)  # the children of a failed state do not go on
    if failure.error == QUERY:
        _record_evaluation(run, frame, failure)
    if not failure.fatal:
        due = next_retry(state.handlers, run, frame, failure)
        if due is not None:
            run.start_timer(frame, due)
            return None
        catcher = catcher_of(state.handlers, failure)
        if catcher is not None:
            try:
                return state.leave(run, frame, catcher.output(run, frame, failure), run.states[catcher.target])
            except StateFailure as second:
                failure = _located(second, frame)
                if failure.error == QUERY:
                    _record_evaluation(run, frame, failure)
    _fail_frame(run, frame, failure)
    return None


def _located(failure: StateFailure, frame: Frame) -> StateFailure:
    if not failure.located:
        return failure
    where = f"An error occurred while executing the state '{frame.state}' (entered at the event id #{frame.entered}). "
    return StateFailure(failure.error, where + (failure.cause or ""), fatal=failure.fatal, field=failure.field)


def _record_evaluation(run: Run, frame: Frame, failure: StateFailure) -> None:
    """Record a failed evaluation once, in the state where it happened and not in the states around it."""
    if failure.recorded:
        return
    failure.recorded = True
    details = {"error": failure.error, "cause": failure.cause, "location": failure.field, "state": frame.state}
    run.record(frame, "EvaluationFailed", details)


def _fail_frame(run: Run, frame: Frame, failure: StateFailure) -> None:
    """The frame fails: its failure is passed to the state around it, or ends the execution."""
    if frame.parent is None:
        run.record(frame, "ExecutionFailed", {"error": failure.error, "cause": failure.cause})
        run.end("FAILED", error=failure.error, cause=failure.cause)
        return
    parent = run.own(run.frames[frame.parent])
    state = run.states[parent.state]
    run.select(parent)
    try:
        following = state.child_failed(run, parent, frame, failure)
    except StateFailure as outer:
        following = failed(run, parent, outer)
    if following is not None:
        run.enter(parent, following.name)


def _end_frame(run: Run) -> None:
    """A frame has ended: its output is that of the execution, or one result of the state around it."""
    frame, run.ended = run.ended, None
    if frame is None:
        return
    if frame.parent is None:
        run.record(frame, "ExecutionSucceeded", {"output": frame.input})
        run.end("SUCCEEDED", frame.input)
        return
    parent = run.own(run.frames[frame.parent])
    run.select(parent)
    try:
        following = run.states[parent.state].child_ended(run, parent, frame)
    except StateFailure as failure:
        following = failed(run, parent, failure)
    if following is not None:
        run.enter(parent, following.name)
    elif run.ended is not None:
        _end_frame(run)


def _stop_at_limit(run: Run, frame: Frame) -> None:
    cause = f"The execution reached the maximum number of history events ({EVENT_LIMIT})."
    if frame.child_execution:  # each child execution has its own limit
        child = run.own(run.frames[frame.child_execution])
        run.close_children(child)
        _fail_frame(run, child, StateFailure(RUNTIME, cause, fatal=True))
        return
    run.record(frame, "ExecutionFailed", {"error": RUNTIME, "cause": cause})
    run.end("FAILED", error=RUNTIME, cause=cause)
