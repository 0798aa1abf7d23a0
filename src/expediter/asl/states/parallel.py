"""Parallel: the same input to every branch at once, the array of their outputs out."""

from typing import TYPE_CHECKING

from expediter.asl.execution import Frame, Group
from expediter.asl.retry import Handlers
from expediter.asl.states.group import GroupState
from expediter.asl.states.state import Arguments, Finish, State

if TYPE_CHECKING:
    from expediter.asl.run import Run


class Parallel(GroupState):
    """``starts`` names the first state of each branch."""

    __slots__ = ("starts",)
    kind = "Parallel"

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments,
        finish: Finish,
        handlers: Handlers,
        *,
        starts: tuple[str, ...],
    ) -> None:
        super().__init__(name, target, arguments, finish, handlers)
        self.starts = starts

    def resume(self, run: "Run", frame: Frame) -> State | None:
        value = self.arguments(run, frame)
        run.note(frame, "ParallelStateStarted", {})
        frame.group = Group(results=[None] * len(self.starts), pending=len(self.starts))
        for place, start in enumerate(self.starts):
            child = self.open_child(run, frame, place, value)
            run.ready.append((child, run.states[start]))
        return None

    def child_ended(self, run: "Run", frame: Frame, child: Frame) -> State | None:
        group = self.group_of(frame)
        del run.frames[child.number]
        group.results[child.place] = child.input
        group.pending -= 1
        if group.pending:
            return None
        frame.group = None
        run.note(frame, "ParallelStateSucceeded", {})
        return self.done(run, frame, group.results)
