"""What every state is to the machine."""

from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.errors import DATA_LIMIT, StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.history import HistoryEvent
from expediter.asl.protocol import Json, ScheduleTask, TaskFailed, TaskSucceeded, TaskTimedOut, TimerFired
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.retry import Handlers
from expediter.asl.texts import PAYLOAD_LIMIT, encode

#: Before the work: from the raw input to what the work gets.
Arguments: TypeAlias = Callable[[Scope, Frame], Json]
#: A state's output and the variables assigned.
Finished: TypeAlias = tuple[Json, dict[str, Json] | None]
#: After the work: what its result leads to.
Finish: TypeAlias = Callable[[Scope, Frame, Json], Finished]


class State:
    """A compiled state. Subclasses say what ``enter`` does, and take the answers they waited for.

    ``enter`` and the answers return the state to enter next in the same line, or None when the line waits or is over.
    They raise StateFailure when the state failed.
    """

    __slots__ = ("arguments", "entered", "exited", "finish", "following", "handlers", "name", "target")

    kind = ""
    #: Whether the state does work that can be retried (the context object then has a RetryCount).
    works = False

    def __init__(
        self,
        name: str,
        target: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        handlers: Handlers | None = None,
    ) -> None:
        """``arguments`` None: the work gets the raw input. ``finish`` None: the output is the work's result."""
        self.name = name
        self.entered = f"{self.kind}StateEntered"
        self.exited = f"{self.kind}StateExited"
        self.target = target
        self.following: State | None = None
        self.arguments = arguments
        self.finish = finish
        self.handlers = handlers or Handlers()

    def link(self, states: "dict[str, State]") -> None:
        """Resolve names of states, once all are known."""
        if self.target is not None:
            self.following = states[self.target]

    def targets(self) -> list[str]:
        """Every state that can come right after this one, for graphs and reachability."""
        caught = [catcher.target for catcher in self.handlers.catchers]
        return caught if self.target is None else [self.target, *caught]

    def can_end(self) -> bool:
        """Whether its line can be over after this state."""
        return self.target is None

    def enter(self, run: Interpreter, frame: Frame) -> "State | None":
        raise NotImplementedError

    def fired(self, run: Interpreter, frame: Frame, _event: TimerFired) -> "State | None":
        """The timer this state started has fired."""
        return self.resume(run, frame)

    def resume(self, run: Interpreter, frame: Frame) -> "State | None":
        """The time that this state waited for has come."""
        raise NotImplementedError

    def succeeded(self, run: Interpreter, frame: Frame, event: TaskSucceeded) -> "State | None":
        """The task this state scheduled has answered."""
        raise NotImplementedError

    def failed(self, run: Interpreter, frame: Frame, event: TaskFailed) -> "State | None":
        raise NotImplementedError

    def timed_out(self, run: Interpreter, frame: Frame, _event: TaskTimedOut) -> "State | None":
        raise NotImplementedError

    def child_ended(self, run: Interpreter, frame: Frame, child: Frame) -> "State | None":
        """One of the lines inside this state has yielded ``child.input``."""
        raise NotImplementedError

    def child_failed(self, run: Interpreter, frame: Frame, child: Frame, failure: StateFailure) -> "State | None":
        """One of the lines inside this state has failed; raises the failure that it is to this state."""
        raise NotImplementedError

    def request(self, run: Interpreter, frame: Frame) -> ScheduleTask | None:  # noqa: ARG002 - only tasks ask for anything
        """The task this frame waits for, built again from what is stored."""
        return None

    def context(self, run: Interpreter, frame: Frame) -> dict[str, Json]:  # noqa: ARG002 - only some states add to it
        """What this state adds to the context object."""
        return {}

    def leave(
        self,
        run: Interpreter,
        frame: Frame,
        finished: Finished,
        following: "State | None",
        size: int = 0,
    ) -> "State | None":
        """Write the exit and hand the output on; at the end of its line, None with the output as the line's input.

        ``size``: the output's bytes as JSON, or more, where the caller knows; only where that is not enough to say that
        it is within the limit, it is measured.
        """
        output, assigned = finished
        changed = output is not frame.input
        if changed and not 0 < size <= PAYLOAD_LIMIT and (size := len(encode(output))) > PAYLOAD_LIMIT:
            raise too_large(f"The state/task '{self.name}'")
        if assigned:
            if len(encode(assigned)) > PAYLOAD_LIMIT:
                raise StateFailure(DATA_LIMIT, f"The variables assigned by '{self.name}' exceed the service limit.")
            frame.variables = {**frame.variables, **assigned}
        if changed:
            frame.input, frame.size = output, size
        run.events = number = run.events + 1
        if run.history is not None:
            details: dict[str, Json] = {"name": self.name, "output": output}
            if assigned:
                details["assignedVariables"] = assigned
            run.history.append(HistoryEvent(number, frame.last, run.at, self.exited, details))
        frame.last = number
        if following is None:
            run.ended(frame)
        return following

    def given(self, run: Interpreter, frame: Frame) -> Json:
        """What the work gets: the raw input, shaped."""
        return frame.input if self.arguments is None else self.arguments(run, frame)

    def done(self, run: Interpreter, frame: Frame, result: Json) -> "State | None":
        """The work yielded ``result``: shape it and leave for the next state."""
        finished = (result, None) if self.finish is None else self.finish(run, frame, result)
        return self.leave(run, frame, finished, self.following)


def too_large(what: str) -> StateFailure:
    return StateFailure(
        DATA_LIMIT,
        f"{what} returned a result with a size exceeding the maximum number of bytes service limit.",
    )
