"""Choice: the first rule that is true names the next state. The comparisons of its rules in JSONPath.

Source: "Choice state" of the language and AWS's recorded answers. Nothing is coerced: values of another type than the
operator compares make it false, never an error. A Variable that selects nothing is an error, except for IsPresent.
"""

import operator
import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from expediter.asl.errors import PathMissing, StateFailure, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.paths import Path
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.interpreter import Interpreter
from expediter.asl.states.state import Arguments, Finish, State
from expediter.asl.texts import is_number, parse_instant

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
                if finish is None:
                    return self.leave(run, frame, value, None, following)
                output, assigned = finish(run, frame, value)
                return self.leave(run, frame, output, assigned, following)
        if self.following is None:
            raise StateFailure(
                "States.NoChoiceMatched",
                f"No choice rule matched for the Choice state '{self.name}' and no Default was specified",
                located=True,
            )
        output, assigned = (value, None) if self.finish is None else self.finish(run, frame, value)
        return self.leave(run, frame, output, assigned, self.following)


# --- comparisons -------------------------------------------------------------------------------------------------

Compare: TypeAlias = Callable[[Json, Json], bool]


def _strings(compare: Callable[[Json, Json], bool]) -> Compare:
    return lambda left, right: isinstance(left, str) and isinstance(right, str) and compare(left, right)


def _numbers(compare: Callable[[Json, Json], bool]) -> Compare:
    return lambda left, right: is_number(left) and is_number(right) and compare(left, right)


def _instants(compare: Callable[[Json, Json], bool]) -> Compare:
    def holds(left: Json, right: Json) -> bool:
        if not isinstance(left, str) or not isinstance(right, str):
            return False
        first, second = parse_instant(left), parse_instant(right)
        return first is not None and second is not None and compare(first, second)

    return holds


_ORDERS: dict[str, Callable[[Json, Json], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_KINDS: dict[str, Callable[[Callable[[Json, Json], bool]], Compare]] = {
    "String": _strings,
    "Numeric": _numbers,
    "Timestamp": _instants,
}

#: Operators with a second value; each but StringMatches also exists with ``Path`` at its end.
COMPARISONS: dict[str, Compare] = {
    **{kind + name: lift(compare) for kind, lift in _KINDS.items() for name, compare in _ORDERS.items()},
    "BooleanEquals": lambda left, right: isinstance(left, bool) and isinstance(right, bool) and left is right,
}

#: What decides where the second value is a literal of the right type: nothing of another type is equal to a text, and
#: only ``true`` is ``true``.
TO_LITERAL: dict[str, Compare] = {"StringEquals": operator.eq, "BooleanEquals": operator.is_}

#: Operators that ask about the value itself.
TESTS: dict[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsPresent": lambda _value: True,
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: isinstance(value, str) and parse_instant(value) is not None,
}


def _read(path: Path, value: Json, scope: Scope) -> Json:
    try:
        return path.get(value, scope)
    except PathMissing:
        message = f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
        raise runtime_failure(message) from None


def compares_with(variable: Path, compare: Compare, literal: Json) -> Condition:
    """``variable`` compared with a literal of the definition."""
    names = variable.names()
    if names is None:
        return lambda scope, _frame, value: compare(_read(variable, value, scope), literal)

    def holds(scope: Scope, _frame: Frame, value: Json) -> bool:
        found = value
        try:
            for name in names:
                found = found[name]
        except (KeyError, TypeError):
            found = _read(variable, value, scope)
        return compare(found, literal)

    return holds


def compares_two(variable: Path, compare: Compare, other: Path) -> Condition:
    """``variable`` compared with what another path selects."""
    return lambda scope, _frame, value: compare(_read(variable, value, scope), _read(other, value, scope))


def matches_text(variable: Path, pieces: list[str]) -> Condition:
    """StringMatches: ``variable`` is a text of these pieces with anything between them."""

    def holds(scope: Scope, _frame: Frame, value: Json) -> bool:
        found = _read(variable, value, scope)
        return isinstance(found, str) and _has_in_order(found, pieces)

    return holds


def pieces_of(text: str) -> list[str]:
    r"""What stands between the ``*``, each of which is any characters; ``\*`` is a star and ``\\`` a backslash."""
    pieces = [""]
    for part in re.findall(r"\\[*\\]|\*|[^*\\]+|\\", text):
        if part == "*":
            pieces.append("")
        else:
            pieces[-1] += part[1] if part in {r"\*", "\\\\"} else part
    return pieces


def _has_in_order(text: str, pieces: list[str]) -> bool:
    """Whether the text is these pieces with anything between them. Each is taken where it comes first: linear time."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in pieces[1:-1]:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def tests_type(variable: Path, name: str, *, wanted: bool) -> Condition:
    """One of ``TESTS``, for the value or, where ``wanted`` is false, against it."""
    test = TESTS[name]
    if name != "IsPresent":
        return lambda scope, _frame, value: test(_read(variable, value, scope)) is wanted

    def present(scope: Scope, _frame: Frame, value: Json) -> bool:
        try:
            found = variable.get(value, scope)
        except PathMissing:
            return not wanted
        return (variable.definite or found != []) is wanted

    return present
