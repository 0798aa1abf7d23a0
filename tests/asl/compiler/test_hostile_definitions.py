"""Definitions that no file would hold, and references that are hidden: faults, and never a traceback."""

from typing import Any

import pytest

from expediter.asl import DefinitionInvalid, parse


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", ["\ud800", nested(100_000)], ids=["half a surrogate pair", "nested too deep"])
def test_what_cannot_be_walked_through_or_written_is_a_fault_and_no_traceback(value: Any) -> None:
    with pytest.raises(DefinitionInvalid, match="must be a valid JSON object"):
        parse({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": value, "End": True}}})


def test_in_jsonata_the_input_document_is_not_there_inside_a_predicate_either() -> None:
    states = {"A": {"Type": "Pass", "Output": "{% $states.input.a[$$.x = 1] %}", "End": True}}

    with pytest.raises(DefinitionInvalid, match=r"there is none: begin at \$states.input"):
        parse({"QueryLanguage": "JSONata", "StartAt": "A", "States": states})
