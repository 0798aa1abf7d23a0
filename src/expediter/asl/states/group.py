"""What Parallel and Map share: lines inside a state, one result each, and what one failure means to all."""

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame, Group
from expediter.asl.protocol import Json
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import State


class GroupState(State):
    """A state that waits for the lines inside it. ``resume`` starts them, at first and again when it is retried."""

    __slots__ = ()
    works = True

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        frame.attempt, frame.retries = 0, []
        return self.resume(run, frame)

    def open_child(self, run: Interpreter, frame: Frame, place: int, value: Json, item: Json = None) -> Frame:
        """A new line inside; until it enters its first state it stands where the group stands."""
        child = Frame(
            number=run.number(),
            state=frame.state,
            input=value,
            entered=frame.entered,
            entered_at=frame.entered_at,
            last=frame.last,
            parent=frame.number,
            place=place,
            item=item,
            lane=frame.lane,
        )
        return run.open(child)

    def group_of(self, frame: Frame) -> Group:
        if frame.group is None:
            raise ValueError(f"{self.name} has nothing running")
        return frame.group

    def child_failed(self, run: Interpreter, frame: Frame, child: Frame, failure: StateFailure) -> State | None:  # noqa: ARG002
        """The first failure is the state's own; Retry and Catch of this state see it under its own name."""
        run.close(frame)
        run.note(frame, f"{self.kind}StateFailed", {"error": failure.error, "cause": failure.cause})
        raise failure
