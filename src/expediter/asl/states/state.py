"""The base of all states: what the interpreter calls, and how a state is left. Then the states that do no work: Pass,
Wait, Succeed and Fail. Choice has a file of its own.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import DATA_LIMIT, PathMissing, StateFailure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.paths import Path
from expediter.asl.expressions.scope import Scope
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut, TimerFired
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import ErrorHandlers
from expediter.asl.texts import PAYLOAD_LIMIT, encode, plain

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

    def leave(  # noqa: PLR0917 - every state of every order is left here, and a keyword costs 1 % of that
        self,
        run: Interpreter,
        frame: Frame,
        output: Json,
        assigned: dict[str, Json] | None,
        following: "State | None",
        size: int = 0,
    ) -> "State | None":
        """Record the exit and make the output the input of the next state; None after the last state of a frame.

        The caller enters the next state at once, so it knows the frame's last history event.

        ``size``: the output's bytes as JSON, or more; 0 where the caller does not know. The output is measured only if
        this number is 0 or above the limit.
        """
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
            details: dict[str, Json] = {"name": frame.state, "output": output}
            if assigned:
                details["assignedVariables"] = assigned
            run.history.append(HistoryEvent(number, frame.last, run.at, self.exited, details))
        if following is None:
            frame.last = number
            run.ended = frame
        return following

    def given(self, run: Interpreter, frame: Frame) -> Json:
        """The input of the work: the raw input, shaped."""
        return frame.input if self.arguments is None else self.arguments(run, frame)

    def done(self, run: Interpreter, frame: Frame, result: Json) -> "State | None":
        """Shape the result of the work and leave for the next state."""
        if self.put is not None:
            return self.leave(run, frame, self.put(frame.input, result), None, self.following)
        if self.finish is None:
            return self.leave(run, frame, result, None, self.following)
        output, assigned = self.finish(run, frame, result)
        return self.leave(run, frame, output, assigned, self.following)


def too_large(what: str) -> StateFailure:
    return StateFailure(
        DATA_LIMIT,
        f"{what} returned a result with a size exceeding the maximum number of bytes service limit.",
    )


# --- states without work -----------------------------------------------------------------------------------------


class Pass(State):
    """Its output is its shaped input, or its Result: ``arguments`` returns it."""

    __slots__ = ("growth",)
    kind = "Pass"

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        *,
        put: Put | None = None,
        growth: int | None = None,
    ) -> None:
        """``growth``: the bytes that ResultPath adds to those of input and result, or more."""
        super().__init__(name, target, arguments, finish, put=put)
        self.growth = growth

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        value = frame.input if self.arguments is None else self.arguments(run, frame)
        if self.put is None:
            if self.finish is None:
                return self.leave(run, frame, value, None, self.following)
            output, assigned = self.finish(run, frame, value)
            return self.leave(run, frame, output, assigned, self.following)
        before, growth = frame.size, self.growth
        most = before + growth + len(encode(value)) if before and growth is not None else 0
        return self.leave(run, frame, self.put(frame.input, value), None, self.following, most)


#: When the wait is over: milliseconds since 1970 UTC.
Due: TypeAlias = Callable[[Scope, Frame], int]


#: The longest wait and timeout, in seconds: AWS takes no larger number.
LONGEST = 99_999_999


class Parameter(NamedTuple):
    """A number or instant by path: ``path`` begins at the state's effective input (``begin`` None: the raw input)."""

    path: Path
    field: str
    begin: Arguments | None

    def read(self, scope: Scope, frame: Frame) -> Json:
        value = frame.input if self.begin is None else self.begin(scope, frame)
        try:
            return self.path.get(value, scope)
        except PathMissing:
            message = f"The {self.field} parameter does not reference an input value: {self.path.text}"
            raise runtime_failure(message) from None

    def unfit(self, reason: str, value: Json) -> StateFailure:
        return runtime_failure(f"The {self.field} parameter {reason}: {self.path.text} == {plain(value)}")


def seconds_ahead(parameter: Parameter) -> Due:
    """SecondsPath: so many whole seconds from now."""

    def when(scope: Scope, frame: Frame) -> int:
        value = parameter.read(scope, frame)
        if not isinstance(value, int) or isinstance(value, bool):
            raise parameter.unfit("cannot be parsed as a long value", value)
        if value < 0:
            raise parameter.unfit("references a negative value", value)
        if value > LONGEST:
            raise parameter.unfit("references a value that is too large", value)
        return scope.at + 1000 * value

    return when


class Wait(State):
    """Always starts a timer, also for zero seconds: the caller decides when to go on."""

    __slots__ = ("due",)
    kind = "Wait"

    def __init__(
        self, name: str, target: str | None, arguments: Arguments | None, finish: Finish | None, due: Due
    ) -> None:
        super().__init__(name, target, arguments, finish)
        self.due = due

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        run.start_timer(frame, self.due(run, frame))
        return None

    def fired(self, run: Interpreter, frame: Frame, _event: TimerFired) -> State | None:
        value = frame.input if self.arguments is None else self.arguments(run, frame)
        if self.finish is None:
            return self.leave(run, frame, value, None, self.following)
        output, assigned = self.finish(run, frame, value)
        return self.leave(run, frame, output, assigned, self.following)


class Succeed(State):
    """Ends its branch. The output is its shaped input."""

    __slots__ = ()
    kind = "Succeed"

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        return self.done(run, frame, self.given(run, frame))


Text: TypeAlias = Callable[[Scope, Frame], str | None]


class Fail(State):
    """Ends its branch with an error. It has no Retry and no Catch; the states around it may have.

    A field that the definition does not have is None, not an empty string.
    """

    __slots__ = ("cause", "error")
    kind = "Fail"

    def __init__(self, name: str, arguments: Arguments | None, finish: Finish | None, error: Text, cause: Text) -> None:
        super().__init__(name, None, arguments, finish)
        self.error = error
        self.cause = cause

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        raise StateFailure(self.error(run, frame), self.cause(run, frame))
