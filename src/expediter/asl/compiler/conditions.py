"""The rules of a Choice in JSONPath: each data test expression becomes a condition of ``states/choice``."""

import re

from expediter.asl.compiler.reader import Reader
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.choice import (
    COMPARISONS,
    TESTS,
    TO_LITERAL,
    Condition,
    compares_two,
    compares_with,
    matches_text,
    pieces_of,
    tests_type,
)
from expediter.asl.texts import parse_instant

OPERATORS = (*COMPARISONS, *(f"{name}Path" for name in COMPARISONS), "StringMatches", *TESTS)

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
        return tests_type(variable, name, wanted=rule.take(name, bool, "a boolean", True))
    if name == "StringMatches":
        return matches_text(variable, pieces_of(rule.text(name)))
    if name.endswith("Path"):
        other = rule.path(name)
        return _never if other is None else compares_two(variable, COMPARISONS[name.removesuffix("Path")], other)
    _check_literal(rule, name)
    return compares_with(variable, TO_LITERAL.get(name, COMPARISONS[name]), rule.spec[name])


def _check_literal(rule: Reader, name: str) -> None:
    kind = re.sub(r"(Equals|LessThan|GreaterThan).*", "", name)
    kinds, what = _LITERAL[kind]
    value = rule.take(name, kinds, what, None)
    if kind == "Timestamp" and isinstance(value, str) and parse_instant(value) is None:
        rule.complain(name, "String does not match RFC3339 timestamp")
