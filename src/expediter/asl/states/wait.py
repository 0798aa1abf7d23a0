"""Wait: waits until a time."""

from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import Arguments, Finish, State

#: When the wait is over: milliseconds since 1970 UTC.
Due: TypeAlias = Callable[[Scope, Frame], int]


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

    def resume(self, run: Interpreter, frame: Frame) -> State | None:
        return self.done(run, frame, frame.input if self.arguments is None else self.arguments(run, frame))
