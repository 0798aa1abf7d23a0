"""Succeed: ends its branch. The output is its shaped input."""

from expediter.asl.execution import Frame
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import State


class Succeed(State):
    __slots__ = ()
    kind = "Succeed"

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        return self.done(run, frame, self.given(run, frame))
