"""Choice rules: values of another type make a comparison false, never an error."""

from typing import Any

import pytest

from tests.asl.helpers import run_states


def holds(rule: dict[str, Any], given: Any) -> bool:
    states = {
        "Look": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        "Yes": {"Type": "Succeed"},
        "No": {"Type": "Succeed"},
    }
    done = run_states(states, given)
    assert done.status == "SUCCEEDED", done.cause
    return done.states_entered[-1] == "Yes"


@pytest.mark.parametrize(
    ("operator", "value", "literal", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", 1, "1", False),
        ("StringLessThan", "a", "b", True),
        ("StringMatches", "log-2026.txt", "log-*.txt", True),
        ("StringMatches", "a*b", "a\\*b", True),
        ("StringMatches", "axb", "a\\*b", False),
        ("NumericEquals", 1.0, 1, True),
        ("NumericEquals", True, 1, False),
        ("NumericGreaterThanEquals", 2, 2, True),
        ("NumericLessThan", "1", 2, False),
        ("BooleanEquals", True, True, True),
        ("BooleanEquals", 1, True, False),
        ("TimestampEquals", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", True),
        ("TimestampLessThan", "not a time", "2026-01-01T00:00:00Z", False),
        ("TimestampLessThan", 5, "2026-01-01T00:00:00Z", False),
        ("IsNull", None, True, True),
        ("IsNumeric", "1", False, True),
        ("IsString", "1", True, True),
        ("IsBoolean", 0, True, False),
        ("IsTimestamp", "2026-01-01T00:00:00Z", True, True),
        ("IsPresent", None, True, True),
    ],
)
def test_an_operator_compares_values_of_its_own_type(operator: str, value: Any, literal: Any, expected: bool) -> None:
    assert holds({"Variable": "$.x", operator: literal}, {"x": value}) is expected


def test_an_operator_with_path_compares_with_another_field() -> None:
    rule = {"Variable": "$.x", "NumericGreaterThanPath": "$.y"}

    assert holds(rule, {"x": 2, "y": 1})
    assert not holds(rule, {"x": 1, "y": 1})


def test_rules_combine() -> None:
    one, two = {"Variable": "$.x", "NumericEquals": 1}, {"Variable": "$.y", "IsPresent": True}

    assert holds({"And": [one, two]}, {"x": 1, "y": 0})
    assert not holds({"And": [one, {"Not": two}]}, {"x": 1, "y": 0})
    assert holds({"Or": [one, two]}, {"x": 2, "y": 0})


def test_only_ispresent_may_look_at_what_is_not_there() -> None:
    assert holds({"Variable": "$.no.such", "IsPresent": False}, {})

    choice = {"Type": "Choice", "Choices": [{"Variable": "$.no", "IsNull": True, "Next": "End"}]}
    done = run_states({"Look": choice, "End": {"Type": "Succeed"}})

    assert (done.status, done.error) == ("FAILED", "States.Runtime")
    assert "Invalid path '$.no'" in str(done.cause)


def test_a_path_that_can_have_many_values_is_present_when_it_has_one() -> None:
    rule = {"Variable": "$.x[*].y", "IsPresent": True}

    assert holds(rule, {"x": [{"y": 1}]})
    assert not holds(rule, {"x": [{}]})


def test_no_rule_and_no_default_is_an_error_with_a_name() -> None:
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "End"}]}

    done = run_states({"Look": choice, "End": {"Type": "Succeed"}}, {"x": 1})

    assert (done.status, done.error) == ("FAILED", "States.NoChoiceMatched")


def test_a_rule_that_holds_uses_its_own_assign_and_the_default_that_of_the_state() -> None:
    rule = {"Variable": "$.x", "NumericEquals": 1, "Assign": {"by": "rule"}, "Next": "Tell"}
    states = {
        "Look": {"Type": "Choice", "Choices": [rule], "Assign": {"by": "state"}, "Default": "Tell"},
        "Tell": {"Type": "Pass", "Parameters": {"by.$": "$by"}, "End": True},
    }

    assert run_states(states, {"x": 1}).output == {"by": "rule"}
    assert run_states(states, {"x": 2}).output == {"by": "state"}
