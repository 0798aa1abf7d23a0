"""Parallel: the same input to every branch at once, the array of their outputs out."""

from expediter.asl.execution import Frame, Group
from expediter.asl.states.group import GroupState
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import Handlers
from expediter.asl.states.state import Arguments, Finish, State


class Parallel(GroupState):
    """``starts`` names the first state of each branch."""

    __slots__ = ("starts",)
    kind = "Parallel"

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        handlers: Handlers,
        *,
        starts: tuple[str, ...],
    ) -> None:
        super().__init__(name, target, arguments, finish, handlers)
        self.starts = starts

    def resume(self, run: Interpreter, frame: Frame) -> State | None:
        value = self.given(run, frame)
        run.note(frame, "ParallelStateStarted", {})
        frame.group = Group(results=[None] * len(self.starts), pending=len(self.starts))
        for place, start in enumerate(self.starts):
            child = self.open_child(run, frame, place, value)
            run.enter(child, start)
        return None

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> State | None:
        group = self.group_of(frame)
        del run.frames[child.number]
        group.results[child.place] = child.input
        group.pending -= 1
        if group.pending:
            return None
        frame.group = None
        run.note(frame, "ParallelStateSucceeded", {})
        return self.done(run, frame, group.results)
