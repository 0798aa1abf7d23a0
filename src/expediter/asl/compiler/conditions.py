"""The comparisons of Choice rules in JSONPath states, one table from operator to predicate.

Source: "Choice state" of the language and AWS's recorded answers. Nothing is coerced: values of another type than the
operator compares make it false, never an error. A Variable that selects nothing is an error, except for IsPresent.
"""

import operator
import re
from collections.abc import Callable
from typing import TypeAlias

from expediter.asl.compiler.reader import Reader
from expediter.asl.errors import PathMissing, runtime_failure
from expediter.asl.execution import Frame
from expediter.asl.expressions.intrinsics import is_number
from expediter.asl.expressions.paths import Path
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.simple import Condition
from expediter.asl.texts import parse_instant

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
_TO_LITERAL: dict[str, Compare] = {"StringEquals": operator.eq, "BooleanEquals": operator.is_}

#: Operators that ask about the value itself.
TESTS: dict[str, Callable[[Json], bool]] = {
    "IsNull": lambda value: value is None,
    "IsPresent": lambda _value: True,
    "IsNumeric": is_number,
    "IsString": lambda value: isinstance(value, str),
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsTimestamp": lambda value: isinstance(value, str) and parse_instant(value) is not None,
}

OPERATORS = (*COMPARISONS, *(f"{name}Path" for name in COMPARISONS), "StringMatches", *TESTS)

#: The fields of a data test expression.
DATA_TESTS = ("Variable", "And", "Or", "Not", *OPERATORS)

#: The fields of a data test expression.
DATA_TESTS = ("Variable", "And", "Or", "Not", *OPERATORS)

_LITERAL: dict[str, tuple[type | tuple[type, ...], str]] = {
    "String": (str, "a string"),
    "Numeric": ((int, float), "a number"),
    "Timestamp": (str, "a timestamp"),
    "Boolean": (bool, "a boolean"),
}


def compile_condition(rule: Reader) -> Condition:
    """A data test expression: one comparison, or And, Or, Not of others."""
    combined = [name for name in ("And", "Or", "Not") if rule.has(name)]
    if not combined:
        return _comparison(rule)
    if combined[0] == "Not":
        inner = _nested(rule.inner(rule.spec["Not"], "Not"))
        return lambda scope, frame, value: not inner(scope, frame, value)
    name = combined[0]
    parts = tuple(_nested(part) for part in rule.objects(name))
    if not parts:
        rule.complain(name, "must be a non-empty array of rules")
    if name == "And":
        return lambda scope, frame, value: all(part(scope, frame, value) for part in parts)
    return lambda scope, frame, value: any(part(scope, frame, value) for part in parts)


def _nested(part: Reader) -> Condition:
    """A data test inside And, Or or Not: it has no Next of its own."""
    part.only(*DATA_TESTS, "Comment")
    return compile_condition(part)


def _never(_scope: Scope, _frame: Frame, _value: Json) -> bool:
    return False


def _comparison(rule: Reader) -> Condition:
    if not rule.require("Variable"):
        return _never
    variable = rule.path("Variable")
    if not rule.spec.keys() - {"Variable", "Next", "Assign", "Comment"}:
        rule.complain("", "An operator is missing, such as StringEquals")
        return _never
    name = rule.one_of(*OPERATORS) if any(rule.has(operator) for operator in OPERATORS) else None
    if variable is None or name is None:
        return _never
    if name in TESTS:
        return _test(rule, variable, name)
    if name == "StringMatches":
        return _matching(variable, _wildcard(rule.text(name)))
    if name.endswith("Path"):
        other = rule.path(name)
        return _never if other is None else _between(variable, COMPARISONS[name.removesuffix("Path")], other)
    _check_literal(rule, name)
    return _with(variable, _TO_LITERAL.get(name, COMPARISONS[name]), rule.spec[name])


def _check_literal(rule: Reader, name: str) -> None:
    kind = re.sub(r"(Equals|LessThan|GreaterThan).*", "", name)
    kinds, what = _LITERAL[kind]
    value = rule.take(name, kinds, what, None)
    if kind == "Timestamp" and isinstance(value, str) and parse_instant(value) is None:
        rule.complain(name, "String does not match RFC3339 timestamp")


def _read(path: Path, value: Json, scope: Scope) -> Json:
    try:
        return path.get(value, scope)
    except PathMissing:
        message = f"Invalid path '{path.text}': The choice state's condition path references an invalid value."
        raise runtime_failure(message) from None


def _with(variable: Path, compare: Compare, literal: Json) -> Condition:
    get = variable.get

    def holds(scope: Scope, _frame: Frame, value: Json) -> bool:
        try:
            return compare(get(value, scope), literal)
        except PathMissing:
            return compare(_read(variable, value, scope), literal)

    return holds


def _between(variable: Path, compare: Compare, other: Path) -> Condition:
    return lambda scope, _frame, value: compare(_read(variable, value, scope), _read(other, value, scope))


def _matching(variable: Path, pieces: list[str]) -> Condition:
    def holds(scope: Scope, _frame: Frame, value: Json) -> bool:
        found = _read(variable, value, scope)
        return isinstance(found, str) and _has_in_order(found, pieces)

    return holds


def _wildcard(text: str) -> list[str]:
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


def _test(rule: Reader, variable: Path, name: str) -> Condition:
    wanted = rule.take(name, bool, "a boolean", True)
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
