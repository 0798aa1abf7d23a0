"""Definitions that no file would hold, and references that are hidden: faults, and never a traceback."""

from collections.abc import Callable
from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, parse, simulate


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", ["\ud800", nested(100_000)], ids=["half a surrogate pair", "nested too deep"])
def test_what_cannot_be_walked_through_or_written_is_a_fault_and_no_traceback(value: Any) -> None:
    with pytest.raises(DefinitionInvalid, match="must be a valid JSON object"):
        parse({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": value, "End": True}}})


def _maps(levels: int) -> Any:
    machine: Any = {"StartAt": "S0", "States": {"S0": {"Type": "Succeed"}}}
    for level in range(1, levels):
        state = {"Type": "Map", "ItemsPath": "$.a[0]", "ItemProcessor": machine, "End": True}
        machine = {"StartAt": f"S{level}", "States": {f"S{level}": state}}
    return machine


def _rules(levels: int) -> Any:
    rule: Any = {"Variable": "$.a", "IsNull": True}
    for _ in range(levels):
        rule = {"Not": rule}
    ask = {"Type": "Choice", "Choices": [{**rule, "Next": "B"}], "Default": "B"}
    return {"StartAt": "A", "States": {"A": ask, "B": {"Type": "Succeed"}}}


def _reading(path: str) -> Any:
    state = {"Type": "Pass", "Parameters": {"found.$": path}, "End": True}
    return {"StartAt": "A", "States": {"A": state}}


_DEEP: dict[str, Callable[[int], Any]] = {
    "maps": _maps,
    "rules": _rules,
    "groups": lambda levels: _reading("$.a[?(" + "!(" * levels + "@.x" + ")" * levels + ")]"),
    "negations": lambda levels: _reading("$.a[?(" + "!" * levels + "@.x)]"),
    "filters": lambda levels: _reading("$.a" + "[?(@.a" * levels + ")]" * levels),
    "calls": lambda levels: _reading("States.Array(" * levels + "1" + ")" * levels),
}


@pytest.mark.parametrize("kind", _DEEP)
def test_what_is_nested_runs_or_is_refused_at_every_depth(kind: str) -> None:
    ends = set()
    for levels in (10, 29, 100, 160, 300, 490, 5_000):
        try:
            ends.add(simulate(_DEEP[kind](levels), {"a": [{"x": 1, "a": [1]}]}).status)
        except DefinitionInvalid:
            ends.add("refused")

    assert ends <= {"SUCCEEDED", "FAILED", "refused"}


def test_in_jsonata_the_input_document_is_not_there_inside_a_predicate_either() -> None:
    states = {"A": {"Type": "Pass", "Output": "{% $states.input.a[$$.x = 1] %}", "End": True}}

    with pytest.raises(DefinitionInvalid, match=r"there is none: begin at \$states.input"):
        parse({"QueryLanguage": "JSONata", "StartAt": "A", "States": states})
