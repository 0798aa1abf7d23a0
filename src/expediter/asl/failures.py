"""Handles the failure of a state: it is retried, or its error is caught, or its frame fails. Then the state around the
frame fails."""

from expediter.asl.errors import QUERY, RUNTIME, StateFailure
from expediter.asl.execution import Frame
from expediter.asl.run import EVENT_LIMIT, Run
from expediter.asl.states.retry import catcher_of, next_retry
from expediter.asl.states.state import State


def fail_state(run: Run, frame: Frame, failure: StateFailure) -> State | None:
    """The current state of this frame failed: retry it, catch the error, or let the frame fail."""
    run.select(frame)
    state = run.states[frame.state]
    failure = _located(failure, frame)
    frame.task = None  # it may have failed while its task was prepared
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
                output, assigned = catcher.output(run, frame, failure)
                return state.leave(run, frame, output, assigned, run.states[catcher.target])
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
        following = fail_state(run, parent, outer)
    if following is not None:
        parent.last = run.events
        run.enter(parent, following.name)


def stop_at_limit(run: Run, frame: Frame) -> None:
    """The execution, or the child execution that the frame belongs to, has written as many events as it may."""
    cause = f"The execution reached the maximum number of history events ({EVENT_LIMIT})."
    if frame.child_execution:  # each child execution has its own limit
        child = run.own(run.frames[frame.child_execution])
        run.close_children(child)
        _fail_frame(run, child, StateFailure(RUNTIME, cause, fatal=True))
        return
    run.record(frame, "ExecutionFailed", {"error": RUNTIME, "cause": cause})
    run.end("FAILED", error=RUNTIME, cause=cause)
