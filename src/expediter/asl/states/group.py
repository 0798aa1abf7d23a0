"""What Parallel and Map share: child frames, one result for each, and what the failure of one means."""

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame, Group
from expediter.asl.protocol import Json
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import State


class GroupState(State):
    """A state that waits for its children. ``enter`` starts them: the first time, and again for each retry."""

    __slots__ = ()
    works = True

    def open_child(self, run: Interpreter, frame: Frame, index: int, value: Json, item: Json = None) -> Frame:
        """A new branch or iteration. Until it enters its first state, its current state is this one."""
        child = Frame(
            number=run.number(),
            state=frame.state,
            input=value,
            entered=frame.entered,
            entered_at=frame.entered_at,
            last=frame.last,
            parent=frame.number,
            index=index,
            item=item,
            child_execution=frame.child_execution,
        )
        return run.add_frame(child)

    def group_of(self, frame: Frame) -> Group:
        if frame.group is None:
            raise ValueError(f"{self.name} has nothing running")
        return frame.group

    def child_failed(self, run: Interpreter, frame: Frame, child: Frame, failure: StateFailure) -> State | None:  # noqa: ARG002
        """The first failure of a child is the failure of this state, with the same error name."""
        run.record(frame, f"{self.kind}StateFailed", {"error": failure.error, "cause": failure.cause})
        raise failure
