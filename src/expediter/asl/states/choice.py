"""Choice: the first rule that is true names the next state."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import StateFailure
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import Arguments, Finish, State

Condition: TypeAlias = Callable[[Scope, Frame, Json], bool]


class Rule(NamedTuple):
    """One entry of Choices: when it is true, its own Assign and Output apply, not those of the state."""

    holds: Condition
    target: str
    finish: Finish | None


class Choice(State):
    """``target`` is Default; the state's own ``finish`` applies only then."""

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
        return self.done(run, frame, value)
