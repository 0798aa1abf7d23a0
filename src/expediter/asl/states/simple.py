"""The states that do no work: Pass, Choice, Wait, Succeed and Fail."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json, TimerFired
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import Arguments, Finish, Finished, State


class Pass(State):
    """Its output is its shaped input, or its Result: ``arguments`` returns it."""

    __slots__ = ()
    kind = "Pass"

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        value = frame.input if self.arguments is None else self.arguments(run, frame)
        if self.put is not None:
            finished: Finished = self.put(frame.input, value), None
        else:
            finished = (value, None) if self.finish is None else self.finish(run, frame, value)
        return self.leave(run, frame, finished, self.following)


Condition: TypeAlias = Callable[[Scope, Frame, Json], bool]


class Rule(NamedTuple):
    """One entry of Choices: when it is true, its own Assign and Output apply, not those of the state."""

    holds: Condition
    target: str
    finish: Finish | None


class Choice(State):
    """The first rule that is true names the next state.

    ``target`` is Default; the state's own ``finish`` applies only then.
    """

    __slots__ = ("links", "rules")
    kind = "Choice"

    def __init__(
        self,
        name: str,
        default: str | None,
        arguments: Arguments | None,
        finish: Finish | None,
        rules: tuple[Rule, ...],
    ) -> None:
        super().__init__(name, default, arguments, finish)
        self.rules = rules
        self.links: tuple[tuple[Condition, State, Finish | None], ...] = ()

    def link(self, states: dict[str, State]) -> None:
        super().link(states)
        self.links = tuple((rule.holds, states[rule.target], rule.finish) for rule in self.rules)

    def targets(self) -> list[str]:
        return [*(rule.target for rule in self.rules), *super().targets()]

    def can_end(self) -> bool:
        return False

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        value = frame.input if self.arguments is None else self.arguments(run, frame)
        for holds, following, finish in self.links:
            if holds(run, frame, value):
                finished = (value, None) if finish is None else finish(run, frame, value)
                return self.leave(run, frame, finished, following)
        if self.following is None:
            raise StateFailure(
                "States.NoChoiceMatched",
                f"No choice rule matched for the Choice state '{self.name}' and no Default was specified",
                located=True,
            )
        finished = (value, None) if self.finish is None else self.finish(run, frame, value)
        return self.leave(run, frame, finished, self.following)


#: When the wait is over: milliseconds since 1970 UTC.
Due: TypeAlias = Callable[[Scope, Frame], int]


class Wait(State):
    """Always starts a timer, also for zero seconds: the caller decides when to go on."""

    __slots__ = ("due",)
    kind = "Wait"

    def __init__(
        self, name: str, target: str | None, arguments: Arguments | None, finish: Finish | None, due: Due
    ) -> None:
        super().__init__(name, target, arguments, finish)
        self.due = due

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        run.start_timer(frame, self.due(run, frame))
        return None

    def fired(self, run: Interpreter, frame: Frame, _event: TimerFired) -> State | None:
        value = frame.input if self.arguments is None else self.arguments(run, frame)
        finished = (value, None) if self.finish is None else self.finish(run, frame, value)
        return self.leave(run, frame, finished, self.following)


class Succeed(State):
    """Ends its branch. The output is its shaped input."""

    __slots__ = ()
    kind = "Succeed"

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        return self.done(run, frame, self.given(run, frame))


Text: TypeAlias = Callable[[Scope, Frame], str | None]


class Fail(State):
    """Ends its branch with an error. It has no Retry and no Catch; the states around it may have.

    A field that the definition does not have is None, not an empty string.
    """

    __slots__ = ("cause", "error")
    kind = "Fail"

    def __init__(self, name: str, arguments: Arguments | None, finish: Finish | None, error: Text, cause: Text) -> None:
        super().__init__(name, None, arguments, finish)
        self.error = error
        self.cause = cause

    def enter(self, run: Interpreter, frame: Frame) -> State | None:
        raise StateFailure(self.error(run, frame), self.cause(run, frame))
