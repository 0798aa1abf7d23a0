"""Compiles Choice: each rule, in JSONPath of data test expressions, becomes a condition of ``states/choice``."""

import re

from expediter.asl.compiler.dataflow import arguments, finish
from expediter.asl.compiler.reader import Reader
from expediter.asl.compiler.scalars import dynamic
from expediter.asl.compiler.slips import warn_of_choice
from expediter.asl.execution import Frame
from expediter.asl.expressions.scope import Scope
from expediter.asl.protocol import Json
from expediter.asl.states.choice import (
    COMPARISONS,
    TESTS,
    TO_LITERAL,
    Choice,
    Condition,
    Rule,
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


def choice(name: str, reader: Reader) -> Choice:
    """The state; its faults go to the reader."""
    rules = tuple(_rule(rule) for rule in reader.objects("Choices"))
    if not rules:
        reader.complain("Choices", "must be a non-empty array of rules")
    default = reader.maybe_text("Default")
    warn_of_choice(reader)
    return Choice(name, default, arguments(reader), finish(reader, has_result=False), rules)


def _rule(rule: Reader) -> Rule:
    rule.require("Next")
    rule.only("Next", "Assign", "Comment", *(("Condition", "Output") if rule.jsonata else DATA_TESTS))
    holds = _jsonata_condition(rule) if rule.jsonata else compile_condition(rule)
    return Rule(holds, rule.text("Next"), finish(rule, has_result=False))


def _jsonata_condition(rule: Reader) -> Condition:
    rule.require("Condition")
    given = rule.spec.get("Condition")
    if isinstance(given, bool):
        return lambda _scope, _frame, _value: given
    get = dynamic(rule, "Condition", "boolean")
    if get is None:
        rule.complain("Condition", "must be a JSONata expression or a boolean")
        return lambda _scope, _frame, _value: False
    return lambda scope, frame, _value: get(scope, frame) is True


def compile_condition(rule: Reader) -> Condition:
    """A data test expression: one comparison, or And, Or, Not of others."""
    combined = [name for name in ("And", "Or", "Not") if rule.has(name)]
    if not combined:
        return _comparison(rule)
    name = combined[0]
    for other in rule.spec.keys() & {*DATA_TESTS} - {name}:
        rule.refuse(other, f"cannot stand beside '{name}': a rule is one comparison, or one And, Or or Not of others")
    if name == "Not":
        inner = _nested(rule.inner(rule.spec["Not"], "Not"))
        return lambda scope, frame, value: not inner(scope, frame, value)
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
