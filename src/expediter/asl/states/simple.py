"""The states that do no work: Pass, Wait, Succeed and Fail. Choice has a file of its own."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import PathMissing, StateFailure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.paths import Path
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json, TimerFired
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import Arguments, Finish, Finished, State
from expediter.asl.texts import plain


class Pass(State):
    """Its output is its shaped input, or its Result: ``arguments`` returns it."""

    __slots__ = ()
    kind = "Pass"

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        value = frame.input if self.arguments is None else self.arguments(run, frame)
        if self.put is not None:
            finished: Finished = self.put(frame.input, value), None
        else:
            finished = (value, None) if self.finish is None else self.finish(run, frame, value)
        return self.leave(run, frame, finished, self.following)


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
        finished = (value, None) if self.finish is None else self.finish(run, frame, value)
        return self.leave(run, frame, finished, self.following)


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
