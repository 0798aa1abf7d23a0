"""Pass: its output is its shaped input, or its Result."""

from expediter.asl.execution import Frame
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import State


class Pass(State):
    """``arguments`` returns Result if the state has one, else the shaped input."""

    __slots__ = ()
    kind = "Pass"

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        return self.done(run, frame, frame.input if self.arguments is None else self.arguments(run, frame))
