"""Pass: hands its input on, shaped."""

from typing import TYPE_CHECKING

from expediter.asl.execution import Frame
from expediter.asl.states.state import State

if TYPE_CHECKING:
    from expediter.asl.run import Run


class Pass(State):
    """``arguments`` yields Result if there is one, else the shaped input."""

    __slots__ = ()
    kind = "Pass"

    def enter(self, run: "Run", frame: Frame) -> State | None:
        return self.leave(run, frame, self.finish(run, frame, self.arguments(run, frame)), self.following)
