"""The base of all states: what the interpreter calls, and how a state is left."""

from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.errors import DATA_LIMIT, StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut, TimerFired
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import ErrorHandlers
from expediter.asl.texts import PAYLOAD_LIMIT, encode

#: Before the work: from the raw input to the input of the work (InputPath and Parameters, or Arguments).
Arguments: TypeAlias = Callable[[Scope, Frame], Json]
#: A state's output and the variables assigned.
Finished: TypeAlias = tuple[Json, dict[str, Json] | None]
#: After the work: from its result to the output and the variables.
Finish: TypeAlias = Callable[[Scope, Frame, Json], Finished]
#: ResultPath: from the raw input and the result to a copy of the raw input with the result in it.
Put: TypeAlias = Callable[[Json, Json], Json]


class State:
    """A compiled state. Subclasses say what ``enter`` does, and take the answers they waited for.

    ``enter`` and the methods for events return the state to enter next, or None when the frame waits or has ended.
    They raise StateFailure when the state failed.
    """

    __slots__ = ("arguments", "entered", "exited", "finish", "following", "handlers", "name", "put", "target")

    kind = ""
    #: Whether the state can be retried: the context object then has a RetryCount.
    works = False

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        handlers: ErrorHandlers | None = None,
        *,
        put: Put | None = None,
    ) -> None:
        """``arguments`` None: the work gets the raw input.

        ``put`` is ResultPath where no other field shapes the output, else ``finish`` does all of it. Both None: the
        output is the work's result.
        """
        self.name = name
        self.entered = f"{self.kind}StateEntered"
        self.exited = f"{self.kind}StateExited"
        self.target = target
        self.following: State | None = None
        self.arguments = arguments
        self.finish = finish
        self.put = put
        self.handlers = handlers or ErrorHandlers()

    def link(self, states: "dict[str, State]") -> None:
        """Resolve names of states, once all are known."""
        if self.target is not None:
            self.following = states[self.target]

    def targets(self) -> list[str]:
        """The names of all states that can follow this one directly."""
        caught = [catcher.target for catcher in self.handlers.catchers]
        return caught if self.target is None else [self.target, *caught]

    def can_end(self) -> bool:
        """Whether this state can be the last one of its frame."""
        return self.target is None

    def enter(self, run: Interpreter, frame: Frame) -> "State | None":
        raise NotImplementedError

    def fired(self, run: Interpreter, frame: Frame, _event: TimerFired) -> "State | None":
        """The timer that this state started has fired: a retry begins, unless the state is a Wait."""
        return self.enter(run, frame)

    def succeeded(self, run: Interpreter, frame: Frame, event: TaskSucceeded) -> "State | None":
        """The task this state scheduled has answered."""
        raise NotImplementedError

    def failed(self, run: Interpreter, frame: Frame, event: TaskFailed) -> "State | None":
        raise NotImplementedError

    def timed_out(self, run: Interpreter, frame: Frame, _event: TaskTimedOut) -> "State | None":
        raise NotImplementedError

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> "State | None":
        """A child of this state has ended with the output ``child.input``."""
        raise NotImplementedError

    def child_failed(self, run: Interpreter, frame: Frame, child: Frame, failure: StateFailure) -> "State | None":
        """A child of this state has failed. Raises the failure of this state, if the state fails with it."""
        raise NotImplementedError

    def request(self, run: Interpreter, frame: Frame) -> ScheduleTask | None:  # noqa: ARG002 - only tasks ask for anything
        """The task this frame waits for, built again from what is stored."""
        return None

    def context(self, run: Interpreter, frame: Frame) -> dict[str, Json]:  # noqa: ARG002 - only some states add to it
        """What this state adds to the context object."""
        return {}

    def leave(
        self,
        run: Interpreter,
        frame: Frame,
        finished: Finished,
        following: "State | None",
        size: int = 0,
    ) -> "State | None":
        """Record the exit and make the output the input of the next state; None after the last state of a frame.

        ``size``: the output's bytes as JSON, or more; 0 where the caller does not know. The output is measured only if
        this number is 0 or above the limit.
        """
        output, assigned = finished
        changed = output is not frame.input
        if changed and not 0 < size <= PAYLOAD_LIMIT and (size := len(encode(output))) > PAYLOAD_LIMIT:
            raise too_large(f"The state/task '{self.name}'")
        if assigned:
            if len(encode(assigned)) > PAYLOAD_LIMIT:
                raise StateFailure(DATA_LIMIT, f"The variables assigned by '{self.name}' exceed the service limit.")
            frame.variables = {**frame.variables, **assigned}
        if changed:
            frame.input, frame.size = output, size
        run.events = number = run.events + 1
        if run.history is not None:
            details: dict[str, Json] = {"name": self.name, "output": output}
            if assigned:
                details["assignedVariables"] = assigned
            run.history.append(HistoryEvent(number, frame.last, run.at, self.exited, details))
        frame.last = number
        if following is None:
            run.ended = frame
        return following

    def given(self, run: Interpreter, frame: Frame) -> Json:
        """The input of the work: the raw input, shaped."""
        return frame.input if self.arguments is None else self.arguments(run, frame)

    def done(self, run: Interpreter, frame: Frame, result: Json) -> "State | None":
        """Shape the result of the work and leave for the next state."""
        if self.put is not None:
            finished: Finished = self.put(frame.input, result), None
        else:
            finished = (result, None) if self.finish is None else self.finish(run, frame, result)
        return self.leave(run, frame, finished, self.following)


def too_large(what: str) -> StateFailure:
    return StateFailure(
        DATA_LIMIT,
        f"{what} returned a result with a size exceeding the maximum number of bytes service limit.",
    )
