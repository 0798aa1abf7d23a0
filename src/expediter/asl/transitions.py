"""Walking the lines of an execution: enter states until every line waits, and say what a failure leads to."""

from collections.abc import Callable
from typing import Any, TypeAlias

from expediter.asl.errors import QUERY, RUNTIME, StateFailure
from expediter.asl.execution import Frame
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import AnyEvent
from expediter.asl.run import EVENT_LIMIT, Run
from expediter.asl.states.retry import catcher_of, next_retry
from expediter.asl.states.state import State

#: The method of the waiting state that takes the event; yields the state to enter next, like ``State.enter``.
Answer: TypeAlias = Callable[[Run, Frame, Any], State | None]


def proceed(run: Run) -> None:
    """Take every line that can go on as far as it goes."""
    while run.ready:
        frame, state = run.ready.pop(0)
        walk(run, frame, begin, run.states[state])


def begin(_run: Run, _frame: Frame, state: State) -> State | None:
    """The answer to a line that has not been asked anything: this state is the first that it enters."""
    return state


def walk(run: Run, frame: Frame, answer: Answer, given: AnyEvent | State) -> None:
    """Give the state of this line what it waited for, and enter one state after another until the line waits or ends.

    ``given``: what ``answer`` takes, which is the event, or the first state of a line that begins.
    """
    if run.frame is not frame:
        run.look(frame)
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
    if run.over is not None:
        _ended(run)


def failed(run: Run, frame: Frame, failure: StateFailure) -> State | None:
    """The state this line stands in failed: retry it, catch the error, or give up the line."""
    run.look(frame)
    state = run.states[frame.state]
    failure = _located(failure, frame)
    if frame.group is not None:
        run.close(frame)  # it failed half-way: what it has begun does not go on
    if failure.error == QUERY:
        _note_evaluation(run, frame, failure)
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
                    _note_evaluation(run, frame, failure)
    _give_up(run, frame, failure)
    return None


def _located(failure: StateFailure, frame: Frame) -> StateFailure:
    if not failure.located:
        return failure
    where = f"An error occurred while executing the state '{frame.state}' (entered at the event id #{frame.entered}). "
    return StateFailure(failure.error, where + (failure.cause or ""), fatal=failure.fatal, field=failure.field)


def _note_evaluation(run: Run, frame: Frame, failure: StateFailure) -> None:
    """A failed evaluation is an event of its own, where it happened: not again in the states around."""
    if failure.noted:
        return
    failure.noted = True
    details = {"error": failure.error, "cause": failure.cause, "location": failure.field, "state": frame.state}
    run.note(frame, "EvaluationFailed", details)


def _give_up(run: Run, frame: Frame, failure: StateFailure) -> None:
    """Nobody in this line handles the failure: it is that of the state around the line, or of the execution."""
    if frame.parent is None:
        run.note(frame, "ExecutionFailed", {"error": failure.error, "cause": failure.cause})
        run.end("FAILED", error=failure.error, cause=failure.cause)
        return
    parent = run.own(run.frames[frame.parent])
    state = run.states[parent.state]
    run.look(parent)
    try:
        following = state.child_failed(run, parent, frame, failure)
    except StateFailure as outer:
        following = failed(run, parent, outer)
    if following is not None:
        run.enter(parent, following.name)


def _ended(run: Run) -> None:
    """A line has yielded its output: that of the execution, or one result of the state around the line."""
    frame, run.over = run.over, None
    if frame is None:
        return
    if frame.parent is None:
        run.note(frame, "ExecutionSucceeded", {"output": frame.input})
        run.end("SUCCEEDED", frame.input)
        return
    parent = run.own(run.frames[frame.parent])
    run.look(parent)
    try:
        following = run.states[parent.state].child_ended(run, parent, frame)
    except StateFailure as failure:
        following = failed(run, parent, failure)
    if following is not None:
        run.enter(parent, following.name)
    elif run.over is not None:
        _ended(run)


def _stop_at_limit(run: Run, frame: Frame) -> None:
    cause = f"The execution reached the maximum number of history events ({EVENT_LIMIT})."
    if frame.lane:  # the limit of a child execution is its own
        child = run.own(run.frames[frame.lane])
        run.close(child)
        _give_up(run, child, StateFailure(RUNTIME, cause, fatal=True))
        return
    run.note(frame, "ExecutionFailed", {"error": RUNTIME, "cause": cause})
    run.end("FAILED", error=RUNTIME, cause=cause)
