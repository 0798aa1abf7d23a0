"""Succeed: ends its line with its shaped input."""

from typing import TYPE_CHECKING

from expediter.asl.execution import Frame
from expediter.asl.states.state import State

if TYPE_CHECKING:
    from expediter.asl.run import Run


class Succeed(State):
    __slots__ = ()
    kind = "Succeed"

    def enter(self, run: "Run", frame: Frame) -> State | None:
        return self.done(run, frame, self.arguments(run, frame))
