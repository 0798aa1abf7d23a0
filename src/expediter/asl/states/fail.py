"""Fail: ends its branch with an error. It has no Retry and no Catch; the states around it may have."""

from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import Arguments, Finish, State

Text: TypeAlias = Callable[[Scope, Frame], str | None]


class Fail(State):
    """A field that the definition does not have is None, not an empty string."""

    __slots__ = ("cause", "error")
    kind = "Fail"

    def __init__(self, name: str, arguments: Arguments | None, finish: Finish | None, error: Text, cause: Text) -> None:
        super().__init__(name, None, arguments, finish)
        self.error = error
        self.cause = cause

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        raise StateFailure(self.error(run, frame), self.cause(run, frame))
