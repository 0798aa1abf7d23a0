"""Parallel: starts every branch at once with the same input. Its result is the array of their outputs."""

from expediter.asl.execution import Frame, Group
from expediter.asl.states.group import GroupState
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import ErrorHandlers
from expediter.asl.states.state import Arguments, Finish, Put, State


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
        handlers: ErrorHandlers,
        *,
        put: Put | None,
        starts: tuple[str, ...],
    ) -> None:
        super().__init__(name, target, arguments, finish, handlers, put=put)
        self.starts = starts

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        value = self.given(run, frame)
        run.record(frame, "ParallelStateStarted", {})
        frame.group = Group(results=[None] * len(self.starts), pending=len(self.starts))
        for index, start in enumerate(self.starts):
            child = self.open_child(run, frame, index, value)
            run.enter(child, start)
        return None

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> State | None:
        group = self.group_of(frame)
        del run.frames[child.number]
        group.results[child.index] = child.input
        group.pending -= 1
        if group.pending:
            return None
        frame.group = None
        run.record(frame, "ParallelStateSucceeded", {})
        return self.done(run, frame, group.results)
