"""What a JSONata expression may read and call in each field."""

from typing import Any

import pytest

from expediter.asl import parse
from tests.asl.helpers import END, evaluating, faults

INNER = {"StartAt": "In", "States": {"In": END}}


#: What a state may read of $states in each field, besides input and context.
_READS = {
    "Task": {"Arguments": "", "Assign": "result", "Output": "result", "TimeoutSeconds": "", "HeartbeatSeconds": ""},
    "Parallel": {"Arguments": "", "Assign": "result", "Output": "result"},
    "Map": {"Items": "", "ItemSelector": "", "MaxConcurrency": "", "Assign": "result", "Output": "result"},
    "Pass": {"Assign": "", "Output": ""},
    "Wait": {"Seconds": "", "Assign": "", "Output": ""},
    "Choice": {"Assign": "", "Output": ""},
    "Succeed": {"Output": ""},
    "Fail": {"Error": "", "Cause": ""},
    "Rule": {"Condition": "", "Assign": "", "Output": ""},
    "Catch": {"Assign": "errorOutput", "Output": "errorOutput"},
}
_NEEDS: dict[str, dict[str, Any]] = {
    "Task": {"Resource": "x", "End": True},
    "Parallel": {"Branches": [INNER], "End": True},
    "Map": {"ItemProcessor": INNER, "End": True},
    "Pass": {"End": True},
    "Wait": {"End": True, "Seconds": 1},
    "Choice": {"Choices": [{"Condition": True, "Next": "Two"}], "Default": "Two"},
}


def reading_of_states(kind: str, field: str, member: str) -> dict[str, Any]:
    text = "{% $states." + member + " %}"
    value = {"a": text} if field in {"Assign", "ItemSelector"} else text
    inside: dict[str, dict[str, Any]] = {
        "Rule": {"Condition": True, "Next": "Two"},
        "Catch": {"ErrorEquals": ["States.ALL"], "Next": "Two"},
    }
    if kind in inside:
        outer, list_name = ("Choice", "Choices") if kind == "Rule" else ("Task", "Catch")
        state = {"Type": outer, **_NEEDS[outer], list_name: [{**inside[kind], field: value}]}
    else:
        state = {"Type": kind, **_NEEDS.get(kind, {}), field: value}
    more = {"Two": {"Type": "Succeed"}} if kind in {"Choice", *inside} else {}
    return {"QueryLanguage": "JSONata", "StartAt": "One", "States": {"One": state, **more}}


@pytest.mark.parametrize(
    ("kind", "field", "special"),
    [(kind, field, special) for kind, fields in _READS.items() for field, special in fields.items()],
)
def test_each_field_reads_of_states_what_is_there(kind: str, field: str, special: str) -> None:
    for member in ("input", "context", "result", "errorOutput"):
        definition = reading_of_states(kind, field, member)
        if member in {"input", "context", special}:
            assert parse(definition).start == "One"
        else:
            assert any(f"$states.{member} is not there" in fault.message for fault in faults(definition))


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("$randomSeeded(1)", "$randomSeeded, which is not there"),
        ("$uppercas('a')", "Did you mean '$uppercase'?"),
        ("$eval('1')", "Use $parse"),
        ("'a' ~> $shout", "$shout, which"),
        ("$states.inptu", "There is no $states.inptu. Did you mean 'input'?"),
    ],
)
def test_a_function_that_is_not_there_is_a_warning_because_aws_creates_the_workflow(
    expression: str, words: str
) -> None:
    assert any(words in fault.message for fault in parse(evaluating(expression)).warnings)


@pytest.mark.parametrize(
    "expression",
    [
        "($double := function($n) { 2 * $n }; $double(2))",
        "$map([1], function($item) { $item })",
        "($f := $sum; [1] ~> $f)",
        "function($do) { $do(1) }($string)",
        "$uuid() & $now() & $hash('a', 'MD5') & $random()",
    ],
)
def test_functions_that_an_expression_defines_or_aws_has_get_no_warning(expression: str) -> None:
    assert parse(evaluating(expression)).warnings == ()


def test_a_catch_may_read_what_went_wrong() -> None:
    catcher = {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "Told"}
    states = {"One": {"Type": "Task", "Resource": "x", "Catch": [catcher], "End": True}, "Told": {"Type": "Succeed"}}

    assert parse({"StartAt": "One", "QueryLanguage": "JSONata", "States": states}).start == "One"


@pytest.mark.parametrize(
    "expression",
    [
        "$states.input.items[price > 5].name",
        "$states.input.items^(>price)",
        "$states.input.items{name: $sum(price)}",
        "$states.input.items.(name & $.price)",
        "$map($states.input.items, function($item) { $item.name })",
        "$states.input ~> |items|{'seen': true}|",
    ],
)
def test_names_that_are_relative_to_a_value_of_the_expression_are_fine(expression: str) -> None:
    assert parse(evaluating(expression)).start == "One"
